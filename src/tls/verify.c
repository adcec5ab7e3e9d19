/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificate verification of both roles, called by OpenSSL in the middle of a
 * handshake (also of a renegotiated one).  The code that is left in the store
 * context decides the alert: OpenSSL maps known codes, and whatever it does
 * not know becomes certificate_unknown.  Who may do what is not asked here:
 * see policy/authorize.  Thread of the wire.
 */

#include "tls/verify.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "tls/callers.h"
#include "tls/cert.h"
#include "tls/chain_table.h"
#include "tls/client_context.h"
#include "tls/crl.h"
#include "tls/peer.h"
#include "tls/tls_mesh.h"
#include "tls/verify_name.h"
#include "tls/verify_text.h"

/* A code without an alert of its own: certificate_unknown. */
#define ALERT_CERTIFICATE_UNKNOWN X509_V_ERR_SUBTREE_MINMAX

static struct tls_peer *
peer_in(X509_STORE_CTX *x)
{
	int i = SSL_get_ex_data_X509_STORE_CTX_idx();

	return peer_of(X509_STORE_CTX_get_ex_data(x, i));
}

static int
refuse(X509_STORE_CTX *x, int code)
{
	X509_STORE_CTX_set_error(x, code);
	return 0;
}

/* Our kind of failure, and the code whose alert was recorded for it. */
static enum tls_failure
sort_failure(int *code)
{
	switch (*code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		*code = X509_V_ERR_CERT_HAS_EXPIRED;
		return TLS_FAIL_EXPIRED;
	case X509_V_ERR_INVALID_PURPOSE:
		return TLS_FAIL_PURPOSE;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		/* Another CA of the same name: all of Kuma's are called so. */
		*code = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
		return TLS_FAIL_CHAIN;
	default:
		return TLS_FAIL_CHAIN;
	}
}

/* Lists are its context's, and not the store's, which others may share. */
static void
use_crls(X509_STORE_CTX *x, const struct tls_peer *p)
{
	STACK_OF(X509_CRL) *crls = NULL;

	if (p->client != NULL)
		crls = client_context_crls(p->client);
	if (crls == NULL)
		return;
	X509_STORE_CTX_set0_crls(x, crls);
	X509_STORE_CTX_set_flags(
	    x, p->spec->crl_whole_chain
		   ? X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL
		   : X509_V_FLAG_CRL_CHECK);
}

static bool
verify_chain(X509_STORE_CTX *x, struct tls_peer *p)
{
	struct text t = TEXT_EMPTY;
	int code;

	use_crls(x, p);
	X509_STORE_CTX_set_time(x, 0, (time_t)clock_wall_s());
	if (X509_verify_cert(x) == 1) {
		p->not_after_s =
		    cert_earliest_end(X509_STORE_CTX_get0_chain(x));
		return true;
	}
	code = X509_STORE_CTX_get_error(x);
	if (code == X509_V_OK)
		code = X509_V_ERR_UNSPECIFIED;
	verify_text_chain(x, p, code, &t);
	peer_fail(p, sort_failure(&code), "%s", t.p);
	text_free(&t);
	X509_STORE_CTX_set_error(x, code);
	return false;
}

static void
add_cert(struct digester *d, X509 *c)
{
	unsigned char *der = NULL;
	int n = i2d_X509(c, &der);

	if (n < 0)
		abort();
	digester_add(
	    d, (struct str){ .p = (const void *)der, .len = (size_t)n });
	OPENSSL_free(der);
}

/*
 * Everything that the verdict depends on, but the time; scope stands for the
 * CA set.
 */
static struct digest
chain_key(X509_STORE_CTX *x, const struct digest *scope)
{
	const STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(x);
	struct digester *d = digester_new();
	struct digest key;
	int i;

	digester_add_digest(d, scope);
	add_cert(d, X509_STORE_CTX_get0_cert(x));
	for (i = 0; i < sk_X509_num(shown); i++)
		add_cert(d, sk_X509_value(shown, i));
	key = digester_take(d);
	digester_free(d);
	return key;
}

/* Peers come again and again with the same chain. */
static bool
verify_chain_once(X509_STORE_CTX *x, struct tls_peer *p,
    struct chain_table *known, const struct digest *scope)
{
	struct digest key = chain_key(x, scope);
	struct chain_times times;

	if (chain_table_get(known, &key, clock_wall_s(), &times)) {
		p->not_after_s = times.not_after_s;
		X509_STORE_CTX_set_error(x, X509_V_OK);
		return true;
	}
	if (!verify_chain(x, p))
		return false;
	times.not_after_s = p->not_after_s;
	times.not_before_s = cert_latest_start(X509_STORE_CTX_get0_chain(x));
	chain_table_put(known, &key, &times);
	return true;
}

static bool
verify_caller_chain(X509_STORE_CTX *x, struct tls_peer *p)
{
	const struct callers *c = p->mesh->callers;

	return verify_chain_once(x, p, callers_chains(c), callers_scope(c));
}

/*
 * The settings say which CA set, and more; only they ever make this context.
 * Who asks whether certificates were revoked asks every time: lists end, and
 * a stapled answer is read beside the chain.
 */
static bool
verify_server_chain(X509_STORE_CTX *x, struct tls_peer *p)
{
	struct chain_table *known = client_context_chains(p->client);

	if (known == NULL || p->spec->crl != NULL ||
	    p->spec->ocsp != TLS_OCSP_OFF)
		return verify_chain(x, p);
	return verify_chain_once(x, p, known, &p->spec->digest);
}

/* Who may speak of the certificate in OCSP; see staple.c. */
static void
note_issuer(X509_STORE_CTX *x, struct tls_peer *p)
{
	const STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(x);

	X509_free(p->issuer);
	p->issuer = NULL;
	if (p->spec->ocsp == TLS_OCSP_OFF || sk_X509_num(chain) < 2)
		return;
	p->issuer = sk_X509_value(chain, 1);
	X509_up_ref(p->issuer);
}

static void
end_session_by(struct tls_peer *p, int64_t end_s)
{
	if (p->session_end_s > end_s)
		p->session_end_s = end_s;
}

/* From now, for what was verified to live at most that long. */
static void
limit_session(struct tls_peer *p)
{
	p->session_end_s = clock_wall_s() + PEER_SESSION_S;
	end_session_by(p, p->not_after_s);
	if (p->client != NULL && client_context_crls(p->client) != NULL)
		end_session_by(
		    p, crl_earliest_end(client_context_crls(p->client)));
}

static enum identity_status
read_identity(struct tls_peer *p, const struct sans *sans)
{
	struct str *uris = xcalloc(sans->n + 1, sizeof(*uris));
	enum identity_status s;
	size_t i, n = 0;

	for (i = 0; i < sans->n; i++)
		if (sans->v[i].kind == SAN_URI)
			uris[n++] = sans->v[i].value;
	identity_free(p->identity);
	s = identity_new(
	    str_of(p->mesh->mesh), uris, n, p->not_after_s, &p->identity);
	free(uris);
	return s;
}

static bool
verify_identity(X509 *leaf, struct tls_peer *p)
{
	enum identity_status s = IDENTITY_BAD_SAN;
	struct text t = TEXT_EMPTY;
	struct sans sans;

	cert_sans(leaf, &sans);
	if (!sans.is_odd)
		s = read_identity(p, &sans);
	cert_print_sans(&sans, &t);
	cert_sans_free(&sans);
	switch (s) {
	case IDENTITY_OK:
		break;
	case IDENTITY_NO_SPIFFE:
		peer_fail(p, TLS_FAIL_SAN,
		    "the caller's certificate has no URI spiffe://%s/...; it "
		    "has %s",
		    p->mesh->mesh, t.p);
		break;
	case IDENTITY_BAD_SAN:
		peer_fail(p, TLS_FAIL_SAN,
		    "the caller's certificate has an unreadable name, one "
		    "with a forbidden byte, or too many; it has %s",
		    t.p);
		break;
	}
	text_free(&t);
	return s == IDENTITY_OK;
}

int
verify_caller(X509_STORE_CTX *x, void *arg)
{
	struct tls_peer *p = peer_in(x);

	(void)arg;
	if (!verify_caller_chain(x, p))
		return 0;
	if (!verify_identity(X509_STORE_CTX_get0_cert(x), p))
		return refuse(x, ALERT_CERTIFICATE_UNKNOWN);
	limit_session(p);
	return 1;
}

int
verify_server(X509_STORE_CTX *x, void *arg)
{
	struct tls_peer *p = peer_in(x);
	const struct tls_spec *spec = p->spec;
	struct text t = TEXT_EMPTY;
	bool is_ok = true;

	(void)arg;
	p->not_after_s = INT64_MAX;
	if (spec->verify_chain && !verify_server_chain(x, p))
		return 0;
	note_issuer(x, p);
	if (spec->verify_names)
		is_ok = verify_names(X509_STORE_CTX_get0_cert(x), spec->names,
		    spec->n_names, &t);
	if (!is_ok) {
		verify_text_add_names(x, &t);
		peer_fail(p, TLS_FAIL_NAME, "%s", t.p);
	}
	text_free(&t);
	if (!is_ok)
		return refuse(x, X509_V_ERR_HOSTNAME_MISMATCH);
	limit_session(p);
	X509_STORE_CTX_set_error(x, X509_V_OK);
	return 1;
}

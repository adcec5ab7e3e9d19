/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Called once the server's chain has been verified, in the middle of the
 * handshake, and before anything is sent for anybody.  The answer must be of
 * the CA that issued the certificate, or of one that this CA named for it; it
 * must be about this certificate, in time, and good.  A session that is
 * resumed was looked at when it began, and lives no longer than that answer.
 * Thread of the wire.
 */

#include "tls/staple.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tls/cert.h"
#include "tls/library.h"
#include "tls/peer.h"
#include "tls/verify_text.h"

#define CLOCK_SKEW_S 300
/* An answer that does not say when the next one comes. */
#define OPEN_ENDED_S ((int64_t)7 * 86400)
/* id-pe-tlsfeature (RFC 7633), and status_request in its list. */
#define TLS_FEATURE "1.3.6.1.5.5.7.1.24"
#define STATUS_REQUEST 5

/* The certificate promises that its server always staples. */
static bool
promises_staple(const X509 *leaf)
{
	ASN1_OBJECT *feature = OBJ_txt2obj(TLS_FEATURE, 1);
	int at = X509_get_ext_by_OBJ(leaf, feature, -1), i, n;
	const ASN1_OCTET_STRING *list;
	const unsigned char *p;
	bool is_found = false;

	ASN1_OBJECT_free(feature);
	if (at < 0)
		return false;
	list = X509_EXTENSION_get_data(X509_get_ext(leaf, at));
	p = ASN1_STRING_get0_data(list);
	n = ASN1_STRING_length(list);
	/* SEQUENCE OF INTEGER: of small ones each is three bytes. */
	for (i = 2; i + 2 < n; i++)
		is_found |= p[i] == V_ASN1_INTEGER && p[i + 1] == 1 &&
			    p[i + 2] == STATUS_REQUEST;
	return is_found;
}

/* Only who issued the certificate may speak of it, or name who does. */
static bool
is_signed_by(OCSP_BASICRESP *answer, X509 *issuer)
{
	X509_STORE *store = X509_STORE_new();
	bool is_good;

	if (store == NULL)
		abort();
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	is_good = X509_STORE_add_cert(store, issuer) == 1 &&
		  OCSP_basic_verify(answer, NULL, store, 0) == 1;
	X509_STORE_free(store);
	ERR_clear_error();
	return is_good;
}

struct verdict {
	int status; /* V_OCSP_CERTSTATUS_… */
	ASN1_GENERALIZEDTIME *revoked;
	ASN1_GENERALIZEDTIME *from;
	ASN1_GENERALIZEDTIME *next; /* NULL: it does not say */
};

/* Whichever digest the responder names certificates by. */
static bool
find_verdict(
    OCSP_BASICRESP *answer, X509 *leaf, X509 *issuer, struct verdict *v)
{
	const EVP_MD *digests[] = { EVP_sha1(), EVP_sha256() };
	bool is_found = false;
	OCSP_CERTID *id;
	size_t i;
	int reason;

	for (i = 0; i < 2 && !is_found; i++) {
		id = OCSP_cert_to_id(digests[i], leaf, issuer);
		is_found = id != NULL &&
			   OCSP_resp_find_status(answer, id, &v->status,
			       &reason, &v->revoked, &v->from, &v->next) == 1;
		OCSP_CERTID_free(id);
	}
	ERR_clear_error();
	return is_found;
}

static int64_t
end_of(const struct verdict *v)
{
	return v->next != NULL ? cert_seconds(v->next)
			       : cert_seconds(v->from) + OPEN_ENDED_S;
}

/* What is wrong with it; NULL: nothing. */
static const char *
judge(const struct verdict *v, struct tls_peer *p)
{
	int64_t now = clock_wall_s(), end = end_of(v);

	if (v->status == V_OCSP_CERTSTATUS_REVOKED)
		return "says that its certificate was revoked; the server "
		       "needs a new one";
	if (v->status != V_OCSP_CERTSTATUS_GOOD)
		return "says that its CA does not know the certificate";
	if (cert_seconds(v->from) > now + CLOCK_SKEW_S)
		return "is not valid yet; compare the clocks";
	if (end + CLOCK_SKEW_S < now)
		return "is out of date; the server must fetch a new one";
	if (p->session_end_s > end)
		p->session_end_s = end;
	return NULL;
}

static const char *
read_answer(struct tls_peer *p, OCSP_RESPONSE *r, X509 *leaf)
{
	OCSP_BASICRESP *answer = NULL;
	const char *wrong = NULL;
	struct verdict v;

	if (r == NULL)
		return "cannot be decoded";
	if (OCSP_response_status(r) == OCSP_RESPONSE_STATUS_SUCCESSFUL)
		answer = OCSP_response_get1_basic(r);
	if (answer == NULL)
		wrong = "is none but an error of the CA's responder";
	else if (p->issuer == NULL)
		wrong = "cannot be verified, as the certificate is trusted by "
			"itself and its CA is not there; add that CA";
	else if (!is_signed_by(answer, p->issuer))
		wrong = "is not signed by the CA of the certificate";
	else if (!find_verdict(answer, leaf, p->issuer, &v))
		wrong = "is about another certificate";
	else
		wrong = judge(&v, p);
	OCSP_BASICRESP_free(answer);
	return wrong;
}

static int
refuse(struct tls_peer *p, const X509 *leaf, const char *what)
{
	struct text t = TEXT_EMPTY;

	text_add_z(&t, what);
	verify_text_add_leaf(p, leaf, &t);
	peer_fail(p, TLS_FAIL_CHAIN, "%s", t.p);
	text_free(&t);
	return 0;
}

static int
refuse_answer(struct tls_peer *p, const X509 *leaf, const char *wrong)
{
	struct text t = TEXT_EMPTY;

	text_addf(&t, "the server's stapled answer of OCSP %s", wrong);
	(void)refuse(p, leaf, t.p);
	text_free(&t);
	return 0;
}

static int
check_staple(SSL *ssl, void *arg)
{
	struct str der = library_staple(ssl);
	X509 *leaf = SSL_get_peer_certificate(ssl);
	const unsigned char *at = (const void *)der.p;
	struct tls_peer *p = peer_of(ssl);
	OCSP_RESPONSE *r;
	const char *wrong;
	int is_good = 1;

	(void)arg;
	if (leaf == NULL || SSL_session_reused(ssl) == 1)
		goto out;
	if (der.len == 0) {
		if (p->spec->ocsp == TLS_OCSP_REQUIRE)
			is_good = refuse(p, leaf,
			    "the server stapled no answer of OCSP: let it, or "
			    "set tls.ocsp = \"check\"");
		else if (promises_staple(leaf))
			is_good = refuse(p, leaf,
			    "the server's certificate promises a stapled "
			    "answer of OCSP and none came: the server must "
			    "send it");
		goto out;
	}
	r = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
	wrong = read_answer(p, r, leaf);
	OCSP_RESPONSE_free(r);
	ERR_clear_error();
	if (wrong != NULL)
		is_good = refuse_answer(p, leaf, wrong);
out:
	X509_free(leaf);
	return is_good;
}

void
staple_set_up(SSL_CTX *ctx)
{
	library_ask_for_staple(ctx, check_staple);
}

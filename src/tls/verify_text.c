/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cause comes first and what to do about it next, so that a sentence that
 * is cut at the end has lost only what was shown.  Of servers all is told; of
 * callers, who are many, the cause.  Any thread.
 */

#include "tls/verify_text.h"

#include <openssl/x509v3.h>

#include "tls/cert.h"
#include "tls/peer.h"
#include "tls/tls_mesh.h"
#include "tls/verify_name.h"

#define SHOWN_MAX 4

static void
add_shown(X509 *c, int depth, struct text *t)
{
	text_addf(t, "%s%d ", depth > 0 ? ", " : "", depth);
	cert_print_subject(c, t);
	text_add(t, STR(" until "));
	cert_print_time(cert_not_after(c), t);
}

/* As it came; a root that only we have is not in it. */
static void
add_chain(X509_STORE_CTX *x, struct text *t)
{
	const STACK_OF(X509) *shown = X509_STORE_CTX_get0_untrusted(x);
	int i, n = shown != NULL ? (int)sk_X509_num(shown) : 0;

	text_add(t, STR("; its chain: "));
	if (n == 0)
		add_shown(X509_STORE_CTX_get0_cert(x), 0, t);
	for (i = 0; i < n && i < SHOWN_MAX; i++)
		add_shown(sk_X509_value(shown, i), i, t);
	if (n > SHOWN_MAX)
		text_addf(t, " and %d more", n - SHOWN_MAX);
}

static void
add_both_names(const struct tls_peer *p, const X509 *leaf, struct text *t)
{
	struct sans sans;

	cert_sans(leaf, &sans);
	text_add(t, STR("; expected "));
	if (p->spec->verify_names)
		verify_name_print(p->spec->names, p->spec->n_names, t);
	else
		text_add(t, STR("any name"));
	text_add(t, STR("; the certificate has "));
	cert_print_sans(&sans, t);
	cert_sans_free(&sans);
}

void
verify_text_add_leaf(const struct tls_peer *p, const X509 *leaf, struct text *t)
{
	add_both_names(p, leaf, t);
	text_add(t, STR(", until "));
	cert_print_time(cert_not_after(leaf), t);
}

void
verify_text_add_names(X509_STORE_CTX *x, struct text *t)
{
	text_add(t, STR("; correct serverName or tls.names, or the server's "
			"certificate"));
	add_chain(x, t);
}

static bool
is_about_crl(int code)
{
	return code == X509_V_ERR_UNABLE_TO_GET_CRL ||
	       code == X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER ||
	       code == X509_V_ERR_CRL_SIGNATURE_FAILURE ||
	       code == X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE ||
	       code == X509_V_ERR_CRL_NOT_YET_VALID ||
	       code == X509_V_ERR_CRL_HAS_EXPIRED ||
	       code == X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD ||
	       code == X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD ||
	       code == X509_V_ERR_DIFFERENT_CRL_SCOPE;
}

static bool
is_about_ca(int code)
{
	return code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT ||
	       code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
	       code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE ||
	       code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
	       code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
	       code == X509_V_ERR_CERT_SIGNATURE_FAILURE;
}

/* What to do, where another CA or CRL would have made the difference. */
static void
add_remedy(const struct tls_peer *p, int code, struct text *t)
{
	if (is_about_crl(code))
		text_add(t, STR("; put the newest list of its issuer into "
				"tls.crl, and reload"));
	if (!is_about_ca(code))
		return;
	if (p->mesh != NULL)
		text_addf(t, "; callers must chain to the CA of mesh %s",
		    p->mesh->mesh);
	else if (p->spec->use_system_ca)
		text_add(t, STR("; if a private CA issued it, give that CA as "
				"caCert"));
	else
		text_add(t, STR("; add the CA that issued it to caCert"));
}

static void
add_cause(X509 *c, const struct tls_peer *p, int code, struct text *t)
{
	if (c != NULL && code == X509_V_ERR_CERT_HAS_EXPIRED) {
		text_add(t, STR(" expired on "));
		cert_print_time(cert_not_after(c), t);
		text_add(t, STR("; it must be renewed"));
	} else if (c != NULL && code == X509_V_ERR_CERT_NOT_YET_VALID) {
		text_add(t, STR(" is not valid before "));
		cert_print_time(cert_not_before(c), t);
		text_add(t, STR("; compare the clocks"));
	} else if (code == X509_V_ERR_INVALID_PURPOSE) {
		text_addf(t, " is not meant for a TLS %s (extended key usage)",
		    p->mesh != NULL ? "client" : "server");
	} else if (code == X509_V_ERR_CERT_REVOKED) {
		text_add(t, STR(" was revoked, says the list of its issuer; it "
				"must be replaced"));
	} else {
		if (c != NULL) {
			text_add(t, STR(", issued by "));
			cert_print_issuer(c, t);
		}
		text_addf(t, ": %s", X509_verify_cert_error_string(code));
		add_remedy(p, code, t);
	}
}

/* Which certificate, how far up, and what is wrong. */
void
verify_text_chain(
    X509_STORE_CTX *x, const struct tls_peer *p, int code, struct text *t)
{
	X509 *c = X509_STORE_CTX_get_current_cert(x);
	int depth = X509_STORE_CTX_get_error_depth(x);

	text_add_z(t, depth == 0 ? "the certificate " : "the certificate of ");
	if (c != NULL)
		cert_print_subject(c, t);
	if (depth > 0)
		text_addf(t, " (depth %d)", depth);
	add_cause(c, p, code, t);
	if (p->spec == NULL)
		return;
	add_both_names(p, X509_STORE_CTX_get0_cert(x), t);
	add_chain(x, t);
}

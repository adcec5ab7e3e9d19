/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Issues the egress's own certificate as the control plane would: no subject,
 * critical names, both purposes, and never beyond the life of its CA.  The
 * CA's key is read for this one signature and freed with it.  Any thread.
 */

#include "tls/mint.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "tls/cert.h"
#include "tls/library.h"
#include "tls/pem_read.h"

/* Clocks of callers may be behind ours by this much. */
#define BACK_S 10
#define SERIAL_LEN 16
#define KEY_ID_LEN 20 /* RFC 7093, section 2, method 1 */

static bool
add_san(X509 *leaf, struct str mesh)
{
	struct text t = TEXT_EMPTY;
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *g;
	ASN1_IA5STRING *s;
	bool is_ok;
	int i;

	for (i = 0; i < 2; i++) {
		text_clear(&t);
		if (i == 0)
			text_addf(
			    &t, "spiffe://%.*s/zone-egress", STR_ARG(mesh));
		else
			text_add(&t, STR("kuma://kuma.io/service/zone-egress"));
		g = GENERAL_NAME_new();
		s = ASN1_IA5STRING_new();
		if (g == NULL || s == NULL || names == NULL ||
		    ASN1_STRING_set(s, t.p, (int)t.len) != 1)
			abort();
		GENERAL_NAME_set0_value(g, GEN_URI, s);
		sk_GENERAL_NAME_push(names, g);
	}
	/* Critical: there is no subject beside it (RFC 5280, 4.2.1.6). */
	is_ok = X509_add1_ext_i2d(leaf, NID_subject_alt_name, names, 1, 0) == 1;
	GENERAL_NAMES_free(names);
	text_free(&t);
	return is_ok;
}

static bool
add_usage(X509 *leaf)
{
	static const struct {
		int nid;
		const char *value;
	} rows[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "serverAuth,clientAuth" },
	};
	X509_EXTENSION *e;
	bool is_ok = true;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows) && is_ok; i++) {
		e = X509V3_EXT_conf_nid(NULL, NULL, rows[i].nid, rows[i].value);
		is_ok = e != NULL && X509_add_ext(leaf, e, -1) == 1;
		X509_EXTENSION_free(e);
	}
	return is_ok;
}

static bool
add_key_ids(X509 *leaf, X509 *ca)
{
	const ASN1_OCTET_STRING *ca_id = X509_get0_subject_key_id(ca);
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	AUTHORITY_KEYID *aki = AUTHORITY_KEYID_new();
	unsigned char md[EVP_MAX_MD_SIZE];
	bool is_ok;

	if (id == NULL || aki == NULL)
		abort();
	is_ok =
	    X509_pubkey_digest(leaf, library_sha256(), md, NULL) == 1 &&
	    ASN1_OCTET_STRING_set(id, md, KEY_ID_LEN) == 1 &&
	    X509_add1_ext_i2d(leaf, NID_subject_key_identifier, id, 0, 0) == 1;
	if (is_ok && ca_id != NULL) {
		aki->keyid = ASN1_OCTET_STRING_dup(ca_id);
		is_ok = X509_add1_ext_i2d(
			    leaf, NID_authority_key_identifier, aki, 0, 0) == 1;
	}
	AUTHORITY_KEYID_free(aki);
	ASN1_OCTET_STRING_free(id);
	return is_ok;
}

static bool
set_serial(X509 *leaf)
{
	unsigned char b[SERIAL_LEN];
	BIGNUM *n;
	bool is_ok;

	if (!library_random(b, sizeof(b)))
		return false;
	n = BN_bin2bn(b, sizeof(b), NULL);
	is_ok = n != NULL &&
		BN_to_ASN1_INTEGER(n, X509_get_serialNumber(leaf)) != NULL;
	BN_free(n);
	return is_ok;
}

static bool
set_life(X509 *leaf, const X509 *ca, const struct mint_request *rq)
{
	int64_t end = rq->now_s + (int64_t)rq->life_s;

	if (end > cert_not_after(ca))
		end = cert_not_after(ca);
	return ASN1_TIME_set(X509_getm_notBefore(leaf),
		   (time_t)(rq->now_s - BACK_S)) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(leaf), (time_t)end) != NULL;
}

static bool
fill_and_sign(X509 *leaf, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key,
    const struct mint_request *rq)
{
	return X509_set_version(leaf, X509_VERSION_3) == 1 &&
	       set_serial(leaf) &&
	       X509_set_issuer_name(leaf, X509_get_subject_name(ca)) == 1 &&
	       set_life(leaf, ca, rq) && X509_set_pubkey(leaf, key) == 1 &&
	       add_san(leaf, rq->mesh) && add_usage(leaf) &&
	       add_key_ids(leaf, ca) &&
	       X509_sign(leaf, ca_key, library_signing_digest(ca_key)) > 0;
}

/* Would anyone accept what this CA issues? */
static bool
ca_can_issue(X509 *ca, int64_t now_s, struct text *why)
{
	if (X509_check_ca(ca) == 0) {
		text_add(why, STR("the certificate is not a CA's: it may not "
				  "issue others"));
		return false;
	}
	if (cert_not_after(ca) > now_s && cert_not_before(ca) <= now_s)
		return true;
	if (cert_not_after(ca) <= now_s) {
		text_add(why, STR("the CA certificate expired on "));
		cert_print_time(cert_not_after(ca), why);
		text_add(why, STR("; renew the mesh's CA"));
	} else {
		text_add(why, STR("the CA certificate is not valid before "));
		cert_print_time(cert_not_before(ca), why);
		text_add(why, STR("; check this host's clock"));
	}
	return false;
}

bool
mint_leaf(const struct mint_request *rq, X509 **leaf, EVP_PKEY **key,
    struct text *why)
{
	STACK_OF(X509) * chain;
	EVP_PKEY *ca_key;
	X509 *ca;
	bool is_ok = false;

	*leaf = NULL;
	*key = NULL;
	text_add(why, STR("the CA's certificate and key: "));
	if (!pem_read_pair(
		rq->ca_cert_pem, rq->ca_key_pem, &chain, &ca_key, why))
		return false;
	text_free(why);
	ca = sk_X509_value(chain, 0);
	if (!ca_can_issue(ca, rq->now_s, why))
		goto out;
	*leaf = library_cert_new();
	*key = library_key_new();
	if (*key == NULL)
		abort();
	is_ok = fill_and_sign(*leaf, *key, ca, ca_key, rq);
	if (!is_ok)
		text_add(why, STR("the CA's key cannot sign a certificate"));
out:
	if (!is_ok) {
		X509_free(*leaf);
		EVP_PKEY_free(*key);
		*leaf = NULL;
		*key = NULL;
	}
	pem_free_certs(chain);
	EVP_PKEY_free(ca_key);
	ERR_clear_error();
	return is_ok;
}

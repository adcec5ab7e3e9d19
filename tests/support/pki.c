/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for tests, by OpenSSL alone: nothing of the code under test is
 * in it.
 */

#include "support/pki.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY_S 86400

static void
require(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	(void)fprintf(stderr, "pki: %s failed\n", what);
	abort();
}

static EVP_PKEY *
make_key(enum pki_key kind)
{
	EVP_PKEY *key = NULL;

	switch (kind) {
	case PKI_EC256:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
		break;
	case PKI_EC384:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
		break;
	case PKI_RSA2048:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
		break;
	case PKI_ED25519:
		key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		break;
	}
	require(key != NULL, "key");
	return key;
}

/* Calls fn for each part of a copy of list, cut at commas. */
static void
each_part(const char *list, void (*fn)(void *arg, char *part), void *arg)
{
	char *copy = strdup(list), *save = NULL, *part;

	for (part = strtok_r(copy, ",", &save); part != NULL;
	     part = strtok_r(NULL, ",", &save))
		fn(arg, part);
	free(copy);
}

static void
add_rdn(void *arg, char *part)
{
	char *value = strchr(part, '=');

	require(value != NULL, "subject");
	*value++ = '\0';
	require(X509_NAME_add_entry_by_txt(arg, part, MBSTRING_UTF8,
		    (const unsigned char *)value, -1, -1, 0) == 1,
	    "subject");
}

/* %XX in place; the length. */
static size_t
decode(char *s)
{
	char *from = s, *to = s;
	unsigned byte;

	for (; *from != '\0'; to++) {
		if (*from == '%' && sscanf(from + 1, "%2x", &byte) == 1) {
			*to = (char)byte;
			from += 3;
		} else {
			*to = *from++;
		}
	}
	return (size_t)(to - s);
}

static ASN1_STRING *
san_value(int type, char *value)
{
	unsigned char ip[16];
	const void *p = value;
	size_t n = decode(value);
	ASN1_STRING *s;

	s = ASN1_STRING_type_new(
	    type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
	if (type == GEN_IPADD) {
		p = ip;
		n = inet_pton(AF_INET, value, ip) == 1 ? 4 : 16;
		require(n == 4 || inet_pton(AF_INET6, value, ip) == 1, "IP");
	}
	require(ASN1_STRING_set(s, p, (int)n) == 1, "SAN");
	return s;
}

static void
add_san(void *arg, char *part)
{
	static const struct {
		const char *prefix;
		int type;
	} rows[] = { { "URI:", GEN_URI }, { "DNS:", GEN_DNS },
		{ "IP:", GEN_IPADD }, { "EMAIL:", GEN_EMAIL } };
	GENERAL_NAME *g;
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		n = strlen(rows[i].prefix);
		if (strncmp(part, rows[i].prefix, n) != 0)
			continue;
		g = GENERAL_NAME_new();
		GENERAL_NAME_set0_value(
		    g, rows[i].type, san_value(rows[i].type, part + n));
		sk_GENERAL_NAME_push(arg, g);
		return;
	}
	require(false, part);
}

static void
add_sans(X509 *x, const struct pki_options *o)
{
	GENERAL_NAMES *names;

	if (o->sans == NULL)
		return;
	names = sk_GENERAL_NAME_new_null();
	each_part(o->sans, add_san, names);
	require(X509_add1_ext_i2d(
		    x, NID_subject_alt_name, names, o->sans_critical, 0) == 1,
	    "SANs");
	GENERAL_NAMES_free(names);
}

static void
add_ext(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, ctx, nid, value);

	require(e != NULL && X509_add_ext(x, e, -1) == 1, value);
	X509_EXTENSION_free(e);
}

static void
add_extensions(X509 *x, X509 *issuer, const struct pki_options *o, bool is_ca)
{
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	if (is_ca) {
		add_ext(x, &ctx, NID_basic_constraints, "critical,CA:TRUE");
		add_ext(x, &ctx, NID_key_usage, "critical,keyCertSign,cRLSign");
	} else {
		add_ext(x, &ctx, NID_key_usage, "digitalSignature");
		if (o->eku == NULL || *o->eku != '\0')
			add_ext(x, &ctx, NID_ext_key_usage,
			    o->eku != NULL ? o->eku : "serverAuth,clientAuth");
	}
	if (!o->no_key_ids) {
		add_ext(x, &ctx, NID_subject_key_identifier, "hash");
		/* Asking a certificate that is not ready would spoil it. */
		if (issuer != x && X509_get0_subject_key_id(issuer) != NULL)
			add_ext(x, &ctx, NID_authority_key_identifier, "keyid");
	}
	if (o->must_staple)
		add_ext(x, &ctx, NID_tlsfeature, "status_request");
	add_sans(x, o);
}

static char *
to_pem(const struct pki *p, bool is_key)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *at, *copy;
	long n;

	require((is_key ? PEM_write_bio_PrivateKey(
			      b, p->key, NULL, NULL, 0, NULL, NULL)
			: PEM_write_bio_X509(b, p->cert)) == 1,
	    "PEM");
	n = BIO_get_mem_data(b, &at);
	copy = strndup(at, (size_t)n);
	BIO_free(b);
	return copy;
}

static void
set_serial(X509 *x)
{
	uint64_t serial;

	require(RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1 &&
		    ASN1_INTEGER_set_uint64(
			X509_get_serialNumber(x), serial >> 1) == 1,
	    "serial");
}

static struct pki *
make(const struct pki *issuer, const struct pki_options *o, bool is_ca)
{
	struct pki *p = calloc(1, sizeof(*p));
	int64_t now = (int64_t)time(NULL);
	int64_t life = is_ca ? 3650 * (int64_t)DAY_S : DAY_S;
	const struct pki *by = issuer != NULL ? issuer : p;
	X509 *x = X509_new();

	p->cert = x;
	p->key = make_key(o->key);
	require(X509_set_version(x, X509_VERSION_3) == 1, "version");
	set_serial(x);
	ASN1_TIME_set(X509_getm_notBefore(x),
	    (time_t)(now + (o->from_s != 0 ? o->from_s : -10)));
	ASN1_TIME_set(X509_getm_notAfter(x),
	    (time_t)(now + (o->to_s != 0 ? o->to_s : life)));
	if (o->subject != NULL)
		each_part(o->subject, add_rdn, X509_get_subject_name(x));
	X509_set_issuer_name(x, X509_get_subject_name(by->cert));
	X509_set_pubkey(x, p->key);
	add_extensions(x, by->cert, o, is_ca);
	require(
	    X509_sign(x, by->key,
		EVP_PKEY_is_a(by->key, "ED25519") ? NULL : EVP_sha256()) > 0,
	    "signature");
	p->cert_pem = to_pem(p, false);
	p->key_pem = to_pem(p, true);
	return p;
}

struct pki *
pki_ca_new(const struct pki *issuer, const struct pki_options *o)
{
	return make(issuer, o, true);
}

struct pki *
pki_leaf_new(const struct pki *ca, const struct pki_options *o)
{
	return make(ca, o, false);
}

void
pki_free(struct pki *p)
{
	if (p == NULL)
		return;
	X509_free(p->cert);
	EVP_PKEY_free(p->key);
	free(p->cert_pem);
	free(p->key_pem);
	free(p);
}

struct pki *
pki_mesh_ca(const char *mesh)
{
	char subject[256], sans[256];
	struct pki_options o = { .subject = subject, .sans = sans };

	(void)snprintf(subject, sizeof(subject), "O=Kuma,OU=Mesh,CN=%s", mesh);
	(void)snprintf(sans, sizeof(sans), "URI:spiffe://%s", mesh);
	return pki_ca_new(NULL, &o);
}

struct pki *
pki_sidecar(const struct pki *ca, const char *mesh, const char *service,
    const char *zone)
{
	char sans[1024];
	struct pki_options o = { .sans = sans, .sans_critical = true };
	int n;

	n = snprintf(sans, sizeof(sans),
	    "URI:spiffe://%s/%s,URI:kuma://kuma.io/protocol/http,"
	    "URI:kuma://kuma.io/service/%s",
	    mesh, service, service);
	if (zone != NULL)
		(void)snprintf(sans + n, sizeof(sans) - (size_t)n,
		    ",URI:kuma://kuma.io/zone/%s", zone);
	return pki_leaf_new(ca, &o);
}

struct pki *
pki_server(const struct pki *ca, const char *name)
{
	unsigned char ip[16];
	char sans[512], subject[80];
	struct pki_options o = {
		.subject = subject, .sans = sans, .eku = "serverAuth"
	};
	bool is_ip = inet_pton(AF_INET, name, ip) == 1 ||
		     inet_pton(AF_INET6, name, ip) == 1;

	(void)snprintf(subject, sizeof(subject), "CN=%.60s", name);
	(void)snprintf(sans, sizeof(sans), "%s:%s", is_ip ? "IP" : "DNS", name);
	return pki_leaf_new(ca, &o);
}

char *
pki_chain_pem(const struct pki *first, ...)
{
	const struct pki *p;
	char *all = strdup("");
	size_t n = 0, more;
	va_list ap;

	va_start(ap, first);
	for (p = first; p != NULL; p = va_arg(ap, const struct pki *)) {
		more = strlen(p->cert_pem);
		all = realloc(all, n + more + 1);
		require(all != NULL, "memory");
		memcpy(all + n, p->cert_pem, more + 1);
		n += more;
	}
	va_end(ap);
	return all;
}

static void
write_file(const char *path, const char *text)
{
	int fd;
	size_t n = strlen(text);

	if (path == NULL)
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	require(fd != -1 && write(fd, text, n) == (ssize_t)n, path);
	(void)close(fd);
}

void
pki_write(const struct pki *p, const char *cert_path, const char *key_path)
{
	write_file(cert_path, p->cert_pem);
	write_file(key_path, p->key_pem);
}

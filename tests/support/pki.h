/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PKI_H
#define SUPPORT_PKI_H

/*
 * Throw-away certificates, made as asked for: also the wrong ones that a test
 * needs.  Whatever cannot be made ends the program.  Any thread.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

enum pki_key { PKI_EC256, PKI_EC384, PKI_RSA2048, PKI_ED25519 };

struct pki_options {
	const char *subject; /* "O=Kuma,CN=default"; NULL: empty */
	/*
	 * "URI:spiffe://default/a,DNS:*.example.com,IP:127.0.0.1,EMAIL:a@b";
	 * %XX is that byte.  NULL: no such extension.
	 */
	const char *sans;
	bool sans_critical;
	/* "serverAuth,clientAuth"; NULL: both; "": no such extension. */
	const char *eku;
	int64_t from_s; /* from now; 0: 10 s ago */
	int64_t to_s;   /* from now; 0: in a day (a CA: in ten years) */
	enum pki_key key;
	bool no_key_ids;  /* neither of the two key identifiers */
	bool must_staple; /* status_request as TLS feature (RFC 7633) */
};

struct pki {
	X509 *cert;
	EVP_PKEY *key;
	char *cert_pem;
	char *key_pem;
};

/* A self-signed CA, or one issued by another. */
struct pki *pki_ca_new(const struct pki *issuer, const struct pki_options *o);
struct pki *pki_leaf_new(const struct pki *ca, const struct pki_options *o);
void pki_free(struct pki *p);

/* As Kuma's builtin backend makes it, with an EC key. */
struct pki *pki_mesh_ca(const char *mesh);
/* A sidecar's: spiffe://MESH/SERVICE and kuma:// tags; zone may be NULL. */
struct pki *pki_sidecar(const struct pki *ca, const char *mesh,
    const char *service, const char *zone);
/* An external server's: DNS (or IP) name, no more. */
struct pki *pki_server(const struct pki *ca, const char *name);

/* The certificates one after the other, to free(); NULL ends the list. */
char *pki_chain_pem(const struct pki *first, ...);
/* 0600; either path may be NULL. */
void pki_write(
    const struct pki *p, const char *cert_path, const char *key_path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_PEM_READ_H
#define TLS_PEM_READ_H

/* PEM to OpenSSL's objects, with a sentence when it cannot be. */

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

#include "base/str.h"

/* To read blocks from, to BIO_free(); NULL: there is nothing in it. */
BIO *pem_open(struct str pem) MUST_CHECK;
/*
 * For OpenSSL: no passphrase is known, and nobody is asked on a terminal.
 */
int pem_no_passphrase(char *buf, int size, int is_writing, void *arg);

/* At least one certificate; NULL with the reason in why.  Caller frees. */
STACK_OF(X509) * pem_read_certs(struct str pem, struct text *why) MUST_CHECK;
/* The first private key, without a passphrase, or that of a token. */
EVP_PKEY *pem_read_key(struct str pem, struct text *why) MUST_CHECK;
/* A chain, leaf first, and its key: they belong together, or why says. */
bool pem_read_pair(struct str cert_pem, struct str key_pem,
    STACK_OF(X509) * *chain, EVP_PKEY **key, struct text *why) MUST_CHECK;
void pem_free_certs(STACK_OF(X509) * certs);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_LIBRARY_H
#define TLS_LIBRARY_H

/*
 * What all of tls/ takes from OpenSSL once a process: its own library context
 * and the algorithms fetched from it.  Read only after the first call; any
 * thread.
 */

#include <openssl/bio.h>
#include <openssl/evp.h>

OSSL_LIB_CTX *library_ctx(void);
/* The same for connections, with less to choose from: see lean.h. */
OSSL_LIB_CTX *library_lean_ctx(void);
const EVP_MD *library_sha256(void);
/* For records; never NULL. */
const EVP_CIPHER *library_aes128_gcm(void);
const EVP_CIPHER *library_aes256_gcm(void);
const EVP_CIPHER *library_chacha20(void);
/* The kind of BIO that bio.c implements. */
const BIO_METHOD *library_bio_method(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_VERIFY_TEXT_H
#define TLS_VERIFY_TEXT_H

/*
 * Why a certificate was refused, for people: what is wrong, what to change,
 * what was expected, and what was shown.
 */

#include <openssl/x509.h>

#include "base/str.h"

struct tls_peer;

/* The whole sentence, for a chain that X509_verify_cert() refused with code. */
void verify_text_chain(
    X509_STORE_CTX *x, const struct tls_peer *p, int code, struct text *t);
/* What to change about names, and the chain. */
void verify_text_add_names(X509_STORE_CTX *x, struct text *t);
/* Expected names, and those of the leaf, with its end. */
void verify_text_add_leaf(
    const struct tls_peer *p, const X509 *leaf, struct text *t);

#endif

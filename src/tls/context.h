/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_CONTEXT_H
#define TLS_CONTEXT_H

/*
 * Contexts with the settings that we stand for: what may be negotiated, who is
 * asked for a certificate, and who verifies it.
 */

#include <openssl/ssl.h>

#include "base/str.h"
#include "policy/tls_spec.h"

struct callers;

struct server_setup {
	STACK_OF(X509) * ca;    /* the mesh's, and nobody else's */
	STACK_OF(X509) * chain; /* ours, leaf first */
	EVP_PKEY *key;
	struct callers *callers;
};
/* NULL with the reason in why. */
SSL_CTX *context_server_new(
    const struct server_setup *s, struct text *why) MUST_CHECK;

SSL_CTX *context_client_new(
    const struct tls_spec *spec, struct text *why) MUST_CHECK;

#endif

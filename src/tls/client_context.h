/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_CLIENT_CONTEXT_H
#define TLS_CLIENT_CONTEXT_H

/*
 * Client contexts by digest of their settings, as many wires use them.  The
 * cache itself (struct tls_clients) is in wire_tls.h.  One thread.
 */

#include <openssl/ssl.h>

#include "base/str.h"
#include "policy/tls_spec.h"
#include "tls/wire_tls.h"

struct chain_table;
struct client_context;

/* The caller's, on its own; NULL with the reason. */
struct client_context *client_context_new(
    struct tls_spec *spec, struct text *why) MUST_CHECK;
/* Out of the cache, or into it.  A reference for the caller. */
struct client_context *client_context_get(
    struct tls_clients *c, struct tls_spec *spec, struct text *why) MUST_CHECK;
/* Outlives the cache if need be.  NULL is fine. */
void client_context_unref(struct client_context *c);

SSL_CTX *client_context_ssl(const struct client_context *c);
const struct tls_spec *client_context_spec(const struct client_context *c);

/* Lists of what was revoked; NULL: none are given. */
STACK_OF(X509_CRL) * client_context_crls(const struct client_context *c);

/* Chains of servers that were verified; NULL: it remembers none. */
struct chain_table *client_context_chains(const struct client_context *c);

/* Offer a session of this key, if there is one; true when it is offered. */
bool client_context_resume(
    struct client_context *c, struct str key, SSL *ssl, int64_t *end_s);
void client_context_forget(struct client_context *c, struct str key);

#endif

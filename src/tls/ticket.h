/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TICKET_H
#define TLS_TICKET_H

/*
 * Session tickets of the server side: keys that we own and rotate, and what a
 * ticket says about its owner.  Keys belong to one mesh and one CA set; they
 * outlive reloads and new certificates, so that callers keep their sessions.
 */

#include <openssl/ssl.h>

#include "base/digest.h"

struct ticket_keys;

/* scope: mesh and CA set; every context made with it must agree. */
struct ticket_keys *ticket_keys_new(const struct digest *scope) MUST_CHECK;
struct ticket_keys *ticket_keys_ref(struct ticket_keys *k);
void ticket_keys_unref(struct ticket_keys *k);
const struct digest *ticket_keys_scope(const struct ticket_keys *k);

/*
 * Issue and accept tickets in ctx.  The keys are found through the struct
 * tls_peer of each connection, whose mesh holds them.
 */
void ticket_set_up(SSL_CTX *ctx, const struct ticket_keys *k);

#endif

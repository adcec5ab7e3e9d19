/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_RESUME_H
#define TLS_RESUME_H

/*
 * Resumption of callers' sessions: what is kept of a connection, and when it
 * is believed.  The memory for it is in callers.h.
 */

#include <openssl/ssl.h>

#include "base/attr.h"
#include "base/digest.h"
#include "tls/peer.h"

/*
 * Keep and offer sessions in ctx.  The memory is found through the struct
 * tls_peer of each connection, whose mesh holds it.
 */
void resume_set_up(SSL_CTX *ctx, const struct digest *scope);

/* A session was resumed: p becomes who it was.  False: nobody. */
bool resume_adopt(SSL *ssl, struct tls_peer *p) MUST_CHECK;

#endif

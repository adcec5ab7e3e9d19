/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_PEER_H
#define TLS_PEER_H

/*
 * What one connection knows about its other side: what is expected of it, and
 * what its handshakes led to.  The callbacks of a context find it as the app
 * data of the SSL.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/identity.h"
#include "policy/tls_spec.h"
#include "tls/wire_tls.h"

struct client_context;
struct tls_own;

struct tls_peer {
	/* Expected: exactly one of both. */
	const struct tls_mesh *mesh; /* of a caller; we are the server */
	const struct tls_spec *spec; /* of a server; we are the client */
	struct str sni;
	enum tls_alpn alpn;
	/* Of a client: its context, and under which key sessions are kept. */
	struct client_context *client;
	struct str session_key;
	struct tls_own *own; /* where secrets go; NULL: nowhere */

	/* Found. */
	enum tls_failure failure; /* the first one; NONE until then */
	struct text why;
	bool is_alpn_wrong;        /* it is about the protocol above TLS */
	struct identity *identity; /* of a caller */
	int64_t not_after_s;       /* earliest of its chain */
	X509 *issuer; /* of a server's certificate; only if OCSP is asked */
	/* A session of this connection may be resumed until then. */
	int64_t session_end_s;
};

/* No session is resumed later than this after its certificates were seen. */
#define PEER_SESSION_S 7200

struct tls_peer *peer_of(const SSL *ssl);
void peer_fini(struct tls_peer *p);
/* Remember the first failure; why as printf. */
void peer_fail(struct tls_peer *p, enum tls_failure f, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_SERVER_ALPN_H
#define TLS_SERVER_ALPN_H

/*
 * The protocol that a server says it has chosen, read from its ServerHello
 * (TLS 1.2) or EncryptedExtensions (TLS 1.3).  OpenSSL ends the handshake when
 * that was not offered (RFC 7301, section 3.1), but does not say what it was.
 */

#include <stddef.h>

#include "base/str.h"
#include "tls/peer.h"

/*
 * p is a handshake message of any type; pure.  Empty: it says nothing about a
 * protocol.
 */
struct str server_alpn_read(const void *p, size_t n);
/* The handshake fails if what it says was not offered. */
void server_alpn_check(struct tls_peer *peer, const void *p, size_t n);

#endif

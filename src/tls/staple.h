/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_STAPLE_H
#define TLS_STAPLE_H

/*
 * The answer of OCSP (RFC 6960) that a server staples to its certificate
 * (RFC 6066, section 8): what it must say, by struct tls_spec.
 */

#include <openssl/ssl.h>

/* Ask for one, and look at it in every full handshake of this context. */
void staple_set_up(SSL_CTX *ctx);

#endif

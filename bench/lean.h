/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_LEAN_H
#define BENCH_LEAN_H

/*
 * OpenSSL 3.0 used as well as it can be for many handshakes with few peers: so
 * that callers cost less than the proxies they ask, and to know what a server
 * can reach that does nothing but shake hands.
 */

#include <openssl/ssl.h>
#include <stdbool.h>

/* The default provider, with no more decoders than certificates need: OpenSSL
 * asks each of them for every key of a peer.  Private keys are read elsewhere.
 * One a process. */
OSSL_LIB_CTX *lean_context(void);

/* Peers whose chain was verified once are let pass by their certificate. */
void lean_remember_chains(SSL_CTX *ctx);

/* Reads NAME.crt and NAME.key, the key with everything that OpenSSL has. */
bool lean_use_identity(SSL_CTX *ctx, const char *cert, const char *key);

#endif

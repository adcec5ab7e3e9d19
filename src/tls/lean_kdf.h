/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_LEAN_KDF_H
#define TLS_LEAN_KDF_H

/*
 * The key derivations of TLS 1.2 and 1.3 as algorithms of an OpenSSL provider:
 * what libssl asks for by name in every handshake of the lean context.
 */

#include <openssl/core.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Ends with a row without names. */
extern const OSSL_ALGORITHM lean_kdfs[];

/*
 * Whoever is told the traffic secrets of application data (RFC 8446, section
 * 7.1) that the handshakes of this thread lead to, at the moment when their
 * keys come into use.
 */
struct secret_watch {
	void (*on_secret)(
	    void *arg, bool is_client, const uint8_t *secret, size_t n);
	void *arg;
};

/* NULL: nobody.  Borrowed until the next call. */
void secret_watch_set(const struct secret_watch *w);

#endif

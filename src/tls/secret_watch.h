/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_SECRET_WATCH_H
#define TLS_SECRET_WATCH_H

/*
 * How the secrets that own records need come out of a library that only has
 * them in passing.  Who has them to give does it in library_tell_secrets().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_HELLO_H
#define TLS_HELLO_H

/*
 * The ClientHello, read without consuming it (RFC 8446, section 4.1.2; RFC
 * 5246, section 7.4.1.2; RFC 6066, section 3), also when it comes in several
 * records.  Pure, fuzzed; nothing of OpenSSL.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum hello_status {
	HELLO_OK,
	HELLO_MORE,
	HELLO_NOT_TLS, /* the first byte is not a handshake record */
	HELLO_BAD
};

/* More than this is refused. */
#define HELLO_MAX 16384
#define HELLO_ALPN_MAX 8

struct hello {
	/* As sent, at most 255 bytes, terminated; empty when there is none. */
	char sni[256];
	size_t sni_len;
	uint16_t version_max; /* highest offered */
	size_t n_alpn;        /* protocol ids offered, cut at the maximum */
	bool has_alpn_kuma;
	bool has_alpn_h2;
	bool has_alpn_http11;
};

/* bytes is all that was received so far, from the first one on. */
enum hello_status hello_parse(struct str bytes, struct hello *out) MUST_CHECK;

/* Do these first decrypted bytes look like a ClientHello again? */
bool hello_looks_like_tls(struct str bytes);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PROXY_READER_H
#define SUPPORT_PROXY_READER_H

/* What a server reads of a PROXY header, version 2; written for tests, apart
 * from what writes it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct proxy_seen {
	bool is_local; /* whoever connects speaks for itself */
	char from[72]; /* "127.0.0.1:1234"; "-": unknown */
	char to[72];
	char authority[256];
	char tls_version[32];
	bool is_verified; /* a client certificate, and it was good */
	char spiffe[512];
};

/* False: it is none, or it is broken. */
bool proxy_read_bytes(const uint8_t *p, size_t n, struct proxy_seen *out);
/* Exactly the header, from a blocking socket. */
bool proxy_read(int fd, struct proxy_seen *out);

#endif

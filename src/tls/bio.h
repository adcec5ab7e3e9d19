/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_BIO_H
#define TLS_BIO_H

/*
 * How OpenSSL reads and writes: from a span of memory that we lend it, and
 * into the loop's scratch, from where all that one call produced is sent at
 * once.  It never waits: it is out of input, or its output is taken.
 */

#include <openssl/bio.h>
#include <stddef.h>
#include <stdint.h>

#include "net/wire.h"

struct bio_ends {
	struct wire *wire;
	const uint8_t *in; /* lent; not read yet */
	size_t in_len;
	size_t out_len; /* gathered in SCRATCH_OUT */
	enum io sent;   /* the worst that sending said */
};

BIO_METHOD *bio_method_new(void) MUST_CHECK;
/* e outlives the BIO. */
BIO *bio_new(struct bio_ends *e) MUST_CHECK;
/* Send what was gathered since the last call. */
enum io bio_send(struct bio_ends *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CARGO_H
#define BENCH_CARGO_H

/*
 * What is carried: the small request and its answer, and a stream of bytes
 * that never repeats within a mebibyte, so that a byte lost, doubled or moved
 * shows.  Both ends know it, and each checks what reaches it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CARGO_PERIOD ((size_t)1 << 20)
#define CARGO_BODY 128
#define CARGO_MESSAGE 32 /* of gRPC */

/* Of a bulk connection so much is decrypted and compared; what comes later is
 * counted as ciphertext and dropped, which leaves the core to the proxy's
 * other side. */
#define CARGO_CHECKED ((uint64_t)4 << 20)

struct cargo {
	uint8_t *bytes; /* CARGO_PERIOD twice */
};

enum cargo_answer {
	CARGO_WHOLE,
	CARGO_MORE,
	CARGO_WRONG,
};

void cargo_init(struct cargo *c);

/* At least CARGO_PERIOD bytes of the stream from pos on. */
const uint8_t *cargo_at(const struct cargo *c, uint64_t pos);
bool cargo_is(const struct cargo *c, uint64_t pos, const void *data, size_t n);

/* The CARGO_BODY bytes of a small answer's body. */
void cargo_fill_body(char *body);

/* The answer to GET /small, written into buf; returns its size. */
size_t cargo_print_answer(char *buf, size_t size);

/* Whether the n bytes at text are that answer, whatever fields a proxy added;
 * *used is its size. */
enum cargo_answer cargo_check_answer(const char *text, size_t n, size_t *used);

#endif

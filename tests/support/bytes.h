/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_BYTES_H
#define SUPPORT_BYTES_H

/* Bytes that grow, for tests; there is always a NUL behind them. */

#include <stddef.h>
#include <stdint.h>

struct bytes {
	char *p; /* NULL until something was added */
	size_t n;
	size_t cap;
};

void bytes_add(struct bytes *b, const void *p, size_t n);
void bytes_addf(struct bytes *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* The first n are gone. */
void bytes_cut(struct bytes *b, size_t n);
void bytes_free(struct bytes *b);
/* "" when there is nothing. */
const char *bytes_text(const struct bytes *b);

/* The byte that a body of the pattern has at i. */
uint8_t pattern_at(uint64_t i);

#endif

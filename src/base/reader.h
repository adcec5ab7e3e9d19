/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_READER_H
#define BASE_READER_H

/*
 * A cursor over untrusted bytes whose error sticks: after the first read past
 * the end every further one gives zeros or empty views, so that one check at
 * the end is enough.  Numbers are in network byte order.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct reader {
	const uint8_t *p;
	size_t left;
	bool is_bad;
};

void reader_init(struct reader *r, const void *p, size_t n);
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u24(struct reader *r);
uint32_t reader_u32(struct reader *r);
struct str reader_bytes(struct reader *r, size_t n);
void reader_skip(struct reader *r, size_t n);
/* A sub-cursor over the next n bytes, which are skipped here. */
struct reader reader_sub(struct reader *r, size_t n);
size_t reader_left(const struct reader *r);
void reader_fail(struct reader *r);
bool reader_is_bad(const struct reader *r);

#endif

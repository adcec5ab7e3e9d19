/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_STREAMS_H
#define BENCH_STREAMS_H

/*
 * The streams of one caller's connection of HTTP/2: so many requests are
 * always under way, each with a stream of its own.  Bytes come and go through
 * the owner.
 */

#include "h2_cargo.h"
#include "meter.h"

struct stream {
	uint32_t id; /* 0: none */
	struct h2_part part;
	uint64_t since_ns;
};

struct streams {
	struct h2_link link;
	const struct h2_cargo *cargo;
	enum h2_kind kind;
	struct stream *all;
	unsigned n;
	unsigned open;
	uint32_t next_id;
};

void streams_init(struct streams *s, const struct h2_cargo *cargo,
    enum h2_kind kind, unsigned n);
void streams_fini(struct streams *s);

/* Asks on the streams that are free, as far as the peer allows. */
void streams_ask(struct streams *s);

/* Takes whole frames of the n bytes at buf, *used bytes, and notes the answers
 * that they complete.  false: one was wrong, and link.why says how. */
bool streams_take(struct streams *s, const uint8_t *buf, size_t n, size_t *used,
    struct histogram *answers);

#endif

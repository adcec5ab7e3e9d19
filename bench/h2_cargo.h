/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_H2_CARGO_H
#define BENCH_H2_CARGO_H

/*
 * What is carried over HTTP/2: a small request and its answer, and a unary
 * call of gRPC.  Both ends know them, and each checks what reaches it.  The
 * paths are served over HTTP/2 only, so a proxy that turns to HTTP/1.1 shows.
 */

#include "cargo.h"
#include "h2.h"

enum h2_kind {
	H2_SMALL,
	H2_UNARY,
	H2_KINDS,
};

/* What has come of a message. */
struct h2_part {
	size_t got;
	bool has_head;
	enum h2_kind kind;
};

struct h2_cargo {
	struct h2_message requests[H2_KINDS];
	struct h2_message answers[H2_KINDS];
	struct h2_message refusal; /* 400 */
	char body[CARGO_BODY];
};

/* "http2" or "grpc"; or H2_KINDS. */
enum h2_kind h2_kind_parse(const char *text);
void h2_cargo_init(struct h2_cargo *c);

/* What f adds to the part, whose kind the caller of the answer sets.  The text
 * of CARGO_WRONG is l->why. */
enum cargo_answer h2_check_answer(const struct h2_cargo *c, struct h2_link *l,
    struct h2_part *part, const struct h2_frame *f);
enum cargo_answer h2_check_request(
    struct h2_link *l, struct h2_part *part, const struct h2_frame *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_GUARD_H
#define HTTP_H2_GUARD_H

/*
 * What a peer may do on one connection, in budgets: so much in ten seconds,
 * filled up again continuously.  What ordinary traffic does often is explained
 * by something else that happened, and explained things cost nothing: who is
 * sent DATA may answer each frame with WINDOW_UPDATEs.  Pure; time is an
 * argument.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "http/h2_walk.h"
#include "http/http_limits.h"

/* CONTINUATION frames of one field block; the library allows no more. */
#define H2_CONTINUATIONS_MOST 8
/* DATA below this carries less than any message of gRPC has as its prefix. */
#define H2_TINY 5

struct h2_budget {
	uint64_t left; /* in ten-thousandths of one */
	uint64_t at_ms;
	uint64_t explained;
};

struct h2_guard {
	const struct h2_limits *limits;
	struct h2_budget budgets[H2_ABUSE_N];
	enum h2_abuse broken; /* once a call said false */
};

void h2_guard_init(
    struct h2_guard *g, const struct h2_limits *limits, uint64_t now_ms);

/* All of these: false when that is too much, see broken. */
bool h2_guard_charge(
    struct h2_guard *g, enum h2_abuse a, uint64_t now_ms) MUST_CHECK;
/* The head of w's frame was read. */
bool h2_guard_frame(
    struct h2_guard *g, const struct h2_walk *w, uint64_t now_ms) MUST_CHECK;

/* A frame of DATA was sent. */
void h2_guard_sent_data(struct h2_guard *g);
/* We sent a PING, or SETTINGS, that the peer has to acknowledge. */
void h2_guard_sent_ping(struct h2_guard *g);
/* Both messages of a stream ended in order. */
void h2_guard_stream_ended(struct h2_guard *g);

/* As the configuration names it, without "limits.h2_". */
const char *h2_abuse_option(enum h2_abuse a);
enum h2_event h2_abuse_event(enum h2_abuse a);

#endif

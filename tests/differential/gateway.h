/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_GATEWAY_H
#define DIFFERENTIAL_GATEWAY_H

/*
 * What a gateway does with a stream of messages, without what it decides:
 * sessions on both sides, the rules for heads between them, bodies as they
 * come.  What the session reads and what the other side is sent is kept.
 */

#include "differential/reading.h"
#include "net/loop.h"

struct passage {
	struct reading in; /* targets are what they lead to */
	/* By message of in; answers have one, interim ones included. */
	struct text sent[READING_MESSAGES];
	size_t n_sent;
};

struct gateway {
	struct loop *loop;
};

void gateway_requests(
    struct gateway *g, const struct pieces *p, struct passage *out);
void gateway_answer(struct gateway *g, const struct pieces *p,
    const struct stream_kind *kind, struct passage *out);
void passage_fini(struct passage *p);

#endif

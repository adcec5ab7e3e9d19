/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_GRAMMAR_H
#define DIFFERENTIAL_GRAMMAR_H

/*
 * Streams of messages, made up: mostly as RFC 9112 wants them, and here and
 * there with something in them that some reader somewhere takes for something
 * else.
 */

#include "base/str.h"
#include "differential/dice.h"

void grammar_requests(struct dice *d, struct text *out);
/* Interim answers may come first. */
void grammar_answer(struct dice *d, struct text *out);

/* Change a few bytes or lines of it. */
void grammar_mutate(struct dice *d, struct text *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_HTTP_SESSION_RIG_H
#define UNIT_HTTP_SESSION_RIG_H

/* A session on one end of a socket pair, and a test on the other. */

#include <criterion/criterion.h>

#include "http/h1_session.h"
#include "net/loop.h"

struct rig {
	struct loop *loop;
	struct h1_session *session;
	struct stream *stream;
	int peer; /* non-blocking; -1 when closed */
	unsigned ready;
	struct text got; /* all that the peer received */
	bool is_eof;     /* seen by the peer */
};

void rig_open(struct rig *r, enum h1_role role);
void rig_close(struct rig *r);
void rig_send(struct rig *r, struct str bytes);
/* The peer closes; with unread bytes in its socket that is a reset. */
void rig_hang_up(struct rig *r);
/* Turns of the loop, and whatever has arrived at the peer into r->got. */
void rig_turn(struct rig *r);

/* These run the loop while they have to wait; PULL_WAIT: nothing came. */
enum pull rig_pull_head(struct rig *r, struct head **h);
/* All of the body, as far as it comes. */
enum pull rig_pull_body(struct rig *r, size_t credit, struct text *out);

/* The next exchange. */
void rig_next(struct rig *r);
/* A whole answer with a body of known length, flushed. */
void rig_answer(struct rig *r, const char *body);
/* A GET of /, flushed. */
void rig_ask(struct rig *r, const char *method);
void rig_release(struct rig *r, bool is_whole);

/* What the peer received since the last time, exactly. */
void rig_expect_got(struct rig *r, const char *want);

#endif

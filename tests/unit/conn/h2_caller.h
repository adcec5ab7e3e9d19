/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONN_H2_CALLER_H
#define UNIT_CONN_H2_CALLER_H

/*
 * A caller on a rig's loop: a TLS wire to the real connection, and on it an
 * HTTP/2 session, or bytes that the test writes by hand.
 */

#include "http/h2_session.h"
#include "unit/conn/conn_rig.h"

#define H2_CALLS 200

struct h2_call {
	struct stream *stream; /* NULL: not begun, or over */
	unsigned status;       /* 0: no head came */
	struct text body;
	bool has_ended;
	enum stream_error error;
	uint32_t reset_code;
};

struct h2_caller {
	struct rig *g;
	struct wire *wire;
	struct h2_session *session; /* NULL: by hand */
	struct h2_limits limits;
	struct h2_call calls[H2_CALLS];
	size_t n;
	struct text got; /* by hand: what came */
	enum io end;     /* likewise; IO_AGAIN: it is open */
};

/* Connected and shaken hands with; g is set up. */
void h2_caller_dial(struct h2_caller *c, struct rig *g, const char *sni);
/* Speak HTTP/2 from now on. */
void h2_caller_speak(struct h2_caller *c);
void h2_caller_say(struct h2_caller *c, const void *bytes, size_t n);
/* A request; has_body: it does not end. */
struct h2_call *h2_caller_ask(
    struct h2_caller *c, const char *method, const char *path, bool has_body);
void h2_caller_turn(struct h2_caller *c);
void h2_caller_pass(struct h2_caller *c, uint64_t ms);
/* Resets the stream. */
void h2_caller_take_back(struct h2_caller *c, struct h2_call *call);
void h2_caller_hang_up(struct h2_caller *c);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_SIDE_H
#define HTTP_H1_SIDE_H

/*
 * What a session is made of: for h1_session.c (its life), h1_pull.c and
 * h1_push.c (its two directions).  Nobody else includes this.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/h1_body.h"
#include "http/h1_room.h"
#include "http/h1_session.h"

enum h1_recv { H1_RECV_HEAD, H1_RECV_BODY, H1_RECV_DONE, H1_RECV_FAILED };
/* Broken: what was promised cannot be kept; the connection ends with it. */
enum h1_send { H1_SEND_HEAD, H1_SEND_BODY, H1_SEND_DONE, H1_SEND_BROKEN };

/* What a wire's readiness is good for. */
enum h1_mode { H1_MODE_STREAM, H1_MODE_IDLE, H1_MODE_LINGER };

struct h1_session {
	struct stream stream; /* first: see h1_push_credit() */
	struct wire *wire;
	struct http_limits limits;
	enum h1_role role;
	enum h1_mode mode;
	void (*fn)(void *arg); /* of idling or lingering */
	void *fn_arg;

	/* This exchange. */
	enum h1_recv recv;
	enum h1_send send;
	struct h1_room *room; /* NULL until bytes come */
	struct h1_body body;
	enum body_kind push_kind;
	uint64_t push_left;
	unsigned interims;    /* 1xx in a row */
	bool is_head;         /* the request is a HEAD */
	bool awaits_continue; /* server role: the client may hold its body */
	bool asks_upgrade;    /* so 101 may be the answer */
	bool is_tunnel;       /* it was: raw bytes both ways */

	/* The connection. */
	bool is_closing; /* either side said so */
	bool is_spent;   /* a message was cut, or is of no known end */
	bool is_reset;   /* what the peer has got must not look whole */
	size_t discarded;
};

/* The operations of h1_pull.c and h1_push.c. */
enum pull h1_pull_head(struct stream *st, struct head **out);
enum pull h1_pull_body(struct stream *st, size_t credit, struct span *out);
const struct head *h1_pull_trailers(struct stream *st);
void h1_push_head(struct stream *st, const struct head *h, bool is_end);
void h1_push_body(struct stream *st, struct str bytes);
void h1_push_end(struct stream *st, const struct head *trailers);
void h1_push_flush(struct stream *st);
size_t h1_push_credit(const struct stream *st);

/* Writing failed: tell the owner, from the loop. */
void h1_push_fail(struct h1_session *s);
enum stream_error h1_wire_failure(const struct h1_session *s);
/* 101 was said: what is received from here on is the tunnel's. */
void h1_pull_tunnel(struct h1_session *s);

static inline struct h1_session *
h1_session_of(struct stream *st)
{
	return CONTAINER_OF(st, struct h1_session, stream);
}

#endif

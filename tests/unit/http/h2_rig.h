/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_HTTP_H2_RIG_H
#define UNIT_HTTP_H2_RIG_H

/*
 * Sessions of HTTP/2 on a real loop: two of them on the ends of a socket pair,
 * or one, and on the other end a test that writes frames by hand.
 */

#include <criterion/criterion.h>

#include "base/str.h"
#include "http/h2_session.h"
#include "http/h2_walk.h"
#include "net/loop.h"

#define H2_STREAMS 600

/* One session and what its owner was told. */
struct h2_owner {
	struct h2_session *session;
	enum h2_role role;
	struct stream *streams[H2_STREAMS]; /* as they came; server role */
	unsigned n_streams;
	unsigned ready;
	unsigned changes;
	unsigned rests;
	unsigned counts[H2_EVENT_N];
	/* More to do in on_stream and on_ready, or NULL. */
	void (*act)(struct h2_owner *o, struct stream *st);
	void (*act_on_change)(struct h2_owner *o);
	void *arg;
};

struct h2_rig {
	struct loop *loop;
	struct http_limits http;
	struct h2_limits limits;
	struct h2_owner server;
	struct h2_owner client;
	int peer; /* of the one session; -1: there are two, or it is closed */
	bool is_eof;
	struct text got;
	size_t parsed;
};

/* Limits as they are without a configuration; change them before opening. */
void h2_rig_init(struct h2_rig *r);
void h2_rig_open_pair(struct h2_rig *r);
void h2_rig_open(struct h2_rig *r, enum h2_role role);
void h2_rig_close(struct h2_rig *r);
void h2_rig_turn(struct h2_rig *r);
/* Time, by hand. */
void h2_rig_at(struct h2_rig *r, uint64_t ms);

/* A request without body; its stream, with on_ready counted. */
struct stream *h2_rig_ask(struct h2_rig *r, const char *path);
struct stream *h2_rig_open_stream(struct h2_owner *o);
/* head is initialized, with status or method and target. */
void h2_rig_request(struct head *h, const char *method, const char *path);
void h2_rig_answer(struct stream *st, uint16_t status, const char *body);
void h2_rig_release(struct stream *st, bool is_whole);
/* These do not wait. */
enum pull h2_rig_head(struct stream *st, struct head **h);
/* All that is there, up to the last answer that was not DATA. */
enum pull h2_rig_body(struct stream *st, struct text *out);

/* By hand: frames into t. */
void h2_put_frame(struct text *t, unsigned type, unsigned flags,
    uint32_t stream, struct str payload);
void h2_put_preface(struct text *t);
void h2_put_settings(struct text *t, unsigned id, uint32_t value);
void h2_put_u32(struct text *t, uint32_t n);
/* A field, literal and not indexed; for a payload. */
void h2_put_field(struct text *t, const char *name, struct str value);
/* Pseudo fields of a GET. */
void h2_put_get(struct text *t);
/* HEADERS with a GET, END_HEADERS and more flags. */
void h2_put_request(struct text *t, uint32_t stream, unsigned flags);

/* t is sent and emptied; what the session answers is received. */
void h2_rig_send(struct h2_rig *r, struct text *t);
/* As h2_rig_send(), without reading anything. */
void h2_rig_send_deaf(struct h2_rig *r, struct text *t);
void h2_rig_hang_up(struct h2_rig *r);
/*
 * The next frame that the peer got, of any type when want is H2_FRAME_OTHER;
 * others are skipped.  False: there is none.
 */
bool h2_rig_next(struct h2_rig *r, enum h2_frame_type want, struct h2_frame *f,
    struct str *payload);
/* Of RST_STREAM, GOAWAY: the code; UINT32_MAX without such a frame. */
uint32_t h2_rig_code(struct h2_rig *r, enum h2_frame_type type);

/* Pulling and pushing are over, for this reason. */
void h2_rig_expect_failed(struct stream *st, enum stream_error want);
/* text is part of what the log will say. */
void h2_rig_expect_over(
    struct h2_session *s, enum h2_end want, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_SIDE_H
#define HTTP_H2_SIDE_H

/*
 * What a session of HTTP/2 is made of: for h2_session.c (its life), h2_turn.c
 * (its wire), h2_watch.c (its deadlines), h2_stream.c (a stream's end),
 * h2_recv.c and h2_pull.c, h2_send.c and h2_push.c (the two directions).
 * Nobody else includes this.
 *
 * The library calls back while it reads and while it writes.  There streams
 * are only changed, and put on the list of those with news: owners are called
 * when the library has returned, and may then do what they like, also free
 * the session.
 */

#include <nghttp2/nghttp2.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http/h2_guard.h"
#include "http/h2_head.h"
#include "http/h2_session.h"
#include "http/h2_store.h"
#include "http/h2_walk.h"
#include "net/loop.h"

enum h2_in { H2_IN_HEAD, H2_IN_BODY, H2_IN_ENDED, H2_IN_FAILED };
enum h2_out {
	H2_OUT_HEAD,
	H2_OUT_BODY,
	H2_OUT_ENDED, /* pushed to the end, and not yet all sent */
	H2_OUT_SENT,
	H2_OUT_BROKEN
};

struct h2_session;

/*
 * Lives until its owner has released it and the library has closed it, or
 * never opened it; so the library never has a pointer to what is gone.
 */
struct h2_stream {
	struct stream base; /* first: see h2_stream_of_const() */
	struct h2_session *session;
	TAILQ_ENTRY(h2_stream) in_streams;
	TAILQ_ENTRY(h2_stream) in_news;
	TAILQ_ENTRY(h2_stream) in_senders;
	bool is_new; /* its owner does not know it yet */
	bool has_news;
	bool is_sender;   /* of a body that goes on */
	bool is_released; /* by its owner */
	bool is_closed;   /* by the library */
	bool is_submitted;
	bool is_reset; /* by us or the library */

	enum h2_in in;
	struct h2_room *heads; /* not yet pulled */
	struct h2_room *last_head;
	struct h2_room *head; /* pulled */
	struct h2_room *trailers;
	struct h2_queue received;
	unsigned interims;
	bool is_too_large; /* the head: pull_head() says so */

	enum h2_out out;
	bool is_head_sent; /* HEADERS went to the wire */
	bool is_head;      /* the request's method */
	bool is_deferred;  /* the library waits for h2_push_resume() */
	bool is_thin;      /* ... because of the peer's window */
	bool was_pushable; /* can_push() said so when it was last asked */
	uint64_t thin_at_ms;
	enum body_kind push_kind;
	uint64_t push_left;
	struct h2_queue sending;
	struct h2_room *push_trailers;
	char *upgrade;   /* that the request asked for; or NULL */
	uint64_t sent;   /* bytes of DATA */
	bool has_lagged; /* h2_watch.c has looked at it, and then it had */
	uint64_t lag;    /* ... sent this much */
};

TAILQ_HEAD(h2_stream_list, h2_stream);

struct h2_session {
	struct wire *wire;
	struct loop *loop;
	enum h2_role role;
	struct http_limits http;
	const struct h2_limits *limits;
	const struct h2_events *events;
	void *arg;
	nghttp2_session *ng;
	void *frame; /* where the library makes frames */
	size_t frame_size;

	enum h2_state state;
	enum h2_end end;
	struct text end_text;
	struct h2_walk walk;
	struct h2_guard guard;
	struct h2_gather *gather; /* NULL while nobody speaks */
	enum h2_kind gathers;
	struct h2_stream *gathers_for;

	struct h2_stream_list streams;
	struct h2_stream_list news;
	struct h2_stream_list senders;
	unsigned n_streams;
	unsigned n_refused;
	uint32_t peer_window; /* initial, of its streams */
	bool has_change;      /* on_change is due */
	bool is_dead;         /* freed by its owner; memory goes later */
	bool is_scheduled;    /* on_turn() is due */
	bool is_mute;         /* writing failed */
	bool is_lingering;
	bool has_settings; /* the peer's came */
	bool has_broken;   /* in a callback: end it when that is over */
	enum h2_end broken_end;
	bool took_data;   /* by the library, in this step */
	bool is_pinged;   /* a keepalive PING waits for any sign of life */
	bool says_goaway; /* counted */
	bool is_draining;
	bool was_last_said; /* our GOAWAY that names the last stream went out */
	bool was_told_to_go; /* the peer said GOAWAY */

	/* Streams that the peer ended or reset, the latest ones. */
	uint32_t ended[16];
	size_t next_ended;
	/* That the peer began; and those that it left out when it last did. */
	uint32_t highest;
	uint32_t skipped_from;
	uint32_t skipped_to; /* not of them */

	struct timer late;  /* the preface, or a field block */
	struct timer quiet; /* until a PING, or for its answer */
	struct timer drain; /* until the last GOAWAY */
	struct timer thin;  /* until small windows are served again */
	struct timer lag;   /* looks for released streams that do not move */
	struct timer rest;  /* nothing has been open for a while */
	unsigned late_block;

	void (*lingered)(void *arg);
	void *linger_arg;
	size_t discarded;
	char first[48]; /* bytes that came first, for the log */
	size_t n_first;
};

static inline struct h2_stream *
h2_stream_of(struct stream *st)
{
	return CONTAINER_OF(st, struct h2_stream, base);
}

static inline const struct h2_stream *
h2_stream_of_const(const struct stream *st)
{
	return (const void *)st;
}

/* h2_stream.c */
struct h2_stream *h2_stream_new(struct h2_session *s) MUST_CHECK;
enum stream_upgrades h2_stream_upgrades(const struct h2_session *s);
void h2_stream_free(struct h2_stream *st);
/* Its owner is called when the library has returned. */
void h2_stream_note(struct h2_stream *st);
/*
 * Nothing more comes, or is taken: but what a server has answered to its end
 * stays.
 */
void h2_stream_fail(struct h2_stream *st, enum stream_error e);
/* RST_STREAM, once. */
void h2_stream_reset(struct h2_stream *st, uint32_t code);
/* The library has closed it. */
void h2_stream_close(struct h2_stream *st, uint32_t code);
void h2_stream_release(struct stream *base, bool is_whole);
/* What is held for a reader goes back to the connection's window. */
void h2_stream_drop_received(struct h2_stream *st);

/* h2_recv.c, h2_send.c: what the library calls. */
void h2_recv_callbacks(nghttp2_session_callbacks *c);
void h2_send_callbacks(nghttp2_session_callbacks *c);
/* Serialize and write what there is; not while the wire is full. */
void h2_send(struct h2_session *s);
/* All of the body was taken. */
void h2_send_trailers(struct h2_stream *st);
/* Where the library gets a body from: nghttp2_data_source_read_callback. */
ssize_t h2_send_read(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t n,
    uint32_t *flags, nghttp2_data_source *source, void *arg);
/* A frame of DATA that only a narrow window makes smaller has to wait. */
#define H2_THIN ((size_t)1024)
#define H2_THIN_MS 100

/* h2_pull.c, h2_push.c: the operations. */
enum pull h2_pull_head(struct stream *base, struct head **out);
enum pull h2_pull_body(struct stream *base, size_t credit, struct span *out);
const struct head *h2_pull_trailers(struct stream *base);
void h2_push_head(struct stream *base, const struct head *h, bool is_end);
void h2_push_body(struct stream *base, struct str bytes);
void h2_push_end(struct stream *base, const struct head *trailers);
void h2_push_flush(struct stream *base);
size_t h2_push_credit(const struct stream *base);
/* There is something to send again. */
void h2_push_resume(struct h2_stream *st);
/* Windows or the wire changed: who may push that could not? */
void h2_push_review(struct h2_session *s);

/* h2_turn.c */
void h2_turn_on_wire(void *arg);
/* Send, and tell owners, after the events of this turn. */
void h2_turn_schedule(struct h2_session *s);
/* Owners with news; the session may be dead afterwards. */
void h2_turn_tell(struct h2_session *s);

/* h2_session.c */
/* In a callback of the library: the connection ends when it is over. */
void h2_session_break(struct h2_session *s, enum h2_end end, const char *text);
/* Now; the reason is text, for the log. */
void h2_session_over(
    struct h2_session *s, enum h2_end end, enum io io, struct str text);
/* ... and GOAWAY with a code is the last that the peer hears. */
void h2_session_quit(
    struct h2_session *s, enum h2_end end, uint32_t code, const char *text);
void h2_session_abuse(struct h2_session *s, enum h2_abuse a);
/* Is there nothing left to wait for? */
void h2_session_settle(struct h2_session *s);
void h2_session_say_last(struct h2_session *s);
/* Memory that only a busy session needs. */
void h2_session_drop_idle(struct h2_session *s);
/* ... and what is worth keeping from one request to the next. */
void h2_session_rest(struct h2_session *s);
void h2_session_count(struct h2_session *s, enum h2_event e);
void h2_session_say_goaway(struct h2_session *s);

/* h2_watch.c */
void h2_watch_init(struct h2_session *s);
void h2_watch_stop(struct h2_session *s);
/* Bytes came and were understood. */
void h2_watch_input(struct h2_session *s);
/* A stream was opened. */
void h2_watch_opened(struct h2_session *s);
void h2_watch_thin(struct h2_session *s);
/* A stream was released before all of it was sent. */
void h2_watch_released(struct h2_session *s);
void h2_watch_draining(struct h2_session *s);
/* No stream is open. */
void h2_watch_idle(struct h2_session *s);
/* Bytes of the PING that asks how far the peer got our GOAWAY. */
#define H2_PING_BYTES 8
extern const uint8_t h2_ping_drain[H2_PING_BYTES];
extern const uint8_t h2_ping_alive[H2_PING_BYTES];

#endif

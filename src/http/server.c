/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The admin server: accepts up to its number, answers one request after the
 * other on each connection, and gives up on those that are slow.  What the
 * paths mean is the handler's business.  Not made for crowds.
 */

#include "http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "http/h1_session.h"
#include "http/reply.h"
#include "net/sock.h"

#define HEAD_MS 10000
#define IDLE_MS 60000
/* The peer must take something of the answer, or close, within this. */
#define SEND_MS 60000
#define LINGER_MS 2000
#define ACCEPT_BATCH 16
/* Out of descriptors. */
#define REST_MS 100

static const struct http_limits limits = {
	.head_bytes = 16384, .fields = 64, .trailer_bytes = 1024
};

struct server {
	struct loop *loop;
	struct watch watch;
	struct timer rest;
	int fd;
	size_t max;
	size_t n;
	struct caller *callers;
	void (*handle)(
	    void *arg, const struct server_request *q, struct server_answer *a);
	void *arg;
};

enum caller_state { CALLER_IDLE, CALLER_READING, CALLER_ANSWERING };
enum step { GO, WAIT, END };

/* One connection. */
struct caller {
	struct caller *prev;
	struct caller *next;
	struct server *server;
	struct h1_session *session;
	struct stream *stream;
	struct timer timer;
	enum caller_state state;
	struct text body; /* of the answer; sent up to `sent` */
	size_t sent;
};

static void run(void *arg);

static void
drop(void *arg)
{
	struct caller *c = arg;

	DL_DELETE(c->server->callers, c);
	c->server->n--;
	timer_stop(&c->timer);
	h1_session_free(c->session);
	text_free(&c->body);
	free(c);
}

static void
await_request(struct caller *c)
{
	c->state = CALLER_IDLE;
	c->stream = h1_session_stream(c->session);
	c->stream->on_ready = run;
	c->stream->arg = c;
	timer_set(&c->timer, IDLE_MS);
}

/* The answer is with the wire. */
static enum step
finish(struct caller *c)
{
	c->stream->ops->release(c->stream, true);
	text_free(&c->body);
	if (h1_session_can_reuse(c->session)) {
		await_request(c);
		return GO;
	}
	timer_set(&c->timer, LINGER_MS);
	h1_session_linger(c->session, drop, c);
	return WAIT;
}

static enum step
send_some(struct caller *c)
{
	struct stream *s = c->stream;
	struct str piece;

	while (c->sent < c->body.len) {
		if (s->error != STREAM_OK)
			return END;
		piece = str_first(
		    str_from(text_str(&c->body), c->sent), s->ops->can_push(s));
		if (piece.len == 0)
			return WAIT;
		s->ops->push_body(s, piece);
		c->sent += piece.len;
		if (c->sent == c->body.len)
			s->ops->push_end(s, NULL);
		s->ops->flush(s);
		timer_set(&c->timer, SEND_MS);
	}
	return finish(c);
}

static void
begin_answer(struct caller *c, const struct head *q, struct server_answer *a)
{
	bool is_head = str_eq(q->method, STR("HEAD"));
	struct stream *s = c->stream;
	struct head h;

	head_init(&h);
	h.status = a->status;
	h.reason = str_of(reply_reason(a->status));
	h.body = BODY_LENGTH;
	h.content_length = a->body.len;
	h.is_head_request = is_head;
	/* We do not read what a request brings. */
	h.wants_close = q->body != BODY_NONE;
	if (a->content_type != NULL)
		head_add(&h, STR("Content-Type"), str_of(a->content_type));
	if (a->status == 405)
		head_add(&h, STR("Allow"), STR("GET, HEAD"));
	if (is_head)
		text_free(&a->body);
	s->ops->push_head(s, &h, a->body.len == 0);
	if (a->body.len == 0)
		s->ops->flush(s);
	c->body = a->body;
	c->sent = 0;
	c->state = CALLER_ANSWERING;
	timer_set(&c->timer, SEND_MS);
}

static enum step
answer(struct caller *c, const struct head *q)
{
	struct server_answer a = { .status = 200, .body = TEXT_EMPTY };
	struct server_request r = { .query = q->path };

	if (!str_eq(q->method, STR("GET")) && !str_eq(q->method, STR("HEAD"))) {
		a.status = 405;
		a.content_type = "text/plain";
		text_add_z(&a.body, "only GET and HEAD are answered here\n");
	} else {
		r.path = str_cut(&r.query, '?');
		c->server->handle(c->server->arg, &r, &a);
	}
	begin_answer(c, q, &a);
	return GO;
}

static uint16_t
status_of(enum stream_error e)
{
	switch (e) {
	case STREAM_BAD_MESSAGE:
	case STREAM_NO_HOST:
		return 400;
	case STREAM_TOO_LARGE:
		return 431;
	case STREAM_VERSION:
		return 426;
	case STREAM_NOT_IMPLEMENTED:
		return 501;
	case STREAM_OK:
	case STREAM_IDLE_CLOSED:
	case STREAM_CLOSED_EARLY:
	case STREAM_CUT:
	case STREAM_RESET:
	case STREAM_REFUSED:
	case STREAM_PREFACE:
	case STREAM_LOOKS_TLS:
	case STREAM_WIRE:
		break;
	}
	return 0;
}

static enum step
refuse(struct caller *c)
{
	uint16_t status = status_of(c->stream->error);

	if (status == 0)
		return END;
	reply_push(
	    c->stream, &(struct reply){ .status = status, .says_close = true });
	return finish(c);
}

static enum step
take_request(struct caller *c)
{
	struct head *q;

	switch (c->stream->ops->pull_head(c->stream, &q)) {
	case PULL_DATA:
		return answer(c, q);
	case PULL_FAIL:
		return refuse(c);
	case PULL_WAIT:
	case PULL_END:
		break;
	}
	/* Counts from the first byte, whatever trickles in after it. */
	if (c->state == CALLER_IDLE && h1_session_has_input(c->session)) {
		c->state = CALLER_READING;
		timer_set(&c->timer, HEAD_MS);
	}
	return WAIT;
}

static void
run(void *arg)
{
	struct caller *c = arg;
	enum step step = GO;

	while (step == GO)
		step = c->state == CALLER_ANSWERING ? send_some(c)
						    : take_request(c);
	if (step == END)
		drop(c);
}

static void
take_caller(struct server *s, int fd)
{
	struct caller *c;

	if (s->n >= s->max) {
		close(fd);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->server = s;
	c->session = h1_session_new(wire_new(s->loop, fd), H1_SERVER, &limits);
	timer_init(&c->timer, s->loop, drop, c);
	DL_APPEND(s->callers, c);
	s->n++;
	await_request(c);
	/* A connection that says nothing is as slow as half a head. */
	timer_set(&c->timer, HEAD_MS);
	run(c);
}

static void on_accept(void *arg, int fd, bool can_read, bool can_write);

static void
listen_on(void *arg)
{
	struct server *s = arg;

	watch_start(&s->watch, s->loop, s->fd, true, false, on_accept, s);
}

static void
rest(struct server *s)
{
	watch_stop(&s->watch);
	timer_set(&s->rest, REST_MS);
}

static void
on_accept(void *arg, int fd, bool can_read, bool can_write)
{
	struct server *s = arg;
	struct addr from;
	int i, got = 0;

	(void)can_read;
	(void)can_write;
	for (i = 0; i < ACCEPT_BATCH; i++) {
		got = sock_accept(fd, &from);
		if (got == -1)
			break;
		take_caller(s, got);
	}
	if (got == -1 && sock_is_short(errno))
		rest(s);
}

struct server *
server_new(struct loop *l, int listen_fd, size_t max_connections,
    void (*handle)(
	void *arg, const struct server_request *q, struct server_answer *a),
    void *arg)
{
	struct server *s = xcalloc(1, sizeof(*s));

	s->loop = l;
	s->fd = listen_fd;
	s->max = max_connections;
	s->handle = handle;
	s->arg = arg;
	timer_init(&s->rest, l, listen_on, s);
	listen_on(s);
	return s;
}

void
server_free(struct server *s)
{
	struct caller *c, *next;

	if (s == NULL)
		return;
	DL_FOREACH_SAFE(s->callers, c, next)
	drop(c);
	timer_stop(&s->rest);
	watch_stop(&s->watch);
	close(s->fd);
	free(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See gateway.h.  One side's session is fed from a socket, the other side's
 * writes into one; nothing waits for time, only for the loop's turns.
 */

#include "differential/gateway.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn/head_rules.h"
#include "differential/ours.h"
#include "http/h1_session.h"

/* More than any stream leaves open once its last byte is there. */
#define TURNS 3
/* A piece of a body, so that several are needed. */
#define CREDIT 61

static const struct service_options no_options = { .host = HOST_KEEP };
static const struct head_rules rules = { .options = &no_options,
	.version = HTTP_1_1 };

/* A session, and the other end of its wire. */
struct side {
	struct h1_session *session;
	struct stream *stream;
	int peer;
};

static void
side_open(struct side *s, struct gateway *g, enum h1_role role)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		fds) == -1) {
		perror("socketpair");
		exit(2);
	}
	s->peer = fds[1];
	s->session =
	    h1_session_new(wire_new(g->loop, fds[0]), role, &ours_limits);
	s->stream = h1_session_stream(s->session);
}

static void
side_hear(struct side *s, struct text *out)
{
	ssize_t n;

	do {
		n = recv(s->peer, text_reserve(out, 65536), 65536, 0);
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0);
}

/* What the peer gets, to the last byte. */
static void
side_close(struct side *s, struct text *out)
{
	h1_session_free(s->session);
	side_hear(s, out);
	(void)close(s->peer);
}

static void
side_say(struct side *s, struct str bytes)
{
	/* Small enough for a socket's buffer: see PIECES_MAX. */
	if (send(s->peer, bytes.p, bytes.len, MSG_NOSIGNAL) !=
		(ssize_t)bytes.len &&
	    errno != EPIPE) {
		perror("send");
		exit(2);
	}
}

enum step { STEP_HEAD, STEP_BODY, STEP_OVER };

struct way {
	struct gateway *g;
	const struct pieces *in;
	const struct stream_kind *kind;
	struct passage *out;
	struct side from;
	struct side to;
	bool is_to_open;
	enum step step;
	struct message *m;
	char id[REQUEST_ID_TEXT];
};

static void
open_to(struct way *w)
{
	struct head *h;

	side_open(&w->to, w->g, w->kind->is_requests ? H1_CLIENT : H1_SERVER);
	w->is_to_open = true;
	w->out->n_sent++;
	if (w->kind->is_requests)
		return;
	/* Somebody has to have asked. */
	side_say(&w->to, w->kind->answers_head
			     ? STR("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
			     : STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	loop_turn(w->g->loop);
	(void)w->to.stream->ops->pull_head(w->to.stream, &h);
}

static void
close_to(struct way *w)
{
	if (!w->is_to_open)
		return;
	w->is_to_open = false;
	side_close(&w->to, &w->out->sent[w->out->n_sent - 1]);
	loop_turn(w->g->loop);
}

static void
push_head(struct way *w, struct head *h)
{
	if (!w->is_to_open)
		open_to(w);
	/* No service offers it; what is then refused goes on without it here.
	 */
	h->upgrade = STR_NONE;
	if (h->is_request)
		(void)head_make_ours(h, w->id, &rules);
	else
		head_answer_ours(h, &rules);
	w->to.stream->ops->push_head(w->to.stream, h, !head_has_body(h));
	w->to.stream->ops->flush(w->to.stream);
}

static void
refuse(struct way *w)
{
	w->step = STEP_OVER;
	if (w->from.stream->error == STREAM_IDLE_CLOSED)
		return;
	reading_refuse(&w->out->in, (int)w->from.stream->error,
	    stream_error_text(w->from.stream->error));
}

static bool
take_head(struct way *w)
{
	struct head *h;
	enum pull pull = w->from.stream->ops->pull_head(w->from.stream, &h);

	if (pull == PULL_FAIL)
		refuse(w);
	if (pull != PULL_DATA)
		return false;
	w->m = ours_add_head(
	    &w->out->in, h, h->path.len > 0 ? h->path : h->authority);
	if (w->m == NULL) {
		w->step = STEP_OVER;
		return false;
	}
	/* The exchange refuses it. */
	if (h->is_request && h->path.len == 0) {
		w->out->in.ending = READING_SWITCHED;
		w->step = STEP_OVER;
		return false;
	}
	w->step = STEP_BODY;
	if (!h->is_request && h->status < 200) {
		w->m->is_whole = true;
		w->step = STEP_HEAD;
	}
	push_head(w, h);
	return true;
}

static void
answer(struct way *w)
{
	struct stream *s = w->from.stream;
	struct text said = TEXT_EMPTY;
	struct head h;

	head_init(&h);
	h.status = 200;
	h.reason = STR("OK");
	s->ops->push_head(s, &h, true);
	s->ops->release(s, true);
	side_hear(&w->from, &said);
	text_free(&said);
	w->step = STEP_HEAD;
	if (h1_session_can_reuse(w->from.session)) {
		w->from.stream = h1_session_stream(w->from.session);
		return;
	}
	w->out->in.ending = READING_CLOSED;
	w->step = STEP_OVER;
}

static void
end_message(struct way *w)
{
	const struct head *trailers =
	    w->from.stream->ops->trailers(w->from.stream);

	w->m->is_whole = true;
	if (trailers != NULL)
		ours_add_trailers(&w->out->in, w->m, trailers);
	w->to.stream->ops->push_end(w->to.stream, trailers);
	w->to.stream->ops->flush(w->to.stream);
	close_to(w);
	if (w->kind->is_requests)
		answer(w);
	else
		w->step = STEP_OVER;
}

static bool
take_body(struct way *w)
{
	struct span span;
	struct str data;
	enum pull pull =
	    w->from.stream->ops->pull_body(w->from.stream, CREDIT, &span);

	switch (pull) {
	case PULL_DATA:
		data = (struct str){ (const void *)span.p, span.len };
		text_add(&w->m->body, data);
		w->to.stream->ops->push_body(w->to.stream, data);
		w->to.stream->ops->flush(w->to.stream);
		return true;
	case PULL_WAIT:
		return false;
	case PULL_END:
		end_message(w);
		return true;
	case PULL_FAIL:
		break;
	}
	refuse(w);
	/* What was begun must not look whole. */
	w->to.stream->ops->release(w->to.stream, false);
	close_to(w);
	return false;
}

static void
go_on(struct way *w)
{
	bool is_going = true;

	while (is_going) {
		switch (w->step) {
		case STEP_HEAD:
			is_going = take_head(w);
			break;
		case STEP_BODY:
			is_going = take_body(w);
			break;
		case STEP_OVER:
			is_going = false;
			break;
		}
	}
}

static void
feed(struct way *w)
{
	size_t from = 0;

	for (size_t i = 0; i < w->in->n && w->step != STEP_OVER; i++) {
		side_say(&w->from, str_first(str_from(w->in->bytes, from),
				       w->in->cuts[i] - from));
		from = w->in->cuts[i];
		loop_turn(w->g->loop);
		go_on(w);
	}
	if (w->kind->ends)
		(void)shutdown(w->from.peer, SHUT_WR);
	for (int i = 0; i < TURNS && w->step != STEP_OVER; i++) {
		loop_turn(w->g->loop);
		go_on(w);
	}
}

static void
carry(struct way *w)
{
	struct text said = TEXT_EMPTY;

	*w->out = (struct passage){ .n_sent = 0 };
	reading_init(&w->out->in);
	feed(w);
	if (w->is_to_open && w->step == STEP_BODY)
		w->to.stream->ops->release(w->to.stream, false);
	close_to(w);
	side_close(&w->from, &said);
	text_free(&said);
	/* What the loop frees later. */
	loop_turn(w->g->loop);
}

void
gateway_requests(struct gateway *g, const struct pieces *p, struct passage *out)
{
	static const struct stream_kind kind = { .is_requests = true };
	struct way w = { .g = g, .in = p, .kind = &kind, .out = out };

	side_open(&w.from, g, H1_SERVER);
	carry(&w);
}

void
gateway_answer(struct gateway *g, const struct pieces *p,
    const struct stream_kind *kind, struct passage *out)
{
	struct way w = { .g = g, .in = p, .kind = kind, .out = out };
	struct text asked = TEXT_EMPTY;
	struct head h;

	side_open(&w.from, g, H1_CLIENT);
	head_init(&h);
	h.is_request = true;
	h.method = kind->answers_head ? STR("HEAD") : STR("GET");
	h.path = STR("/");
	h.authority = STR("a");
	w.from.stream->ops->push_head(w.from.stream, &h, true);
	w.from.stream->ops->flush(w.from.stream);
	side_hear(&w.from, &asked);
	text_free(&asked);
	carry(&w);
}

void
passage_fini(struct passage *p)
{
	for (size_t i = 0; i < p->n_sent; i++)
		text_free(&p->sent[i]);
	reading_fini(&p->in);
}

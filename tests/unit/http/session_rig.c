/* SPDX-License-Identifier: Apache-2.0 */
/* See session_rig.h. */

#include "unit/http/session_rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/http/parse_rig.h"

/* Far more turns than anything that is on its way needs. */
#define TURNS 20

static void
on_ready(void *arg)
{
	struct rig *r = arg;

	r->ready++;
}

void
rig_next(struct rig *r)
{
	r->stream = h1_session_stream(r->session);
	r->stream->on_ready = on_ready;
	r->stream->arg = r;
}

void
rig_open(struct rig *r, enum h1_role role)
{
	int fds[2];

	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	*r = (struct rig){ .peer = fds[1], .got = TEXT_EMPTY };
	r->loop = loop_new();
	r->session =
	    h1_session_new(wire_new(r->loop, fds[0]), role, &parse_limits);
	rig_next(r);
}

void
rig_close(struct rig *r)
{
	h1_session_free(r->session);
	loop_turn(r->loop);
	if (r->peer != -1)
		close(r->peer);
	loop_free(r->loop);
	text_free(&r->got);
}

void
rig_send(struct rig *r, struct str bytes)
{
	cr_assert_eq(send(r->peer, bytes.p, bytes.len, MSG_NOSIGNAL),
	    (ssize_t)bytes.len);
}

void
rig_hang_up(struct rig *r)
{
	close(r->peer);
	r->peer = -1;
}

static void
receive(struct rig *r)
{
	ssize_t n;

	while (r->peer != -1) {
		n = recv(r->peer, text_reserve(&r->got, 65536), 65536, 0);
		if (n == 0 || (n == -1 && errno == ECONNRESET))
			r->is_eof = true;
		if (n <= 0)
			return;
		r->got.len += (size_t)n;
	}
}

void
rig_turn(struct rig *r)
{
	for (int i = 0; i < TURNS; i++) {
		loop_turn(r->loop);
		receive(r);
	}
}

enum pull
rig_pull_head(struct rig *r, struct head **h)
{
	enum pull p = PULL_WAIT;

	for (int i = 0; i < TURNS && p == PULL_WAIT; i++) {
		p = r->stream->ops->pull_head(r->stream, h);
		if (p == PULL_WAIT)
			loop_turn(r->loop);
	}
	return p;
}

enum pull
rig_pull_body(struct rig *r, size_t credit, struct text *out)
{
	enum pull p = PULL_WAIT;
	struct span s;
	int turns = 0;

	while (turns < TURNS && (p == PULL_WAIT || p == PULL_DATA)) {
		p = r->stream->ops->pull_body(r->stream, credit, &s);
		if (p == PULL_DATA) {
			cr_assert_leq(s.len, credit);
			text_add(out, (struct str){ (const void *)s.p, s.len });
		} else if (p == PULL_WAIT) {
			loop_turn(r->loop);
			turns++;
		}
	}
	return p;
}

void
rig_answer(struct rig *r, const char *body)
{
	struct stream *s = r->stream;
	struct head h;

	head_init(&h);
	h.status = 200;
	h.reason = STR("OK");
	h.body = BODY_LENGTH;
	h.content_length = strlen(body);
	s->ops->push_head(s, &h, false);
	s->ops->push_body(s, str_of(body));
	s->ops->push_end(s, NULL);
	s->ops->flush(s);
}

void
rig_ask(struct rig *r, const char *method)
{
	struct stream *s = r->stream;
	struct head h;

	head_init(&h);
	h.is_request = true;
	h.method = str_of(method);
	h.path = STR("/");
	h.authority = STR("a");
	s->ops->push_head(s, &h, true);
	s->ops->flush(s);
}

void
rig_release(struct rig *r, bool is_whole)
{
	r->stream->ops->release(r->stream, is_whole);
}

void
rig_expect_got(struct rig *r, const char *want)
{
	rig_turn(r);
	cr_expect(str_eq(text_str(&r->got), str_of(want)),
	    "got '%.*s', not '%s'", STR_ARG(text_str(&r->got)), want);
	text_clear(&r->got);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See h2_rig.h. */

#include "unit/http/h2_rig.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit/http/parse_rig.h"

/* Far more turns than anything that is on its way needs. */
#define TURNS 30

static void
on_ready(void *arg)
{
	struct h2_owner *o = arg;

	o->ready++;
	if (o->act != NULL)
		o->act(o, NULL);
}

static void
on_stream(void *arg, struct stream *st)
{
	struct h2_owner *o = arg;

	cr_assert_lt(o->n_streams, H2_STREAMS);
	o->streams[o->n_streams++] = st;
	st->on_ready = on_ready;
	st->arg = o;
	if (o->act != NULL)
		o->act(o, st);
}

static void
on_change(void *arg)
{
	struct h2_owner *o = arg;

	o->changes++;
	if (o->act_on_change != NULL)
		o->act_on_change(o);
}

static void
on_count(void *arg, enum h2_event e)
{
	struct h2_owner *o = arg;

	o->counts[e]++;
}

static void
on_rest(void *arg)
{
	struct h2_owner *o = arg;

	o->rests++;
}

static const struct h2_events events = {
	.on_stream = on_stream,
	.on_change = on_change,
	.on_rest = on_rest,
	.count = on_count,
};

void
h2_rig_init(struct h2_rig *r)
{
	*r = (struct h2_rig){
		.http = parse_limits,
		.limits = {
			.streams = 100,
			.stream_window = 262144,
			.connection_window = 1048576,
			.head_ms = 15000,
			.ping_timeout_ms = 20000,
			.abuse = {
#define H2_EVENT(...)
#define H2_ABUSE(id, name, limit, standard, help) [H2_ABUSE_##id] = (standard),
#include "http/h2_event.tbl.h"
			},
		},
		.peer = -1,
		.got = TEXT_EMPTY,
	};
	r->http.line_bytes = 0;
	r->loop = loop_new();
}

static void
open_session(struct h2_rig *r, struct h2_owner *o, enum h2_role role, int fd)
{
	o->role = role;
	o->session = h2_session_new(
	    wire_new(r->loop, fd), role, &r->http, &r->limits, &events, o);
}

static void
open_sockets(int fds[2])
{
	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

void
h2_rig_open_pair(struct h2_rig *r)
{
	int fds[2];

	open_sockets(fds);
	open_session(r, &r->server, H2_SERVER, fds[0]);
	open_session(r, &r->client, H2_CLIENT, fds[1]);
	h2_rig_turn(r);
}

void
h2_rig_open(struct h2_rig *r, enum h2_role role)
{
	int fds[2];

	open_sockets(fds);
	open_session(
	    r, role == H2_SERVER ? &r->server : &r->client, role, fds[0]);
	r->peer = fds[1];
	h2_rig_turn(r);
}

void
h2_rig_close(struct h2_rig *r)
{
	h2_session_free(r->client.session);
	h2_session_free(r->server.session);
	loop_turn(r->loop);
	if (r->peer != -1)
		close(r->peer);
	loop_free(r->loop);
	text_free(&r->got);
}

static void
receive(struct h2_rig *r)
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
h2_rig_turn(struct h2_rig *r)
{
	for (int i = 0; i < TURNS; i++) {
		loop_turn(r->loop);
		receive(r);
	}
}

void
h2_rig_at(struct h2_rig *r, uint64_t ms)
{
	clock_fake(ms, 0);
	h2_rig_turn(r);
}

void
h2_rig_request(struct head *h, const char *method, const char *path)
{
	head_init(h);
	h->is_request = true;
	h->method = str_of(method);
	h->scheme = STR("https");
	h->authority = STR("a.example");
	h->path = str_of(path);
}

struct stream *
h2_rig_open_stream(struct h2_owner *o)
{
	struct stream *st = h2_session_open(o->session);

	st->on_ready = on_ready;
	st->arg = o;
	return st;
}

struct stream *
h2_rig_ask(struct h2_rig *r, const char *path)
{
	struct stream *st = h2_rig_open_stream(&r->client);
	struct head h;

	h2_rig_request(&h, "GET", path);
	st->ops->push_head(st, &h, true);
	st->ops->flush(st);
	h2_rig_turn(r);
	return st;
}

void
h2_rig_answer(struct stream *st, uint16_t status, const char *body)
{
	struct head h;

	head_init(&h);
	h.status = status;
	h.body = BODY_STREAMED;
	st->ops->push_head(st, &h, body == NULL);
	if (body != NULL) {
		st->ops->push_body(st, str_of(body));
		st->ops->push_end(st, NULL);
	}
	st->ops->flush(st);
}

void
h2_rig_release(struct stream *st, bool is_whole)
{
	st->ops->release(st, is_whole);
}

enum pull
h2_rig_head(struct stream *st, struct head **h)
{
	return st->ops->pull_head(st, h);
}

enum pull
h2_rig_body(struct stream *st, struct text *out)
{
	struct span s;
	enum pull p;

	while ((p = st->ops->pull_body(st, 10000, &s)) == PULL_DATA) {
		cr_assert_leq(s.len, 10000);
		text_add(out, (struct str){ (const void *)s.p, s.len });
	}
	return p;
}

void
h2_put_u32(struct text *t, uint32_t n)
{
	for (int i = 24; i >= 0; i -= 8)
		text_add_char(t, (char)(n >> i & 0xff));
}

void
h2_put_frame(struct text *t, unsigned type, unsigned flags, uint32_t stream,
    struct str payload)
{
	h2_put_u32(t, (uint32_t)payload.len << 8 | type);
	text_add_char(t, (char)flags);
	h2_put_u32(t, stream);
	text_add(t, payload);
}

void
h2_put_settings(struct text *t, unsigned id, uint32_t value)
{
	struct text p = TEXT_EMPTY;

	text_add_char(&p, (char)(id >> 8));
	text_add_char(&p, (char)id);
	h2_put_u32(&p, value);
	h2_put_frame(t, H2_FRAME_SETTINGS, 0, 0, text_str(&p));
	text_free(&p);
}

void
h2_put_preface(struct text *t)
{
	text_add_z(t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	h2_put_frame(t, H2_FRAME_SETTINGS, 0, 0, STR_NONE);
}

/* RFC 7541, section 5.1, with a prefix of 7 bits and no Huffman coding. */
static void
put_string(struct text *t, struct str s)
{
	size_t n = s.len;

	if (n < 127) {
		text_add_char(t, (char)n);
	} else {
		text_add_char(t, 127);
		for (n -= 127; n >= 128; n >>= 7)
			text_add_char(t, (char)(n | 128));
		text_add_char(t, (char)n);
	}
	text_add(t, s);
}

void
h2_put_field(struct text *t, const char *name, struct str value)
{
	text_add_char(t, 0);
	put_string(t, str_of(name));
	put_string(t, value);
}

void
h2_put_get(struct text *t)
{
	h2_put_field(t, ":method", STR("GET"));
	h2_put_field(t, ":scheme", STR("https"));
	h2_put_field(t, ":path", STR("/"));
	h2_put_field(t, ":authority", STR("a.example"));
}

void
h2_put_request(struct text *t, uint32_t stream, unsigned flags)
{
	struct text p = TEXT_EMPTY;

	h2_put_get(&p);
	h2_put_frame(t, H2_FRAME_HEADERS, H2_FLAG_END_HEADERS | flags, stream,
	    text_str(&p));
	text_free(&p);
}

void
h2_rig_send_deaf(struct h2_rig *r, struct text *t)
{
	struct str left = text_str(t);
	int tries = 0;
	ssize_t n;

	while (left.len > 0 && tries++ < 100000) {
		n = send(r->peer, left.p, left.len, MSG_NOSIGNAL);
		if (n > 0)
			left = str_from(left, (size_t)n);
		else if (n == -1 && errno != EAGAIN)
			break;
		loop_turn(r->loop);
	}
	text_clear(t);
	for (int i = 0; i < TURNS; i++)
		loop_turn(r->loop);
}

void
h2_rig_send(struct h2_rig *r, struct text *t)
{
	h2_rig_send_deaf(r, t);
	h2_rig_turn(r);
}

void
h2_rig_hang_up(struct h2_rig *r)
{
	close(r->peer);
	r->peer = -1;
	h2_rig_turn(r);
}

static uint32_t
read_u32(const char *p)
{
	const unsigned char *u = (const void *)p;

	return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 |
	       (uint32_t)u[2] << 8 | u[3];
}

bool
h2_rig_next(struct h2_rig *r, enum h2_frame_type want, struct h2_frame *f,
    struct str *payload)
{
	const char *p;

	/* A client's session begins with its preface. */
	if (r->parsed == 0 && r->client.session != NULL)
		r->parsed = 24;
	while (r->got.len >= r->parsed + H2_FRAME_HEAD) {
		p = r->got.p + r->parsed;
		*f = (struct h2_frame){
			.len = read_u32(p) >> 8,
			.type = (enum h2_frame_type)p[3],
			.flags = (uint8_t)p[4],
			.stream = read_u32(p + 5),
		};
		*payload = (struct str){ p + H2_FRAME_HEAD, f->len };
		cr_assert_geq(r->got.len, r->parsed + H2_FRAME_HEAD + f->len);
		r->parsed += H2_FRAME_HEAD + f->len;
		if (want == H2_FRAME_OTHER || f->type == want)
			return true;
	}
	return false;
}

uint32_t
h2_rig_code(struct h2_rig *r, enum h2_frame_type type)
{
	struct str payload;
	struct h2_frame f;

	if (!h2_rig_next(r, type, &f, &payload))
		return UINT32_MAX;
	return read_u32(payload.p + (type == H2_FRAME_GOAWAY ? 4 : 0));
}

void
h2_rig_expect_failed(struct stream *st, enum stream_error want)
{
	struct span s;
	struct head *h;

	cr_expect_eq(h2_rig_head(st, &h), PULL_FAIL);
	cr_expect_eq(st->ops->pull_body(st, 1, &s), PULL_FAIL);
	cr_expect_eq(st->error, want, "%s, not %s",
	    stream_error_text(st->error), stream_error_text(want));
	cr_expect_eq(st->ops->can_push(st), 0);
}

void
h2_rig_expect_over(struct h2_session *s, enum h2_end want, const char *text)
{
	struct str got = h2_session_end_text(s);

	cr_expect_eq(h2_session_state(s), H2_OVER);
	cr_expect_eq(
	    h2_session_end(s), want, "%d, not %d", h2_session_end(s), want);
	cr_expect_not_null(memmem(got.p, got.len, text, strlen(text)),
	    "'%.*s' does not tell of '%s'", STR_ARG(got), text);
	cr_expect_eq(h2_session_streams_left(s), 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer of HTTP/2 that says anything at all, to a server or to a client that
 * has asked.  Whatever it says, heads that are handed out keep the rules, what
 * is held stays within the windows, and everything can be let go.
 *
 * The first byte chooses: bit 0 the role, bit 1 whether the preface (or the
 * server's SETTINGS) is put in front, bits 2 and 3 how the owner behaves, bit
 * 4 whether the bytes come in pieces.
 */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "fuzz.h"
#include "http/h2_session.h"
#include "http/h2_side.h"

#define STREAMS_MOST 4096
#define REQUESTS 4

enum manner { ECHOES, STALLS, LETS_GO, ANSWERS };

struct owner {
	struct h2_session *session;
	enum manner manner;
	struct stream *streams[STREAMS_MOST];
	size_t n;
	bool has_head[STREAMS_MOST];
	bool has_answered[STREAMS_MOST];
};

static const struct http_limits http = {
	.head_bytes = 2048,
	.line_bytes = 1024,
	.fields = 30,
	.trailer_bytes = 512,
};

static const struct h2_limits limits = {
	.streams = 10,
	.stream_window = 65535,
	.connection_window = 65535,
	.head_ms = 15000,
	.ping_ms = 5000,
	.ping_timeout_ms = 2000,
	.abuse = {
#define H2_EVENT(...)
#define H2_ABUSE(id, ...) [H2_ABUSE_##id] = 40,
#include "http/h2_event.tbl.h"
	},
};

static void
check_str(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		FUZZ_CHECK(s.p[i] != '\0' && s.p[i] != '\r' && s.p[i] != '\n');
}

static void
check_fields(const struct head *h)
{
	struct str name;

	FUZZ_CHECK(h->n_fields <= http.fields);
	for (size_t i = 0; i < h->n_fields; i++) {
		name = h->fields[i].name;
		FUZZ_CHECK(name.len > 0 && name.p[0] != ':');
		for (size_t j = 0; j < name.len; j++)
			FUZZ_CHECK(name.p[j] > ' ' && name.p[j] < 0x7f &&
				   (name.p[j] < 'A' || name.p[j] > 'Z'));
		check_str(h->fields[i].value);
		FUZZ_CHECK(h->fields[i].id == field_id_of(name));
		FUZZ_CHECK(!field_is_hop_by_hop(h->fields[i].id) ||
			   h->fields[i].id == FIELD_PROXY_AUTHORIZATION);
	}
}

static void
check_head(const struct head *h, bool is_server)
{
	check_fields(h);
	FUZZ_CHECK(h->is_request == is_server);
	if (!is_server) {
		FUZZ_CHECK(h->status >= 100 && h->status <= 599);
		FUZZ_CHECK(h->status != 101);
		return;
	}
	FUZZ_CHECK(h->method.len > 0 && h->authority.len > 0);
	FUZZ_CHECK(
	    h->path.len == 0 || h->path.p[0] == '/' || h->path.p[0] == '*');
	check_str(h->method);
	check_str(h->authority);
	check_str(h->path);
	check_str(h->upgrade);
}

static void
answer(struct stream *st, bool is_end)
{
	struct head h;

	head_init(&h);
	h.status = 200;
	h.body = BODY_STREAMED;
	st->ops->push_head(st, &h, is_end);
}

/* Pull what is there; what a server gets it says again. */
static void
go_on(struct owner *o, size_t i)
{
	struct stream *st = o->streams[i];
	bool is_server = h2_stream_of(st)->session->role == H2_SERVER;
	enum pull p = PULL_DATA;
	struct span span;
	struct head *h;
	size_t credit;

	while (!o->has_head[i] || (!is_server && p == PULL_DATA)) {
		p = st->ops->pull_head(st, &h);
		if (p != PULL_DATA)
			break;
		check_head(h, is_server);
		o->has_head[i] = true;
	}
	if (is_server && !o->has_answered[i])
		answer(st, o->manner == ANSWERS);
	o->has_answered[i] = true;
	while ((credit = is_server ? st->ops->can_push(st) : 999) > 0) {
		p = st->ops->pull_body(st, credit, &span);
		if (p != PULL_DATA)
			break;
		FUZZ_CHECK(span.len > 0 && span.len <= credit);
		st->ops->push_body(
		    st, (struct str){ (const void *)span.p, span.len });
	}
	if (p == PULL_END) {
		h = NULL;
		if (st->ops->trailers(st) != NULL)
			check_fields(st->ops->trailers(st));
		st->ops->push_end(st, st->ops->trailers(st));
	}
	if (p == PULL_FAIL)
		FUZZ_CHECK(st->error != STREAM_OK);
	st->ops->flush(st);
}

static void
let_go(struct owner *o, size_t i)
{
	if (o->streams[i] == NULL)
		return;
	o->streams[i]->ops->release(o->streams[i], i % 2 == 0);
	o->streams[i] = NULL;
}

static void
on_ready(void *arg)
{
	struct owner *o = arg;

	for (size_t i = 0; i < o->n; i++)
		if (o->streams[i] != NULL && o->manner != STALLS)
			go_on(o, i);
	if (o->manner == LETS_GO && o->n > 0)
		let_go(o, o->n - 1);
}

static void
on_stream(void *arg, struct stream *st)
{
	struct owner *o = arg;

	FUZZ_CHECK(o->n < STREAMS_MOST);
	o->streams[o->n++] = st;
	st->on_ready = on_ready;
	st->arg = o;
	if (o->manner != STALLS)
		go_on(o, o->n - 1);
}

static void
on_change(void *arg)
{
	struct owner *o = arg;

	FUZZ_CHECK(h2_session_state(o->session) != H2_OVER ||
		   h2_session_end(o->session) != H2_END_NONE);
	FUZZ_CHECK(h2_session_streams_left(o->session) <= limits.streams);
}

static const struct h2_events events = {
	.on_stream = on_stream,
	.on_change = on_change,
};

static void
ask(struct owner *o, int i)
{
	static const struct str methods[REQUESTS] = { STR("GET"), STR("HEAD"),
		STR("POST"), STR("CONNECT") };
	struct stream *st = h2_session_open(o->session);
	struct head h;

	head_init(&h);
	h.is_request = true;
	h.method = methods[i];
	h.authority = STR("a");
	h.path = STR("/");
	h.body = i >= 2 ? BODY_STREAMED : BODY_NONE;
	if (i == 3)
		h.upgrade = STR("websocket");
	o->streams[o->n++] = st;
	st->on_ready = on_ready;
	st->arg = o;
	st->ops->push_head(st, &h, i < 2);
	st->ops->push_body(st, STR("body"));
	st->ops->flush(st);
}

static void
check_held(const struct h2_session *s)
{
	const struct h2_stream *st;
	size_t held = 0;

	TAILQ_FOREACH(st, &s->streams, in_streams)
	held += st->received.len;
	FUZZ_CHECK(held <= limits.connection_window);
	FUZZ_CHECK(s->n_streams <= 3000);
}

static void
turn(struct loop *l, int fd)
{
	static char got[65536];

	for (int i = 0; i < 4; i++) {
		loop_turn(l);
		while (recv(fd, got, sizeof(got), MSG_DONTWAIT) > 0)
			continue;
	}
}

static void
feed(struct loop *l, int fd, const struct owner *o, struct str in, size_t step)
{
	struct str piece;

	while (in.len > 0) {
		piece = str_first(in, step);
		in = str_from(in, piece.len);
		if (send(fd, piece.p, piece.len, MSG_DONTWAIT | MSG_NOSIGNAL) <
		    0)
			break;
		turn(l, fd);
		check_held(o->session);
	}
}

static void
begin(struct loop *l, int fd, struct owner *o, unsigned how)
{
	static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				      "\0\0\0\4\0\0\0\0\0";
	struct str all = { preface, sizeof(preface) - 1 };

	if ((how & 1) != 0)
		for (int i = 0; i < REQUESTS; i++)
			ask(o, i);
	turn(l, fd);
	if ((how & 2) != 0)
		feed(l, fd, o, (how & 1) != 0 ? str_from(all, 24) : all, 4096);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct owner o;
	static struct loop *l;
	static uint64_t now = 1000;
	unsigned how = n > 0 ? data[0] : 0;
	struct str in = { .p = (const void *)data, .len = n };
	int fds[2];

	if (l == NULL)
		l = loop_new();
	clock_fake(now, 0);
	FUZZ_CHECK(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
	memset(&o, 0, sizeof(o));
	o.manner = (enum manner)(how >> 2 & 3);
	o.session = h2_session_new(wire_new(l, fds[0]),
	    (how & 1) != 0 ? H2_CLIENT : H2_SERVER, &http, &limits, &events,
	    &o);
	begin(l, fds[1], &o, how);
	feed(l, fds[1], &o, str_from(in, 1), (how & 16) != 0 ? 7 : 65536);
	/* Deadlines. */
	for (int i = 0; i < 4; i++) {
		clock_fake(now += 10000, 0);
		turn(l, fds[1]);
	}
	if ((how & 32) != 0)
		h2_session_drain(o.session);
	for (size_t i = 0; i < o.n; i++)
		let_go(&o, i);
	turn(l, fds[1]);
	h2_session_free(o.session);
	close(fds[1]);
	turn(l, fds[1]);
	now += 100000;
	return 0;
}

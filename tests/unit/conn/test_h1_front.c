/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole HTTP connection: the caller is a TLS wire, the connection the real
 * one, and only the server is made up, in the pool of its service.
 */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "conn/conn.h"
#include "unit/conn/conn_rig.h"
#include "unit/conn/fake_stream.h"
#include "upstream/cluster_state.h"
#include "upstream/pool.h"

#define SNI "web{mesh=default}"
#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

static const char web[] =
    "type: ExternalService\nmesh: default\nname: web\n"
    "tags: { kuma.io/service: web, kuma.io/protocol: http }\n"
    "networking: { address: \"127.0.0.1:1\" }\n---\n";

struct call {
	struct rig g;
	struct wire *wire; /* the caller's */
	struct text got;
	enum io end; /* IO_AGAIN: it is open */
	struct fake_back back;
	struct fake_head answer;
};

static void
turn(struct call *c)
{
	struct span s;

	for (int i = 0; i < 30; i++) {
		loop_turn(c->g.loop);
		while (c->end == IO_AGAIN || c->end == IO_DONE) {
			c->end = wire_read(c->wire, &s);
			if (c->end != IO_DONE)
				break;
			text_add(&c->got, (struct str){ .p = (const void *)s.p,
					      .len = s.len });
		}
	}
}

static void
say(struct call *c, const char *bytes)
{
	cr_assert_eq(wire_write(c->wire, str_of(bytes)), IO_DONE);
	turn(c);
}

static void
pass(struct call *c, uint64_t ms)
{
	rig_pass(&c->g, ms);
	turn(c);
}

static void
dial(struct call *c)
{
	struct text why = TEXT_EMPTY;
	enum io io = IO_AGAIN;
	struct addr from;
	int fd[2];

	cr_assert(addr_parse(STR("192.0.2.7"), 1234, &from));
	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	conns_accept(c->g.conns, fd[0], &from, &c->g.listener);
	c->wire = wire_new(c->g.loop, fd[1]);
	cr_assert(
	    wire_tls_connect_mesh(c->wire, STR(SNI), str_of(c->g.ca->cert_pem),
		str_of(c->g.caller->cert_pem), str_of(c->g.caller->key_pem),
		STR("spiffe://default/zone-egress"), &why),
	    "%s", why.p);
	for (int i = 0; i < 100 && io == IO_AGAIN; i++) {
		io = wire_tls_handshake(c->wire);
		loop_turn(c->g.loop);
	}
	cr_assert_eq(io, IO_DONE);
	turn(c);
}

static void
setup(struct call *c)
{
	char *yaml = xasprintf("%s%s", web, rig_permission);

	*c = (struct call){ .end = IO_AGAIN };
	rig_init(&c->g, yaml);
	free(yaml);
	text_add_z(&c->got, "");
	fake_back_init(&c->back);
	dial(c);
}

static void
hang_up(struct call *c)
{
	wire_free(c->wire);
	c->wire = NULL;
	rig_turn(&c->g, 20);
}

static void
teardown(struct call *c)
{
	hang_up(c);
	rig_fini(&c->g);
	text_free(&c->got);
	fake_stream_fini(&c->back.stream);
}

static void
pool(struct call *c)
{
	struct service *s = snapshot_match(c->g.snapshot, STR(SNI));

	fake_back_pool(&c->back, clusters_get(c->g.clusters, s), 0, true);
}

/* The made-up server's next answer. */
static void
will_answer(struct call *c, const char *body)
{
	fake_stream_fini(&c->back.stream);
	fake_stream_init(&c->back.stream);
	c->back.stream.keeps_quiet = true;
	fake_response(&c->answer, 200, NULL);
	c->answer.h.body = BODY_LENGTH;
	c->answer.h.content_length = strlen(body);
	fake_asked(&c->back.stream);
	fake_head_in(&c->back.stream, &c->answer);
	fake_data(&c->back.stream, body);
	fake_end(&c->back.stream);
}

/* Status line and body of what came; the rest is h1_write's. */
static void
expect_answer(struct call *c, const char *status, const char *body)
{
	struct str got = text_str(&c->got);

	cr_expect(str_starts(got, str_of(status)), "%s", c->got.p);
	cr_expect(str_ends(got, str_of(body)), "%s", c->got.p);
	text_clear(&c->got);
}

static void
expect_ended(struct call *c, const char *outcome)
{
	char want[64];

	(void)snprintf(want, sizeof(want), "\"outcome\":\"%s\"", outcome);
	cr_expect_eq(rig_logged(&c->g, "\"kind\":\"connection\"", want, NULL),
	    1, "no connection ended as %s", outcome);
	cr_expect_eq(conns_count(c->g.conns), 0);
}

Test(h1_front, one_request_after_the_other)
{
	struct call c;

	setup(&c);
	pool(&c);
	for (int i = 0; i < 3; i++) {
		will_answer(&c, "fine");
		say(&c, GET);
		expect_answer(&c, "HTTP/1.1 200", "\r\n\r\nfine");
		cr_expect_eq(c.end, IO_AGAIN);
	}
	hang_up(&c);
	expect_ended(&c, "ok");
	cr_expect_eq(rig_logged(&c.g, "\"requests\":3", NULL), 1);
	cr_expect_eq(rig_logged(&c.g, "\"kind\":\"request\"", NULL), 3);
	cr_expect_eq(c.back.opened, 3);
	teardown(&c);
}

/* An exchange is the larger part of what a request needs. */
Test(h1_front, an_idle_connection_holds_no_exchange)
{
	const struct conns *cs;
	struct call c;

	setup(&c);
	cs = c.g.conns;
	cr_expect_null(cs->spare_exchanges, "nobody has asked yet");
	pool(&c);
	will_answer(&c, "fine");
	say(&c, "GET / HTTP/1.1\r\n");
	cr_expect_null(cs->spare_exchanges, "half a head needs none");
	say(&c, "Host: a\r\n\r\n");
	expect_answer(&c, "HTTP/1.1 200", "fine");
	cr_expect_eq(cs->n_spare_exchanges, 1, "it was given back");
	will_answer(&c, "again");
	say(&c, GET);
	expect_answer(&c, "HTTP/1.1 200", "again");
	cr_expect_eq(cs->n_spare_exchanges, 1, "and used once more");
	/* One that ends with its connection comes back as well. */
	say(&c, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n");
	cr_expect_eq(cs->n_spare_exchanges, 0, "the answer lingers");
	hang_up(&c);
	cr_expect_eq(cs->n_spare_exchanges, 1);
	teardown(&c);
}

/* NTLM: what the server has authenticated is the connection. */
Test(h1_front, a_connection_that_knows_the_caller)
{
	struct cluster *cluster;
	struct call c;

	setup(&c);
	pool(&c);
	cluster = c.back.back.guard.cluster;
	will_answer(&c, "who?");
	fake_response(&c.answer, 401, "WWW-Authenticate", "NTLM", NULL);
	c.answer.h.body = BODY_LENGTH;
	c.answer.h.content_length = 4;
	say(&c, GET);
	expect_answer(&c, "HTTP/1.1 401", "who?");
	cr_expect_null(
	    pool_find(cluster->local.v[0], NULL), "nobody else may have it");
	will_answer(&c, "fine");
	say(&c, GET);
	expect_answer(&c, "HTTP/1.1 200", "fine");
	cr_expect_eq(c.back.opened, 2, "the same one");
	cr_expect_not(c.back.is_closed);
	hang_up(&c);
	cr_expect(c.back.is_closed);
	teardown(&c);
}

Test(h1_front, requests_that_come_together_are_answered_in_order)
{
	struct call c;

	setup(&c);
	/* Nothing is in the pool, and nobody listens: each gets a 503. */
	say(&c, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
		"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" GET);
	for (int i = 0; i < 50; i++)
		turn(&c);
	expect_answer(&c, "HTTP/1.1 503", "Connection: close\r\n\r\n");
	cr_expect_eq(rig_logged(&c.g, "\"path\":\"/1\"", NULL), 1);
	cr_expect_eq(
	    rig_logged(&c.g, "http_request_connect", "request", NULL), 1);
	cr_expect_eq(rig_logged(&c.g, "\"kind\":\"request\"", NULL), 2,
	    "after the one that ended it there is none");
	teardown(&c);
}

static const struct {
	const char *bytes;
	const char *status; /* NULL: no answer */
	const char *outcome;
} heads[] = {
	{ "nonsense\r\n\r\n", "HTTP/1.1 400", "http_request_error" },
	{ "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400", "http_request_no_host" },
	{ "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "HTTP/1.1 426",
	    "http_request_version" },
	{ "GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
	    "HTTP/1.1 501", "http_request_coding" },
	{ "PRI * HTTP/2.0\r\n\r\nSM\r\n\n", "HTTP/1.1 400",
	    "http_request_error" },
	{ "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", NULL, "tls_in_tls" },
};

Test(h1_front, heads_that_cannot_be_served)
{
	for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
		struct call c;

		setup(&c);
		say(&c, heads[i].bytes);
		if (heads[i].status == NULL)
			cr_expect_eq(c.got.len, 0, "%s", c.got.p);
		else
			expect_answer(&c, heads[i].status, "");
		cr_expect_neq(
		    c.end, IO_AGAIN, "%s: it is open", heads[i].outcome);
		cr_expect_eq(rig_logged(&c.g, heads[i].outcome,
				 "\"kind\":\"request\"", NULL),
		    heads[i].status != NULL);
		hang_up(&c);
		expect_ended(&c, heads[i].outcome);
		teardown(&c);
	}
}

Test(h1_front, a_caller_that_does_not_take_its_answer)
{
	struct call c;

	setup(&c);
	say(&c, "nonsense\r\n\r\n");
	cr_expect_eq(conns_count(c.g.conns), 1, "it waits for the caller");
	pass(&c, 2100);
	expect_ended(&c, "http_request_error");
	teardown(&c);
}

Test(h1_front, idle_between_requests)
{
	struct call c;

	setup(&c);
	pass(&c, 200000);
	pool(&c);
	will_answer(&c, "x");
	say(&c, GET);
	expect_answer(&c, "HTTP/1.1 200", "x");
	pass(&c, 299000);
	cr_expect_eq(conns_count(c.g.conns), 1, "since the last request");
	pass(&c, 1100);
	expect_ended(&c, "idle");
	cr_expect_eq(c.end, IO_EOF, "in order");
	teardown(&c);
}

Test(h1_front, a_head_that_comes_too_slowly)
{
	struct call c;

	setup(&c);
	pass(&c, 100000);
	say(&c, "GET / HT");
	pass(&c, 10000);
	say(&c, "TP/1.1\r\nHo");
	pass(&c, 4000);
	cr_expect_eq(conns_count(c.g.conns), 1);
	pass(&c, 1100);
	expect_answer(&c, "HTTP/1.1 408", "");
	hang_up(&c);
	expect_ended(&c, "http_request_timeout");
	cr_expect_eq(
	    rig_logged(&c.g, "\"kind\":\"request\"", "\"status\":408", NULL),
	    1);
	teardown(&c);
}

Test(h1_front, a_caller_that_leaves_within_a_head)
{
	struct call c;

	setup(&c);
	say(&c, "GET / HT");
	hang_up(&c);
	expect_ended(&c, "http_request_incomplete");
	teardown(&c);
}

/* Counted, logged and released once, whoever ends it. */
Test(h1_front, a_server_that_ends_within_its_answer)
{
	struct call c;

	setup(&c);
	pool(&c);
	fake_response(&c.answer, 200, NULL);
	c.answer.h.body = BODY_LENGTH;
	c.answer.h.content_length = 100;
	fake_head_in(&c.back.stream, &c.answer);
	fake_data(&c.back.stream, "half");
	fake_fail(&c.back.stream, STREAM_CUT);
	say(&c, GET);
	expect_answer(&c, "HTTP/1.1 200", "half");
	cr_expect_neq(c.end, IO_EOF, "it must not look whole");
	cr_expect_neq(c.end, IO_AGAIN);
	expect_ended(&c, "http_response_incomplete");
	cr_expect_eq(rig_logged(&c.g, "\"kind\":\"request\"", NULL), 1);
	cr_expect_eq(rig_ended(OUT_RESPONSE_CUT), 2, "request and connection");
	teardown(&c);
}

Test(h1_front, an_exchange_that_stalls)
{
	struct call c;

	setup(&c);
	pool(&c);
	say(&c, GET);
	pass(&c, 299000);
	cr_expect_eq(rig_logged(&c.g, "\"kind\":\"request\"", NULL), 0);
	pass(&c, 1100);
	cr_expect_eq(rig_logged(&c.g, "\"kind\":\"request\"",
			 "\"outcome\":\"http_response_timeout\"",
			 "\"status\":504", NULL),
	    1);
	cr_expect(c.back.is_closed);
	cr_expect_eq(conns_count(c.g.conns), 1, "the caller may ask again");
	teardown(&c);
}

Test(h1_front, a_caller_that_leaves_before_the_answer)
{
	struct call c;

	setup(&c);
	pool(&c);
	say(&c, GET);
	cr_expect_eq(c.back.opened, 1);
	hang_up(&c);
	expect_ended(&c, "caller_reset");
	cr_expect(c.back.is_closed, "the server need not answer any more");
	cr_expect_eq(rig_logged(&c.g, "\"kind\":\"request\"",
			 "\"outcome\":\"caller_reset\"", NULL),
	    1);
	teardown(&c);
}

static void
drained(void *arg)
{
	bool *is_drained = arg;

	*is_drained = true;
}

Test(h1_front, drained_while_idle)
{
	bool is_drained = false;
	struct call c;

	setup(&c);
	conns_drain(c.g.conns, drained, &is_drained);
	turn(&c);
	cr_expect(is_drained);
	cr_expect_eq(c.end, IO_EOF);
	expect_ended(&c, "drained");
	teardown(&c);
}

Test(h1_front, drained_after_the_answer)
{
	bool is_drained = false;
	struct call c;

	setup(&c);
	pool(&c);
	say(&c, GET);
	conns_drain(c.g.conns, drained, &is_drained);
	turn(&c);
	cr_expect_not(is_drained);
	fake_response(&c.answer, 200, NULL);
	c.answer.h.body = BODY_LENGTH;
	c.answer.h.content_length = 4;
	fake_head_in(&c.back.stream, &c.answer);
	fake_data(&c.back.stream, "last");
	fake_end(&c.back.stream);
	/* Any event will do to have it looked at. */
	say(&c, "\r\n");
	cr_expect_not_null(strstr(c.got.p, "onnection: close\r\n"));
	expect_answer(&c, "HTTP/1.1 200", "\r\n\r\nlast");
	hang_up(&c);
	cr_expect(is_drained);
	expect_ended(&c, "ok");
	teardown(&c);
}

Test(h1_front, drained_by_force)
{
	bool is_drained = false;
	struct call c;

	setup(&c);
	pool(&c);
	say(&c, GET);
	conns_drain(c.g.conns, drained, &is_drained);
	pass(&c, 29000);
	cr_expect_not(is_drained);
	pass(&c, 1100);
	cr_expect(is_drained);
	expect_ended(&c, "drained");
	teardown(&c);
}

/* Whoever is refused while it still sends has to see why. */
Test(h1_front, a_refusal_of_a_long_request_is_seen)
{
	static char chunk[4096 + 16];
	struct call c;
	size_t n;

	setup(&c);
	rig_reload(&c.g, web);
	say(&c, "POST / HTTP/1.1\r\nHost: a\r\n"
		"Transfer-Encoding: chunked\r\n\r\n");
	n = (size_t)snprintf(chunk, sizeof(chunk), "1000\r\n%04096d\r\n", 7);
	for (int i = 0; i < 20; i++) {
		(void)wire_write(c.wire, (struct str){ chunk, n });
		rig_turn(&c.g, 3);
	}
	turn(&c);
	expect_answer(&c, "HTTP/1.1 403", "RBAC: access denied");
	cr_expect_eq(conns_count(c.g.conns), 1, "it waits for the caller");
	hang_up(&c);
	expect_ended(&c, "denied");
	teardown(&c);
}

/* So little that it is gathered, and goes out behind the exchange. */
#define LONG_BODY 7000

static struct wire *
our_wire(struct call *c)
{
	return TAILQ_FIRST(&c->g.conns->list)->client;
}

/*
 * The whole of an answer is with the caller's wire, and more of it than the
 * socket takes; the caller reads no more.
 */
static void
stop_reading(struct call *c, const char *request, char *body)
{
	const int small = 1;

	cr_assert_eq(setsockopt(our_wire(c)->fd, SOL_SOCKET, SO_SNDBUF, &small,
			 sizeof(small)),
	    0);
	memset(body, 'b', LONG_BODY);
	body[LONG_BODY] = '\0';
	pool(c);
	will_answer(c, body);
	cr_assert_eq(wire_write(c->wire, str_of(request)), IO_DONE);
	rig_turn(&c->g, 20);
	cr_assert_eq(rig_logged(&c->g, "\"kind\":\"request\"", NULL), 1);
	cr_assert_gt(wire_unsent(our_wire(c)), 0);
}

static void
expect_long_answer(struct call *c, const char *body)
{
	turn(c);
	cr_expect(str_ends(text_str(&c->got), str_of(body)), "%zu bytes came",
	    c->got.len);
	cr_expect_eq(c->end, IO_EOF);
}

Test(h1_front, a_slow_caller_gets_all_of_the_last_answer)
{
	char *body = xmalloc(LONG_BODY + 1);
	struct call c;

	setup(&c);
	stop_reading(
	    &c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", body);
	rig_pass(&c.g, 20000);
	expect_long_answer(&c, body);
	hang_up(&c);
	expect_ended(&c, "ok");
	free(body);
	teardown(&c);
}

Test(h1_front, a_caller_that_takes_nothing_is_closed_in_the_end)
{
	char *body = xmalloc(LONG_BODY + 1);
	struct call c;

	setup(&c);
	stop_reading(
	    &c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", body);
	rig_pass(&c.g, 290000);
	cr_expect_eq(conns_count(c.g.conns), 1);
	rig_pass(&c.g, 20000);
	expect_ended(&c, "ok");
	free(body);
	teardown(&c);
}

Test(h1_front, drained_while_the_answer_is_still_sent)
{
	char *body = xmalloc(LONG_BODY + 1);
	bool is_drained = false;
	struct call c;

	setup(&c);
	stop_reading(&c, GET, body);
	conns_drain(c.g.conns, drained, &is_drained);
	rig_pass(&c.g, 10000);
	cr_expect_not(is_drained);
	expect_long_answer(&c, body);
	hang_up(&c);
	cr_expect(is_drained);
	expect_ended(&c, "drained");
	free(body);
	teardown(&c);
}

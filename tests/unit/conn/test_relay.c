/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pump between two wires, driven as conn.c drives it: run once at the
 * start, then whenever a wire calls.  The peers are plain sockets.
 */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "conn/relay.h"
#include "net/loop_state.h"
#include "unit/net/pair.h"

#define TURNS 50

struct rig {
	struct loop *loop;
	struct relay relay;
	int caller; /* non-blocking; -1: closed */
	int server;
	enum relay_end end;
	unsigned runs;
};

static void
on_ready(void *arg)
{
	struct rig *g = arg;

	if (g->end != RELAY_GOES_ON)
		return;
	g->runs++;
	g->end = relay_run(&g->relay);
}

static struct wire *
open_wire(struct rig *g, bool is_tcp, int *peer)
{
	struct wire *w;
	int fd[2];

	if (is_tcp)
		pair_tcp_fds(fd);
	else
		cr_assert_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	cr_assert_eq(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
	w = wire_new(g->loop, fd[0]);
	wire_set_owner(w, on_ready, g);
	*peer = fd[1];
	return w;
}

static void
setup_over(struct rig *g, bool is_tcp)
{
	struct wire *client, *server;

	signal(SIGPIPE, SIG_IGN); /* as the daemon does */
	*g = (struct rig){ .loop = loop_new() };
	client = open_wire(g, is_tcp, &g->caller);
	server = open_wire(g, is_tcp, &g->server);
	relay_init(&g->relay, client, server);
	g->end = relay_run(&g->relay);
}

static void
setup(struct rig *g)
{
	setup_over(g, true);
}

static void
teardown(struct rig *g)
{
	wire_free(g->relay.client);
	wire_free(g->relay.server);
	loop_free(g->loop);
	if (g->caller != -1)
		close(g->caller);
	if (g->server != -1)
		close(g->server);
}

static void
turn(struct rig *g)
{
	for (int i = 0; i < TURNS; i++) {
		loop_turn(g->loop);
		(void)poll(NULL, 0, 0);
	}
}

static void
hang_up(int *fd)
{
	close(*fd);
	*fd = -1;
}

static void
reset(int *fd)
{
	sock_linger_reset(*fd);
	hang_up(fd);
}

static void
say(int fd, const char *text)
{
	cr_assert_eq(
	    send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* What has come, or how it ended. */
static const char *
hear(int fd)
{
	static char text[256];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	if (n == 0)
		return "<fin>";
	if (n == -1)
		return errno == EAGAIN ? "<nothing>" : "<reset>";
	text[n] = '\0';
	return text;
}

Test(relay, both_ways)
{
	struct rig g;

	setup(&g);
	say(g.caller, "question");
	say(g.server, "answer!");
	turn(&g);
	cr_expect_str_eq(hear(g.server), "question");
	cr_expect_str_eq(hear(g.caller), "answer!");
	cr_expect_eq(g.end, RELAY_GOES_ON);
	cr_expect_eq(g.relay.bytes_up, 8);
	cr_expect_eq(g.relay.bytes_down, 7);
	teardown(&g);
}

Test(relay, the_caller_ends_first)
{
	struct rig g;

	setup(&g);
	say(g.caller, "last words");
	shutdown(g.caller, SHUT_WR);
	turn(&g);
	cr_expect_str_eq(hear(g.server), "last words");
	cr_expect_str_eq(hear(g.server), "<fin>");
	cr_expect_str_eq(hear(g.caller), "<nothing>");
	cr_expect_eq(g.end, RELAY_GOES_ON);
	say(g.server, "still here");
	turn(&g);
	cr_expect_str_eq(hear(g.caller), "still here");
	cr_expect_eq(g.end, RELAY_GOES_ON);
	shutdown(g.server, SHUT_WR);
	turn(&g);
	cr_expect_str_eq(hear(g.caller), "<fin>");
	cr_expect_eq(g.end, RELAY_DONE);
	cr_expect_not(g.relay.client_was_cut);
	cr_expect_not(g.relay.server_was_cut);
	teardown(&g);
}

Test(relay, the_server_ends_first)
{
	struct rig g;

	setup(&g);
	shutdown(g.server, SHUT_WR);
	turn(&g);
	cr_expect_str_eq(hear(g.caller), "<fin>");
	cr_expect_eq(g.end, RELAY_GOES_ON);
	say(g.caller, "more");
	turn(&g);
	cr_expect_str_eq(hear(g.server), "more");
	shutdown(g.caller, SHUT_WR);
	turn(&g);
	cr_expect_str_eq(hear(g.server), "<fin>");
	cr_expect_eq(g.end, RELAY_DONE);
	teardown(&g);
}

Test(relay, both_end_at_once)
{
	struct rig g;

	setup(&g);
	say(g.caller, "a");
	say(g.server, "b");
	shutdown(g.caller, SHUT_WR);
	shutdown(g.server, SHUT_WR);
	turn(&g);
	cr_expect_eq(g.end, RELAY_DONE);
	cr_expect_str_eq(hear(g.server), "a");
	cr_expect_str_eq(hear(g.caller), "b");
	teardown(&g);
}

Test(relay, a_reset_of_the_caller)
{
	struct rig g;

	setup(&g);
	reset(&g.caller);
	turn(&g);
	cr_expect_eq(g.end, RELAY_CLIENT_FAIL);
	teardown(&g);
}

Test(relay, a_reset_of_the_server)
{
	struct rig g;

	setup(&g);
	reset(&g.server);
	turn(&g);
	cr_expect_eq(g.end, RELAY_SERVER_FAIL);
	teardown(&g);
}

Test(relay, a_reset_after_the_other_side_ended)
{
	struct rig g;

	setup(&g);
	shutdown(g.caller, SHUT_WR);
	turn(&g);
	reset(&g.server);
	turn(&g);
	cr_expect_eq(g.end, RELAY_SERVER_FAIL);
	teardown(&g);
}

/* Who is sent to when it has gone may have said why before it went. */
Test(relay, the_last_words_of_a_server_that_has_gone)
{
	struct rig g;

	setup(&g);
	say(g.server, "go away");
	hang_up(&g.server);
	say(g.caller, "one");
	turn(&g);
	say(g.caller, "two");
	turn(&g);
	cr_expect_str_eq(hear(g.caller), "go away");
	cr_expect_eq(g.relay.bytes_down, 7);
	cr_expect_eq(g.end, RELAY_SERVER_FAIL);
	teardown(&g);
}

/* Over Unix sockets, where room that is made is seen at once. */
static void
setup_tiny(struct rig *g)
{
	int n = 4096;

	setup_over(g, false);
	cr_assert_eq(setsockopt(g->relay.client->fd, SOL_SOCKET, SO_SNDBUF, &n,
			 sizeof(n)),
	    0);
	cr_assert_eq(setsockopt(g->relay.server->fd, SOL_SOCKET, SO_SNDBUF, &n,
			 sizeof(n)),
	    0);
}

static size_t
fill(int fd, size_t from, size_t most)
{
	static unsigned char pattern[1 << 16];
	size_t sent = 0;

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (unsigned char)(i * 7 % 251);
	while (sent < most) {
		size_t at = (from + sent) % sizeof(pattern);
		ssize_t n =
		    send(fd, pattern + at, sizeof(pattern) - at, MSG_NOSIGNAL);

		if (n == -1)
			break;
		sent += (size_t)n;
	}
	return sent;
}

static size_t
take_all(int fd, size_t from)
{
	static unsigned char in[1 << 16];
	size_t got = 0;
	ssize_t n;

	while ((n = recv(fd, in, sizeof(in), 0)) > 0)
		for (ssize_t i = 0; i < n; i++, got++)
			cr_assert_eq(in[i], (from + got) % (1 << 16) * 7 % 251,
			    "byte %zu is another one", from + got);
	return got;
}

/* A server that does not read stops the caller, and costs a bounded amount. */
static void
expect_backpressure(bool is_up)
{
	size_t sent = 0, got = 0, n;
	struct wire *to;
	int from, sink;
	struct rig g;

	setup_tiny(&g);
	to = is_up ? g.relay.server : g.relay.client;
	from = is_up ? g.caller : g.server;
	sink = is_up ? g.server : g.caller;
	for (int i = 0; i < 200; i++) {
		n = fill(from, sent, (1 << 26) - sent);
		sent += n;
		turn(&g);
		if (n == 0)
			break;
	}
	cr_assert_lt(sent, 1 << 26, "nothing holds the sender back");
	cr_expect_eq(g.end, RELAY_GOES_ON);
	cr_expect_gt(wire_unsent(to), 0);
	cr_expect_leq(wire_unsent(to), 64 * 1024, "%zu", wire_unsent(to));
	for (int i = 0; i < 100000 && got < sent; i++) {
		got += take_all(sink, got);
		loop_turn(g.loop);
	}
	cr_expect_eq(got, sent, "%zu of %zu bytes came", got, sent);
	cr_expect_eq(wire_unsent(to), 0);
	teardown(&g);
}

Test(relay, backpressure_up)
{
	expect_backpressure(true);
}

Test(relay, backpressure_down)
{
	expect_backpressure(false);
}

/* The FIN comes after all that was held back. */
Test(relay, an_end_behind_bytes_that_wait)
{
	size_t sent, got = 0;
	struct rig g;

	setup_tiny(&g);
	sent = fill(g.caller, 0, 100000);
	shutdown(g.caller, SHUT_WR);
	shutdown(g.server, SHUT_WR);
	turn(&g);
	cr_expect_eq(g.end, RELAY_GOES_ON, "bytes still wait");
	for (int i = 0; i < 100000 && got < sent; i++) {
		got += take_all(g.server, got);
		loop_turn(g.loop);
	}
	turn(&g);
	cr_expect_eq(got, sent);
	cr_expect_str_eq(hear(g.server), "<fin>");
	cr_expect_eq(g.end, RELAY_DONE);
	teardown(&g);
}

/* Much both ways at once, through a splice where it pays. */

#define MUCH ((size_t)8 << 20)

struct bulk {
	size_t sent;
	size_t got;
};

/* One step of a direction; the receiver may be slow. */
static void
bulk_step(struct rig *g, struct bulk *b, int from, int to, bool is_slow)
{
	b->sent += fill(from, b->sent, MUCH - b->sent);
	loop_turn(g->loop);
	if (!is_slow)
		b->got += take_all(to, b->got);
	loop_turn(g->loop);
}

static void
expect_bulk(bool is_tcp, unsigned slow)
{
	struct bulk up = { .sent = 0 }, down = { .sent = 0 };
	uint64_t end_ms = clock_ms() + 60000;
	struct rig g;

	setup_over(&g, is_tcp);
	for (unsigned i = 0; clock_ms() < end_ms; i++) {
		bulk_step(&g, &up, g.caller, g.server, i % slow != 0);
		bulk_step(&g, &down, g.server, g.caller, i % slow != 0);
		cr_assert_eq(g.end, RELAY_GOES_ON);
		cr_assert_leq(g.loop->pipes.n_lent, 2);
		if (up.got == MUCH && down.got == MUCH)
			break;
	}
	cr_expect_eq(up.got, MUCH, "%zu", up.got);
	cr_expect_eq(down.got, MUCH, "%zu", down.got);
	cr_expect_eq(g.relay.bytes_up, MUCH);
	cr_expect_eq(g.relay.bytes_down, MUCH);
	if (is_tcp)
		cr_expect_gt(g.loop->pipes.n_idle, 0, "it was copied");
	/* An idle relay holds nothing. */
	cr_expect_eq(g.loop->pipes.n_lent, 0);
	shutdown(g.caller, SHUT_WR);
	shutdown(g.server, SHUT_WR);
	turn(&g);
	cr_expect_eq(g.end, RELAY_DONE);
	cr_expect_str_eq(hear(g.server), "<fin>");
	cr_expect_str_eq(hear(g.caller), "<fin>");
	teardown(&g);
}

Test(relay, much_both_ways)
{
	expect_bulk(true, 1);
}

Test(relay, much_both_ways_to_slow_readers)
{
	expect_bulk(true, 7);
}

Test(relay, much_both_ways_between_unix_sockets)
{
	expect_bulk(false, 3);
}

/* Copied, as long as no pipe is to be had. */
Test(relay, much_both_ways_without_descriptors)
{
	struct rlimit was, none;
	size_t sent = 0, got = 0;
	struct rig g;

	setup(&g);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 4;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	for (int i = 0; i < 100000 && got < MUCH; i++) {
		sent += fill(g.caller, sent, MUCH - sent);
		turn(&g);
		got += take_all(g.server, got);
	}
	cr_expect_eq(got, MUCH);
	cr_expect_eq(g.loop->pipes.n_idle, 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	cr_expect_eq(g.end, RELAY_GOES_ON);
	teardown(&g);
}

struct push {
	size_t sent;
	size_t got;
};

/* Until the receiver, who does not read any more, has a pipe with bytes. */
static void
push(struct rig *g, struct push *p, int from, int to)
{
	for (int i = 0; i < 10000 && g->loop->pipes.n_lent == 0; i++) {
		p->sent += fill(from, p->sent, 1 << 20);
		turn(g);
		if (g->loop->pipes.n_lent + g->loop->pipes.n_idle == 0)
			p->got += take_all(to, p->got);
	}
	cr_assert_eq(g->loop->pipes.n_lent, 1);
	cr_expect_eq(g->end, RELAY_GOES_ON);
}

static void
expect_reset_midway(bool is_up, bool is_of_sink, enum relay_end end)
{
	struct push p = { .sent = 0 };
	struct rig g;
	int *from, *sink;

	setup(&g);
	from = is_up ? &g.caller : &g.server;
	sink = is_up ? &g.server : &g.caller;
	push(&g, &p, *from, *sink);
	reset(is_of_sink ? sink : from);
	for (int i = 0; i < 100 && g.end == RELAY_GOES_ON; i++)
		turn(&g);
	cr_expect_eq(g.end, end, "%d, not %d", (int)g.end, (int)end);
	wire_free(g.relay.client);
	wire_free(g.relay.server);
	cr_expect_eq(g.loop->pipes.n_lent, 0);
	g.relay.client = g.relay.server = NULL;
	teardown(&g);
}

Test(relay, a_reset_of_a_slow_server_midway)
{
	expect_reset_midway(true, true, RELAY_SERVER_FAIL);
}

Test(relay, a_reset_of_a_slow_caller_midway)
{
	expect_reset_midway(false, true, RELAY_CLIENT_FAIL);
}

/* What is on its way when the sender ends comes before its FIN. */
Test(relay, an_end_behind_bytes_in_a_pipe)
{
	struct push p = { .sent = 0 };
	struct rig g;

	setup(&g);
	push(&g, &p, g.server, g.caller);
	shutdown(g.server, SHUT_WR);
	shutdown(g.caller, SHUT_WR);
	turn(&g);
	cr_expect_eq(g.end, RELAY_GOES_ON);
	for (int i = 0; i < 100000 && p.got < p.sent; i++) {
		p.got += take_all(g.caller, p.got);
		loop_turn(g.loop);
	}
	turn(&g);
	cr_expect_eq(p.got, p.sent, "%zu of %zu", p.got, p.sent);
	cr_expect_str_eq(hear(g.caller), "<fin>");
	cr_expect_eq(g.end, RELAY_DONE);
	cr_expect_eq(g.loop->pipes.n_lent, 0);
	teardown(&g);
}

/* Three calls instead of two pay only where much comes at a time. */
Test(relay, small_exchanges_are_copied)
{
	static char small[1000];
	struct rig g;

	setup(&g);
	for (int i = 0; i < 2000; i++) {
		cr_assert_eq(send(g.caller, small, sizeof(small), 0),
		    (ssize_t)sizeof(small));
		for (int k = 0; k < 4; k++)
			loop_turn(g.loop);
		(void)recv(g.server, small, sizeof(small), 0);
	}
	cr_expect_gt(g.relay.bytes_up, 1000000);
	cr_expect_eq(g.loop->pipes.n_idle, 0);
	teardown(&g);
}

/* A kind of wire that gives what it is told to, as TLS would. */

struct odd {
	enum io end;    /* what comes when the bytes are over */
	unsigned reads; /* of one byte each */
	unsigned left;
};

static enum io
odd_read(struct wire *w, struct span *out)
{
	struct odd *o = w->impl;

	o->reads++;
	if (o->left == 0)
		return o->end;
	o->left--;
	*out = (struct span){ .p = loop_scratch(w->loop, SCRATCH_PLAIN),
		.len = 1 };
	out->p[0] = 'o';
	return IO_DONE;
}

static void
odd_close(struct wire *w)
{
	(void)w;
}

static const struct wire_ops odd_ops = {
	.read = odd_read,
	.write = wire_sock_write,
	.flush = wire_sock_flush,
	.finish = wire_sock_finish,
	.close = odd_close,
};

static void
make_odd(struct wire *w, struct odd *o)
{
	w->ops = &odd_ops;
	w->impl = o;
}

Test(relay, a_cut_of_the_server_is_passed_on_and_noted)
{
	struct odd o = { .end = IO_CUT, .left = 3 };
	struct rig g;

	setup(&g);
	make_odd(g.relay.server, &o);
	shutdown(g.caller, SHUT_WR);
	wire_kick(g.relay.client);
	turn(&g);
	cr_expect_str_eq(hear(g.caller), "ooo");
	cr_expect_str_eq(hear(g.caller), "<fin>");
	cr_expect(g.relay.server_was_cut);
	cr_expect_not(g.relay.client_was_cut);
	cr_expect_eq(g.end, RELAY_DONE);
	teardown(&g);
}

Test(relay, a_cut_of_the_caller_is_passed_on_and_noted)
{
	struct odd o = { .end = IO_CUT, .left = 1 };
	struct rig g;

	setup(&g);
	make_odd(g.relay.client, &o);
	shutdown(g.server, SHUT_WR);
	wire_kick(g.relay.client);
	turn(&g);
	cr_expect_str_eq(hear(g.server), "o");
	cr_expect_str_eq(hear(g.server), "<fin>");
	cr_expect(g.relay.client_was_cut);
	cr_expect_not(g.relay.server_was_cut);
	cr_expect_eq(g.end, RELAY_DONE);
	teardown(&g);
}

/* Nobody is read without an end while others wait; and nothing is lost. */
Test(relay, who_has_much_gives_others_a_turn)
{
	struct odd o = { .end = IO_AGAIN, .left = 1000 };
	unsigned before, turns = 0;
	struct rig g;

	setup(&g);
	turn(&g);
	make_odd(g.relay.client, &o);
	before = g.runs;
	g.end = relay_run(&g.relay);
	cr_expect_leq(o.reads, 16, "%u reads in one turn", o.reads);
	cr_expect_gt(o.left, 900);
	while (o.left > 0 && turns++ < 2000) {
		loop_turn(g.loop);
		(void)hear(g.server);
	}
	cr_expect_eq(o.left, 0, "it was not kicked: %u left", o.left);
	cr_expect_geq(g.runs - before, 1000 / 16);
	cr_expect_eq(g.relay.bytes_up, 1000);
	teardown(&g);
}

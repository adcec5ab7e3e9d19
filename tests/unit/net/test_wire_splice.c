/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes from one wire to another through a pipe, and what becomes of it. */

#include "pair.h"

#include <signal.h>
#include <sys/resource.h>

#include "net/loop_state.h"
#include "net/pipe.h"

#define BIG ((size_t)512 * 1024)
#define WAIT_MS 20000

/* far -> from | to -> sink */
struct rig {
	struct loop *loop;
	struct wire *from;
	struct wire *to;
	int far;
	int sink;
	unsigned told;
};

static void
note(void *arg)
{
	struct rig *g = arg;

	g->told++;
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
	w = wire_new(g->loop, fd[0]);
	wire_set_owner(w, note, g);
	*peer = fd[1];
	return w;
}

static void
setup(struct rig *g, bool is_tcp)
{
	signal(SIGPIPE, SIG_IGN);
	*g = (struct rig){ .loop = loop_new() };
	g->from = open_wire(g, is_tcp, &g->far);
	g->to = open_wire(g, is_tcp, &g->sink);
	loop_turn(g->loop);
	g->told = 0;
}

static void
teardown(struct rig *g)
{
	wire_free(g->from);
	wire_free(g->to);
	cr_expect_eq(g->loop->pipes.n_lent, 0);
	loop_free(g->loop);
	if (g->far != -1)
		close(g->far);
	if (g->sink != -1)
		close(g->sink);
}

static uint8_t
pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

/* As much of the pattern as the socket takes; where it goes on. */
static size_t
fill(int fd, size_t at, size_t most)
{
	uint8_t bytes[4096];
	size_t end = at + most, i;
	ssize_t n;

	while (at < end) {
		for (i = 0; i < sizeof(bytes); i++)
			bytes[i] = pattern(at + i);
		i = end - at < sizeof(bytes) ? end - at : sizeof(bytes);
		n = send(fd, bytes, i, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	return at;
}

static void
drain(int fd, size_t *at, bool *is_eof)
{
	uint8_t bytes[4096];
	ssize_t n, i;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		for (i = 0; i < n; i++) {
			cr_assert_eq(bytes[i], pattern(*at),
			    "byte %zu is another one", *at);
			(*at)++;
		}
	*is_eof = n == 0;
}

static void
say(int fd, const char *text)
{
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static const char *
hear(int fd)
{
	static char text[64];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

Test(wire_splice, bytes_go_over_and_the_pipe_goes_back)
{
	struct rig g;
	size_t n;

	for (int i = 0; i < 2; i++) {
		setup(&g, i == 1);
		say(g.far, "over");
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_DONE);
		cr_expect_eq(n, 4);
		cr_expect_eq(wire_unsent(g.to), 4);
		cr_expect_eq(g.loop->pipes.n_lent, 1);
		cr_expect_eq(wire_flush(g.to), IO_DONE);
		cr_expect_eq(wire_unsent(g.to), 0);
		cr_expect_null(g.to->pipe);
		cr_expect_eq(g.loop->pipes.n_lent, 0);
		cr_expect_eq(g.loop->pipes.n_idle, 1);
		cr_expect_str_eq(hear(g.sink), "over");
		cr_expect_eq(g.from->bytes_in, 4);
		cr_expect_eq(g.to->bytes_out, 4);
		/* The same pipe again. */
		say(g.far, "and over");
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_DONE);
		cr_expect_eq(g.loop->pipes.n_idle, 0);
		cr_expect_eq(wire_flush(g.to), IO_DONE);
		cr_expect_str_eq(hear(g.sink), "and over");
		teardown(&g);
	}
}

Test(wire_splice, what_is_not_there_or_has_ended_is_left_to_reading)
{
	struct span s;
	struct rig g;
	size_t n;

	for (int i = 0; i < 2; i++) {
		setup(&g, i == 1);
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
		cr_expect_eq(n, 0);
		cr_expect_eq(g.loop->pipes.n_lent, 0);
		cr_expect_eq(wire_read(g.from, &s), IO_AGAIN);
		shutdown(g.far, SHUT_WR);
		loop_turn(g.loop);
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
		cr_expect_eq(wire_read(g.from, &s), IO_EOF);
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
		teardown(&g);
	}
}

Test(wire_splice, bytes_that_were_kept_go_first)
{
	struct span s;
	struct rig g;
	size_t n;

	setup(&g, true);
	say(g.far, "kept");
	cr_assert_eq(wire_read(g.from, &s), IO_DONE);
	wire_keep(g.from, (struct str){ (char *)s.p, s.len });
	say(g.far, "new");
	loop_turn(g.loop);
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
	cr_expect_eq(wire_read(g.from, &s), IO_DONE);
	cr_expect_eq(s.len, 7);
	teardown(&g);
}

/* Splice until the sink is full: how much came so far, from the far end. */
static size_t
block(struct rig *g)
{
	uint64_t end_ms = clock_ms() + WAIT_MS;
	size_t sent = 0, n, got = 0;
	const int small = 4096;

	cr_assert_eq(
	    setsockopt(g->to->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
	while (wire_unsent(g->to) == 0 && clock_ms() < end_ms) {
		sent = fill(g->far, sent, BIG);
		loop_turn(g->loop);
		if (wire_splice(g->from, g->to, &n) == IO_DONE)
			cr_assert_neq(wire_flush(g->to), IO_FAIL);
		else
			cr_assert_eq(wire_kept(g->from), 0);
		got += n;
	}
	cr_assert_gt(wire_unsent(g->to), 0);
	cr_expect_eq(g->loop->pipes.n_lent, 1);
	return got;
}

/* Unsent bytes are never overtaken, whichever way they came. */
Test(wire_splice, in_order_with_what_is_written_and_the_end)
{
	uint8_t more[1000];
	struct rig g;

	for (int i = 0; i < 2; i++) {
		uint64_t end_ms = clock_ms() + WAIT_MS;
		size_t got, n, at = 0;
		bool is_eof = false;

		setup(&g, i == 1);
		got = block(&g);
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
		for (n = 0; n < sizeof(more); n++)
			more[n] = pattern(got + n);
		cr_expect_eq(wire_write(g.to,
				 (struct str){ (char *)more, sizeof(more) }),
		    IO_DONE);
		cr_expect_gt(wire_unsent(g.to), sizeof(more));
		cr_expect_eq(wire_finish(g.to), IO_AGAIN);
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
		/* Nothing but on_ready makes the owner go on. */
		g.told = 0;
		while (!is_eof && clock_ms() < end_ms) {
			drain(g.sink, &at, &is_eof);
			loop_turn(g.loop);
			if (g.told > 0)
				cr_assert_neq(wire_flush(g.to), IO_FAIL);
			g.told = 0;
		}
		cr_expect(is_eof);
		cr_expect_eq(at, got + sizeof(more));
		cr_expect_eq(g.to->bytes_out, at);
		cr_expect_eq(g.loop->pipes.n_lent, 0);
		cr_expect_eq(g.loop->pipes.n_idle, 1);
		teardown(&g);
	}
}

/* The rest of a connection that is over reaches no other one. */
Test(wire_splice, a_pipe_with_bytes_in_it_is_not_used_again)
{
	struct rig g;

	setup(&g, true);
	(void)block(&g);
	wire_reset(g.to);
	g.to = NULL;
	cr_expect_eq(g.loop->pipes.n_lent, 0);
	cr_expect_eq(g.loop->pipes.n_idle, 0);
	teardown(&g);
}

Test(wire_splice, a_sink_that_is_gone)
{
	struct rig g;
	size_t n;

	for (int i = 0; i < 2; i++) {
		setup(&g, i == 1);
		if (i == 1)
			sock_linger_reset(g.sink);
		close(g.sink);
		g.sink = -1;
		say(g.far, "nobody hears this");
		loop_turn(g.loop);
		cr_expect_eq(wire_splice(g.from, g.to, &n), IO_DONE);
		cr_expect_eq(wire_flush(g.to), IO_FAIL, "row %d", i);
		cr_expect_neq(g.to->error, 0);
		cr_expect_eq(wire_flush(g.to), IO_FAIL);
		teardown(&g);
	}
}

Test(wire_splice, a_source_that_was_reset)
{
	struct span s;
	struct rig g;
	size_t n;

	setup(&g, true);
	sock_linger_reset(g.far);
	close(g.far);
	g.far = -1;
	loop_turn(g.loop);
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_FAIL);
	cr_expect_eq(g.from->error, ECONNRESET);
	cr_expect_eq(g.loop->pipes.n_lent, 0);
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
	cr_expect_eq(wire_read(g.from, &s), IO_FAIL);
	teardown(&g);
}

/* splice(2) stops in front of urgent data, for good. */
Test(wire_splice, urgent_data_does_not_stop_the_rest)
{
	char all[16] = "";
	struct span s;
	struct rig g;
	size_t n, at = 0;

	setup(&g, true);
	say(g.far, "one");
	cr_assert_eq(send(g.far, "!", 1, MSG_OOB), 1);
	say(g.far, "two");
	loop_turn(g.loop);
	for (int i = 0; i < 10 && at < 6; i++) {
		if (wire_splice(g.from, g.to, &n) == IO_DONE) {
			cr_assert_eq(wire_flush(g.to), IO_DONE);
			at += n;
		} else if (wire_read(g.from, &s) == IO_DONE) {
			cr_assert_eq(wire_write(g.to,
					 (struct str){ (char *)s.p, s.len }),
			    IO_DONE);
			at += s.len;
		}
	}
	cr_expect_eq(recv(g.sink, all, sizeof(all), MSG_DONTWAIT), 6);
	cr_expect_str_eq(all, "onetwo");
	teardown(&g);
}

static unsigned
free_descriptor(void)
{
	int fd = dup(0);

	cr_assert_neq(fd, -1);
	close(fd);
	return (unsigned)fd;
}

Test(wire_splice, without_descriptors_it_is_left_to_reading)
{
	struct rlimit was, now;
	struct span s;
	struct rig g;
	size_t n;

	setup(&g, true);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = free_descriptor() + 1;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &now), 0);
	say(g.far, "few");
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
	cr_expect_eq(g.loop->pipes.n_lent, 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	/* Not asked for again at once, */
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
	cr_expect_eq(wire_read(g.from, &s), IO_DONE);
	cr_expect_eq(s.len, 3);
	/* but after a while. */
	say(g.far, "many");
	loop_turn(g.loop);
	g.loop->pipes.retry_ms = 0;
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_DONE);
	cr_expect_eq(n, 4);
	teardown(&g);
}

Test(wire_splice, a_loop_lends_so_many_pipes)
{
	struct pipe *p[100] = { NULL };
	unsigned n = 0, before = free_descriptor();
	struct loop *l = loop_new();

	while (n < ARRAY_LEN(p) && (p[n] = pipe_borrow(l)) != NULL)
		n++;
	cr_expect_eq(n, 64);
	pipe_return(l, p[--n]);
	p[n] = pipe_borrow(l);
	cr_expect_not_null(p[n++]);
	while (n > 0)
		pipe_return(l, p[--n]);
	cr_expect_eq(l->pipes.n_lent, 0);
	cr_expect_eq(l->pipes.n_idle, 8);
	loop_free(l);
	cr_expect_eq(free_descriptor(), before, "descriptors are left over");
}

static enum io
no_read(struct wire *w, struct span *out)
{
	(void)w;
	(void)out;
	return IO_AGAIN;
}

Test(wire_splice, only_plain_wires)
{
	const struct wire_ops other = { .read = no_read };
	const struct wire_ops *plain;
	struct rig g;
	size_t n;

	setup(&g, true);
	say(g.far, "secret");
	plain = g.from->ops;
	g.from->ops = &other;
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
	g.from->ops = plain;
	g.to->ops = &other;
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_AGAIN);
	g.to->ops = plain;
	cr_expect_eq(wire_splice(g.from, g.to, &n), IO_DONE);
	teardown(&g);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Writing, and the life of a wire. */

#include "pair.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define BIG ((size_t)1024 * 1024)
#define WAIT_MS 20000

static uint8_t
pattern(size_t i)
{
	return (uint8_t)(i * 31 + i / 251);
}

static char *
big_text(void)
{
	char *p = xmalloc(BIG);
	size_t i;

	for (i = 0; i < BIG; i++)
		p[i] = (char)pattern(i);
	return p;
}

/* Read what is there; true while it is as written. */
static bool
drain(int fd, size_t *at, bool *is_eof)
{
	uint8_t bytes[4096];
	ssize_t n, i;

	while ((n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
		for (i = 0; i < n; i++)
			if (bytes[i] != pattern((*at)++))
				return false;
	*is_eof = n == 0;
	return true;
}

static void
small_buffer(struct pair *p)
{
	const int size = 4096;

	cr_assert_eq(
	    setsockopt(p->wire->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)),
	    0);
}

Test(wire, a_full_socket_keeps_the_rest_and_tells)
{
	char *big = big_text();
	struct pair p;
	unsigned i;

	for (i = 0; i < 2; i++) {
		size_t at = 0;
		uint64_t end_ms = clock_ms() + WAIT_MS;
		bool is_eof = false;

		pair_open(&p, i == 1);
		small_buffer(&p);
		cr_expect_eq(
		    wire_write(p.wire, (struct str){ big, BIG }), IO_DONE);
		cr_expect_gt(wire_unsent(p.wire), BIG / 2);
		cr_expect_eq(wire_flush(p.wire), IO_AGAIN);
		cr_expect_eq(wire_finish(p.wire), IO_AGAIN);
		cr_expect_not(p.wire->is_finished);
		/* Nothing but on_ready makes the owner go on. */
		while (!is_eof && clock_ms() < end_ms) {
			cr_assert(drain(p.fd, &at, &is_eof));
			loop_turn(p.loop);
			if (p.told > 0)
				cr_assert_neq(wire_flush(p.wire), IO_FAIL);
			p.told = 0;
		}
		cr_expect(is_eof);
		cr_expect_eq(at, BIG);
		cr_expect_eq(wire_unsent(p.wire), 0);
		cr_expect_null(p.wire->out.p);
		cr_expect_eq(p.wire->bytes_out, BIG);
		pair_close(&p);
	}
	free(big);
}

Test(wire, pieces_arrive_in_order)
{
	struct str v[40];
	char digits[40], got[64] = "";
	struct pair p;
	size_t i;

	for (i = 0; i < ARRAY_LEN(v); i++) {
		digits[i] = (char)('A' + i);
		v[i] = (struct str){ &digits[i], i % 3 != 0 };
	}
	pair_open(&p, false);
	cr_expect_eq(wire_writev(p.wire, v, ARRAY_LEN(v)), IO_DONE);
	cr_expect_eq(wire_writev(p.wire, v, 0), IO_DONE);
	cr_expect_eq(wire_write(p.wire, STR("")), IO_DONE);
	cr_expect_eq(wire_unsent(p.wire), 0);
	cr_expect_eq(read(p.fd, got, sizeof(got)), 26);
	cr_expect_str_eq(got, "BCEFHIKLNOQRTUWXZ[]^`acdfg");
	pair_close(&p);
}

Test(wire, pieces_behind_a_full_socket_arrive_in_order)
{
	char *big = big_text();
	uint64_t end_ms = clock_ms() + WAIT_MS;
	size_t at = 0, done = 0;
	bool is_eof = false;
	struct pair p;

	pair_open(&p, true);
	small_buffer(&p);
	/* Pieces of many sizes, some of them while the socket is full. */
	while (done < BIG) {
		struct str v[3];
		size_t i;

		for (i = 0; i < 3; i++) {
			v[i] = str_first((struct str){ big + done, BIG - done },
			    1 + done % 7001);
			done += v[i].len;
		}
		cr_assert_eq(wire_writev(p.wire, v, 3), IO_DONE);
		if (done % 3 == 0) {
			cr_assert(drain(p.fd, &at, &is_eof));
			loop_turn(p.loop);
		}
	}
	(void)wire_finish(p.wire);
	while (!is_eof && clock_ms() < end_ms) {
		cr_assert(drain(p.fd, &at, &is_eof));
		loop_turn(p.loop);
		cr_assert_neq(wire_flush(p.wire), IO_FAIL);
	}
	cr_expect_eq(at, BIG);
	free(big);
	pair_close(&p);
}

Test(wire, writing_to_nobody_fails_without_a_signal)
{
	struct pair p;

	pair_open(&p, false);
	pair_hang_up(&p);
	cr_expect_eq(wire_write(p.wire, STR("x")), IO_FAIL);
	cr_expect_eq(p.wire->error, EPIPE);
	cr_expect_eq(wire_flush(p.wire), IO_FAIL);
	pair_close(&p);
}

Test(wire, nothing_is_written_behind_the_end)
{
	struct pair p;

	pair_open(&p, false);
	cr_expect_eq(wire_finish(p.wire), IO_DONE);
	cr_expect_eq(wire_finish(p.wire), IO_DONE);
	cr_expect(p.wire->is_finished);
	cr_expect_eq(wire_write(p.wire, STR("x")), IO_FAIL);
	pair_close(&p);
}

Test(wire, free_ends_in_order_and_reset_does_not)
{
	struct pair p;
	char c;

	pair_open(&p, true);
	cr_expect_eq(wire_write(p.wire, STR("x")), IO_DONE);
	wire_free(p.wire);
	p.wire = NULL;
	cr_expect_eq(read(p.fd, &c, 1), 1);
	cr_expect_eq(read(p.fd, &c, 1), 0);
	pair_close(&p);

	pair_open(&p, true);
	wire_reset(p.wire);
	p.wire = NULL;
	cr_expect_eq(read(p.fd, &c, 1), -1);
	cr_expect_eq(errno, ECONNRESET);
	pair_close(&p);
	wire_free(NULL);
	wire_reset(NULL);
}

static void
free_both(void *arg)
{
	struct pair *p = arg;
	struct pair *other = &p[p->told < 100 ? 1 : -1];

	/* Both have an event in this turn; only the first may be told. */
	wire_kick(p->wire);
	wire_free(p->wire);
	wire_free(other->wire);
	p->wire = NULL;
	other->wire = NULL;
}

Test(wire, freed_inside_its_own_event_and_another_s)
{
	struct pair p[2];

	pair_open(&p[0], false);
	pair_open(&p[1], false);
	/* Two wires of one loop. */
	wire_free(p[1].wire);
	p[1].wire = wire_new(p[0].loop, dup(p[1].fd));
	p[1].told = 100;
	loop_turn(p[0].loop);
	wire_set_owner(p[0].wire, free_both, &p[0]);
	wire_set_owner(p[1].wire, free_both, &p[1]);
	pair_say(&p[0], "x");
	pair_hang_up(&p[1]);
	loop_turn(p[0].loop);
	loop_turn(p[0].loop);
	cr_expect_null(p[0].wire);
	cr_expect_null(p[1].wire);
	pair_close(&p[0]);
	pair_close(&p[1]);
}

Test(wire, a_kick_comes_once_and_from_the_loop)
{
	struct pair p;

	pair_open(&p, false);
	wire_kick(p.wire);
	wire_kick(p.wire);
	cr_expect_eq(p.told, 0);
	loop_turn(p.loop);
	cr_expect_eq(p.told, 1);
	loop_turn(p.loop);
	cr_expect_eq(p.told, 1);
	wire_kick(p.wire);
	pair_close(&p);
}

Test(wire, what_came_while_nobody_was_told)
{
	struct pair p;

	pair_open(&p, false);
	wire_set_owner(p.wire, NULL, NULL);
	pair_say(&p, "hello");
	loop_turn(p.loop);
	cr_expect_eq(p.told, 0);
	wire_set_owner(p.wire, pair_told, &p);
	cr_expect_eq(p.told, 0);
	loop_turn(p.loop);
	cr_expect_eq(p.told, 1);
	PAIR_READ(&p, "hello");
	pair_close(&p);
}

Test(wire, knows_both_addresses)
{
	struct addr a, b;
	struct pair p;

	pair_open(&p, true);
	cr_assert(wire_peer(p.wire, &a));
	cr_assert(wire_local(p.wire, &b));
	cr_expect(addr_eq_host(&a, &b));
	cr_expect_neq(addr_port(&a), addr_port(&b));
	pair_close(&p);
	pair_open(&p, false);
	cr_expect_not(wire_peer(p.wire, &a), "a Unix socket has none");
	pair_close(&p);
}

Test(wire, buffers_grow_and_go)
{
	struct wire_buf b = { .p = NULL };
	char *big = big_text();
	size_t in = 0, out = 0;

	while (out < BIG) {
		struct str s;
		size_t i, n = in % 5000 + 1;

		if (n > BIG - in)
			n = BIG - in;
		wire_buf_add(&b, (struct str){ big + in, n });
		in += n;
		s = wire_buf_str(&b);
		cr_assert_eq(s.len, in - out);
		n = in == BIG ? s.len : s.len * 2 / 3;
		for (i = 0; i < n; i++)
			cr_assert_eq((uint8_t)s.p[i], pattern(out + i));
		wire_buf_consume(&b, n);
		out += n;
	}
	cr_expect_null(b.p);
	cr_expect_eq(wire_buf_str(&b).len, 0);
	free(big);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading: nothing that the other end says, or does, is missed, though each
 * edge is told only once.
 */

#include "pair.h"

#define START_MS 1000000
/* Longer than a wire that is in doubt waits. */
#define PROBE_MOST_MS 600

Test(wire_read, bytes_then_again)
{
	struct pair p;
	unsigned i;

	for (i = 0; i < 2; i++) {
		pair_open(&p, i == 1);
		PAIR_READ(&p, "<again>");
		pair_say(&p, "one");
		loop_turn(p.loop);
		cr_expect_eq(p.told, 1);
		PAIR_READ(&p, "one");
		cr_expect_not(p.wire->can_read, "a short read empties it");
		PAIR_READ(&p, "<again>");
		pair_say(&p, "two");
		loop_turn(p.loop);
		cr_expect_eq(p.told, 2);
		PAIR_READ(&p, "two");
		cr_expect_eq(p.wire->bytes_in, 6);
		pair_close(&p);
	}
}

Test(wire_read, end_after_bytes_in_one_event)
{
	struct pair p;
	unsigned i;

	for (i = 0; i < 2; i++) {
		pair_open(&p, i == 1);
		pair_say(&p, "bye");
		pair_hang_up(&p);
		loop_turn(p.loop);
		cr_expect_eq(p.told, 1);
		PAIR_READ(&p, "bye");
		PAIR_READ(&p, "<eof>");
		PAIR_READ(&p, "<eof>");
		pair_close(&p);
	}
}

Test(wire_read, end_between_event_and_read)
{
	struct pair p;

	pair_open(&p, true);
	pair_say(&p, "bye");
	loop_turn(p.loop);
	pair_hang_up(&p);
	PAIR_READ(&p, "bye");
	loop_turn(p.loop);
	cr_expect_eq(p.told, 2);
	PAIR_READ(&p, "<eof>");
	pair_close(&p);
}

Test(wire_read, end_before_the_first_event)
{
	struct pair p = { .loop = loop_new() };
	int fd[2];

	pair_tcp_fds(fd);
	p.fd = fd[1];
	pair_say(&p, "early");
	p.wire = wire_new(p.loop, fd[0]);
	wire_set_owner(p.wire, pair_told, &p);
	PAIR_READ(&p, "early");
	pair_hang_up(&p);
	PAIR_READ(&p, "<again>");
	loop_turn(p.loop);
	cr_expect_geq(p.told, 1);
	PAIR_READ(&p, "<eof>");
	pair_close(&p);
}

Test(wire_read, half_close_leaves_the_other_half)
{
	char got[8] = "";
	struct pair p;

	pair_open(&p, true);
	shutdown(p.fd, SHUT_WR);
	loop_turn(p.loop);
	PAIR_READ(&p, "<eof>");
	cr_expect_eq(wire_write(p.wire, STR("still")), IO_DONE);
	cr_expect_eq(wire_finish(p.wire), IO_DONE);
	cr_expect_eq(read(p.fd, got, sizeof(got)), 5);
	cr_expect_str_eq(got, "still");
	cr_expect_eq(read(p.fd, got, sizeof(got)), 0);
	pair_close(&p);
}

Test(wire_read, reset)
{
	struct pair p;

	pair_open(&p, true);
	pair_reset(&p);
	loop_turn(p.loop);
	cr_expect_eq(p.told, 1);
	PAIR_READ(&p, "<fail>");
	cr_expect_eq(p.wire->error, ECONNRESET);
	PAIR_READ(&p, "<fail>");
	cr_expect_eq(wire_write(p.wire, STR("x")), IO_FAIL);
	pair_close(&p);
}

Test(wire_read, reset_behind_bytes_in_one_event)
{
	struct pair p;

	clock_fake(START_MS, 0);
	pair_open(&p, true);
	pair_say(&p, "last");
	pair_reset(&p);
	loop_turn(p.loop);
	cr_expect_eq(p.told, 1);
	/* Linux gives the bytes first. */
	PAIR_READ(&p, "last");
	PAIR_READ(&p, "<again>");
	clock_fake(START_MS + PROBE_MOST_MS, 0);
	loop_turn(p.loop);
	cr_expect_eq(p.told, 2);
	PAIR_READ(&p, "<fail>");
	cr_expect_eq(p.wire->error, ECONNRESET);
	pair_close(&p);
}

/* A write meets the reset before the loop has told of anything. */
Test(wire_read, last_words_before_a_failed_write)
{
	struct pair p;

	pair_open(&p, true);
	PAIR_READ(&p, "<again>");
	pair_say(&p, "last");
	pair_reset(&p);
	cr_expect_eq(wire_write(p.wire, STR("x")), IO_FAIL);
	cr_expect_eq(p.wire->error, ECONNRESET);
	PAIR_READ(&p, "last");
	PAIR_READ(&p, "<fail>");
	pair_close(&p);
}

/* Who had ended in order was not cut off by our writing to him. */
Test(wire_read, the_end_before_a_failed_write)
{
	struct pair p;

	pair_open(&p, true);
	pair_say(&p, "last");
	pair_hang_up(&p);
	cr_expect_eq(wire_write(p.wire, STR("x")), IO_DONE);
	cr_expect_eq(wire_write(p.wire, STR("x")), IO_FAIL);
	PAIR_READ(&p, "last");
	PAIR_READ(&p, "<eof>");
	pair_close(&p);
}

Test(wire_read, a_quiet_wire_is_probed_once)
{
	struct pair p;

	clock_fake(START_MS, 0);
	pair_open(&p, true);
	pair_say(&p, "one");
	loop_turn(p.loop);
	PAIR_READ(&p, "one");
	clock_fake(START_MS + PROBE_MOST_MS, 0);
	loop_turn(p.loop);
	PAIR_READ(&p, "<again>");
	cr_expect_not(timer_is_set(&p.wire->probe));
	pair_close(&p);
}

Test(wire_read, reset_after_the_end)
{
	struct pair p;

	pair_open(&p, true);
	shutdown(p.fd, SHUT_WR);
	loop_turn(p.loop);
	PAIR_READ(&p, "<eof>");
	pair_reset(&p);
	loop_turn(p.loop);
	cr_expect_eq(p.told, 2);
	PAIR_READ(&p, "<fail>");
	/* Linux says EPIPE where it has seen the FIN before. */
	cr_expect_neq(p.wire->error, 0);
	pair_close(&p);
}

Test(wire_read, a_span_has_room_and_is_consumed)
{
	struct pair p;
	struct span s;

	pair_open(&p, false);
	pair_say(&p, "abc");
	loop_turn(p.loop);
	cr_assert_eq(wire_read(p.wire, &s), IO_DONE);
	cr_expect_eq(s.len, 3);
	cr_expect_geq(s.room_before, SCRATCH_ROOM);
	cr_expect_geq(s.room_after, SCRATCH_ROOM);
	cr_expect_eq(wire_kept(p.wire), 0);
	cr_expect_null(p.wire->in.p);
	PAIR_READ(&p, "<again>");
	pair_close(&p);
}

/* Read, and give back all but the first n bytes. */
static void
read_some(struct pair *p, size_t n, const char *expect)
{
	struct span s;
	struct str bytes;

	cr_assert_eq(wire_read(p->wire, &s), IO_DONE, "%s", expect);
	bytes = (struct str){ .p = (const void *)s.p, .len = s.len };
	cr_expect(str_eq(bytes, str_of(expect)), "\"%.*s\", not \"%s\"",
	    STR_ARG(bytes), expect);
	wire_keep(p->wire, str_from(bytes, n));
}

Test(wire_read, what_is_kept_comes_first)
{
	struct pair p;

	pair_open(&p, false);
	pair_say(&p, "abcdef");
	loop_turn(p.loop);
	read_some(&p, 2, "abcdef");
	cr_expect_eq(wire_kept(p.wire), 4);
	read_some(&p, 1, "cdef");
	cr_expect_eq(wire_kept(p.wire), 3);
	pair_say(&p, "ghi");
	loop_turn(p.loop);
	read_some(&p, 0, "defghi");
	read_some(&p, 6, "defghi");
	cr_expect_eq(wire_kept(p.wire), 0);
	cr_expect_null(p.wire->in.p, "a drained wire holds nothing");
	PAIR_READ(&p, "<again>");
	pair_close(&p);
}

Test(wire_read, the_end_is_told_to_who_waits_for_more)
{
	struct pair p;

	pair_open(&p, true);
	pair_say(&p, "part");
	pair_hang_up(&p);
	loop_turn(p.loop);
	read_some(&p, 0, "part");
	loop_turn(p.loop);
	cr_expect_eq(p.told, 2, "though no edge is left");
	read_some(&p, 0, "part");
	loop_turn(p.loop);
	cr_expect_eq(p.told, 3);
	PAIR_READ(&p, "<eof>");
	PAIR_READ(&p, "<eof>");
	pair_close(&p);
}

Test(wire_read, the_end_leaves_what_was_kept)
{
	struct pair p;
	struct span s;

	pair_open(&p, true);
	pair_say(&p, "part");
	loop_turn(p.loop);
	read_some(&p, 0, "part");
	pair_hang_up(&p);
	loop_turn(p.loop);
	read_some(&p, 1, "part");
	read_some(&p, 0, "art");
	cr_expect_eq(wire_read(p.wire, &s), IO_EOF);
	cr_expect_eq(s.len, 3);
	cr_expect_eq(memcmp(s.p, "art", 3), 0);
	pair_close(&p);
}

Test(wire_read, who_keeps_without_need_is_not_told_for_ever)
{
	struct pair p;
	unsigned i;

	pair_open(&p, true);
	pair_say(&p, "part");
	pair_hang_up(&p);
	loop_turn(p.loop);
	for (i = 0; i < 2; i++)
		read_some(&p, 0, "part");
	for (i = 0; i < 10; i++)
		loop_turn(p.loop);
	cr_expect_leq(p.told, 3);
	pair_close(&p);
}

Test(wire_read, what_is_kept_does_not_grow_without_end)
{
	static char block[32 * 1024];
	struct pair p;
	struct span s;
	unsigned i;

	memset(block, 'x', sizeof(block));
	pair_open(&p, false);
	for (i = 0; i < 64; i++) {
		(void)!send(p.fd, block, sizeof(block), MSG_DONTWAIT);
		loop_turn(p.loop);
		if (wire_read(p.wire, &s) == IO_DONE)
			wire_keep(
			    p.wire, (struct str){ (const void *)s.p, s.len });
	}
	cr_expect_geq(wire_kept(p.wire), SCRATCH_SIZE);
	cr_expect_lt(wire_kept(p.wire), 2 * SCRATCH_SIZE);
	pair_close(&p);
}

static void
expect_peek(struct pair *p, size_t max, enum io io, const char *text)
{
	struct str all;

	cr_expect_eq(wire_peek(p->wire, max, &all), io, "%s", text);
	cr_expect(str_eq(all, str_of(text)), "\"%.*s\", not \"%s\"",
	    STR_ARG(all), text);
}

Test(wire_read, peek_consumes_nothing)
{
	struct pair p;

	pair_open(&p, true);
	expect_peek(&p, 100, IO_AGAIN, "");
	pair_say(&p, "abc");
	loop_turn(p.loop);
	expect_peek(&p, 100, IO_DONE, "abc");
	expect_peek(&p, 100, IO_AGAIN, "abc");
	pair_say(&p, "def");
	loop_turn(p.loop);
	expect_peek(&p, 5, IO_DONE, "abcde");
	expect_peek(&p, 5, IO_AGAIN, "abcde");
	cr_expect_eq(wire_kept(p.wire), 5);
	PAIR_READ(&p, "abcdef");
	PAIR_READ(&p, "<again>");
	pair_close(&p);
}

Test(wire_read, peek_is_told_of_the_end)
{
	struct pair p;

	pair_open(&p, true);
	pair_say(&p, "abc");
	pair_hang_up(&p);
	loop_turn(p.loop);
	expect_peek(&p, 100, IO_DONE, "abc");
	p.told = 0;
	loop_turn(p.loop);
	cr_expect_eq(p.told, 1);
	expect_peek(&p, 100, IO_EOF, "abc");
	/* The bytes are still there for who takes over. */
	PAIR_READ(&p, "abc");
	PAIR_READ(&p, "<eof>");
	pair_close(&p);
}

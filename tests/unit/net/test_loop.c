/* SPDX-License-Identifier: Apache-2.0 */
/* The order within a turn, and what other threads may do. */

#include <criterion/criterion.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"

#define THREADS 4
#define POSTS 5000

struct notes {
	struct loop *loop;
	char text[32];
	size_t n;
};

static void
note(struct notes *n, char c)
{
	if (n->n + 1 < sizeof(n->text))
		n->text[n->n++] = c;
}

static void
on_later(void *arg)
{
	note(arg, 'l');
}

static void
on_later_twice(void *arg)
{
	struct notes *n = arg;

	note(n, 'L');
	loop_later(n->loop, on_later, n);
}

static void
on_timer(void *arg)
{
	struct notes *n = arg;

	note(n, 't');
	loop_later(n->loop, on_later, n);
}

static void
on_posted(void *arg)
{
	note(arg, 'p');
}

static void
on_readable(void *arg, int fd, bool can_read, bool can_write)
{
	struct notes *n = arg;
	char c;

	cr_expect(can_read && !can_write);
	cr_assert_eq(read(fd, &c, 1), 1);
	note(n, 'e');
	loop_later(n->loop, on_later_twice, n);
}

Test(loop, events_then_timers_then_later)
{
	struct notes n = { .loop = loop_new() };
	struct watch w;
	struct timer t;
	int fd[2];

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	watch_start(&w, n.loop, fd[0], true, false, on_readable, &n);
	timer_init(&t, n.loop, on_timer, &n);
	timer_set(&t, 0);
	cr_assert_eq(write(fd[1], "x", 1), 1);
	loop_turn(n.loop);
	cr_expect_str_eq(n.text, "etLl");
	loop_turn(n.loop);
	cr_expect_str_eq(n.text, "etLll", "later from later: the next turn");
	watch_stop(&w);
	cr_assert_eq(write(fd[1], "x", 1), 1);
	loop_turn(n.loop);
	cr_expect_str_eq(n.text, "etLll", "a watch that was stopped");
	watch_stop(&w);
	close(fd[0]);
	close(fd[1]);
	loop_free(n.loop);
}

Test(loop, what_is_left_is_run_when_it_is_freed)
{
	struct notes n = { .loop = loop_new() };

	loop_post(n.loop, on_posted, &n);
	loop_later(n.loop, on_later_twice, &n);
	loop_free(n.loop);
	cr_expect_str_eq(n.text, "pLl");
}

static void
move_clock(void *arg)
{
	struct loop *l = arg;
	uint64_t before = loop_now_ms(l);

	clock_fake(5000, 0);
	cr_expect_eq(loop_now_ms(l), before, "one time a turn");
}

Test(loop, time_stands_still_within_a_turn)
{
	struct loop *l;

	clock_fake(1000, 0);
	l = loop_new();
	cr_expect_eq(loop_now_ms(l), 1000);
	clock_fake(2000, 0);
	cr_expect_eq(loop_now_ms(l), 2000, "between turns it goes on");
	loop_post(l, move_clock, l);
	loop_turn(l);
	cr_expect_eq(loop_now_ms(l), 5000);
	cr_expect_eq(loop_longest_turn_ms(l), 3000);
	cr_expect_eq(loop_longest_turn_ms(l), 0, "since last asked");
	loop_free(l);
}

struct poster {
	pthread_t thread;
	struct loop *loop;
	unsigned sent;
	unsigned got; /* in order */
	unsigned *left;
};

struct letter {
	struct poster *from;
	unsigned n;
};

static void
on_letter(void *arg)
{
	struct letter *m = arg;

	if (m->n == m->from->got)
		m->from->got++;
	if (--*m->from->left == 0)
		loop_stop(m->from->loop);
	free(m);
}

static void *
post_many(void *arg)
{
	struct poster *p = arg;
	struct letter *m;

	for (p->sent = 0; p->sent < POSTS; p->sent++) {
		m = malloc(sizeof(*m));
		*m = (struct letter){ .from = p, .n = p->sent };
		loop_post(p->loop, on_letter, m);
	}
	return NULL;
}

Test(loop, posts_of_threads_come_all_and_in_order, .timeout = 20)
{
	struct loop *l = loop_new();
	struct poster p[THREADS];
	unsigned left = THREADS * POSTS;
	size_t i;

	for (i = 0; i < THREADS; i++) {
		p[i] = (struct poster){ .loop = l, .left = &left };
		cr_assert_eq(
		    pthread_create(&p[i].thread, NULL, post_many, &p[i]), 0);
	}
	loop_run(l);
	for (i = 0; i < THREADS; i++) {
		pthread_join(p[i].thread, NULL);
		cr_expect_eq(p[i].got, POSTS, "thread %zu", i);
	}
	loop_free(l);
}

Test(loop, stop_before_run_is_not_lost, .timeout = 10)
{
	struct loop *l = loop_new();

	loop_stop(l);
	loop_run(l);
	loop_free(l);
}

struct chain {
	struct loop *loop;
	unsigned left;
};

static void
on_chain(void *arg)
{
	struct chain *c = arg;

	if (--c->left == 0)
		loop_stop(c->loop);
	else
		loop_later(c->loop, on_chain, c);
}

Test(loop, does_not_sleep_on_what_was_put_off, .timeout = 10)
{
	struct chain c = { .loop = loop_new(), .left = 5 };

	loop_later(c.loop, on_chain, &c);
	loop_run(c.loop);
	cr_expect_eq(c.left, 0);
	loop_free(c.loop);
}

Test(loop, scratch_has_room_on_both_sides)
{
	struct loop *l = loop_new();
	enum scratch i;

	for (i = 0; i < SCRATCH_N; i++) {
		uint8_t *p = loop_scratch(l, i);

		memset(p - SCRATCH_ROOM, 1,
		    SCRATCH_ROOM + SCRATCH_SIZE + SCRATCH_ROOM);
		cr_expect_eq(loop_scratch(l, i), p);
	}
	cr_expect_neq(
	    loop_scratch(l, SCRATCH_IN), loop_scratch(l, SCRATCH_OUT));
	loop_free(l);
}

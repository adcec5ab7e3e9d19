/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines: a binary heap a loop, ordered by when each must be looked at.  A
 * deadline that moves later stays where it is, and is put right when its old
 * time comes; so moving it for every byte is one store.  They follow
 * clock_ms(), which tests move by hand; libevent only wakes the loop.
 *
 * Thousands of connections have long deadlines that move all the time.  The
 * old places of these are on full slots, so that they wake the loop together.
 */

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "net/loop_state.h"

#define TIMERS_FIRST 64
#define SLOT_MS 1024
#define LONG_MS 10000

static void
put(struct loop *l, size_t at, struct timer *t)
{
	l->timers[at - 1] = t;
	t->at = at;
}

static struct timer *
at_place(struct loop *l, size_t at)
{
	return l->timers[at - 1];
}

static void
sift_up(struct loop *l, struct timer *t, size_t at)
{
	while (at > 1 && at_place(l, at / 2)->armed_ms > t->armed_ms) {
		put(l, at, at_place(l, at / 2));
		at /= 2;
	}
	put(l, at, t);
}

static void
sift_down(struct loop *l, struct timer *t, size_t at)
{
	size_t child;

	while ((child = at * 2) <= l->n_timers) {
		if (child < l->n_timers && at_place(l, child + 1)->armed_ms <
					       at_place(l, child)->armed_ms)
			child++;
		if (at_place(l, child)->armed_ms >= t->armed_ms)
			break;
		put(l, at, at_place(l, child));
		at = child;
	}
	put(l, at, t);
}

static void
heap_add(struct loop *l, struct timer *t)
{
	if (l->n_timers == l->cap_timers) {
		l->cap_timers =
		    l->cap_timers == 0 ? TIMERS_FIRST : l->cap_timers * 2;
		l->timers = xreallocarray(
		    l->timers, l->cap_timers, sizeof(struct timer *));
	}
	sift_up(l, t, ++l->n_timers);
}

static void
heap_remove(struct loop *l, struct timer *t)
{
	struct timer *last = at_place(l, l->n_timers--);
	size_t at = t->at;

	t->at = 0;
	if (last == t)
		return;
	if (at > 1 && at_place(l, at / 2)->armed_ms > last->armed_ms)
		sift_up(l, last, at);
	else
		sift_down(l, last, at);
}

void
timer_init(struct timer *t, struct loop *l, void (*fn)(void *), void *arg)
{
	*t = (struct timer){ .loop = l, .fn = fn, .arg = arg };
}

/* Where one goes that is due in ms: never after due_ms. */
static uint64_t
place_of(const struct timer *t, uint64_t ms)
{
	return ms < LONG_MS ? t->due_ms : t->due_ms - t->due_ms % SLOT_MS;
}

void
timer_set(struct timer *t, uint64_t ms)
{
	uint64_t due;

	if (__builtin_add_overflow(loop_now_ms(t->loop), ms, &due))
		due = UINT64_MAX;
	/* 0 means that it is not set. */
	t->due_ms = due > 0 ? due : 1;
	if (t->at == 0) {
		t->armed_ms = place_of(t, ms);
		heap_add(t->loop, t);
	} else if (t->due_ms < t->armed_ms) {
		t->armed_ms = t->due_ms;
		sift_up(t->loop, t, t->at);
	}
}

void
timer_set_about(struct timer *t, uint64_t ms)
{
	uint64_t past = (loop_now_ms(t->loop) + ms) % SLOT_MS;

	if (ms >= LONG_MS && past > 0)
		ms += SLOT_MS - past;
	timer_set(t, ms);
}

void
timer_stop(struct timer *t)
{
	t->due_ms = 0;
	/* The memory may be freed next, so it cannot stay in the heap. */
	if (t->at != 0)
		heap_remove(t->loop, t);
}

void
timer_pause(struct timer *t)
{
	t->due_ms = 0;
}

bool
timer_is_set(const struct timer *t)
{
	return t->due_ms != 0;
}

static void
on_alarm(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd;
	(void)what;
	loop_enter(l);
	l->alarm_ms = 0;
}

void
timers_init(struct loop *l)
{
	if (event_assign(&l->alarm, l->base, -1, 0, on_alarm, l) == -1)
		abort();
}

void
timers_fini(struct loop *l)
{
	event_del(&l->alarm);
	free(l->timers);
}

void
timers_arm(struct loop *l)
{
	uint64_t first, now, wait;
	struct timeval tv;

	if (l->n_timers == 0)
		return;
	first = at_place(l, 1)->armed_ms;
	/* Waking too early once is cheaper than moving the alarm each time. */
	if (l->alarm_ms != 0 && l->alarm_ms <= first)
		return;
	now = clock_ms();
	wait = first > now ? first - now : 0;
	tv.tv_sec = (time_t)(wait / 1000 > INT32_MAX ? INT32_MAX : wait / 1000);
	tv.tv_usec = (suseconds_t)(wait % 1000 * 1000);
	if (event_add(&l->alarm, &tv) == -1) {
		log_error("event loop", "cannot set a timer");
		abort();
	}
	l->alarm_ms = first;
}

/* The first one, whose place is too early. */
static void
put_right(struct loop *l, struct timer *t)
{
	t->armed_ms = t->due_ms > l->now_ms ? place_of(t, t->due_ms - l->now_ms)
					    : t->due_ms;
	sift_down(l, t, 1);
}

void
timers_run(struct loop *l)
{
	/* One that sets itself to now again has to wait for the next turn. */
	size_t most = l->n_timers;
	struct timer *t;
	bool is_paused;

	while (most > 0 && l->n_timers > 0) {
		t = at_place(l, 1);
		if (t->armed_ms > l->now_ms)
			break;
		if (t->due_ms > t->armed_ms) {
			put_right(l, t);
			continue;
		}
		is_paused = t->due_ms == 0;
		t->due_ms = 0;
		heap_remove(l, t);
		most--;
		if (!is_paused)
			t->fn(t->arg);
	}
}

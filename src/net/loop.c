/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One turn after the other: wait, events, timers, and what was put off until
 * after them.  Also descriptors that are not wires, and scratch memory.
 * Timers are in timer.c, what other threads may ask in loop_post.c.
 *
 * libevent runs without its locks: nothing but an eventfd connects threads.
 * It cannot tell us that it has stopped waiting, so each of our callbacks
 * starts the turn's time (loop_enter).
 */

#include "net/loop.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "net/loop_state.h"

static struct event_base *
new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config != NULL &&
	    event_config_require_features(
		config, EV_FEATURE_ET | EV_FEATURE_EARLY_CLOSE) == 0 &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) == 0 &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	if (config != NULL)
		event_config_free(config);
	if (base == NULL) {
		log_error("event loop", "epoll is not to be had");
		abort();
	}
	return base;
}

struct loop *
loop_new(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	l->base = new_base();
	loop_post_init(l);
	timers_init(l);
	return l;
}

void
loop_free(struct loop *l)
{
	size_t i;

	if (l == NULL)
		return;
	loop_post_fini(l);
	while (l->later.n > 0)
		tasks_run(&l->later);
	timers_fini(l);
	event_base_free(l->base);
	for (i = 0; i < SCRATCH_N; i++)
		free(l->scratch[i]);
	free(l->lent);
	pipes_fini(l);
	free(l->later.v);
	free(l);
}

void
loop_enter(struct loop *l)
{
	if (l->now_ms == 0)
		l->now_ms = clock_ms();
}

uint64_t
loop_now_ms(const struct loop *l)
{
	/* Between turns the last turn's time would be that of the past. */
	return l->now_ms != 0 ? l->now_ms : clock_ms();
}

static void
note_length(struct loop *l, uint64_t ms)
{
	uint64_t longest = atomic_load(&l->longest_ms);

	while (ms > longest &&
	       !atomic_compare_exchange_weak(&l->longest_ms, &longest, ms))
		continue;
}

uint64_t
loop_longest_turn_ms(struct loop *l)
{
	return atomic_exchange(&l->longest_ms, 0);
}

static void
turn(struct loop *l, int flags)
{
	uint64_t end_ms;

	if (event_base_loop(l->base, EVLOOP_ONCE | flags) == -1) {
		log_error("event loop", "waiting for events failed");
		abort();
	}
	loop_enter(l);
	timers_run(l);
	tasks_run(&l->later);
	end_ms = clock_ms();
	if (end_ms > l->now_ms)
		note_length(l, end_ms - l->now_ms);
	l->now_ms = 0;
}

void
loop_turn(struct loop *l)
{
	turn(l, EVLOOP_NONBLOCK);
}

void
loop_run(struct loop *l)
{
	while (!atomic_load(&l->is_stopping)) {
		timers_arm(l);
		turn(l, l->later.n > 0 ? EVLOOP_NONBLOCK : 0);
	}
	atomic_store(&l->is_stopping, false);
}

void
loop_later(struct loop *l, void (*fn)(void *arg), void *arg)
{
	tasks_add(&l->later, fn, arg);
}

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;

	loop_enter(w->loop);
	w->fn(w->arg, fd, (what & EV_READ) != 0, (what & EV_WRITE) != 0);
}

void
watch_start(struct watch *w, struct loop *l, int fd, bool want_read,
    bool want_write, void (*fn)(void *, int, bool, bool), void *arg)
{
	short what = EV_PERSIST;

	if (want_read)
		what |= EV_READ;
	if (want_write)
		what |= EV_WRITE;
	*w = (struct watch){ .loop = l, .fn = fn, .arg = arg };
	if (event_assign(&w->ev, l->base, fd, what, on_watch, w) == -1 ||
	    event_add(&w->ev, NULL) == -1) {
		log_error("event loop", "cannot watch descriptor %d", fd);
		abort();
	}
}

void
watch_stop(struct watch *w)
{
	if (w->fn == NULL)
		return;
	event_del(&w->ev);
	w->fn = NULL;
}

uint8_t *
loop_scratch(struct loop *l, enum scratch which)
{
	size_t size = which == SCRATCH_IN ? SCRATCH_BULK : SCRATCH_SIZE;

	/* Pages that are never touched cost nothing. */
	if (l->scratch[which] == NULL)
		l->scratch[which] = xmalloc(SCRATCH_ROOM + size + SCRATCH_ROOM);
	return l->scratch[which] + SCRATCH_ROOM;
}

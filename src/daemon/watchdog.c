/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two timers: one looks at the length of turns, the other feeds systemd at
 * half the interval that it asks for.  Main thread.
 */

#include "daemon/watchdog.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "daemon/notify.h"
#include "daemon/worker.h"

#define LOOK_MS 1000
#define MISS_MS 200
#define MEGA_MISS_MS 1000

struct watchdog {
	struct loop *loop;
	struct stats_set *stats;
	struct worker *const *workers;
	size_t n;
	struct timer look;
	struct timer feed;
	uint64_t feed_ms; /* 0: nobody asks */
	size_t silent;    /* workers that have not answered yet */
};

static void
on_look(void *arg)
{
	struct watchdog *w = arg;
	uint64_t ms;
	size_t i;

	for (i = 0; i < w->n; i++) {
		ms = worker_longest_turn_ms(w->workers[i]);
		if (ms > MISS_MS)
			stat_inc(w->stats, STAT_WATCHDOG_MISS);
		if (ms > MEGA_MISS_MS)
			stat_inc(w->stats, STAT_WATCHDOG_MEGA_MISS);
	}
	timer_set(&w->look, LOOK_MS);
}

static void
on_answer(void *arg)
{
	struct watchdog *w = arg;

	w->silent--;
}

static void
ask_all(struct watchdog *w)
{
	size_t i;

	w->silent = w->n;
	for (i = 0; i < w->n; i++)
		worker_ping(w->workers[i], on_answer, w);
}

static void
on_feed(void *arg)
{
	struct watchdog *w = arg;

	if (w->silent == 0) {
		notify_watchdog();
		ask_all(w);
	} else {
		log_warn("watchdog", "%zu workers have not answered for %u ms",
		    w->silent, (unsigned)w->feed_ms);
	}
	timer_set(&w->feed, w->feed_ms);
}

struct watchdog *
watchdog_new(struct loop *l, struct stats_set *stats,
    struct worker *const *workers, size_t n)
{
	struct watchdog *w = xcalloc(1, sizeof(*w));

	w->loop = l;
	w->stats = stats;
	w->workers = workers;
	w->n = n;
	w->feed_ms = notify_watchdog_ms() / 2;
	timer_init(&w->look, l, on_look, w);
	timer_init(&w->feed, l, on_feed, w);
	timer_set(&w->look, LOOK_MS);
	if (w->feed_ms > 0) {
		ask_all(w);
		timer_set(&w->feed, w->feed_ms);
	}
	return w;
}

void
watchdog_free(struct watchdog *w)
{
	if (w == NULL)
		return;
	timer_stop(&w->look);
	timer_stop(&w->feed);
	free(w);
}

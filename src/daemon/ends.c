/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See ends.h.  While there is an end to wait for, the clock is looked at once a
 * second: a wall clock may be set forward at any time.
 */

#include "daemon/ends.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"

#define LOOK_MS 1000
/* Clocks that run in step differ by less. */
#define SET_BACK_MS 2000

struct ends {
	struct timer timer;
	/* The wall's time when the other clock showed that. */
	int64_t wall_ms;
	uint64_t at_ms;
	int64_t next_s;
	bool is_set_back; /* it was, and the log says so */
	void (*fn)(void *arg);
	void *arg;
};

static int64_t
least_ms(const struct ends *e)
{
	return e->wall_ms + (int64_t)(clock_ms() - e->at_ms);
}

static int64_t
now_ms(const struct ends *e)
{
	int64_t wall_ms = clock_wall_ms(), least = least_ms(e);

	return wall_ms > least ? wall_ms : least;
}

int64_t
ends_now_s(const struct ends *e)
{
	return now_ms(e) / 1000;
}

static void
tell(struct ends *e)
{
	int64_t back_ms = least_ms(e) - clock_wall_ms();
	bool is_set_back = back_ms > SET_BACK_MS;

	if (is_set_back && !e->is_set_back)
		log_warn("clock",
		    "it was set back by %lld s; what ends goes by the time "
		    "before, until the next start",
		    (long long)(back_ms / 1000));
	e->is_set_back = is_set_back;
}

static void
wait_on(struct ends *e)
{
	int64_t left_ms;

	if (e->next_s == INT64_MAX)
		return;
	if (e->next_s - ends_now_s(e) > 1)
		left_ms = LOOK_MS;
	else
		left_ms = e->next_s * 1000 - now_ms(e);
	if (left_ms > LOOK_MS)
		left_ms = LOOK_MS;
	timer_set(&e->timer, left_ms > 0 ? (uint64_t)left_ms : 1);
}

static void
look(void *arg)
{
	struct ends *e = arg;

	tell(e);
	if (e->next_s > ends_now_s(e)) {
		wait_on(e);
		return;
	}
	e->next_s = INT64_MAX;
	e->fn(e->arg);
}

struct ends *
ends_new(struct loop *l, void (*fn)(void *), void *arg)
{
	struct ends *e = xcalloc(1, sizeof(*e));

	e->wall_ms = clock_wall_ms();
	e->at_ms = clock_ms();
	e->next_s = INT64_MAX;
	e->fn = fn;
	e->arg = arg;
	timer_init(&e->timer, l, look, e);
	return e;
}

void
ends_free(struct ends *e)
{
	if (e == NULL)
		return;
	timer_stop(&e->timer);
	free(e);
}

void
ends_set(struct ends *e, int64_t next_s)
{
	e->next_s = next_s;
	timer_stop(&e->timer);
	wait_on(e);
}

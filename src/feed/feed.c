/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all feeds share: waiting until changes have settled, so that a copy of
 * a hundred files is one reload.  Hearing and reading are each feed's own.
 * Main thread.
 */

#include "feed/feed.h"

static void
tell(void *arg)
{
	struct feed *f = arg;

	f->first_ms = 0;
	f->on_change(f->arg);
}

void
feed_init(struct feed *f, const struct feed_ops *ops, struct loop *l)
{
	*f = (struct feed){
		.ops = ops,
		.loop = l,
		.wants_everything = true,
	};
	timer_init(&f->quiet, l, tell, f);
}

void
feed_start(struct feed *f, void (*on_change)(void *), void *arg)
{
	f->on_change = on_change;
	f->arg = arg;
	f->ops->start(f);
}

/* A source that never rests is read all the same, now and then. */
void
feed_heard(struct feed *f)
{
	uint64_t now = loop_now_ms(f->loop);
	uint64_t left;

	if (f->on_change == NULL)
		return;
	if (f->first_ms == 0)
		f->first_ms = now;
	left = f->first_ms + FEED_PATIENCE_MS;
	left = left > now ? left - now : 0;
	timer_set(&f->quiet, left < FEED_QUIET_MS ? left : FEED_QUIET_MS);
}

void
feed_fill(struct feed *f, struct store *st)
{
	bool everything = f->wants_everything;

	f->wants_everything = false;
	f->ops->fill(f, st, everything);
}

void
feed_rescan(struct feed *f)
{
	f->wants_everything = true;
}

const char *
feed_error(const struct feed *f)
{
	return f->ops->error(f);
}

void
feed_free(struct feed *f)
{
	if (f == NULL)
		return;
	timer_stop(&f->quiet);
	f->ops->free(f);
}

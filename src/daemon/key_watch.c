/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A look once a second, less often where there are thousands of files; after a
 * change soon again, until nothing moves any more: then a certificate and its
 * key that are replaced one after the other are one change.  What never rests
 * is told all the same, as feeds do.  Main thread.
 */

#include "daemon/key_watch.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/key_files.h"
#include "daemon/tls_files.h"
#include "feed/feed.h"
#include "net/loop.h"

#define LOOK_MS 1000
#define LOOKS_MOST (FEED_PATIENCE_MS / FEED_QUIET_MS)

struct key_watch {
	struct key_files *keys;
	struct tls_files *tls;
	struct timer timer;
	unsigned looks; /* since something moved */
	void (*fn)(void *arg);
	void *arg;
};

static void
wait_for_next(struct key_watch *w)
{
	size_t ms = key_files_count(w->keys) + tls_files_count(w->tls);

	w->looks = 0;
	timer_set(&w->timer, ms > LOOK_MS ? ms : LOOK_MS);
}

static void
look(void *arg)
{
	struct key_watch *w = arg;

	switch (file_state_of_both(
	    key_files_look(w->keys), tls_files_look(w->tls))) {
	case FILE_SAME:
		break;
	case FILE_MOVING:
		if (w->looks++ < LOOKS_MOST) {
			timer_set(&w->timer, FEED_QUIET_MS);
			return;
		}
		w->fn(w->arg);
		break;
	case FILE_CHANGED:
		w->fn(w->arg);
		break;
	}
	wait_for_next(w);
}

struct key_watch *
key_watch_new(struct loop *l, struct key_files *keys, struct tls_files *tls,
    void (*fn)(void *arg), void *arg)
{
	struct key_watch *w = xcalloc(1, sizeof(*w));

	w->keys = keys;
	w->tls = tls;
	w->fn = fn;
	w->arg = arg;
	timer_init(&w->timer, l, look, w);
	wait_for_next(w);
	return w;
}

void
key_watch_free(struct key_watch *w)
{
	if (w == NULL)
		return;
	timer_stop(&w->timer);
	free(w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gathering is shared by main and the workers that have not answered yet;
 * the last of them frees it, so that a worker that comes late finds memory to
 * write to.
 */

#include "daemon/gather.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/ref.h"
#include "base/xalloc.h"

#define PATIENCE_S 2

struct gather;

struct part {
	struct gather *gather;
	struct text text;
	bool is_there;
};

struct gather {
	struct ref ref;
	pthread_mutex_t lock;
	pthread_cond_t came;
	size_t left;
	size_t n;
	struct part parts[];
};

static struct gather *
gather_new(size_t n)
{
	struct gather *g = xcalloc(1, sizeof(*g) + n * sizeof(g->parts[0]));
	pthread_condattr_t attr;
	size_t i;

	ref_init(&g->ref);
	pthread_mutex_init(&g->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&g->came, &attr);
	pthread_condattr_destroy(&attr);
	g->left = n;
	g->n = n;
	for (i = 0; i < n; i++) {
		g->parts[i].gather = g;
		ref_up(&g->ref);
	}
	return g;
}

static void
gather_unref(struct gather *g)
{
	size_t i;

	if (!ref_down(&g->ref))
		return;
	for (i = 0; i < g->n; i++)
		text_free(&g->parts[i].text);
	pthread_cond_destroy(&g->came);
	pthread_mutex_destroy(&g->lock);
	free(g);
}

/* In the worker's thread. */
static void
on_part(void *arg)
{
	struct part *p = arg;
	struct gather *g = p->gather;

	pthread_mutex_lock(&g->lock);
	p->is_there = true;
	g->left--;
	pthread_cond_signal(&g->came);
	pthread_mutex_unlock(&g->lock);
	gather_unref(g);
}

/* With the lock held; false: patience is over. */
static bool
wait_for_all(struct gather *g)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	while (g->left > 0)
		if (pthread_cond_timedwait(&g->came, &g->lock, &until) ==
		    ETIMEDOUT)
			return false;
	return true;
}

bool
gather_print(struct worker *const *workers, size_t n,
    const struct worker_query *q, struct text *out)
{
	struct gather *g = gather_new(n);
	bool is_whole;
	size_t i;

	for (i = 0; i < n; i++)
		worker_print(
		    workers[i], q, &g->parts[i].text, on_part, &g->parts[i]);
	pthread_mutex_lock(&g->lock);
	is_whole = wait_for_all(g);
	for (i = 0; i < n; i++) {
		if (n > 1)
			text_addf(out, "worker %zu%s\n", i,
			    g->parts[i].is_there ? "" : ": no answer");
		if (g->parts[i].is_there)
			text_add(out, text_str(&g->parts[i].text));
	}
	pthread_mutex_unlock(&g->lock);
	gather_unref(g);
	return is_whole;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A walk is shared by main and the workers that are not through yet; the last
 * of them frees it.
 */

#include "daemon/walk.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/ref.h"
#include "base/xalloc.h"
#include "conn/revoked.h"
#include "daemon/worker.h"

#define PATIENCE_S 2

struct walk {
	struct ref ref;
	pthread_mutex_t lock;
	pthread_cond_t came;
	size_t left;
	struct revoked revoked;
	struct loop *main;
	void (*fn)(struct walk *k, void *arg); /* main's; NULL: nobody */
	void *arg;
};

static void
walk_unref(struct walk *k)
{
	if (!ref_down(&k->ref))
		return;
	revoked_free(&k->revoked);
	pthread_cond_destroy(&k->came);
	pthread_mutex_destroy(&k->lock);
	free(k);
}

static void
on_all(void *arg)
{
	struct walk *k = arg;

	if (k->fn != NULL)
		k->fn(k, k->arg);
	walk_unref(k);
}

/* In the worker's thread. */
static void
on_worker(const struct revoked *r, void *arg)
{
	struct walk *k = arg;
	bool is_last;

	pthread_mutex_lock(&k->lock);
	revoked_merge(&k->revoked, r);
	is_last = --k->left == 0;
	pthread_cond_signal(&k->came);
	pthread_mutex_unlock(&k->lock);
	if (is_last)
		loop_post(k->main, on_all, k);
	else
		walk_unref(k);
}

struct walk *
walk_start(struct loop *main, struct worker *const *workers, size_t n,
    void (*fn)(struct walk *, void *), void *arg)
{
	struct walk *k = xcalloc(1, sizeof(*k));
	pthread_condattr_t attr;
	size_t i;

	ref_init(&k->ref);
	pthread_mutex_init(&k->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&k->came, &attr);
	pthread_condattr_destroy(&attr);
	k->left = n;
	k->main = main;
	k->fn = fn;
	k->arg = arg;
	for (i = 0; i < n; i++) {
		ref_up(&k->ref);
		worker_reauthorize(workers[i], on_worker, k);
	}
	return k;
}

void
walk_forget(struct walk *k)
{
	if (k == NULL)
		return;
	k->fn = NULL;
	walk_unref(k);
}

bool
walk_wait(struct walk *k)
{
	struct timespec until;
	bool is_whole;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&k->lock);
	while (k->left > 0)
		if (pthread_cond_timedwait(&k->came, &k->lock, &until) ==
		    ETIMEDOUT)
			break;
	is_whole = k->left == 0;
	pthread_mutex_unlock(&k->lock);
	return is_whole;
}

bool
walk_ended_nothing(struct walk *k)
{
	bool is_empty;

	pthread_mutex_lock(&k->lock);
	is_empty = revoked_is_empty(&k->revoked);
	pthread_mutex_unlock(&k->lock);
	return is_empty;
}

void
walk_print(struct walk *k, size_t rows, const char *before, struct text *out)
{
	pthread_mutex_lock(&k->lock);
	revoked_print(&k->revoked, rows, before, out);
	pthread_mutex_unlock(&k->lock);
}

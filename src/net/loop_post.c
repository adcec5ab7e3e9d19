/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue by which other threads reach a loop, and the queues of functions
 * to run.  A mutex guards the list, an eventfd wakes the loop; the lock is
 * never held while a function runs.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "net/loop_state.h"

#define TASKS_FIRST 16

void
tasks_add(struct tasks *t, void (*fn)(void *arg), void *arg)
{
	if (t->n == t->cap) {
		t->cap = t->cap == 0 ? TASKS_FIRST : t->cap * 2;
		t->v = xreallocarray(t->v, t->cap, sizeof(*t->v));
	}
	t->v[t->n++] = (struct task){ .fn = fn, .arg = arg };
}

void
tasks_run(struct tasks *t)
{
	struct tasks now = *t;
	size_t i;

	if (now.n == 0)
		return;
	*t = (struct tasks){ .v = NULL };
	for (i = 0; i < now.n; i++)
		now.v[i].fn(now.v[i].arg);
	/* Nothing came meanwhile: the memory serves the next turn too. */
	if (t->v == NULL)
		*t = (struct tasks){ .v = now.v, .cap = now.cap };
	else
		free(now.v);
}

static void
wake(struct loop *l)
{
	const uint64_t one = 1;

	/* A counter that is full wakes as well. */
	while (write(l->wake_fd, &one, sizeof(one)) == -1 && errno == EINTR)
		continue;
}

static void
run_posted(struct loop *l)
{
	struct tasks now;

	pthread_mutex_lock(&l->lock);
	now = l->posted;
	l->posted = (struct tasks){ .v = NULL };
	pthread_mutex_unlock(&l->lock);
	tasks_run(&now);
	free(now.v);
}

static void
on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	uint64_t count;

	(void)what;
	loop_enter(l);
	while (read(fd, &count, sizeof(count)) == -1 && errno == EINTR)
		continue;
	run_posted(l);
}

void
loop_post(struct loop *l, void (*fn)(void *arg), void *arg)
{
	bool is_first;

	pthread_mutex_lock(&l->lock);
	is_first = l->posted.n == 0;
	tasks_add(&l->posted, fn, arg);
	pthread_mutex_unlock(&l->lock);
	if (is_first)
		wake(l);
}

void
loop_stop(struct loop *l)
{
	atomic_store(&l->is_stopping, true);
	wake(l);
}

void
loop_post_init(struct loop *l)
{
	pthread_mutex_init(&l->lock, NULL);
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->wake_fd == -1 ||
	    event_assign(&l->wake, l->base, l->wake_fd, EV_READ | EV_PERSIST,
		on_wake, l) == -1 ||
	    event_add(&l->wake, NULL) == -1) {
		log_error("event loop", "eventfd: %s", strerror(errno));
		abort();
	}
}

void
loop_post_fini(struct loop *l)
{
	while (l->posted.n > 0)
		run_posted(l);
	free(l->posted.v);
	event_del(&l->wake);
	close(l->wake_fd);
	pthread_mutex_destroy(&l->lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking connections, in batches, so that a burst of them does not keep the
 * ones that are open waiting.  Out of descriptors, the reserve is given up to
 * accept and close one at a time: a caller who is told at once can go
 * elsewhere, one in the queue cannot.  One worker's thread.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "daemon/listener.h"
#include "net/sock.h"

#define BATCH 64
#define PAUSE_MS 100
#define SAY_MS 10000

struct acceptor {
	struct loop *loop;
	int fd;
	int reserve;
	const struct listener_info *info;
	struct conns *conns;
	struct watch watch;
	struct timer pause;
	struct log_limit said;
};

/* Another thread may have been quicker the last time. */
static void
keep_reserve(struct acceptor *a)
{
	if (a->reserve == -1)
		a->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void on_listen(void *arg, int fd, bool can_read, bool can_write);

static void
listen_on(void *arg)
{
	struct acceptor *a = arg;

	keep_reserve(a);
	watch_start(&a->watch, a->loop, a->fd, true, false, on_listen, a);
}

static void
complain(struct acceptor *a, int error)
{
	unsigned kept_back;

	if (log_limit_take(
		&a->said, loop_now_ms(a->loop), SAY_MS, 1, &kept_back))
		log_warn(a->info->name.p,
		    "connections are refused: %s (%u more times)",
		    strerror(error), kept_back);
}

static void
shed(struct acceptor *a, int error)
{
	struct addr from;
	int fd;

	complain(a, error);
	if (a->reserve != -1) {
		close(a->reserve);
		a->reserve = -1;
		fd = sock_accept(a->fd, &from);
		if (fd != -1)
			close(fd);
		keep_reserve(a);
	}
	stat_inc(a->info->stats, STAT_DOWNSTREAM_CX_OVERLOAD);
	watch_stop(&a->watch);
	timer_set(&a->pause, PAUSE_MS);
}

/* False: there is none now, or it would do no good to go on. */
static bool
accept_one(struct acceptor *a)
{
	struct addr from;
	int fd = sock_accept(a->fd, &from);

	if (fd != -1) {
		conns_accept(a->conns, fd, &from, a->info);
		return true;
	}
	if (sock_is_short(errno)) {
		shed(a, errno);
		return false;
	}
	/* Others are of that one connection: accept(2), "Linux". */
	return errno != EAGAIN && errno != EBADF && errno != EINVAL &&
	       errno != ENOTSOCK;
}

static void
on_listen(void *arg, int fd, bool can_read, bool can_write)
{
	struct acceptor *a = arg;
	unsigned i;

	(void)fd;
	(void)can_read;
	(void)can_write;
	for (i = 0; i < BATCH && accept_one(a); i++)
		;
}

struct acceptor *
acceptor_new(
    struct loop *l, int fd, const struct listener_info *info, struct conns *cs)
{
	struct acceptor *a = xcalloc(1, sizeof(*a));

	a->loop = l;
	a->fd = fd;
	a->info = info;
	a->conns = cs;
	a->reserve = -1;
	timer_init(&a->pause, l, listen_on, a);
	listen_on(a);
	return a;
}

/* Bounded: others may go on connecting while we take what is there. */
void
acceptor_stop(struct acceptor *a)
{
	unsigned i;

	if (a->fd == -1)
		return;
	for (i = 0; i < BATCH && accept_one(a); i++)
		;
	timer_stop(&a->pause);
	watch_stop(&a->watch);
	close(a->fd);
	a->fd = -1;
}

void
acceptor_free(struct acceptor *a)
{
	if (a == NULL)
		return;
	timer_stop(&a->pause);
	watch_stop(&a->watch);
	if (a->fd != -1)
		close(a->fd);
	if (a->reserve != -1)
		close(a->reserve);
	free(a);
}

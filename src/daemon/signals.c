/* SPDX-License-Identifier: Apache-2.0 */
/* A signalfd, so that no code runs in a handler.  Main thread. */

#include "daemon/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"

struct signals {
	int fd;
	struct watch watch;
	void (*fn)(void *arg, enum wish wish);
	void *arg;
};

static const struct {
	int number;
	enum wish wish;
} wishes[] = {
	{ SIGTERM, WISH_STOP },
	{ SIGINT, WISH_STOP },
	{ SIGHUP, WISH_RELOAD },
	{ SIGUSR1, WISH_REOPEN },
};

static void
set_of(sigset_t *set)
{
	size_t i;

	sigemptyset(set);
	for (i = 0; i < ARRAY_LEN(wishes); i++)
		sigaddset(set, wishes[i].number);
}

void
signals_block(void)
{
	sigset_t set;

	set_of(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* A write to a peer that is gone is an error, not an end. */
	signal(SIGPIPE, SIG_IGN);
}

static void
on_signal(void *arg, int fd, bool can_read, bool can_write)
{
	struct signalfd_siginfo info;
	struct signals *s = arg;
	size_t i;

	(void)can_read;
	(void)can_write;
	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	for (i = 0; i < ARRAY_LEN(wishes); i++)
		if ((uint32_t)wishes[i].number == info.ssi_signo)
			s->fn(s->arg, wishes[i].wish);
}

struct signals *
signals_new(struct loop *l, void (*fn)(void *, enum wish), void *arg)
{
	struct signals *s = xcalloc(1, sizeof(*s));
	sigset_t set;

	s->fn = fn;
	s->arg = arg;
	set_of(&set);
	s->fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->fd == -1) {
		log_error("signals", "%s", strerror(errno));
		abort();
	}
	watch_start(&s->watch, l, s->fd, true, false, on_signal, s);
	return s;
}

void
signals_free(struct signals *s)
{
	if (s == NULL)
		return;
	watch_stop(&s->watch);
	close(s->fd);
	free(s);
}

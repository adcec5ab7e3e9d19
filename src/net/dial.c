/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting to one of several addresses, one after the other.  What is left
 * of the time is shared among the addresses that are left, so that one that
 * swallows packets cannot use up the time of those behind it.
 */

#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "net/sock.h"

/* Less than this is no fair try over a long line. */
#define TRY_LEAST_MS 250

static void next_try(struct dial *);

/* An attempt that came further says more about what is wrong. */
static unsigned
distance(enum dial_status s)
{
	switch (s) {
	case DIAL_REFUSED_ADDRESS:
		return 0;
	case DIAL_FAILED:
		return 1;
	case DIAL_UNREACHABLE:
		return 2;
	case DIAL_LATE:
		return 3;
	case DIAL_REFUSED:
		return 4;
	case DIAL_RESET:
		return 5;
	case DIAL_NO_FDS:
		return 6;
	case DIAL_OK:
		return 7;
	}
	return 0;
}

static void
note(struct dial *d, enum dial_status s)
{
	if (distance(s) >= distance(d->worst))
		d->worst = s;
}

static enum dial_status
status_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return DIAL_REFUSED;
	case ECONNRESET:
		return DIAL_RESET;
	case ETIMEDOUT:
		return DIAL_LATE;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
	case EAFNOSUPPORT:
	case EACCES:
	case EPERM:
		return DIAL_UNREACHABLE;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return DIAL_NO_FDS;
	default:
		return DIAL_FAILED;
	}
}

static void
hang_up(struct dial *d)
{
	watch_stop(&d->watch);
	if (d->fd != -1)
		close(d->fd);
	d->fd = -1;
}

/* The end; from the loop, never from the caller's stack. */
static void
finish_soon(struct dial *d)
{
	d->is_over = true;
	timer_set(&d->timer, 0);
}

/*
 * A port of this host that nobody listens on may be drawn as our own side's
 * port: then the socket has connected to itself (RFC 9293 section 3.5).
 */
static bool
is_to_itself(const struct dial *d)
{
	struct sockaddr_storage us;
	socklen_t len = sizeof(us);
	struct addr a;

	return getsockname(d->fd, (void *)&us, &len) == 0 &&
	       addr_from_sockaddr((const void *)&us, len, &a) &&
	       addr_eq(&a, &d->addrs[d->next - 1]);
}

static void
on_connect(void *arg, int fd, bool can_read, bool can_write)
{
	struct dial *d = arg;
	int error = sock_error(fd);

	(void)can_read;
	(void)can_write;
	if (error == 0 && is_to_itself(d))
		error = ECONNREFUSED;
	watch_stop(&d->watch);
	if (error == 0) {
		timer_stop(&d->timer);
		d->is_over = true;
		d->worst = DIAL_OK;
		d->fn(d->arg, DIAL_OK);
		return;
	}
	note(d, status_of(error));
	hang_up(d);
	next_try(d);
}

static void
on_timer(void *arg)
{
	struct dial *d = arg;

	if (!d->is_over) {
		hang_up(d);
		note(d, DIAL_LATE);
		next_try(d);
		/* Out of time: no need for another turn. */
		if (!d->is_over)
			return;
	}
	timer_stop(&d->timer);
	d->fn(d->arg, d->worst);
}

static uint64_t
share_ms(const struct dial *d, uint64_t left_ms)
{
	uint64_t share = left_ms / (d->n_addrs - d->next);

	if (share < TRY_LEAST_MS)
		share = TRY_LEAST_MS;
	return share < left_ms ? share : left_ms;
}

/* False: this address is of no use. */
static bool
try_one(struct dial *d, const struct addr *a)
{
	const char *why = addr_refused(a, d->rules, d->is_literal);

	if (why != NULL) {
		d->refused_why = why;
		note(d, DIAL_REFUSED_ADDRESS);
		return false;
	}
	d->fd = sock_connect(a);
	if (d->fd == -1) {
		note(d, status_of(errno));
		return false;
	}
	watch_start(&d->watch, d->loop, d->fd, false, true, on_connect, d);
	return true;
}

static void
next_try(struct dial *d)
{
	uint64_t now = loop_now_ms(d->loop);
	uint64_t left = d->deadline_ms > now ? d->deadline_ms - now : 0;

	while (d->next < d->n_addrs && d->worst != DIAL_NO_FDS) {
		uint64_t share = share_ms(d, left);

		if (left == 0) {
			note(d, DIAL_LATE);
			break;
		}
		if (try_one(d, &d->addrs[d->next++])) {
			timer_set(&d->timer, share);
			return;
		}
	}
	finish_soon(d);
}

void
dial_start(struct dial *d, struct loop *l, const struct addr *addrs, size_t n,
    bool is_literal, const struct addr_rules *rules, unsigned timeout_ms,
    void (*fn)(void *, enum dial_status), void *arg)
{
	*d = (struct dial){
		.loop = l,
		.fd = -1,
		.n_addrs = n,
		.rules = rules,
		.is_literal = is_literal,
		.started_us = clock_us(),
		.deadline_ms = loop_now_ms(l) + timeout_ms,
		.worst = n > 0 ? DIAL_REFUSED_ADDRESS : DIAL_FAILED,
		.fn = fn,
		.arg = arg,
	};
	if (n > 0)
		d->addrs = xmemdup(addrs, n * sizeof(*addrs));
	timer_init(&d->timer, l, on_timer, d);
	next_try(d);
}

struct wire *
dial_take(struct dial *d, struct addr *to)
{
	struct wire *w = wire_new(d->loop, d->fd);

	d->fd = -1;
	if (to != NULL)
		*to = d->addrs[d->next - 1];
	dial_stop(d);
	return w;
}

void
dial_stop(struct dial *d)
{
	/* Zeroed memory, or stopped before. */
	if (d->loop == NULL)
		return;
	hang_up(d);
	timer_stop(&d->timer);
	free(d->addrs);
	d->addrs = NULL;
	d->loop = NULL;
}

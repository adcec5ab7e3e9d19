/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connecting to one of several addresses, one beside the other.  An address
 * that swallows packets costs those behind it a head start, not their time.
 */

#include "net/dial.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

struct dial_try {
	struct dial *dial;
	struct addr addr;
	struct watch watch;
	int fd; /* -1: not connecting */
	bool is_begun;
	bool has_failed;
	enum dial_status status;
	const char *why; /* more than the status says; or NULL */
	uint64_t begun_ms;
};

const char *
dial_status_text(enum dial_status s)
{
	switch (s) {
	case DIAL_OK:
		return "connected";
	case DIAL_REFUSED_ADDRESS:
		return "not allowed";
	case DIAL_NO_WAY:
		return "our end could not be set up";
	case DIAL_REFUSED:
		return "connection refused";
	case DIAL_UNREACHABLE:
	case DIAL_FAILED:
		return "no route";
	case DIAL_RESET:
		return "connection reset";
	case DIAL_LATE:
		return "no answer in time";
	case DIAL_NO_FDS:
		return "no descriptors or memory left";
	}
	return "?";
}

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
	case DIAL_NO_WAY:
		return 6;
	case DIAL_NO_FDS:
		return 7;
	case DIAL_OK:
		return 8;
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
hang_up(struct dial_try *t)
{
	watch_stop(&t->watch);
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
}

static void
fail(struct dial_try *t, enum dial_status s, const char *why)
{
	t->has_failed = true;
	t->status = s;
	t->why = why;
	t->dial->why = why;
	note(t->dial, s);
	hang_up(t);
}

static size_t
count_open(const struct dial *d)
{
	size_t i, n = 0;

	for (i = 0; i < d->next; i++)
		n += d->tries[i].fd != -1;
	return n;
}

/* Those still open had as long as anybody. */
static void
give_up_rest(struct dial *d)
{
	size_t i;

	for (i = 0; i < d->next; i++)
		if (d->tries[i].fd != -1)
			fail(&d->tries[i], DIAL_LATE, NULL);
}

/* The end; from the loop, never from the caller's stack. */
static void
finish_soon(struct dial *d)
{
	d->is_over = true;
	timer_stop(&d->pace);
	timer_set(&d->limit, 0);
}

/*
 * A port of this host that nobody listens on may be drawn as our own side's
 * port: then the socket has connected to itself (RFC 9293 section 3.5).
 */
static bool
is_to_itself(const struct dial_try *t)
{
	struct sockaddr_storage us;
	socklen_t len = sizeof(us);
	struct addr a;

	return getsockname(t->fd, (void *)&us, &len) == 0 &&
	       addr_from_sockaddr((const void *)&us, len, &a) &&
	       addr_eq(&a, &t->addr);
}

static int
family_of(const struct dial_try *t)
{
	return t->addr.u.sa.sa_family;
}

/* It had its head start, or said that it has no route. */
static bool
has_lost(const struct dial_try *t, uint64_t now_ms)
{
	if (t->has_failed)
		return t->status == DIAL_UNREACHABLE || t->status == DIAL_LATE;
	return t->fd != -1 && now_ms - t->begun_ms >= t->dial->plan.delay_ms;
}

/* Only a name that has both families says which of them works here. */
static void
learn(const struct dial *d)
{
	int won = family_of(&d->tries[d->won]);
	uint64_t now = loop_now_ms(d->loop);
	size_t i;

	families_won(d->plan.families, won);
	for (i = 0; i < d->next; i++)
		if (family_of(&d->tries[i]) != won &&
		    has_lost(&d->tries[i], now)) {
			families_lost(
			    d->plan.families, family_of(&d->tries[i]), now);
			return;
		}
}

static void
win(struct dial_try *t)
{
	struct dial *d = t->dial;
	size_t i;

	d->won = (size_t)(t - d->tries);
	learn(d);
	watch_stop(&t->watch);
	for (i = 0; i < d->next; i++)
		if (i != d->won)
			hang_up(&d->tries[i]);
	timer_stop(&d->pace);
	timer_stop(&d->limit);
	d->is_over = true;
	d->worst = DIAL_OK;
	d->fn(d->arg, DIAL_OK);
}

static void next_try(struct dial *d);

static void
on_connect(void *arg, int fd, bool can_read, bool can_write)
{
	struct dial_try *t = arg;
	int error = sock_error(fd);

	(void)can_read;
	(void)can_write;
	if (error == 0 && is_to_itself(t))
		error = ECONNREFUSED;
	if (error == 0) {
		win(t);
		return;
	}
	fail(t, status_of(error), NULL);
	next_try(t->dial);
}

/* False: this address is of no use. */
static bool
begin(struct dial_try *t)
{
	struct dial *d = t->dial;
	const char *what, *why;

	t->is_begun = true;
	t->begun_ms = loop_now_ms(d->loop);
	why = addr_refused(&t->addr, d->plan.rules, d->plan.is_literal);
	if (why != NULL) {
		fail(t, DIAL_REFUSED_ADDRESS, why);
		return false;
	}
	t->fd = sock_connect(&t->addr, d->plan.way, &what);
	if (t->fd == -1) {
		fail(t, what != NULL ? DIAL_NO_WAY : status_of(errno), what);
		return false;
	}
	watch_start(&t->watch, d->loop, t->fd, false, true, on_connect, t);
	return true;
}

static void
make_room(struct dial *d)
{
	size_t i;

	if (count_open(d) < DIAL_BESIDE)
		return;
	for (i = 0; d->tries[i].fd == -1; i++)
		;
	fail(&d->tries[i], DIAL_LATE, NULL);
}

static void
next_try(struct dial *d)
{
	make_room(d);
	while (d->next < d->plan.n && d->worst != DIAL_NO_FDS)
		if (begin(&d->tries[d->next++])) {
			if (d->next < d->plan.n)
				timer_set(&d->pace, d->plan.delay_ms);
			return;
		}
	if (count_open(d) == 0)
		finish_soon(d);
}

static void
on_pace(void *arg)
{
	next_try(arg);
}

static void
on_limit(void *arg)
{
	struct dial *d = arg;

	give_up_rest(d);
	d->is_over = true;
	timer_stop(&d->pace);
	timer_stop(&d->limit);
	d->fn(d->arg, d->worst);
}

static struct dial_try *
make_tries(struct dial *d, const struct dial_plan *plan)
{
	struct dial_try *v = xcalloc(plan->n, sizeof(*v));
	size_t i;

	for (i = 0; i < plan->n; i++)
		v[i] = (struct dial_try){
			.dial = d, .addr = plan->addrs[i], .fd = -1
		};
	return v;
}

void
dial_start(struct dial *d, struct loop *l, const struct dial_plan *plan,
    void (*fn)(void *, enum dial_status), void *arg)
{
	*d = (struct dial){
		.loop = l,
		.plan = *plan,
		.worst = plan->n > 0 ? DIAL_REFUSED_ADDRESS : DIAL_FAILED,
		.fn = fn,
		.arg = arg,
	};
	if (plan->n > 0)
		d->tries = make_tries(d, plan);
	d->plan.addrs = NULL;
	if (d->plan.delay_ms == 0)
		d->plan.delay_ms = DIAL_DELAY_MS;
	timer_init(&d->pace, l, on_pace, d);
	timer_init(&d->limit, l, on_limit, d);
	timer_set(&d->limit, plan->timeout_ms);
	next_try(d);
}

struct wire *
dial_take(struct dial *d, struct addr *to)
{
	struct dial_try *t = &d->tries[d->won];
	struct wire *w = wire_new(d->loop, t->fd);

	t->fd = -1;
	if (to != NULL)
		*to = t->addr;
	dial_stop(d);
	return w;
}

bool
dial_is_spent(const struct dial *d, size_t i)
{
	return d->tries[i].has_failed || (d->worst == DIAL_OK && i == d->won);
}

size_t
dial_tries(const struct dial *d)
{
	return d->next;
}

static void
tell_one(const struct dial_try *t, struct text *out)
{
	char addr[ADDR_TEXT];

	addr_print(&t->addr, addr);
	text_addf(out, "%s: %s", addr,
	    dial_status_text(t->has_failed ? t->status : DIAL_LATE));
	if (t->why != NULL)
		text_addf(out, " (%s)", t->why);
}

void
dial_tell(const struct dial *d, struct text *out)
{
	size_t i;

	for (i = 0; i < d->next; i++) {
		if (i > 0)
			text_add_z(out, "; ");
		tell_one(&d->tries[i], out);
	}
}

void
dial_stop(struct dial *d)
{
	size_t i;

	/* Zeroed memory, or stopped before. */
	if (d->loop == NULL)
		return;
	for (i = 0; i < d->next; i++)
		hang_up(&d->tries[i]);
	timer_stop(&d->pace);
	timer_stop(&d->limit);
	free(d->tries);
	d->tries = NULL;
	d->loop = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * c-ares as the carrier of queries: it chooses servers, sends again, and goes
 * to TCP for answers that were cut.  Its sockets are watched by our loop.  The
 * answers come raw and are read in dns_parse.c, because c-ares 1.18 tells no
 * TTL of CNAMEs and takes whatever name the answer is about.
 */

#include "net/dns_ask.h"

#include <ares.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/xalloc.h"

/* Fits into any path's packet: the DNS Flag Day 2020 size. */
#define UDP_BYTES 1232
#define CLASS_IN 1

struct dns_socket {
	struct dns_asker *asker;
	struct dns_socket *next;
	struct watch watch;
	int fd;
};

struct dns_asker {
	struct loop *loop;
	ares_channel channel;
	struct timer timer;
	struct dns_socket *sockets;
	uint32_t timeout_ms;
	bool is_closing;
};

struct question {
	struct dns_asker *asker;
	void (*fn)(void *arg, const struct dns_reply *r);
	void *arg;
	uint16_t type;
	char name[DNS_NAME_TEXT];
};

static pthread_once_t init_once = PTHREAD_ONCE_INIT;

static void
init_library(void)
{
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		abort();
}

static void
set_timer(struct dns_asker *a)
{
	struct timeval tv;

	if (ares_timeout(a->channel, NULL, &tv) == NULL) {
		timer_stop(&a->timer);
		return;
	}
	timer_set(&a->timer,
	    (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1);
}

static void
on_timer(void *arg)
{
	struct dns_asker *a = arg;

	ares_process_fd(a->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(a);
}

static void
on_socket(void *arg, int fd, bool can_read, bool can_write)
{
	struct dns_socket *s = arg;
	struct dns_asker *a = s->asker;

	/* This may close the socket, and with it free s. */
	ares_process_fd(a->channel, can_read ? fd : ARES_SOCKET_BAD,
	    can_write ? fd : ARES_SOCKET_BAD);
	set_timer(a);
}

static struct dns_socket **
find_socket(struct dns_asker *a, int fd)
{
	struct dns_socket **at = &a->sockets;

	while (*at != NULL && (*at)->fd != fd)
		at = &(*at)->next;
	return at;
}

/* c-ares has opened, closed, or wants something else of a socket. */
static void
on_socket_state(void *arg, ares_socket_t fd, int wants_read, int wants_write)
{
	struct dns_asker *a = arg;
	struct dns_socket **at = find_socket(a, fd), *s = *at;

	if (s != NULL)
		watch_stop(&s->watch);
	if (!wants_read && !wants_write) {
		if (s != NULL) {
			*at = s->next;
			free(s);
		}
		return;
	}
	if (s == NULL) {
		s = xcalloc(1, sizeof(*s));
		s->asker = a;
		s->fd = fd;
		s->next = a->sockets;
		a->sockets = s;
	}
	watch_start(&s->watch, a->loop, fd, wants_read != 0, wants_write != 0,
	    on_socket, s);
}

static bool
open_channel(struct dns_asker *a, const struct dns_config *c)
{
	struct ares_options o = {
		/* The end of a query closes its socket: fresh ports. */
		.flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH,
		.ednspsz = UDP_BYTES,
		.timeout = (int)c->timeout_ms,
		.tries = (int)c->tries,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = a,
	};
	const int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ |
			 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
			 ARES_OPT_SOCK_STATE_CB;
	int status = ares_init_options(&a->channel, &o, mask);

	if (status != ARES_SUCCESS) {
		log_error("dns", "%s", ares_strerror(status));
		a->channel = NULL;
	}
	return status == ARES_SUCCESS;
}

static bool
set_servers(struct dns_asker *a, const struct dns_config *c)
{
	struct text csv = TEXT_EMPTY;
	int status;
	size_t i;

	if (c->n_servers == 0)
		return true;
	for (i = 0; i < c->n_servers; i++) {
		if (i > 0)
			text_add_char(&csv, ',');
		text_add_z(&csv, c->servers[i]);
	}
	status = ares_set_servers_ports_csv(a->channel, csv.p);
	if (status != ARES_SUCCESS)
		log_error(
		    "dns", "servers \"%s\": %s", csv.p, ares_strerror(status));
	text_free(&csv);
	return status == ARES_SUCCESS;
}

struct dns_asker *
dns_asker_new(struct loop *l, const struct dns_config *c)
{
	struct dns_asker *a = xcalloc(1, sizeof(*a));

	pthread_once(&init_once, init_library);
	a->loop = l;
	a->timeout_ms = c->timeout_ms;
	timer_init(&a->timer, l, on_timer, a);
	if (open_channel(a, c) && set_servers(a, c))
		return a;
	dns_asker_free(a);
	return NULL;
}

void
dns_asker_free(struct dns_asker *a)
{
	if (a == NULL)
		return;
	a->is_closing = true;
	if (a->channel != NULL)
		ares_destroy(a->channel);
	timer_stop(&a->timer);
	free(a);
}

static enum dns_status
status_of(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return DNS_NO_NAME;
	case ARES_ENODATA:
		return DNS_NO_ADDRESS;
	case ARES_ETIMEOUT:
		return DNS_TIMEOUT;
	default:
		return DNS_FAILED;
	}
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *p, int n)
{
	struct question *q = arg;
	struct dns_reply r = { .status = status_of(status) };

	(void)timeouts;
	if (!q->asker->is_closing) {
		if (status == ARES_SUCCESS && p != NULL && n > 0 &&
		    dns_answers(p, (size_t)n, q->name, q->type))
			r.status = dns_parse(p, (size_t)n, r.addrs,
			    DNS_ADDRS_MOST, &r.n_addrs, &r.ttl_s);
		q->fn(q->arg, &r);
	}
	free(q);
}

void
dns_ask(struct dns_asker *a, const char *name, uint16_t type,
    void (*fn)(void *arg, const struct dns_reply *r), void *arg)
{
	struct question *q = xcalloc(1, sizeof(*q));
	unsigned char *query = NULL;
	unsigned short id;
	int n, status;

	*q =
	    (struct question){ .asker = a, .fn = fn, .arg = arg, .type = type };
	memcpy(q->name, name, strlen(name) + 1);
	/* Who can foretell it can answer in the server's place. */
	rng_kernel(&id, sizeof(id));
	status = ares_create_query(
	    name, CLASS_IN, type, id, 1, &query, &n, UDP_BYTES);
	if (status != ARES_SUCCESS) {
		on_answer(q, ARES_EBADNAME, 0, NULL, 0);
		return;
	}
	ares_send(a->channel, query, n, on_answer, q);
	ares_free_string(query);
	/* Exact after the next event; until then no later than due. */
	if (!timer_is_set(&a->timer))
		timer_set(&a->timer, a->timeout_ms);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * c-ares as the carrier of queries: it keeps sockets, times, and goes to TCP
 * for answers that were cut.  Its sockets are watched by our loop.  A channel
 * has one server and one try, because c-ares 1.18 asks servers always in the
 * same order, however long the first has been silent, and counts nothing.
 *
 * Against answers that are forged: each query has an id from the kernel, and a
 * socket is closed when its last query has ended, so that ports change too.
 */

#include "net/dns_channel.h"

#include <ares.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "net/addr.h"

/* Fits into any path's packet: the DNS Flag Day 2020 size. */
#define UDP_BYTES 1232
#define CLASS_IN 1
#define DNS_PORT 53

struct dns_socket {
	struct dns_channel *channel;
	struct dns_socket *next;
	struct watch watch;
	int fd;
};

struct dns_channel {
	struct loop *loop;
	ares_channel ares;
	struct timer timer;
	struct dns_socket *sockets;
	uint32_t timeout_ms;
	bool is_closing;
};

struct query {
	struct dns_channel *channel;
	void (*fn)(void *arg, enum dns_sent s, struct str bytes);
	void *arg;
};

static pthread_once_t init_once = PTHREAD_ONCE_INIT;

static void
init_library(void)
{
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		abort();
}

static void
set_timer(struct dns_channel *c)
{
	struct timeval tv;

	if (ares_timeout(c->ares, NULL, &tv) == NULL) {
		timer_stop(&c->timer);
		return;
	}
	timer_set(&c->timer,
	    (uint64_t)tv.tv_sec * 1000 + (uint64_t)tv.tv_usec / 1000 + 1);
}

static void
on_timer(void *arg)
{
	struct dns_channel *c = arg;

	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	set_timer(c);
}

static void
on_socket(void *arg, int fd, bool can_read, bool can_write)
{
	struct dns_socket *s = arg;
	struct dns_channel *c = s->channel;

	/* This may close the socket, and with it free s. */
	ares_process_fd(c->ares, can_read ? fd : ARES_SOCKET_BAD,
	    can_write ? fd : ARES_SOCKET_BAD);
	set_timer(c);
}

static struct dns_socket **
find_socket(struct dns_channel *c, int fd)
{
	struct dns_socket **at = &c->sockets;

	while (*at != NULL && (*at)->fd != fd)
		at = &(*at)->next;
	return at;
}

/* c-ares has opened, closed, or wants something else of a socket. */
static void
on_socket_state(void *arg, ares_socket_t fd, int wants_read, int wants_write)
{
	struct dns_channel *c = arg;
	struct dns_socket **at = find_socket(c, fd), *s = *at;

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
		s->channel = c;
		s->fd = fd;
		s->next = c->sockets;
		c->sockets = s;
	}
	watch_start(&s->watch, c->loop, fd, wants_read != 0, wants_write != 0,
	    on_socket, s);
}

static bool
open_ares(struct dns_channel *c)
{
	struct ares_options o = {
		/*
		 * The end of a query closes its socket: fresh ports.  Without
		 * NOCHECKRESP a SERVFAIL looks like a refused connection.
		 */
		.flags =
		    ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOCHECKRESP,
		.ednspsz = UDP_BYTES,
		.timeout = (int)c->timeout_ms,
		.tries = 1,
		.sock_state_cb = on_socket_state,
		.sock_state_cb_data = c,
	};
	const int mask = ARES_OPT_FLAGS | ARES_OPT_EDNSPSZ |
			 ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
			 ARES_OPT_SOCK_STATE_CB;
	int status = ares_init_options(&c->ares, &o, mask);

	if (status != ARES_SUCCESS) {
		log_error("dns", "%s", ares_strerror(status));
		c->ares = NULL;
	}
	return status == ARES_SUCCESS;
}

static bool
set_server(struct dns_channel *c, const char *server)
{
	int status = ares_set_servers_ports_csv(c->ares, server);

	if (status != ARES_SUCCESS)
		log_error(
		    "dns", "server \"%s\": %s", server, ares_strerror(status));
	return status == ARES_SUCCESS;
}

struct dns_channel *
dns_channel_new(struct loop *l, const char *server, uint32_t timeout_ms)
{
	struct dns_channel *c = xcalloc(1, sizeof(*c));

	pthread_once(&init_once, init_library);
	c->loop = l;
	c->timeout_ms = timeout_ms;
	timer_init(&c->timer, l, on_timer, c);
	if (open_ares(c) && set_server(c, server))
		return c;
	dns_channel_free(c);
	return NULL;
}

void
dns_channel_free(struct dns_channel *c)
{
	if (c == NULL)
		return;
	c->is_closing = true;
	if (c->ares != NULL)
		ares_destroy(c->ares);
	timer_stop(&c->timer);
	free(c);
}

static enum dns_sent
sent_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return SENT_ANSWERED;
	case ARES_ETIMEOUT:
		return SENT_LATE;
	case ARES_ECONNREFUSED:
		return SENT_REFUSED;
	default:
		return SENT_FAILED;
	}
}

static void
on_answer(void *arg, int status, int timeouts, unsigned char *p, int n)
{
	struct query *q = arg;
	struct str bytes = STR_NONE;

	(void)timeouts;
	if (p != NULL && n > 0)
		bytes = (struct str){ .p = (const char *)p, .len = (size_t)n };
	if (!q->channel->is_closing)
		q->fn(q->arg, sent_of(status), bytes);
	free(q);
}

void
dns_channel_send(struct dns_channel *c, const char *name, uint16_t type,
    void (*fn)(void *arg, enum dns_sent s, struct str bytes), void *arg)
{
	struct query *q = xcalloc(1, sizeof(*q));
	unsigned char *bytes = NULL;
	unsigned short id;
	int n, status;

	*q = (struct query){ .channel = c, .fn = fn, .arg = arg };
	/* Who can foretell it can answer in the server's place. */
	rng_kernel(&id, sizeof(id));
	status = ares_create_query(
	    name, CLASS_IN, type, id, 1, &bytes, &n, UDP_BYTES);
	if (status != ARES_SUCCESS) {
		on_answer(q, status, 0, NULL, 0);
		return;
	}
	ares_send(c->ares, bytes, n, on_answer, q);
	ares_free_string(bytes);
	/* Exact after the next event; until then no later than due. */
	if (!timer_is_set(&c->timer))
		timer_set(&c->timer, c->timeout_ms);
}

static void
tell_server(const struct ares_addr_port_node *node,
    void (*fn)(void *arg, const char *server), void *arg)
{
	struct addr a = { .len = 0 };
	char text[ADDR_TEXT];

	if (node->family == AF_INET) {
		a.len = sizeof(a.u.in);
		a.u.in.sin_family = AF_INET;
		a.u.in.sin_addr = node->addr.addr4;
	} else {
		a.len = sizeof(a.u.in6);
		a.u.in6.sin6_family = AF_INET6;
		memcpy(&a.u.in6.sin6_addr, &node->addr.addr6, 16);
	}
	addr_set_port(
	    &a, node->udp_port > 0 ? (uint16_t)node->udp_port : DNS_PORT);
	addr_print(&a, text);
	fn(arg, text);
}

void
dns_channel_system(void (*fn)(void *arg, const char *server), void *arg)
{
	struct ares_addr_port_node *servers = NULL, *node;
	ares_channel ares;

	pthread_once(&init_once, init_library);
	if (ares_init(&ares) != ARES_SUCCESS)
		return;
	if (ares_get_servers_ports(ares, &servers) == ARES_SUCCESS)
		for (node = servers; node != NULL; node = node->next)
			tell_server(node, fn, arg);
	ares_free_data(servers);
	ares_destroy(ares);
}

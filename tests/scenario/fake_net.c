/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See fake_net.h.  Every symbol of net/sock.c and of net/dns_ask.c is defined
 * here, so that the linker has no reason to take those two from the library.
 */

#include "scenario/fake_net.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "net/dns_ask.h"
#include "net/name_servers.h"
#include "net/sock.h"

#define MOST 256
#define QUERIES_MOST 1024
/* As long as net/dns_ask.c would take: three tries of two seconds. */
#define GIVE_UP_MS 6000
#define TRY_MS 2000

struct server {
	struct addr at;
	enum fake_server how;
};

static struct {
	void (*on_accept)(void *arg, const struct addr *at, int fd);
	void *arg;
	struct server servers[MOST];
	size_t n_servers;
	struct fake_name names[MOST];
	size_t n_names;
	unsigned asked[MOST]; /* as names */
	struct addr dials[QUERIES_MOST];
	size_t n_dials, dials_taken;
	char queries[QUERIES_MOST][128];
	size_t n_queries, queries_taken;
	/* By descriptor: what connecting came to; 0: it worked. */
	int errors[4096];
	int held[MOST]; /* other ends of what is never answered */
	size_t n_held;
} net;

static void
require(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	(void)fprintf(stderr, "fake net: %s\n", what);
	abort();
}

void
fake_net_init(
    void (*on_accept)(void *arg, const struct addr *at, int fd), void *arg)
{
	memset(&net, 0, sizeof(net));
	net.on_accept = on_accept;
	net.arg = arg;
}

void
fake_net_fini(void)
{
	for (size_t i = 0; i < net.n_held; i++)
		close(net.held[i]);
	net.n_held = 0;
}

static struct server *
find_server(const struct addr *at)
{
	for (size_t i = 0; i < net.n_servers; i++)
		if (addr_eq(&net.servers[i].at, at))
			return &net.servers[i];
	return NULL;
}

void
fake_net_server(const struct addr *at, enum fake_server how)
{
	struct server *s = find_server(at);

	if (s == NULL) {
		require(net.n_servers < MOST, "too many servers");
		s = &net.servers[net.n_servers++];
		s->at = *at;
	}
	s->how = how;
}

static struct fake_name *
find_name(const char *name)
{
	for (size_t i = 0; i < net.n_names; i++)
		if (strcmp(net.names[i].name, name) == 0)
			return &net.names[i];
	return NULL;
}

void
fake_net_name(const struct fake_name *n)
{
	struct fake_name *at = find_name(n->name);

	if (at == NULL) {
		require(net.n_names < MOST, "too many names");
		at = &net.names[net.n_names++];
	}
	*at = *n;
}

bool
fake_net_take_dial(struct addr *at)
{
	if (net.dials_taken == net.n_dials)
		return false;
	*at = net.dials[net.dials_taken++];
	return true;
}

bool
fake_net_take_query(char name[128])
{
	if (net.queries_taken == net.n_queries)
		return false;
	memcpy(name, net.queries[net.queries_taken++], 128);
	return true;
}

static void
note_error(int fd, int error)
{
	require(fd >= 0 && fd < (int)ARRAY_LEN(net.errors), "descriptors");
	net.errors[fd] = error;
}

static void
set_nonblocking(int fd)
{
	const int on = 1;

	require(fcntl(fd, F_SETFL, O_NONBLOCK) == 0, "fcntl");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	note_error(fd, 0);
}

void
fake_net_pair(int fd[2])
{
	int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct addr a;

	require(addr_parse(STR("127.0.0.1"), 0, &a), "address");
	require(bind(l, &a.u.sa, a.len) == 0 && listen(l, 1) == 0 &&
		    getsockname(l, &a.u.sa, &a.len) == 0,
	    "listen");
	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	require(connect(fd[1], &a.u.sa, a.len) == 0, "connect");
	fd[0] = accept4(l, NULL, NULL, SOCK_CLOEXEC);
	require(fd[0] != -1, "accept");
	close(l);
	set_nonblocking(fd[0]);
	set_nonblocking(fd[1]);
}

/* Writable at once, as a socket is whose connect(2) has failed. */
static int
dial_failing(int error)
{
	int fd[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0,
	    "socketpair");
	close(fd[1]);
	note_error(fd[0], error);
	return fd[0];
}

/* Never writable, as a socket is whose SYN is not answered. */
static int
dial_ignored(void)
{
	static const char fill[4096];
	int fd[2];

	require(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd) == 0,
	    "socketpair");
	while (send(fd[0], fill, sizeof(fill), MSG_NOSIGNAL) > 0)
		;
	require(net.n_held < MOST, "too many dials");
	net.held[net.n_held++] = fd[1];
	note_error(fd[0], 0);
	return fd[0];
}

static int
dial_accepted(const struct addr *a, bool aborts)
{
	int fd[2];

	fake_net_pair(fd);
	if (aborts) {
		sock_linger_reset(fd[1]);
		close(fd[1]);
	} else {
		net.on_accept(net.arg, a, fd[1]);
	}
	return fd[0];
}

/* What stands for net/sock.c. */

int
sock_connect(
    const struct addr *a, const struct sock_way *way, const char **what)
{
	struct server *s = find_server(a);
	char text[ADDR_TEXT];

	(void)way;
	*what = NULL;
	require(net.n_dials < QUERIES_MOST, "too many dials");
	net.dials[net.n_dials++] = *a;
	switch (s != NULL ? s->how : SERVER_UNKNOWN) {
	case SERVER_ACCEPTS:
		return dial_accepted(a, false);
	case SERVER_ABORTS:
		return dial_accepted(a, true);
	case SERVER_REFUSES:
		return dial_failing(ECONNREFUSED);
	case SERVER_IGNORES:
		return dial_ignored();
	case SERVER_UNREACHABLE:
		return dial_failing(EHOSTUNREACH);
	case SERVER_UNKNOWN:
		break;
	}
	addr_print(a, text);
	(void)fprintf(stderr, "fake net: nobody said what %s does\n", text);
	return dial_failing(ENETUNREACH);
}

int
sock_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	require(fd >= 0 && fd < (int)ARRAY_LEN(net.errors), "descriptors");
	if (net.errors[fd] != 0)
		return net.errors[fd];
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	return error;
}

void
sock_linger_reset(int fd)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

/* A story has no listeners: callers are handed to the connections. */

static int
not_here(void)
{
	errno = ENOSYS;
	return -1;
}

int
sock_listen(const struct addr *a, bool reuse_port, int backlog)
{
	(void)a;
	(void)reuse_port;
	(void)backlog;
	return not_here();
}

int
sock_listen_unix(const char *path, unsigned mode, int backlog)
{
	(void)path;
	(void)mode;
	(void)backlog;
	return not_here();
}

int
sock_accept(int fd, struct addr *from)
{
	(void)fd;
	(void)from;
	return not_here();
}

bool
sock_is_short(int error)
{
	return error == EMFILE || error == ENFILE;
}

int
sock_connect_unix(const char *path)
{
	(void)path;
	return not_here();
}

unsigned long
sock_raise_nofile(void)
{
	return 0;
}

/* What stands for net/dns_ask.c. */

struct question {
	struct dns_asker *asker;
	struct question *next;
	struct timer timer;
	void (*fn)(void *arg, const struct dns_reply *r);
	void *arg;
	struct dns_reply reply;
};

struct dns_asker {
	struct loop *loop;
	struct question *questions;
	struct name_servers servers; /* none */
};

struct dns_asker *
dns_asker_new(struct loop *l, const struct dns_config *c)
{
	struct dns_asker *a = xcalloc(1, sizeof(*a));

	(void)c;
	a->loop = l;
	return a;
}

static void
drop_question(struct question *q)
{
	struct question **at = &q->asker->questions;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	timer_stop(&q->timer);
	free(q);
}

void
dns_asker_free(struct dns_asker *a)
{
	if (a == NULL)
		return;
	while (a->questions != NULL)
		drop_question(a->questions);
	free(a);
}

static void
on_time(void *arg)
{
	struct question *q = arg;

	q->fn(q->arg, &q->reply);
	drop_question(q);
}

static void
fill_reply(struct dns_reply *r, const struct fake_name *n, uint16_t type)
{
	const int family = type == DNS_TYPE_A ? AF_INET : AF_INET6;

	*r = (struct dns_reply){ .status = DNS_NO_NAME };
	if (n == NULL || n->answer == ANSWER_UNKNOWN)
		return;
	r->ttl_s = n->ttl_s;
	switch (n->answer) {
	case ANSWER_FAILS:
		r->status = DNS_FAILED;
		return;
	case ANSWER_SILENT:
		r->status = DNS_TIMEOUT;
		r->is_unanswered = true;
		return;
	case ANSWER_UNKNOWN:
	case ANSWER_ADDRESSES:
		break;
	}
	for (size_t i = 0; i < n->n_addrs; i++)
		if (n->addrs[i].u.sa.sa_family == family)
			r->addrs[r->n_addrs++] = n->addrs[i];
	r->status = r->n_addrs > 0 ? DNS_OK : DNS_NO_ADDRESS;
}

unsigned
fake_net_asked(const char *name)
{
	const struct fake_name *n = find_name(name);

	return n != NULL ? net.asked[n - net.names] : 0;
}

/* One question of the story is two of ours: A and AAAA. */
static void
note_query(const char *name, uint16_t type)
{
	const struct fake_name *n = find_name(name);

	if (n != NULL)
		net.asked[n - net.names]++;
	if (type != DNS_TYPE_A)
		return;
	require(net.n_queries < QUERIES_MOST, "too many queries");
	(void)snprintf(
	    net.queries[net.n_queries++], sizeof(net.queries[0]), "%s", name);
}

const struct name_servers *
dns_asker_servers(const struct dns_asker *a)
{
	return &a->servers;
}

void
dns_ask(struct dns_asker *a, const char *name, uint16_t type,
    enum dns_effort effort, void (*fn)(void *arg, const struct dns_reply *r),
    void *arg)
{
	const struct fake_name *n = find_name(name);
	struct question *q = xcalloc(1, sizeof(*q));
	bool is_silent = n != NULL && n->answer == ANSWER_SILENT;
	unsigned patience_ms = effort == DNS_TRY_ALL ? GIVE_UP_MS : TRY_MS;

	q->asker = a;
	q->fn = fn;
	q->arg = arg;
	q->next = a->questions;
	a->questions = q;
	fill_reply(&q->reply, n, type);
	note_query(name, type);
	timer_init(&q->timer, a->loop, on_time, q);
	timer_set(&q->timer, is_silent ? patience_ms : 0);
}

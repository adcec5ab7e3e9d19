/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name server of tests and of the demonstration.  One thread waits for
 * both sockets, for TCP connections, and for delayed replies to fall due; the
 * lock guards the names and the counts, and is not held while it waits.
 */

#include "support/dns_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/reader.h"
#include "base/str.h"
#include "base/xalloc.h"

#define NAME_TEXT 256
#define MESSAGE_MOST 4096
#define CONNS_MOST 16
#define SEEN_MOST 64
#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_AAAA 28
#define TYPE_SRV 33
#define FLAGS 0x8180 /* a response, recursion desired and available */
#define FLAG_TC 0x0200
#define RCODE_NO_NAME 3

struct name {
	struct name *next;
	char *text;
	bool is_known;
	struct dns_server_answer answer; /* without its pointers */
	char *cname;
	struct text a;    /* 4 bytes each */
	struct text aaaa; /* 16 bytes each */
	struct text srv;  /* a length and that many bytes each */
	unsigned queries;
};

struct reply {
	struct reply *next;
	uint64_t due_ms;
	int fd;
	struct sockaddr_in to; /* UDP */
	struct text bytes;
};

struct conn {
	int fd; /* -1: free */
	struct text in;
};

struct dns_server {
	pthread_t thread;
	pthread_mutex_t lock;
	struct name *names;
	unsigned tcp_queries;
	struct dns_server_seen seen[SEEN_MOST]; /* the newest last */
	size_t n_seen;
	char address[32];

	int udp;
	int tcp;
	int stop;
	struct conn conns[CONNS_MOST];
	struct reply *replies;
};

struct query {
	uint16_t id;
	uint16_t type;
	char name[NAME_TEXT];
	struct str question; /* as it came */
};

static uint64_t
real_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static NORETURN void
die(const char *what)
{
	perror(what);
	abort();
}

static void
put16(struct text *t, unsigned n)
{
	text_add_char(t, (char)(n >> 8));
	text_add_char(t, (char)n);
}

static void
put_name(struct text *t, const char *name)
{
	struct str left = str_of(name), label;

	while (left.p != NULL) {
		label = str_cut(&left, '.');
		if (label.len == 0)
			continue;
		text_add_char(t, (char)label.len);
		text_add(t, label);
	}
	text_add_char(t, '\0');
}

static void
put_record(struct text *t, unsigned owner_at, unsigned type, uint32_t ttl_s,
    struct str data)
{
	put16(t, 0xc000 | owner_at);
	put16(t, type);
	put16(t, 1);
	put16(t, ttl_s >> 16);
	put16(t, ttl_s & 0xffff);
	put16(t, (unsigned)data.len);
	text_add(t, data);
}

static bool
parse_query(struct str bytes, struct query *q)
{
	struct reader r;
	size_t n = 0;
	uint8_t len;

	*q = (struct query){ .id = 0 };
	reader_init(&r, bytes.p, bytes.len);
	q->id = reader_u16(&r);
	reader_skip(&r, 10);
	while ((len = reader_u8(&r)) > 0) {
		struct str label = reader_bytes(&r, len);

		if (len > 63 || n + label.len + 2 > sizeof(q->name) ||
		    label.len == 0)
			return false;
		if (n > 0)
			q->name[n++] = '.';
		memcpy(q->name + n, label.p, label.len);
		n += label.len;
	}
	ascii_lower(q->name, n);
	q->type = reader_u16(&r);
	reader_skip(&r, 2);
	q->question =
	    str_first(str_from(bytes, 12), bytes.len - 12 - reader_left(&r));
	return !reader_is_bad(&r);
}

/* Under the lock; made when it is not there. */
static struct name *
get_name(struct dns_server *s, const char *text)
{
	struct name *n;

	for (n = s->names; n != NULL; n = n->next)
		if (str_eq_nocase(str_of(n->text), str_of(text)))
			return n;
	n = xcalloc(1, sizeof(*n));
	n->text = xstrdup(text);
	n->next = s->names;
	s->names = n;
	return n;
}

static void
forget(struct name *n)
{
	n->is_known = false;
	free(n->cname);
	n->cname = NULL;
	text_free(&n->a);
	text_free(&n->aaaa);
	text_free(&n->srv);
}

static unsigned
put_targets(struct text *t, const struct name *n, unsigned owner)
{
	struct reader r;
	unsigned records = 0;

	reader_init(&r, n->srv.p, n->srv.len);
	for (; reader_left(&r) > 0; records++)
		put_record(t, owner, TYPE_SRV, n->answer.ttl_s,
		    reader_bytes(&r, reader_u16(&r)));
	return records;
}

/* Returns how many records were added. */
static unsigned
put_answers(struct text *t, const struct name *n, uint16_t type)
{
	const struct text *v = type == TYPE_A ? &n->a : &n->aaaa;
	size_t size = type == TYPE_A ? 4 : 16, i;
	struct text target = TEXT_EMPTY;
	unsigned owner = 12, records = 0;

	if (n->cname != NULL) {
		put_name(&target, n->cname);
		put_record(
		    t, owner, TYPE_CNAME, n->answer.ttl_s, text_str(&target));
		owner = (unsigned)(t->len - target.len);
		text_free(&target);
		records++;
	}
	if (type == TYPE_SRV)
		return records + put_targets(t, n, owner);
	if (type != TYPE_A && type != TYPE_AAAA)
		return records;
	for (i = 0; i + size <= v->len; i += size, records++)
		put_record(t, owner, type, n->answer.ttl_s,
		    str_first(str_from(text_str(v), i), size));
	return records;
}

static void
put_header(struct text *t, uint16_t id, unsigned flags)
{
	put16(t, id);
	put16(t, FLAGS | flags);
	put16(t, 1);
	put16(t, 0);
	put16(t, 0);
	put16(t, 0);
}

/* Under the lock.  False: nothing is said. */
static bool
make_reply(
    const struct name *n, const struct query *q, bool is_tcp, struct text *out)
{
	const struct dns_server_answer *a = &n->answer;
	unsigned rcode = n->is_known ? a->rcode : RCODE_NO_NAME, records;
	bool is_cut = n->is_known && a->truncate && !is_tcp;

	if (n->is_known && (q->type == TYPE_A ? a->drop_a : a->drop_aaaa))
		return false;
	put_header(out, q->id, rcode | (is_cut ? FLAG_TC : 0));
	text_add(out, q->question);
	if (n->is_known && a->other_question)
		out->p[13] ^= 1;
	if (!n->is_known || rcode != 0 || is_cut)
		return true;
	records = put_answers(out, n, q->type);
	out->p[6] = (char)(records >> 8);
	out->p[7] = (char)records;
	if (a->cut_short && records > 0)
		out->len--;
	return true;
}

static void
send_reply(const struct reply *r)
{
	/* A peer that is gone is none of our business. */
	if (r->to.sin_port != 0)
		(void)sendto(r->fd, r->bytes.p, r->bytes.len, MSG_NOSIGNAL,
		    (const void *)&r->to, sizeof(r->to));
	else
		(void)send(r->fd, r->bytes.p, r->bytes.len, MSG_NOSIGNAL);
}

static void
free_reply(struct reply *r)
{
	text_free(&r->bytes);
	free(r);
}

/* Those that are due, or with fd those that can no longer be sent. */
static void
run_replies(struct dns_server *s, uint64_t now, int gone_fd)
{
	struct reply **at = &s->replies, *r;

	while ((r = *at) != NULL) {
		bool is_gone = r->fd == gone_fd;

		if (!is_gone && r->due_ms > now) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		if (!is_gone)
			send_reply(r);
		free_reply(r);
	}
}

/* Under the lock. */
static void
note_seen(struct dns_server *s, uint16_t id, uint16_t port)
{
	if (s->n_seen == SEEN_MOST)
		memmove(
		    s->seen, s->seen + 1, (--s->n_seen) * sizeof(s->seen[0]));
	s->seen[s->n_seen++] =
	    (struct dns_server_seen){ .id = id, .port = port };
}

/* to NULL: TCP. */
static void
answer(struct dns_server *s, int fd, const struct sockaddr_in *to,
    struct str bytes)
{
	struct text message = TEXT_EMPTY;
	struct reply *r;
	struct name *n;
	struct query q;
	bool is_said;

	if (!parse_query(bytes, &q))
		return;
	r = xcalloc(1, sizeof(*r));
	r->fd = fd;
	pthread_mutex_lock(&s->lock);
	n = get_name(s, q.name);
	n->queries++;
	s->tcp_queries += to == NULL;
	if (to != NULL)
		note_seen(s, q.id, ntohs(to->sin_port));
	is_said = make_reply(n, &q, to == NULL, &message);
	r->due_ms = real_ms() + (n->is_known ? n->answer.delay_ms : 0);
	pthread_mutex_unlock(&s->lock);
	if (to != NULL)
		r->to = *to;
	else
		put16(&r->bytes, (unsigned)message.len);
	text_add(&r->bytes, text_str(&message));
	text_free(&message);
	if (!is_said) {
		free_reply(r);
		return;
	}
	r->next = s->replies;
	s->replies = r;
}

static void
on_udp(struct dns_server *s)
{
	char bytes[MESSAGE_MOST];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	ssize_t n = recvfrom(
	    s->udp, bytes, sizeof(bytes), MSG_DONTWAIT, (void *)&from, &len);

	if (n > 0)
		answer(s, s->udp, &from,
		    (struct str){ .p = bytes, .len = (size_t)n });
}

static void
on_accept(struct dns_server *s)
{
	int fd = accept4(s->tcp, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	size_t i;

	for (i = 0; fd != -1 && i < CONNS_MOST; i++)
		if (s->conns[i].fd == -1) {
			s->conns[i].fd = fd;
			return;
		}
	if (fd != -1)
		close(fd);
}

static void
close_conn(struct dns_server *s, struct conn *c)
{
	run_replies(s, 0, c->fd);
	close(c->fd);
	c->fd = -1;
	text_free(&c->in);
}

static void
on_conn(struct dns_server *s, struct conn *c)
{
	char bytes[MESSAGE_MOST];
	ssize_t n = recv(c->fd, bytes, sizeof(bytes), 0);
	struct reader r;
	struct str one;

	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			close_conn(s, c);
		return;
	}
	text_add(&c->in, (struct str){ .p = bytes, .len = (size_t)n });
	for (;;) {
		reader_init(&r, c->in.p, c->in.len);
		one = reader_bytes(&r, reader_u16(&r));
		if (reader_is_bad(&r))
			return;
		answer(s, c->fd, NULL, one);
		c->in.len -= one.len + 2;
		memmove(c->in.p, c->in.p + one.len + 2, c->in.len);
	}
}

static int
wait_ms(const struct dns_server *s)
{
	uint64_t now = real_ms(), first = UINT64_MAX;
	const struct reply *r;

	for (r = s->replies; r != NULL; r = r->next)
		if (r->due_ms < first)
			first = r->due_ms;
	if (first == UINT64_MAX)
		return -1;
	return first > now ? (int)(first - now) : 0;
}

static void *
serve(void *arg)
{
	struct dns_server *s = arg;
	struct pollfd p[3 + CONNS_MOST];
	size_t i;

	for (;;) {
		p[0] = (struct pollfd){ .fd = s->stop, .events = POLLIN };
		p[1] = (struct pollfd){ .fd = s->udp, .events = POLLIN };
		p[2] = (struct pollfd){ .fd = s->tcp, .events = POLLIN };
		for (i = 0; i < CONNS_MOST; i++)
			p[3 + i] = (struct pollfd){ .fd = s->conns[i].fd,
				.events = POLLIN };
		if (poll(p, 3 + CONNS_MOST, wait_ms(s)) == -1 && errno != EINTR)
			die("poll");
		if (p[0].revents != 0)
			return NULL;
		if (p[1].revents != 0)
			on_udp(s);
		for (i = 0; i < CONNS_MOST; i++)
			if (p[3 + i].fd != -1 && p[3 + i].revents != 0)
				on_conn(s, &s->conns[i]);
		if (p[2].revents != 0)
			on_accept(s);
		run_replies(s, real_ms(), -1);
	}
}

/* UDP and TCP on one port, which is free for both. */
static bool
open_sockets(struct dns_server *s)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->udp == -1 || s->tcp == -1)
		die("socket");
	if (bind(s->udp, (const void *)&sin, sizeof(sin)) == 0 &&
	    getsockname(s->udp, (void *)&sin, &len) == 0 &&
	    bind(s->tcp, (const void *)&sin, sizeof(sin)) == 0 &&
	    listen(s->tcp, CONNS_MOST) == 0) {
		snprintf(s->address, sizeof(s->address), "127.0.0.1:%u",
		    ntohs(sin.sin_port));
		return true;
	}
	close(s->udp);
	close(s->tcp);
	return false;
}

struct dns_server *
dns_server_start(void)
{
	struct dns_server *s = xcalloc(1, sizeof(*s));
	unsigned tries = 0;
	size_t i;

	for (i = 0; i < CONNS_MOST; i++)
		s->conns[i].fd = -1;
	while (!open_sockets(s))
		if (++tries == 100)
			die("no port for a name server");
	s->stop = eventfd(0, EFD_CLOEXEC);
	if (s->stop == -1)
		die("eventfd");
	pthread_mutex_init(&s->lock, NULL);
	if (pthread_create(&s->thread, NULL, serve, s) != 0)
		die("pthread_create");
	return s;
}

const char *
dns_server_address(const struct dns_server *s)
{
	return s->address;
}

static void
pack(struct text *out, int family, size_t size, const char *const *v)
{
	char bytes[16];

	for (; v != NULL && *v != NULL; v++) {
		if (inet_pton(family, *v, bytes) != 1)
			die(*v);
		text_add(out, (struct str){ .p = bytes, .len = size });
	}
}

static void
pack_targets(struct text *out, const struct dns_server_srv *v)
{
	struct text one = TEXT_EMPTY;

	for (; v != NULL && v->target != NULL; v++) {
		text_clear(&one);
		put16(&one, v->priority);
		put16(&one, v->weight);
		put16(&one, v->port);
		put_name(&one, v->target);
		put16(out, (unsigned)one.len);
		text_add(out, text_str(&one));
	}
	text_free(&one);
}

void
dns_server_set(
    struct dns_server *s, const char *name, const struct dns_server_answer *a)
{
	struct name *n;

	pthread_mutex_lock(&s->lock);
	n = get_name(s, name);
	forget(n);
	n->is_known = true;
	n->answer = *a;
	pack(&n->a, AF_INET, 4, a->a);
	pack(&n->aaaa, AF_INET6, 16, a->aaaa);
	pack_targets(&n->srv, a->srv);
	if (a->cname != NULL)
		n->cname = xstrdup(a->cname);
	pthread_mutex_unlock(&s->lock);
}

void
dns_server_forget(struct dns_server *s, const char *name)
{
	pthread_mutex_lock(&s->lock);
	forget(get_name(s, name));
	pthread_mutex_unlock(&s->lock);
}

unsigned
dns_server_count(struct dns_server *s, const char *name)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = get_name(s, name)->queries;
	pthread_mutex_unlock(&s->lock);
	return n;
}

unsigned
dns_server_count_tcp(struct dns_server *s)
{
	unsigned n;

	pthread_mutex_lock(&s->lock);
	n = s->tcp_queries;
	pthread_mutex_unlock(&s->lock);
	return n;
}

size_t
dns_server_seen(struct dns_server *s, struct dns_server_seen *v, size_t max)
{
	size_t n;

	pthread_mutex_lock(&s->lock);
	n = s->n_seen < max ? s->n_seen : max;
	memcpy(v, s->seen + s->n_seen - n, n * sizeof(*v));
	pthread_mutex_unlock(&s->lock);
	return n;
}

void
dns_server_stop(struct dns_server *s)
{
	const uint64_t one = 1;
	struct name *n;
	size_t i;

	if (write(s->stop, &one, sizeof(one)) == -1)
		die("eventfd");
	pthread_join(s->thread, NULL);
	for (i = 0; i < CONNS_MOST; i++)
		if (s->conns[i].fd != -1)
			close_conn(s, &s->conns[i]);
	run_replies(s, 0, s->udp);
	while ((n = s->names) != NULL) {
		s->names = n->next;
		forget(n);
		free(n->text);
		free(n);
	}
	close(s->udp);
	close(s->tcp);
	close(s->stop);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

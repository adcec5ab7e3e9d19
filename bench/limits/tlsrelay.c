/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A limit: mutual TLS on one side, TLS on the other, both peers verified, and
 * nothing between them but the bytes.  One service, one thread.
 *
 *   tlsrelay PORT TO-PORT openssl|evp|ipsec-mb CERTS SERVER-NAME
 *
 * openssl   SSL_read and SSL_write, with read-ahead, and one send for what came
 * evp       OpenSSL shakes hands (TLS 1.3 only); then records are opened and
 *           sealed again where they lie, one recv and one send for many
 * ipsec-mb  the same with the AES-GCM of Intel's library
 */

#include "../chan.h"
#include "../port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define BATCH ((size_t)128 << 10)
#define ROOM ((size_t)512 << 10)
#define TURNS 8

/* buf: first what is sealed for the other side, then what came after it. */
struct side {
	struct chan chan;
	bool is_open;
	unsigned watched;
	uint8_t *buf;
	size_t have;
	size_t sealed;
	size_t sent;
	struct side *other;
	struct pair *pair;
};

/* The caller's side first. */
struct pair {
	struct side sides[2];
	bool is_dead;
	struct pair *next;
};

struct relay {
	int epoll;
	int listener;
	bool is_in_place;
	enum seal_engine engine;
	struct sockaddr_in to;
	const char *name;
	SSL_CTX *in;
	SSL_CTX *out;
	struct pair *graves;
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
watch(struct relay *r, struct side *s, unsigned events)
{
	struct epoll_event e = { .events = events, .data = { .ptr = s } };

	if (events == s->watched)
		return;
	s->watched = events;
	epoll_ctl(r->epoll, EPOLL_CTL_MOD, s->chan.fd, &e);
}

/* Whether what came on s waits for the other side. */
static bool
is_waiting(const struct side *s)
{
	return s->other->chan.out_size > 0 || s->sealed > 0;
}

static void
watch_both(struct relay *r, struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		struct side *s = &p->sides[i];

		watch(r, s,
		    (is_waiting(s) ? 0u : EPOLLIN) |
			(is_waiting(s->other) ? EPOLLOUT : 0u));
	}
}

/* false: nothing more can be done now. */
static bool
copy_some(struct side *s)
{
	static char text[SEAL_TEXT_MAX];
	struct chan *to = &s->other->chan;
	enum chan_status status = CHAN_OK;
	size_t batch = 0, n = sizeof(text);

	if (to->out_size == 0)
		while (batch < BATCH &&
		       (n == sizeof(text) || chan_has_more(&s->chan))) {
			n = chan_read(&s->chan, text, sizeof(text), &status);
			if (status == CHAN_END)
				s->pair->is_dead = true;
			if (status != CHAN_OK)
				break;
			chan_write(to, text, n);
			batch += n;
		}
	switch (chan_flush(to)) {
	case CHAN_OK:
		break;
	case CHAN_END:
		s->pair->is_dead = true;
		return false;
	case CHAN_WAIT:
		return false;
	}
	return status == CHAN_OK && batch >= BATCH;
}

/* Opens the whole records of buf and seals them for the other side. */
static void
turn_records(struct side *s)
{
	size_t from = 0, to = 0, size;

	while ((size = seal_size(s->buf + from, s->have - from)) != 0 &&
	       size <= s->have - from) {
		uint8_t *record = s->buf + from;
		uint8_t type;
		long n = seal_open(&s->chan.rx, record, size, &type);

		from += size;
		if (n < 0 || type == SEAL_ALERT) {
			s->pair->is_dead = true;
			return;
		}
		if (type != SEAL_DATA)
			continue;
		if (s->buf + to != record)
			memmove(s->buf + to + SEAL_HEAD, record + SEAL_HEAD,
			    (size_t)n);
		to += seal_close(
		    &s->other->chan.tx, s->buf + to, (size_t)n, SEAL_DATA);
	}
	s->sealed = to;
	s->have -= from - to;
	if (from != to)
		memmove(s->buf + to, s->buf + from, s->have - to);
}

static bool
send_sealed(struct side *s)
{
	while (s->sent < s->sealed) {
		enum chan_status status;

		s->sent += chan_send_raw(&s->other->chan, s->buf + s->sent,
		    s->sealed - s->sent, &status);
		if (status == CHAN_END)
			s->pair->is_dead = true;
		if (status != CHAN_OK)
			return false;
	}
	s->have -= s->sealed;
	memmove(s->buf, s->buf + s->sealed, s->have);
	s->sealed = s->sent = 0;
	return true;
}

static bool
turn_some(struct side *s)
{
	bool was_full = false;

	if (s->sealed == 0) {
		ssize_t n =
		    recv(s->chan.fd, s->buf + s->have, ROOM - s->have, 0);

		if (n == 0 || (n == -1 && errno != EAGAIN))
			s->pair->is_dead = true;
		if (n > 0)
			s->have += (size_t)n;
		was_full = s->have == ROOM;
		if (!s->pair->is_dead)
			turn_records(s);
	}
	return !s->pair->is_dead && send_sealed(s) && was_full;
}

static void
move(struct relay *r, struct side *s)
{
	for (int turn = 0; turn < TURNS && !s->pair->is_dead; turn++)
		if (!(r->is_in_place ? turn_some(s) : copy_some(s)))
			break;
}

/* What came with the last of the handshake becomes the first in buf. */
static void
own_records(struct relay *r, struct side *s)
{
	struct chan *c = &s->chan;
	const struct seal_secrets *k = &c->secrets;

	seal_fini(&c->rx);
	seal_fini(&c->tx);
	seal_init(
	    &c->rx, r->engine, c->is_client ? k->server : k->client, false);
	seal_init(
	    &c->tx, r->engine, c->is_client ? k->client : k->server, true);
	s->buf = malloc(ROOM);
	if (s->buf == NULL)
		die("malloc");
	s->have = c->in_end - c->in_pos;
	memcpy(s->buf, c->in + c->in_pos, s->have);
}

static void
watch_new(struct relay *r, struct side *s, unsigned events)
{
	struct epoll_event e = { .events = events, .data = { .ptr = s } };

	s->watched = events;
	epoll_ctl(r->epoll, EPOLL_CTL_ADD, s->chan.fd, &e);
}

static void
dial(struct relay *r, struct side *s)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (struct sockaddr *)&r->to, sizeof(r->to)) == -1)
		die("connect");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	chan_init(&s->chan, r->out, fd, true);
	SSL_set_tlsext_host_name(s->chan.ssl, r->name);
	SSL_set1_host(s->chan.ssl, r->name);
	watch_new(r, s, EPOLLIN | EPOLLOUT);
}

static void
shake_hands(struct relay *r, struct side *s)
{
	switch (chan_handshake(&s->chan)) {
	case CHAN_OK:
		break;
	case CHAN_WAIT:
		watch(r, s, EPOLLIN);
		return;
	case CHAN_END:
		s->pair->is_dead = true;
		return;
	}
	s->is_open = true;
	if (!s->chan.is_client) {
		watch(r, s, 0);
		dial(r, s->other);
		return;
	}
	if (r->is_in_place) {
		own_records(r, s->other);
		own_records(r, s);
		turn_records(s->other);
		turn_records(s);
	}
	move(r, s->other);
	move(r, s);
	watch_both(r, s->pair);
}

static void
step(struct relay *r, struct side *s, unsigned events)
{
	struct pair *p = s->pair;

	if (p->is_dead)
		return;
	if (!s->is_open) {
		shake_hands(r, s);
	} else if (!s->other->is_open) {
		p->is_dead = (events & (EPOLLHUP | EPOLLERR)) != 0;
	} else {
		if ((events & EPOLLOUT) != 0)
			move(r, s->other);
		if ((events & ~(unsigned)EPOLLOUT) != 0)
			move(r, s);
		if (!p->is_dead)
			watch_both(r, p);
	}
	if (!p->is_dead)
		return;
	p->next = r->graves;
	r->graves = p;
	for (int i = 0; i < 2; i++) {
		if (p->sides[i].chan.fd != -1)
			chan_fini(&p->sides[i].chan);
		free(p->sides[i].buf);
	}
}

static void
accept_all(struct relay *r)
{
	int fd;

	while ((fd = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK)) != -1) {
		struct pair *p = calloc(1, sizeof(*p));

		if (p == NULL)
			die("calloc");
		for (int i = 0; i < 2; i++) {
			p->sides[i].pair = p;
			p->sides[i].other = &p->sides[!i];
			p->sides[i].chan.fd = -1;
		}
		chan_init(&p->sides[0].chan, r->in, fd, false);
		watch_new(r, &p->sides[0], EPOLLIN);
	}
}

static void
free_graves(struct relay *r)
{
	while (r->graves != NULL) {
		struct pair *p = r->graves;

		r->graves = p->next;
		free(p);
	}
}

static SSL_CTX *
make_context(
    const struct relay *r, const SSL_METHOD *m, const char *certs, bool is_in)
{
	SSL_CTX *ctx = SSL_CTX_new(m);
	char ca[512], cert[512], key[512];

	snprintf(cert, sizeof(cert), "%s/egress.crt", certs);
	snprintf(key, sizeof(key), "%s/egress.key", certs);
	snprintf(
	    ca, sizeof(ca), "%s/%s-ca.crt", certs, is_in ? "mesh" : "outside");
	chan_context_setup(ctx, r->is_in_place ? "1.3" : NULL,
	    r->is_in_place ? CHAN_OWN : CHAN_OPENSSL);
	SSL_CTX_set_default_read_buffer_len(ctx, BATCH);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	if (SSL_CTX_load_verify_file(ctx, ca) != 1)
		die(ca);
	if (is_in &&
	    (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
		SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
		SSL_CTX_set_session_id_context(
		    ctx, (const uint8_t *)"relay", 5) != 1))
		die(cert);
	return ctx;
}

static void
prepare(struct relay *r, char **argv)
{
	struct epoll_event e = { .events = EPOLLIN };

	r->to = port_address(atoi(argv[2]));
	r->is_in_place = strcmp(argv[3], "openssl") != 0;
	r->engine = strcmp(argv[3], "ipsec-mb") == 0 ? SEAL_IPSEC_MB : SEAL_EVP;
	r->name = argv[5];
	r->in = make_context(r, TLS_server_method(), argv[4], true);
	r->out = make_context(r, TLS_client_method(), argv[4], false);
	r->epoll = epoll_create1(0);
	r->listener = port_listen(atoi(argv[1]));
	if (r->listener == -1)
		die("tlsrelay: listen");
	epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->listener, &e);
}

int
main(int argc, char **argv)
{
	struct relay r = { 0 };
	struct epoll_event events[EVENTS];

	if (argc != 6) {
		fprintf(stderr, "usage: tlsrelay PORT TO-PORT "
				"openssl|evp|ipsec-mb CERTS SERVER-NAME\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	prepare(&r, argv);
	if (r.is_in_place && strcmp(argv[3], "ipsec-mb") == 0 &&
	    seal_best() != SEAL_IPSEC_MB) {
		fprintf(stderr, "tlsrelay: built without ipsec-mb\n");
		return 1;
	}
	for (;;) {
		int n = epoll_wait(r.epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				accept_all(&r);
			else
				step(&r, events[i].data.ptr, events[i].events);
		}
		free_graves(&r);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The external server of the bench: one thread, as many ports as asked for,
 * plain or with TLS and a certificate of its own.
 *
 *   backend PORT | PORT:CERT:KEY[:CA] ...
 *
 *   GET /small   a small answer, the connection stays
 *   GET /bulk    the stream of cargo.h, for ever
 *   GET /raw     the same; what is not compared any more is sent without TLS,
 *                which no relay of bytes can tell
 *   PUT /sink    takes that stream, for ever
 *
 * A port with a CA is a limit: callers need a certificate, and shaking hands
 * costs as little as OpenSSL 3.0 allows.  It has one ticket, sessions are in
 * memory and verified chains are remembered.
 *
 * A connection that begins as one of HTTP/2, chosen by ALPN or not, is served
 * by h2_server.c.
 *
 * A sink that gets other bytes than it should says so and closes.
 */

#include "cargo.h"
#include "chan.h"
#include "h2_server.h"
#include "lean.h"
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define RECORD 16384
#define BATCH 12

enum job {
	JOB_ACCEPT,
	JOB_HANDSHAKE,
	JOB_REQUESTS,
	JOB_STREAMS,
	JOB_SEND,
	JOB_SEND_RAW,
	JOB_SINK,
	JOB_DROP,
	JOB_DEAD,
};

struct backend {
	struct cargo cargo;
	struct h2_cargo h2_cargo;
	char answer[512];
	size_t answer_size;
	int epoll;
};

/* A listener (with ctx) or a connection (with chan). */
struct peer {
	struct backend *b;
	SSL_CTX *ctx;
	struct chan chan;
	enum job job;
	bool is_raw;          /* as soon as nobody compares */
	struct h2_server *h2; /* of JOB_STREAMS */
	bool wants_out;
	uint64_t pos;
	size_t have;
	char buf[2 * RECORD];
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
watch(struct peer *p, bool out)
{
	struct epoll_event e = { .events = EPOLLIN | (out ? EPOLLOUT : 0u),
		.data = { .ptr = p } };

	if (p->wants_out == out)
		return;
	p->wants_out = out;
	epoll_ctl(p->b->epoll, EPOLL_CTL_MOD, p->chan.fd, &e);
}

static void
flush(struct peer *p)
{
	switch (chan_flush(&p->chan)) {
	case CHAN_OK:
		watch(p, p->job == JOB_SEND || p->job == JOB_SEND_RAW);
		break;
	case CHAN_WAIT:
		watch(p, true);
		break;
	case CHAN_END:
		p->job = JOB_DEAD;
		break;
	}
}

static void
send_stream(struct peer *p)
{
	for (int turn = 0; turn < 8; turn++) {
		flush(p);
		if (p->job == JOB_DEAD || p->chan.sent > 0)
			return;
		for (int i = 0;
		     i < BATCH && !(p->is_raw && p->pos >= CARGO_CHECKED);
		     i++) {
			chan_write(
			    &p->chan, cargo_at(&p->b->cargo, p->pos), RECORD);
			p->pos += RECORD;
		}
		if (p->is_raw && p->pos >= CARGO_CHECKED)
			break;
	}
	flush(p);
	if (p->is_raw && p->job == JOB_SEND && p->pos >= CARGO_CHECKED)
		p->job = JOB_SEND_RAW;
}

static void
send_raw(struct peer *p)
{
	enum chan_status status = CHAN_OK;

	flush(p);
	for (int turn = 0; turn < 4 && status == CHAN_OK; turn++) {
		if (p->job == JOB_DEAD || p->chan.sent > 0)
			return;
		p->pos += chan_send_raw(&p->chan,
		    cargo_at(&p->b->cargo, p->pos), CARGO_PERIOD, &status);
	}
	if (status == CHAN_END)
		p->job = JOB_DEAD;
}

/* Compares n bytes of a sink's stream. */
static void
sink(struct peer *p, const char *data, size_t n)
{
	if (!cargo_is(&p->b->cargo, p->pos, data, n)) {
		fprintf(stderr, "backend: other bytes than sent, near %llu\n",
		    (unsigned long long)p->pos);
		p->job = JOB_DEAD;
		return;
	}
	p->pos += n;
	if (p->pos >= CARGO_CHECKED)
		p->job = JOB_DROP;
}

static bool
begins(const struct peer *p, const char *text)
{
	return strncmp(p->buf, text, strlen(text)) == 0;
}

/* Serves the request whose head is the first n bytes of buf. */
static void
serve(struct peer *p, size_t n)
{
	static const char bad[] =
	    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
	static const char stream[] = "HTTP/1.1 200 OK\r\n\r\n";

	if (begins(p, "GET /small HTTP/1.1\r\n") &&
	    memmem(p->buf, n, "ost: ", 5) != NULL) {
		chan_write(&p->chan, p->b->answer, p->b->answer_size);
	} else if (begins(p, "GET /bulk ") || begins(p, "GET /raw ")) {
		p->is_raw = begins(p, "GET /raw ");
		chan_write(&p->chan, stream, sizeof(stream) - 1);
		p->job = JOB_SEND;
	} else if (begins(p, "PUT /sink ")) {
		p->job = JOB_SINK;
	} else {
		chan_write(&p->chan, bad, sizeof(bad) - 1);
	}
}

static void
serve_all(struct peer *p)
{
	char *end;

	while (p->job == JOB_REQUESTS &&
	       (end = memmem(p->buf, p->have, "\r\n\r\n", 4)) != NULL) {
		size_t n = (size_t)(end - p->buf) + 4;

		serve(p, n);
		p->have -= n;
		memmove(p->buf, p->buf + n, p->have);
	}
	if (p->job == JOB_SINK) {
		sink(p, p->buf, p->have);
		p->have = 0;
	}
}

static bool
begins_as_h2(const struct peer *p)
{
	return p->have >= H2_PREFACE_SIZE &&
	       memcmp(p->buf, H2_PREFACE, H2_PREFACE_SIZE) == 0;
}

/* Answers collect until all that has come is read. */
static void
serve_streams(struct peer *p)
{
	size_t used;

	if (!h2_server_take(p->h2, (const uint8_t *)p->buf, p->have, &used)) {
		p->job = JOB_DEAD;
		return;
	}
	p->have -= used;
	memmove(p->buf, p->buf + used, p->have);
}

static void
serve_any(struct peer *p)
{
	if (p->job == JOB_REQUESTS && begins_as_h2(p)) {
		p->h2 = h2_server_new(&p->b->h2_cargo);
		p->job = JOB_STREAMS;
		p->have -= H2_PREFACE_SIZE;
		memmove(p->buf, p->buf + H2_PREFACE_SIZE, p->have);
	}
	if (p->job == JOB_STREAMS)
		serve_streams(p);
	else
		serve_all(p);
}

static void
read_some(struct peer *p)
{
	enum chan_status status;

	do {
		size_t n = chan_read(&p->chan, p->buf + p->have,
		    sizeof(p->buf) - p->have, &status);

		if (status == CHAN_END) {
			p->job = JOB_DEAD;
			return;
		}
		if (p->job == JOB_SINK) {
			sink(p, p->buf, n);
		} else {
			p->have += n;
			serve_any(p);
		}
		if (p->have == sizeof(p->buf))
			p->job = JOB_DEAD;
	} while (status == CHAN_OK && chan_has_more(&p->chan) &&
		 p->job != JOB_DROP && p->job != JOB_DEAD);
}

static void
drop(struct peer *p)
{
	enum chan_status status;

	chan_drop(&p->chan, &status);
	if (status == CHAN_END)
		p->job = JOB_DEAD;
}

static void
accept_all(struct peer *listener)
{
	int fd;

	while ((fd = accept4(listener->chan.fd, NULL, NULL, SOCK_NONBLOCK)) !=
	       -1) {
		struct peer *p = calloc(1, sizeof(*p));
		struct epoll_event e = { .events = EPOLLIN,
			.data = { .ptr = p } };

		if (p == NULL)
			die("calloc");
		p->b = listener->b;
		p->job = JOB_HANDSHAKE;
		chan_init(&p->chan, listener->ctx, fd, false);
		if (epoll_ctl(p->b->epoll, EPOLL_CTL_ADD, fd, &e) == -1)
			die("epoll_ctl");
	}
}

static void
send_answers(struct peer *p)
{
	struct h2_link *l = &p->h2->link;

	if (l->out_size > 0)
		chan_write(&p->chan, l->out, l->out_size);
	h2_sent(l);
	flush(p);
}

static void
step(struct peer *p, uint32_t events)
{
	switch (p->job) {
	case JOB_ACCEPT:
		accept_all(p);
		return;
	case JOB_HANDSHAKE:
		switch (chan_handshake(&p->chan)) {
		case CHAN_OK:
			p->job = JOB_REQUESTS;
			read_some(p);
			break;
		case CHAN_WAIT:
			return;
		case CHAN_END:
			p->job = JOB_DEAD;
			break;
		}
		break;
	case JOB_REQUESTS:
	case JOB_STREAMS:
	case JOB_SINK:
		read_some(p);
		break;
	case JOB_DROP:
		drop(p);
		break;
	case JOB_SEND:
	case JOB_SEND_RAW:
		/* Nobody says anything here; only the end can come. */
		if ((events & EPOLLIN) != 0)
			read_some(p);
		break;
	case JOB_DEAD:
		break;
	}
	if (p->job == JOB_SEND)
		send_stream(p);
	else if (p->job == JOB_SEND_RAW)
		send_raw(p);
	else if (p->job == JOB_STREAMS)
		send_answers(p);
	else if (p->job == JOB_REQUESTS)
		flush(p);
	if (p->job == JOB_DEAD) {
		/* Politely, or its session would be forgotten. */
		chan_close(&p->chan);
		(void)chan_flush(&p->chan);
		chan_fini(&p->chan);
		h2_server_free(p->h2);
		free(p);
	}
}

static int
open_listener(int port)
{
	int fd = port_listen(port);

	if (fd == -1)
		die("backend: listen");
	return fd;
}

/* HTTP/2 where it is offered; else nothing is chosen. */
static int
choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_size,
    const unsigned char *offer, unsigned offer_size, void *arg)
{
	unsigned i = 0;

	(void)ssl;
	(void)arg;
	for (; i < offer_size; i += offer[i] + 1u) {
		*out = offer + i + 1;
		*out_size = offer[i];
		if (*out_size == H2_ALPN_SIZE - 1 &&
		    memcmp(*out, H2_ALPN + 1, *out_size) == 0)
			return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static SSL_CTX *
make_context(const char *cert, const char *key, const char *ca)
{
	OSSL_LIB_CTX *from = ca != NULL ? lean_context() : NULL;
	SSL_CTX *ctx = SSL_CTX_new_ex(from, NULL, TLS_server_method());

	chan_context_setup(ctx, NULL, ca != NULL ? CHAN_OPENSSL : CHAN_OWN);
	SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
	if (!lean_use_identity(ctx, cert, key))
		die(cert);
	if (ca == NULL)
		return ctx;
	/* Callers' certificates have the other one. */
	SSL_CTX_set1_groups_list(ctx, "X25519:P-256");
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
	SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"backend", 7);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	lean_remember_chains(ctx);
	if (SSL_CTX_load_verify_file(ctx, ca) != 1)
		die(ca);
	return ctx;
}

static void
listen_on(struct backend *b, char *spec)
{
	struct peer *p = calloc(1, sizeof(*p));
	struct epoll_event e = { .events = EPOLLIN, .data = { .ptr = p } };
	const char *port = strtok(spec, ":");
	const char *cert = strtok(NULL, ":");
	const char *key = cert == NULL ? NULL : strtok(NULL, ":");
	const char *ca = key == NULL ? NULL : strtok(NULL, ":");

	if (p == NULL || port == NULL || (cert != NULL && key == NULL)) {
		fprintf(
		    stderr, "usage: backend PORT | PORT:CERT:KEY[:CA] ...\n");
		exit(2);
	}
	p->b = b;
	p->job = JOB_ACCEPT;
	if (cert != NULL)
		p->ctx = make_context(cert, key, ca);
	p->chan.fd = open_listener(atoi(port));
	epoll_ctl(b->epoll, EPOLL_CTL_ADD, p->chan.fd, &e);
}

int
main(int argc, char **argv)
{
	struct backend b = { .epoll = epoll_create1(0) };
	struct epoll_event events[EVENTS];

	signal(SIGPIPE, SIG_IGN);
	cargo_init(&b.cargo);
	h2_cargo_init(&b.h2_cargo);
	b.answer_size = cargo_print_answer(b.answer, sizeof(b.answer));
	for (int i = 1; i < argc; i++)
		listen_on(&b, argv[i]);
	for (;;) {
		int n = epoll_wait(b.epoll, events, EVENTS, -1);

		if (n == -1 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++)
			step(events[i].data.ptr, events[i].events);
	}
}

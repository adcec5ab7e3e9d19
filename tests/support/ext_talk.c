/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the external server for tests says over one connection: echo, raw and
 * sink, and the faults in the middle.  HTTP is in ext_http.c.
 */

#include "support/ext_talk.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* A late handshake takes at most so long. */
#define LATE_MS 5000

static void
count_end(struct ext_peer *p, ssize_t n)
{
	struct ext_seen *seen = &p->server->seen;
	bool is_reset = n < 0 && errno == ECONNRESET;

	pthread_mutex_lock(&p->server->lock);
	if (is_reset)
		seen->resets++;
	else
		seen->ends++;
	pthread_mutex_unlock(&p->server->lock);
}

ssize_t
ext_read(struct ext_peer *p, void *b, size_t n)
{
	ssize_t got;

	errno = 0;
	got =
	    p->ssl != NULL ? SSL_read(p->ssl, b, (int)n) : recv(p->fd, b, n, 0);
	if (got <= 0)
		count_end(p, got);
	return got;
}

bool
ext_write(struct ext_peer *p, const void *b, size_t n)
{
	const char *from = b;
	ssize_t sent;

	while (n > 0) {
		sent = p->ssl != NULL
			   ? SSL_write(p->ssl, from, n > 16384 ? 16384 : (int)n)
			   : send(p->fd, from, n, MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
		from += sent;
		n -= (size_t)sent;
	}
	return true;
}

bool
ext_say(struct ext_peer *p, const char *fmt, ...)
{
	char b[12288];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(b, sizeof(b), fmt, ap);
	va_end(ap);
	return n >= 0 && (size_t)n < sizeof(b) && ext_write(p, b, (size_t)n);
}

void
ext_count_bytes(struct ext_peer *p, size_t n)
{
	pthread_mutex_lock(&p->server->lock);
	p->server->seen.bytes += n;
	pthread_mutex_unlock(&p->server->lock);
}

/* What the client said at the end of its newest handshake. */
struct finished {
	unsigned char b[64];
	size_t n;
};

static struct finished
finished(SSL *ssl)
{
	struct finished f = { .n = 0 };

	f.n = SSL_get_peer_finished(ssl, f.b, sizeof(f.b));
	return f;
}

static bool
is_done(SSL *ssl, const struct finished *before)
{
	struct finished now = finished(ssl);
	X509 *x;

	if (SSL_version(ssl) != TLS1_3_VERSION)
		return SSL_in_init(ssl) == 0 &&
		       (now.n != before->n ||
			   memcmp(now.b, before->b, now.n) != 0);
	x = SSL_get1_peer_certificate(ssl);
	X509_free(x);
	return x != NULL;
}

/*
 * The client answers in its own time, and may say other things before: look
 * at what comes without taking it until the handshake is through.
 */
static bool
await_answer(struct ext_peer *p, const struct finished *before)
{
	struct pollfd fd = { .fd = p->fd, .events = POLLIN };
	char b;
	int flags = fcntl(p->fd, F_GETFL), n = 0;
	bool ok;

	(void)fcntl(p->fd, F_SETFL, flags | O_NONBLOCK);
	while (!(ok = is_done(p->ssl, before))) {
		ERR_clear_error();
		n = SSL_peek(p->ssl, &b, 1);
		if (n <= 0 && SSL_get_error(p->ssl, n) != SSL_ERROR_WANT_READ)
			break;
		if (is_done(p->ssl, before))
			continue;
		if (n > 0 || poll(&fd, 1, LATE_MS) != 1)
			break;
	}
	(void)fcntl(p->fd, F_SETFL, flags);
	return ok;
}

/* A second handshake in the middle, as old servers do it. */
static bool
shake_again(struct ext_peer *p)
{
	struct ext_server *s = p->server;
	struct finished before = finished(p->ssl);
	bool asked;

	ERR_clear_error();
	if (s->config.fault == EXT_ASKS_FOR_CERT)
		SSL_set_verify(p->ssl,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	asked = SSL_version(p->ssl) == TLS1_3_VERSION
		    ? SSL_verify_client_post_handshake(p->ssl) == 1
		    : SSL_renegotiate(p->ssl) == 1;
	if (!asked || SSL_do_handshake(p->ssl) != 1 ||
	    !await_answer(p, &before)) {
		ext_remember_error(s, "late handshake");
		return false;
	}
	pthread_mutex_lock(&s->lock);
	s->seen.renegotiated++;
	pthread_mutex_unlock(&s->lock);
	return true;
}

bool
ext_do_fault(struct ext_peer *p)
{
	enum ext_fault f = p->server->config.fault;
	int times = f == EXT_RENEGOTIATES_FOREVER ? 1000 : 1;

	if (f == EXT_RESETS_LATE) {
		p->resets = true;
		return false;
	}
	if (p->ssl == NULL || p->did_fault ||
	    (f != EXT_RENEGOTIATES && f != EXT_ASKS_FOR_CERT &&
		f != EXT_RENEGOTIATES_FOREVER))
		return true;
	p->did_fault = true;
	for (int i = 0; i < times; i++)
		if (!shake_again(p))
			return false;
	ext_remember_peer(p->server, p->ssl);
	return true;
}

static void
talk_bytes(struct ext_peer *p)
{
	const struct ext_config *c = &p->server->config;
	uint64_t total = 0;
	ssize_t n;

	while ((n = ext_read(p, p->in, sizeof(p->in))) > 0) {
		total += (uint64_t)n;
		ext_count_bytes(p, (size_t)n);
		if (!ext_do_fault(p))
			return;
		if (c->protocol == EXT_SINK || c->fault == EXT_FINISHES)
			continue;
		if (c->protocol == EXT_ECHO &&
		    !ext_say(p, "echo %s: ", c->name))
			return;
		if (!ext_write(p, p->in, (size_t)n))
			return;
	}
	if (c->protocol == EXT_SINK && c->fault != EXT_FINISHES)
		(void)ext_say(p, "%llu\n", (unsigned long long)total);
}

static void
stall(struct ext_server *s)
{
	pthread_mutex_lock(&s->lock);
	while (!s->goes_on)
		pthread_cond_wait(&s->went_on, &s->lock);
	pthread_mutex_unlock(&s->lock);
}

static void
finish(struct ext_peer *p)
{
	if (p->ssl != NULL)
		SSL_shutdown(p->ssl);
	(void)shutdown(p->fd, SHUT_WR);
}

void
ext_talk(struct ext_peer *p)
{
	const struct ext_config *c = &p->server->config;

	if (c->greeting != NULL &&
	    !ext_write(p, c->greeting, strlen(c->greeting)))
		return;
	if (c->fault == EXT_FINISHES)
		finish(p);
	if (c->fault == EXT_STALLS)
		stall(p->server);
	if (c->protocol == EXT_HTTP)
		while (ext_answer(p))
			;
	else
		talk_bytes(p);
	ERR_clear_error();
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See h2_host.h. */

#include "h2_host.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"

#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define PREFACE_LEN (sizeof(PREFACE) - 1)
#define FRAME_HEADER 9

enum { DATA, HEADERS, RST_STREAM = 3, SETTINGS, PING = 6, GOAWAY };
enum { ACK = 1, END_STREAM = 1, END_HEADERS = 4 };

static void
put32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* What tests say is so little that the socket always takes it. */
static void
say(struct h2_host_conn *c, const void *p, size_t n)
{
	if (c->fd == -1)
		return;
	if (c->ssl != NULL)
		(void)SSL_write(c->ssl, p, (int)n);
	else
		(void)send(c->fd, p, n, MSG_NOSIGNAL);
}

static void
say_frame(struct h2_host_conn *c, uint8_t type, uint8_t flags, uint32_t id,
    const void *payload, size_t n)
{
	uint8_t b[64];

	cr_assert_leq(n, sizeof(b) - FRAME_HEADER);
	put32(b, (uint32_t)n << 8);
	b[3] = type;
	b[4] = flags;
	put32(b + 5, id);
	if (n > 0)
		memcpy(b + FRAME_HEADER, payload, n);
	say(c, b, FRAME_HEADER + n);
}

static void
say_settings(struct h2_host_conn *c, unsigned streams)
{
	uint8_t b[6] = { 0, 3 };

	c->streams = streams;
	put32(b + 2, streams);
	say_frame(c, SETTINGS, 0, 0, b, streams > 0 ? sizeof(b) : 0);
}

static void
say_reset(struct h2_host_conn *c, uint32_t id, uint32_t code)
{
	uint8_t b[4];

	put32(b, code);
	say_frame(c, RST_STREAM, 0, id, b, sizeof(b));
}

/* :status 200 is number 8 of HPACK's static table. */
static void
answer_first(struct h2_host_conn *c)
{
	cr_assert_gt(c->n_open, 0);
	say_frame(c, HEADERS, END_STREAM | END_HEADERS, c->open[0], "\x88", 1);
	memmove(c->open, c->open + 1, --c->n_open * sizeof(c->open[0]));
}

static void
on_request(struct h2_host_conn *c, uint32_t id)
{
	c->last_id = id;
	if (c->streams > 0 && c->n_open >= c->streams) {
		c->n_refused++;
		say_reset(c, id, 7);
		return;
	}
	c->n_requests++;
	cr_assert_lt(c->n_open, H2_HOST_STREAMS);
	c->open[c->n_open++] = id;
	if (c->n_open > c->n_most)
		c->n_most = c->n_open;
	if (!c->host->options.holds)
		answer_first(c);
}

static void
on_reset(struct h2_host_conn *c, uint32_t id)
{
	unsigned i;

	c->n_resets++;
	for (i = 0; i < c->n_open; i++)
		if (c->open[i] == id)
			break;
	if (i == c->n_open)
		return;
	c->n_open--;
	memmove(
	    c->open + i, c->open + i + 1, (c->n_open - i) * sizeof(c->open[0]));
}

static void
on_frame(struct h2_host_conn *c, const uint8_t *p, size_t n)
{
	uint32_t id = get32(p + 5) & 0x7fffffff;

	switch (p[3]) {
	case HEADERS:
		cr_expect(p[4] & END_STREAM, "requests have no body here");
		on_request(c, id);
		break;
	case RST_STREAM:
		on_reset(c, id);
		break;
	case SETTINGS:
		if ((p[4] & ACK) == 0)
			say_frame(c, SETTINGS, ACK, 0, NULL, 0);
		break;
	case PING:
		if ((p[4] & ACK) == 0)
			say_frame(c, PING, ACK, 0, p + FRAME_HEADER, n);
		break;
	default:
		break;
	}
}

static void
consume(struct h2_host_conn *c, size_t n)
{
	c->n_in -= n;
	memmove(c->in, c->in + n, c->n_in);
}

static void
parse(struct h2_host_conn *c)
{
	size_t n;

	if (!c->has_preface) {
		if (c->n_in < PREFACE_LEN)
			return;
		cr_assert_eq(memcmp(c->in, PREFACE, PREFACE_LEN), 0);
		c->has_preface = true;
		consume(c, PREFACE_LEN);
		if (!c->host->options.holds_settings)
			say_settings(c, c->host->options.streams);
	}
	while (c->n_in >= FRAME_HEADER) {
		n = get32(c->in) >> 8;
		if (c->n_in < FRAME_HEADER + n)
			break;
		on_frame(c, c->in, n);
		consume(c, FRAME_HEADER + n);
	}
}

static void
hang_up(struct h2_host_conn *c)
{
	if (c->fd == -1)
		return;
	watch_stop(&c->watch);
	SSL_free(c->ssl);
	c->ssl = NULL;
	close(c->fd);
	c->fd = -1;
}

/* 0: nothing now; -1: it is over. */
static ssize_t
receive(struct h2_host_conn *c, void *p, size_t n)
{
	ssize_t got;

	if (c->ssl == NULL) {
		got = recv(c->fd, p, n, 0);
		if (got == -1 && errno == EAGAIN)
			return 0;
		return got > 0 ? got : -1;
	}
	got = SSL_read(c->ssl, p, (int)n);
	if (got > 0)
		return got;
	return SSL_get_error(c->ssl, (int)got) == SSL_ERROR_WANT_READ ? 0 : -1;
}

static void
on_bytes(void *arg, int fd, bool can_read, bool can_write)
{
	struct h2_host_conn *c = arg;
	ssize_t n;

	(void)fd;
	(void)can_read;
	(void)can_write;
	while ((n = receive(c, c->in + c->n_in, sizeof(c->in) - c->n_in)) > 0) {
		c->n_in += (size_t)n;
		parse(c);
	}
	if (n == -1)
		hang_up(c);
}

static void
on_accept(void *arg, int fd, bool can_read, bool can_write)
{
	struct h2_host *h = arg;
	struct h2_host_conn *c;
	int got = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)can_read;
	(void)can_write;
	if (got == -1)
		return;
	cr_assert_lt(h->n_conns, H2_HOST_CONNS);
	c = xcalloc(1, sizeof(*c));
	c->host = h;
	c->fd = got;
	h->conns[h->n_conns++] = c;
	if (h->ctx != NULL) {
		c->ssl = SSL_new(h->ctx);
		SSL_set_fd(c->ssl, got);
		SSL_set_accept_state(c->ssl);
	}
	watch_start(&c->watch, h->loop, got, true, false, on_bytes, c);
}

static int
choose(SSL *ssl, const unsigned char **out, unsigned char *len,
    const unsigned char *in, unsigned n, void *arg)
{
	const struct h2_host *h = arg;
	const char *id = h->options.alpn;

	(void)ssl;
	(void)in;
	(void)n;
	if (id == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	*out = (const void *)id;
	*len = (unsigned char)strlen(id);
	return SSL_TLSEXT_ERR_OK;
}

static void *
make_ctx(struct h2_host *h, const struct pki *cert)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	BIO *b = BIO_new_mem_buf(cert->cert_pem, -1);
	BIO *k = BIO_new_mem_buf(cert->key_pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(k, NULL, NULL, NULL);

	cr_assert_eq(SSL_CTX_use_certificate(ctx, x), 1);
	cr_assert_eq(SSL_CTX_use_PrivateKey(ctx, key), 1);
	SSL_CTX_set_alpn_select_cb(ctx, choose, h);
	X509_free(x);
	EVP_PKEY_free(key);
	BIO_free(b);
	BIO_free(k);
	return ctx;
}

struct h2_host *
h2_host_start(struct loop *l, const struct h2_host_options *o)
{
	struct h2_host *h = xcalloc(1, sizeof(*h));
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(a);
	struct sockaddr *sa = (void *)&a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	cr_assert_eq(bind(fd, sa, len), 0);
	cr_assert_eq(listen(fd, H2_HOST_CONNS), 0);
	cr_assert_eq(getsockname(fd, sa, &len), 0);
	/* OpenSSL writes without MSG_NOSIGNAL. */
	(void)signal(SIGPIPE, SIG_IGN);
	h->options = *o;
	h->loop = l;
	h->fd = fd;
	h->port = ntohs(a.sin_port);
	if (o->cert != NULL)
		h->ctx = make_ctx(h, o->cert);
	watch_start(&h->watch, l, fd, true, false, on_accept, h);
	return h;
}

void
h2_host_stop(struct h2_host *h)
{
	int fd = h->fd;

	for (unsigned i = 0; i < h->n_conns; i++) {
		hang_up(h->conns[i]);
		free(h->conns[i]);
	}
	watch_stop(&h->watch);
	close(fd);
	SSL_CTX_free(h->ctx);
	free(h);
}

unsigned
h2_host_requests(const struct h2_host *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_conns; i++)
		n += h->conns[i]->n_requests;
	return n;
}

unsigned
h2_host_refused(const struct h2_host *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_conns; i++)
		n += h->conns[i]->n_refused;
	return n;
}

unsigned
h2_host_open_conns(const struct h2_host *h)
{
	unsigned n = 0;

	for (unsigned i = 0; i < h->n_conns; i++)
		n += h->conns[i]->fd != -1;
	return n;
}

void
h2_host_answer(struct h2_host *h, unsigned i, unsigned n)
{
	for (; n > 0; n--)
		answer_first(h->conns[i]);
}

void
h2_host_settings(struct h2_host *h, unsigned i, unsigned streams)
{
	say_settings(h->conns[i], streams);
}

void
h2_host_no_streams(struct h2_host *h, unsigned i)
{
	const uint8_t b[6] = { 0, 3 };

	say_frame(h->conns[i], SETTINGS, 0, 0, b, sizeof(b));
}

void
h2_host_goaway(struct h2_host *h, unsigned i, uint32_t last)
{
	uint8_t b[8] = { 0 };

	put32(b, last);
	say_frame(h->conns[i], GOAWAY, 0, 0, b, sizeof(b));
}

void
h2_host_reset(struct h2_host *h, unsigned i, uint32_t code)
{
	struct h2_host_conn *c = h->conns[i];

	cr_assert_gt(c->n_open, 0);
	say_reset(c, c->open[0], code);
	memmove(c->open, c->open + 1, --c->n_open * sizeof(c->open[0]));
}

void
h2_host_say(struct h2_host *h, unsigned i, const void *p, size_t n)
{
	say(h->conns[i], p, n);
}

void
h2_host_close(struct h2_host *h, unsigned i)
{
	hang_up(h->conns[i]);
}

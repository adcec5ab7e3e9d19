/* SPDX-License-Identifier: Apache-2.0 */
/* Lines and doors of a test: sockets, TLS, one poll. */

#include "support/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A peer is asked for more when less than this is unsent. */
#define OUT_SHORT 65536
#define READS_A_TURN 16

static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *len,
    const unsigned char *in, unsigned n, void *arg)
{
	const struct door *d = arg;
	struct line *l = SSL_get_app_data(ssl);
	size_t at = 0;

	for (unsigned i = 0; i < n && at < sizeof(l->offered); i += 1u + in[i])
		at += (size_t)snprintf(l->offered + at, sizeof(l->offered) - at,
		    "%s%.*s", at > 0 ? "," : "", (int)in[i],
		    (const char *)in + i + 1);
	for (unsigned i = 0; i < n && d->options.alpn != NULL;
	     i += 1u + in[i]) {
		if (in[i] != strlen(d->options.alpn) ||
		    memcmp(in + i + 1, d->options.alpn, in[i]) != 0)
			continue;
		*out = in + i + 1;
		*len = in[i];
		return SSL_TLSEXT_ERR_OK;
	}
	if (!d->options.insists)
		return SSL_TLSEXT_ERR_NOACK;
	*out = (const unsigned char *)d->options.alpn;
	*len = (unsigned char)strlen(d->options.alpn);
	return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *
make_ctx(struct door *d)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	BIO *cert = BIO_new_mem_buf(d->options.cert_pem, -1);
	BIO *key = BIO_new_mem_buf(d->options.key_pem, -1);
	X509 *x = PEM_read_bio_X509(cert, NULL, NULL, NULL);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);

	if (SSL_CTX_use_certificate(ctx, x) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, k) != 1)
		abort();
	SSL_CTX_set_alpn_select_cb(ctx, on_alpn, d);
	X509_free(x);
	EVP_PKEY_free(k);
	BIO_free(cert);
	BIO_free(key);
	return ctx;
}

struct door *
door_open(struct lines *ls, const struct door_options *o)
{
	struct door *d = calloc(1, sizeof(*d));
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);

	(void)signal(SIGPIPE, SIG_IGN);
	if (ls->n_doors == DOORS_MOST)
		abort();
	ls->doors[ls->n_doors++] = d;
	d->all = ls;
	d->options = *o;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	d->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (o->receive_buffer > 0)
		(void)setsockopt(d->fd, SOL_SOCKET, SO_RCVBUF,
		    &o->receive_buffer, sizeof(o->receive_buffer));
	if (bind(d->fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(d->fd, 512) != 0 ||
	    getsockname(d->fd, (struct sockaddr *)&a, &n) != 0)
		abort();
	d->port = ntohs(a.sin_port);
	if (o->cert_pem != NULL)
		d->ctx = make_ctx(d);
	return d;
}

void
door_close(struct door *d)
{
	if (d->fd != -1)
		(void)close(d->fd);
	d->fd = -1;
}

static struct line *
add_line(struct lines *ls, int fd)
{
	struct line *l = calloc(1, sizeof(*l));
	int one = 1;

	if (ls->n == LINES_MOST)
		abort();
	ls->v[ls->n++] = l;
	l->all = ls;
	l->fd = fd;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	return l;
}

static void
note_alpn(struct line *l)
{
	const unsigned char *alpn;
	unsigned n;

	SSL_get0_alpn_selected(l->ssl, &alpn, &n);
	(void)snprintf(l->alpn, sizeof(l->alpn), "%.*s", (int)n,
	    n > 0 ? (const char *)alpn : "");
}

struct line *
line_call(struct lines *ls, const struct mesh_options *o)
{
	struct mesh_client *m = calloc(1, sizeof(*m));
	struct line *l;

	if (!(o->sni != NULL ? mesh_open(m, o) : mesh_connect(m, o))) {
		mesh_close(m);
		free(m);
		return NULL;
	}
	l = add_line(ls, m->fd);
	l->mesh = m;
	l->ssl = m->ssl;
	if (l->ssl == NULL)
		return l;
	SSL_set_mode(l->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	note_alpn(l);
	return l;
}

void
line_set_peer(struct line *l, const struct line_ops *ops, void *peer)
{
	l->ops = ops;
	l->peer = peer;
}

bool
line_is_open(const struct line *l)
{
	return l->fd != -1 && l->end == LINE_OPEN;
}

void
line_close(struct line *l)
{
	if (l->fd == -1)
		return;
	if (l->mesh != NULL) {
		mesh_close(l->mesh);
	} else {
		if (l->ssl != NULL && !l->shakes)
			SSL_shutdown(l->ssl);
		SSL_free(l->ssl);
		(void)close(l->fd);
	}
	ERR_clear_error();
	l->ssl = NULL;
	l->fd = -1;
}

void
line_reset(struct line *l)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (l->fd == -1)
		return;
	(void)setsockopt(l->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (l->ssl != NULL)
		SSL_set_quiet_shutdown(l->ssl, 1);
	line_close(l);
}

/* What a call of OpenSSL that moved nothing means. */
static void
note_failure(struct line *l, int result)
{
	int no = errno, err = SSL_get_error(l->ssl, result);
	unsigned long e = ERR_peek_last_error();

	l->wants_write = err == SSL_ERROR_WANT_WRITE;
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return;
	if (err == SSL_ERROR_ZERO_RETURN)
		l->end = LINE_FIN;
	else if (err == SSL_ERROR_SYSCALL && (no == ECONNRESET || no == EPIPE))
		l->end = LINE_RST;
	else if (err == SSL_ERROR_SYSCALL ||
		 ERR_GET_REASON(e) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
		l->end = LINE_CUT;
	else
		l->end = LINE_FAILED;
	if (l->mesh != NULL)
		l->alert = l->mesh->alert;
	else if (ERR_GET_REASON(e) > SSL_AD_REASON_OFFSET)
		l->alert = ERR_GET_REASON(e) - SSL_AD_REASON_OFFSET;
	ERR_clear_error();
}

static void
shake(struct line *l)
{
	int n = SSL_accept(l->ssl);

	if (n != 1) {
		note_failure(l, n);
		if (l->end != LINE_OPEN)
			l->door->refused++;
		return;
	}
	l->shakes = l->wants_write = false;
	note_alpn(l);
	l->door->options.on_line(l, l->door->options.arg);
}

static ssize_t
read_some(struct line *l, char *b, size_t cap)
{
	ssize_t n;

	errno = 0;
	if (l->ssl != NULL) {
		n = SSL_read(l->ssl, b, (int)cap);
		if (n <= 0)
			note_failure(l, (int)n);
		return n;
	}
	n = recv(l->fd, b, cap, 0);
	if (n == 0)
		l->end = LINE_FIN;
	else if (n < 0 && errno != EAGAIN)
		l->end = LINE_RST;
	return n;
}

static void
take(struct line *l)
{
	char b[16384];
	ssize_t n = 1;

	for (int i = 0; i < READS_A_TURN; i++) {
		n = read_some(l, b, sizeof(b));
		if (n <= 0)
			break;
		l->got += (uint64_t)n;
		bytes_add(&l->in, b, (size_t)n);
	}
	if (l->ops != NULL)
		l->ops->on_in(l);
}

static ssize_t
write_some(struct line *l)
{
	size_t most = l->out.n < 1 << 20 ? l->out.n : 1 << 20;
	ssize_t n;

	errno = 0;
	if (l->ssl == NULL) {
		n = send(l->fd, l->out.p, most, MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN)
			l->end = LINE_RST;
		return n;
	}
	n = SSL_write(l->ssl, l->out.p, (int)most);
	if (n <= 0)
		note_failure(l, (int)n);
	return n;
}

static void
give(struct line *l)
{
	ssize_t n;

	while (l->end != LINE_RST && l->end != LINE_FAILED) {
		if (l->ops != NULL && l->out.n < OUT_SHORT && !l->has_finished)
			l->ops->on_room(l);
		if (l->out.n == 0)
			break;
		n = write_some(l);
		if (n <= 0)
			return;
		l->taken += (uint64_t)n;
		bytes_cut(&l->out, (size_t)n);
	}
	if (l->out.n > 0 || !l->finishes || l->has_finished)
		return;
	l->has_finished = true;
	if (l->ssl != NULL)
		SSL_shutdown(l->ssl);
	(void)shutdown(l->fd, SHUT_WR);
}

static void
welcome(struct door *d)
{
	int fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC);
	struct line *l;

	if (fd == -1)
		return;
	l = add_line(d->all, fd);
	l->door = d;
	d->accepted++;
	if (d->ctx == NULL) {
		d->options.on_line(l, d->options.arg);
		return;
	}
	l->ssl = SSL_new(d->ctx);
	l->shakes = true;
	SSL_set_app_data(l->ssl, l);
	SSL_set_mode(l->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_set_fd(l->ssl, fd);
}

static bool
reads(const struct line *l)
{
	return l->fd != -1 && l->end == LINE_OPEN && !l->is_stopped;
}

static bool
writes(const struct line *l)
{
	return l->fd != -1 && l->end != LINE_RST && l->end != LINE_FAILED &&
	       (l->out.n > 0 || l->wants_write);
}

/* What the other side says while we do not listen: only that it is gone. */
static void
notice(struct line *l, short revents)
{
	if ((revents & POLLERR) == 0)
		return;
	l->end = LINE_RST;
	if (l->ops != NULL)
		l->ops->on_in(l);
}

static int
fill(struct lines *ls, struct pollfd *fds, bool *has_pending)
{
	int n = 0;

	for (size_t i = 0; i < ls->n; i++) {
		struct line *l = ls->v[i];

		if (l->fd != -1 && !l->shakes)
			give(l);
		if (reads(l) && l->ssl != NULL && SSL_pending(l->ssl) > 0)
			*has_pending = true;
		fds[n].fd = l->end == LINE_OPEN || writes(l) ? l->fd : -1;
		fds[n].revents = 0;
		fds[n++].events = (short)((reads(l) ? POLLIN : 0) |
					  (writes(l) ? POLLOUT : 0));
	}
	for (size_t i = 0; i < ls->n_doors; i++)
		fds[n++] =
		    (struct pollfd){ .fd = ls->doors[i]->fd, .events = POLLIN };
	return n;
}

void
lines_turn(struct lines *ls, unsigned ms)
{
	struct pollfd fds[LINES_MOST + DOORS_MOST];
	bool has_pending = false;
	size_t n = ls->n;

	if (poll(fds, (nfds_t)fill(ls, fds, &has_pending),
		has_pending ? 0 : (int)ms) < 0)
		return;
	for (size_t i = 0; i < n; i++) {
		struct line *l = ls->v[i];

		if (l->fd == -1 || l->end == LINE_FAILED)
			continue;
		if (l->shakes)
			shake(l);
		else if (reads(l))
			take(l);
		else
			notice(l, fds[i].revents);
		if (l->fd != -1 && !l->shakes)
			give(l);
	}
	for (size_t i = 0; i < ls->n_doors; i++)
		if (fds[n + i].revents != 0)
			welcome(ls->doors[i]);
}

void
lines_free(struct lines *ls)
{
	for (size_t i = 0; i < ls->n; i++) {
		struct line *l = ls->v[i];

		line_close(l);
		if (l->ops != NULL)
			l->ops->free(l->peer);
		bytes_free(&l->in);
		bytes_free(&l->out);
		free(l->mesh);
		free(l);
	}
	for (size_t i = 0; i < ls->n_doors; i++) {
		door_close(ls->doors[i]);
		SSL_CTX_free(ls->doors[i]->ctx);
		free(ls->doors[i]);
	}
	memset(ls, 0, sizeof(*ls));
}

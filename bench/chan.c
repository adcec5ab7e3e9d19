/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TLS connection of the load generator or of the backend.
 * What it carries is not here, nor when it is readable: see load.c, backend.c.
 */

#include "chan.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DROP_MAX (1 << 22)

void
chan_context_setup(SSL_CTX *ctx, const char *version)
{
	bool old = version != NULL && strcmp(version, "1.2") == 0;
	bool new = version != NULL &&strcmp(version, "1.3") == 0;

	SSL_CTX_set_min_proto_version(
	    ctx, new ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(
	    ctx, old ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_set_cipher_list(ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
	SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
	/* In TLS 1.2 the list is also of curves that certificates may have. */
	SSL_CTX_set1_groups_list(ctx, old ? "X25519:P-256" : "X25519");
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
}

void
chan_init(struct chan *c, SSL_CTX *ctx, int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->fd = fd;
	c->sent = 0;
	c->ssl = SSL_new(ctx);
	c->out = BIO_new(BIO_s_mem());
	if (c->ssl == NULL || c->out == NULL)
		abort();
	SSL_set_bio(c->ssl, BIO_new_socket(fd, BIO_NOCLOSE), c->out);
}

void
chan_fini(struct chan *c)
{
	SSL_free(c->ssl);
	close(c->fd);
	c->ssl = NULL;
}

/* What an answer of OpenSSL means to us: all but "more, please" is an end. */
static enum chan_status
judge(struct chan *c, int result)
{
	if (result > 0)
		return CHAN_OK;
	if (SSL_get_error(c->ssl, result) == SSL_ERROR_WANT_READ)
		return CHAN_WAIT;
	ERR_clear_error();
	return CHAN_END;
}

enum chan_status
chan_handshake(struct chan *c)
{
	enum chan_status status = judge(c, SSL_do_handshake(c->ssl));

	/* An alert is sent as well. */
	if (chan_flush(c) == CHAN_END)
		return CHAN_END;
	return status;
}

size_t
chan_read(struct chan *c, void *buf, size_t size, enum chan_status *status)
{
	int got = SSL_read(c->ssl, buf, (int)size);

	*status = judge(c, got);
	return got > 0 ? (size_t)got : 0;
}

/* With read-ahead OpenSSL may hold records that no poll tells of. */
bool
chan_has_more(const struct chan *c)
{
	return SSL_has_pending(c->ssl) == 1;
}

void
chan_write(struct chan *c, const void *data, size_t size)
{
	if (SSL_write(c->ssl, data, (int)size) != (int)size)
		abort();
}

enum chan_status
chan_flush(struct chan *c)
{
	char *data;
	size_t size = (size_t)BIO_get_mem_data(c->out, &data);

	while (c->sent < size) {
		ssize_t put =
		    send(c->fd, data + c->sent, size - c->sent, MSG_NOSIGNAL);

		if (put == -1 && errno == EAGAIN)
			return CHAN_WAIT;
		if (put == -1)
			return CHAN_END;
		c->sent += (size_t)put;
	}
	if (size > 0)
		(void)BIO_reset(c->out);
	c->sent = 0;
	return CHAN_OK;
}

size_t
chan_drop(struct chan *c, enum chan_status *status)
{
	char nothing;
	ssize_t got = recv(c->fd, &nothing, DROP_MAX, MSG_TRUNC);

	*status = CHAN_OK;
	if (got > 0)
		return (size_t)got;
	*status = got == -1 && errno == EAGAIN ? CHAN_WAIT : CHAN_END;
	return 0;
}

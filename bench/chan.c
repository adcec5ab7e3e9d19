/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection of the load generator, of the backend or of a limit.
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
#define IN_ROOM ((size_t)65536)

void
chan_context_setup(SSL_CTX *ctx, const char *version, enum chan_records records)
{
	bool old = version != NULL && strcmp(version, "1.2") == 0;
	bool new = version != NULL &&strcmp(version, "1.3") == 0;

	SSL_CTX_set_min_proto_version(
	    ctx, new ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(
	    ctx, old ? TLS1_2_VERSION : TLS1_3_VERSION);
	SSL_CTX_set_cipher_list(
	    ctx, "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256");
	SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256");
	/* In TLS 1.2 the list is also of curves that certificates may have. */
	SSL_CTX_set1_groups_list(ctx, old ? "X25519:P-256" : "X25519");
	SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
	if (records == CHAN_OWN) {
		seal_listen(ctx);
		/* They would be records that we do not count. */
		SSL_CTX_set_num_tickets(ctx, 0);
	} else {
		SSL_CTX_set_read_ahead(ctx, 1);
	}
}

/* Once a buffer is empty what comes goes to the front of it. */
static ssize_t
fill(struct chan *c)
{
	ssize_t got;

	if (c->in == NULL)
		c->in = malloc(IN_ROOM);
	if (c->in == NULL)
		abort();
	if (c->in_pos == c->in_end)
		c->in_pos = c->in_end = 0;
	if (c->in_end + SEAL_RECORD_MAX > IN_ROOM) {
		memmove(c->in, c->in + c->in_pos, c->in_end - c->in_pos);
		c->in_end -= c->in_pos;
		c->in_pos = 0;
	}
	got = recv(c->fd, c->in + c->in_end, IN_ROOM - c->in_end, 0);
	if (got > 0)
		c->in_end += (size_t)got;
	return got;
}

/* A record at a time when it may be the last that OpenSSL is to see, else as
 * much as it has room for. */
static int
bio_read(BIO *bio, char *buf, int size)
{
	struct chan *c = BIO_get_data(bio);
	size_t n = (size_t)size;
	ssize_t got;

	BIO_clear_retry_flags(bio);
	if (c->may_own && c->in_pos == c->in_end)
		got = fill(c);
	else if (!c->may_own)
		got = recv(c->fd, buf, n, 0);
	else
		got = 1;
	if (got == -1 && errno == EAGAIN)
		BIO_set_retry_read(bio);
	if (got <= 0 || !c->may_own)
		return (int)got;
	if (n > c->in_end - c->in_pos)
		n = c->in_end - c->in_pos;
	memcpy(buf, c->in + c->in_pos, n);
	c->in_pos += n;
	return (int)n;
}

/* Where n more bytes may be put. */
static uint8_t *
make_room(struct chan *c, size_t n)
{
	if (c->out_size + n > c->out_room) {
		c->out_room = 2 * c->out_room + n;
		c->out = realloc(c->out, c->out_room);
		if (c->out == NULL)
			abort();
	}
	return c->out + c->out_size;
}

static int
bio_write(BIO *bio, const char *data, int size)
{
	struct chan *c = BIO_get_data(bio);

	memcpy(make_room(c, (size_t)size), data, (size_t)size);
	c->out_size += (size_t)size;
	return size;
}

static long
bio_ctrl(BIO *bio, int what, long n, void *p)
{
	(void)bio;
	(void)n;
	(void)p;
	return what == BIO_CTRL_FLUSH;
}

static BIO *
make_bio(struct chan *c)
{
	static BIO_METHOD *method;
	BIO *bio;

	if (method == NULL) {
		method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "chan");
		BIO_meth_set_read(method, bio_read);
		BIO_meth_set_write(method, bio_write);
		BIO_meth_set_ctrl(method, bio_ctrl);
	}
	bio = BIO_new(method);
	if (bio == NULL)
		abort();
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	return bio;
}

void
chan_init(struct chan *c, SSL_CTX *ctx, int fd, bool is_client)
{
	int one = 1;
	BIO *bio;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	*c = (struct chan){ .fd = fd, .is_client = is_client };
	if (ctx == NULL)
		return;
	c->may_own = SSL_CTX_get_keylog_callback(ctx) != NULL;
	c->ssl = SSL_new(ctx);
	if (c->ssl == NULL)
		abort();
	SSL_set_app_data(c->ssl, &c->secrets);
	bio = make_bio(c);
	SSL_set_bio(c->ssl, bio, bio);
	if (is_client)
		SSL_set_connect_state(c->ssl);
	else
		SSL_set_accept_state(c->ssl);
}

void
chan_fini(struct chan *c)
{
	SSL_free(c->ssl);
	seal_fini(&c->rx);
	seal_fini(&c->tx);
	free(c->in);
	free(c->out);
	close(c->fd);
	*c = (struct chan){ .fd = -1 };
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

static void
take_over(struct chan *c)
{
	const struct seal_secrets *s = &c->secrets;

	if (!c->may_own || SSL_version(c->ssl) != TLS1_3_VERSION ||
	    !s->has_client || !s->has_server)
		return;
	seal_init(
	    &c->rx, seal_best(), c->is_client ? s->server : s->client, false);
	seal_init(
	    &c->tx, seal_best(), c->is_client ? s->client : s->server, true);
	SSL_set_quiet_shutdown(c->ssl, 1);
	SSL_free(c->ssl);
	c->ssl = NULL;
	c->is_own = true;
}

enum chan_status
chan_handshake(struct chan *c)
{
	enum chan_status status;

	if (c->ssl == NULL)
		return CHAN_OK;
	status = judge(c, SSL_do_handshake(c->ssl));
	/* An alert is sent as well. */
	if (chan_flush(c) == CHAN_END)
		return CHAN_END;
	if (status == CHAN_OK)
		take_over(c);
	return status;
}

static bool
has_record(const struct chan *c)
{
	size_t have = c->in_end - c->in_pos;
	size_t size = seal_size(c->in + c->in_pos, have);

	return size != 0 && size <= have;
}

/* Opens the next record; what is not data is passed over. */
static enum chan_status
open_record(struct chan *c)
{
	uint8_t *record = c->in + c->in_pos;
	size_t size = seal_size(record, SEAL_HEAD);
	uint8_t type;
	long n = seal_open(&c->rx, record, size, &type);

	c->in_pos += size;
	if (n < 0 || type == SEAL_ALERT)
		return CHAN_END;
	if (type == SEAL_HANDSHAKE && record[SEAL_HEAD] != 4)
		return CHAN_END;
	if (type != SEAL_DATA)
		return CHAN_OK;
	c->open_pos = (size_t)(record - c->in) + SEAL_HEAD;
	c->open_left = (size_t)n;
	return CHAN_OK;
}

static size_t
read_own(struct chan *c, void *buf, size_t size, enum chan_status *status)
{
	*status = CHAN_OK;
	if (c->open_left == 0 && !has_record(c)) {
		ssize_t got = fill(c);

		*status = got == -1 && errno == EAGAIN ? CHAN_WAIT : CHAN_END;
		if (got <= 0)
			return 0;
	}
	while (c->open_left == 0) {
		*status = CHAN_WAIT;
		if (!has_record(c))
			return 0;
		*status = open_record(c);
		if (*status == CHAN_END)
			return 0;
	}
	if (size > c->open_left)
		size = c->open_left;
	memcpy(buf, c->in + c->open_pos, size);
	c->open_pos += size;
	c->open_left -= size;
	*status = CHAN_OK;
	return size;
}

static size_t
read_plain(struct chan *c, void *buf, size_t size, enum chan_status *status)
{
	ssize_t got = recv(c->fd, buf, size, 0);

	*status = CHAN_OK;
	if (got > 0)
		return (size_t)got;
	*status = got == -1 && errno == EAGAIN ? CHAN_WAIT : CHAN_END;
	return 0;
}

size_t
chan_read(struct chan *c, void *buf, size_t size, enum chan_status *status)
{
	int got;

	if (c->is_own)
		return read_own(c, buf, size, status);
	if (c->ssl == NULL)
		return read_plain(c, buf, size, status);
	got = SSL_read(c->ssl, buf, (int)size);
	*status = judge(c, got);
	return got > 0 ? (size_t)got : 0;
}

bool
chan_has_more(const struct chan *c)
{
	if (c->is_own)
		return c->open_left > 0 || has_record(c);
	/* With read-ahead OpenSSL holds records of its own. */
	return c->ssl != NULL &&
	       (SSL_has_pending(c->ssl) == 1 || c->in_pos < c->in_end);
}

static void
write_record(struct chan *c, const void *data, size_t size, uint8_t type)
{
	uint8_t *record = make_room(c, size + SEAL_MORE);

	memcpy(record + SEAL_HEAD, data, size);
	c->out_size += seal_close(&c->tx, record, size, type);
}

void
chan_write(struct chan *c, const void *data, size_t size)
{
	const uint8_t *from = data;

	if (c->ssl != NULL) {
		if (SSL_write(c->ssl, data, (int)size) != (int)size)
			abort();
		return;
	}
	if (!c->is_own) {
		memcpy(make_room(c, size), data, size);
		c->out_size += size;
		return;
	}
	while (size > 0) {
		size_t n = size < SEAL_TEXT_MAX ? size : SEAL_TEXT_MAX;

		write_record(c, from, n, SEAL_DATA);
		from += n;
		size -= n;
	}
}

void
chan_close(struct chan *c)
{
	static const uint8_t close_notify[] = { 1, 0 };

	if (c->ssl != NULL && SSL_shutdown(c->ssl) < 0)
		ERR_clear_error();
	else if (c->is_own)
		write_record(c, close_notify, sizeof(close_notify), SEAL_ALERT);
}

size_t
chan_send_raw(
    struct chan *c, const void *data, size_t size, enum chan_status *status)
{
	ssize_t put = send(c->fd, data, size, MSG_NOSIGNAL);

	*status = CHAN_OK;
	if (put >= 0)
		return (size_t)put;
	*status = errno == EAGAIN ? CHAN_WAIT : CHAN_END;
	return 0;
}

enum chan_status
chan_flush(struct chan *c)
{
	while (c->sent < c->out_size) {
		enum chan_status status;

		c->sent += chan_send_raw(
		    c, c->out + c->sent, c->out_size - c->sent, &status);
		if (status != CHAN_OK)
			return status;
	}
	c->out_size = 0;
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

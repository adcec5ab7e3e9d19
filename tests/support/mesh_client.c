/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mesh caller for tests, on plain blocking OpenSSL: nothing of the code
 * under test is in it.
 */

#include "support/mesh_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in
address_of(const char *host, uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	if (inet_pton(AF_INET, host, &a.sin_addr) != 1)
		abort();
	return a;
}

bool
mesh_connect(struct mesh_client *m, const struct mesh_options *o)
{
	struct sockaddr_in to =
	    address_of(o->host != NULL ? o->host : "127.0.0.1", o->port);
	struct sockaddr_in from;
	struct timeval tv;
	int one = 1;

	memset(m, 0, sizeof(*m));
	(void)signal(SIGPIPE, SIG_IGN);
	m->timeout_ms = o->timeout_ms != 0 ? o->timeout_ms : 10000;
	tv.tv_sec = m->timeout_ms / 1000;
	tv.tv_usec = (m->timeout_ms % 1000) * 1000;
	m->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(m->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	(void)setsockopt(m->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	(void)setsockopt(m->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (o->source != NULL) {
		from = address_of(o->source, 0);
		if (bind(m->fd, (struct sockaddr *)&from, sizeof(from)) != 0)
			abort();
	}
	if (connect(m->fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return true;
	(void)snprintf(
	    m->error, sizeof(m->error), "connect: %s", strerror(errno));
	return false;
}

static int
on_new_session(SSL *ssl, SSL_SESSION *s)
{
	struct mesh_client *m = SSL_get_app_data(ssl);

	SSL_SESSION_free(m->session);
	m->session = s;
	return 1;
}

static void
on_info(const SSL *ssl, int where, int code)
{
	struct mesh_client *m = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT &&
	    code >> 8 == SSL3_AL_FATAL)
		m->alert = code & 0xff;
}

static void *
read_pem(const char *pem, bool is_key)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	void *v = is_key ? (void *)PEM_read_bio_PrivateKey(b, NULL, NULL, NULL)
			 : (void *)PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	if (v == NULL)
		abort();
	return v;
}

/* What follows the first certificate. */
static void
add_chain(SSL_CTX *ctx, const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

	X509_free(x);
	while ((x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL)
		SSL_CTX_add0_chain_cert(ctx, x);
	ERR_clear_error();
	BIO_free(b);
}

static void
use_certs(struct mesh_client *m, const struct mesh_options *o)
{
	if (o->cert_pem != NULL) {
		X509 *x = read_pem(o->cert_pem, false);
		EVP_PKEY *key = read_pem(o->key_pem, true);

		SSL_CTX_use_certificate(m->ctx, x);
		add_chain(m->ctx, o->cert_pem);
		SSL_CTX_use_PrivateKey(m->ctx, key);
		X509_free(x);
		EVP_PKEY_free(key);
	}
	if (o->ca_pem != NULL) {
		X509 *ca = read_pem(o->ca_pem, false);

		X509_STORE_add_cert(SSL_CTX_get_cert_store(m->ctx), ca);
		SSL_CTX_set_verify(m->ctx, SSL_VERIFY_PEER, NULL);
		X509_free(ca);
	}
}

/* "a,b" as the wire has it. */
static void
offer_alpn(SSL *ssl, const char *list)
{
	unsigned char wire[256];
	unsigned n = 0;

	for (const char *at = list; *at != '\0';) {
		size_t len = strcspn(at, ",");

		wire[n++] = (unsigned char)len;
		memcpy(wire + n, at, len);
		n += (unsigned)len;
		at += len + (at[len] == ',');
	}
	SSL_set_alpn_protos(ssl, wire, n);
}

static void
note_end(struct mesh_client *m, int result)
{
	int err = SSL_get_error(m->ssl, result), no = errno;
	unsigned long reason = ERR_peek_last_error();

	if (reason != 0)
		ERR_error_string_n(reason, m->error, sizeof(m->error));
	if (m->alert != 0)
		m->end = MESH_ALERT;
	else if (err == SSL_ERROR_ZERO_RETURN)
		m->end = MESH_FIN;
	else if (err == SSL_ERROR_SYSCALL && no == ECONNRESET)
		m->end = MESH_RST;
	else if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE ||
		 (err == SSL_ERROR_SYSCALL &&
		     (no == EAGAIN || no == EWOULDBLOCK)))
		m->end = MESH_TIMEOUT;
	else if (err == SSL_ERROR_SYSCALL && (no == EPIPE))
		m->end = MESH_RST;
	else
		m->end = MESH_FIN_NO_NOTIFY;
	ERR_clear_error();
}

static void
note_peer(struct mesh_client *m)
{
	X509 *x = SSL_get1_peer_certificate(m->ssl);
	GENERAL_NAMES *names =
	    x == NULL ? NULL
		      : X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	size_t n = 0;

	for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(names, i);

		if (g->type == GEN_URI && n < sizeof(m->peer_uris))
			n += (size_t)snprintf(m->peer_uris + n,
			    sizeof(m->peer_uris) - n, "%s%s", n > 0 ? " " : "",
			    (const char *)ASN1_STRING_get0_data(
				g->d.uniformResourceIdentifier));
	}
	GENERAL_NAMES_free(names);
	X509_free(x);
	m->is_resumed = SSL_session_reused(m->ssl);
}

static void
use_limits(struct mesh_client *m, const struct mesh_options *o)
{
	if (o->max_version != 0)
		SSL_CTX_set_max_proto_version(m->ctx, o->max_version);
	if (o->max_version != 0 && o->max_version < TLS1_2_VERSION) {
		SSL_CTX_set_min_proto_version(m->ctx, TLS1_VERSION);
		SSL_CTX_set_security_level(m->ctx, 0);
	}
	if (o->ciphers != NULL &&
	    SSL_CTX_set_cipher_list(m->ctx, o->ciphers) != 1)
		abort();
	if (o->groups != NULL &&
	    SSL_CTX_set1_groups_list(m->ctx, o->groups) != 1)
		abort();
}

bool
mesh_open(struct mesh_client *m, const struct mesh_options *o)
{
	int n;

	if (!mesh_connect(m, o))
		return false;
	m->ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(
	    m->ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(m->ctx, on_new_session);
	use_limits(m, o);
	use_certs(m, o);
	m->ssl = SSL_new(m->ctx);
	SSL_set_app_data(m->ssl, m);
	SSL_set_info_callback(m->ssl, on_info);
	SSL_set_mode(m->ssl, SSL_MODE_AUTO_RETRY);
	SSL_set_fd(m->ssl, m->fd);
	if (o->sni != NULL)
		SSL_set_tlsext_host_name(m->ssl, o->sni);
	if (o->alpn != NULL)
		offer_alpn(m->ssl, o->alpn);
	if (o->session != NULL)
		SSL_set_session(m->ssl, o->session);
	n = SSL_connect(m->ssl);
	if (n != 1) {
		note_end(m, n);
		return false;
	}
	note_peer(m);
	return true;
}

bool
mesh_write(struct mesh_client *m, const void *p, size_t n)
{
	const char *from = p;
	ssize_t sent;

	while (n > 0) {
		if (m->ssl != NULL) {
			sent = SSL_write(
			    m->ssl, from, n > 1 << 20 ? 1 << 20 : (int)n);
			if (sent <= 0) {
				note_end(m, (int)sent);
				return false;
			}
		} else {
			sent = send(m->fd, from, n, MSG_NOSIGNAL);
			if (sent <= 0) {
				m->end = MESH_RST;
				return false;
			}
		}
		from += sent;
		n -= (size_t)sent;
	}
	return true;
}

size_t
mesh_read(struct mesh_client *m, void *p, size_t n)
{
	ssize_t got;

	if (m->ssl != NULL) {
		got = SSL_read(m->ssl, p, (int)n);
		if (got > 0)
			return (size_t)got;
		note_end(m, (int)got);
		return 0;
	}
	got = recv(m->fd, p, n, 0);
	if (got > 0)
		return (size_t)got;
	if (got == 0)
		m->end = MESH_FIN;
	else
		m->end = errno == EAGAIN ? MESH_TIMEOUT : MESH_RST;
	return 0;
}

size_t
mesh_read_full(struct mesh_client *m, void *p, size_t n)
{
	size_t at = 0, got;

	while (at < n && (got = mesh_read(m, (char *)p + at, n - at)) > 0)
		at += got;
	return at;
}

size_t
mesh_read_all(struct mesh_client *m, char *p, size_t cap)
{
	size_t n = mesh_read_full(m, p, cap - 1);

	p[n] = '\0';
	return n;
}

/* Decodes a chunked body that is all there; NULL when it is not. */
static bool
chunks_are_whole(const char *body)
{
	return strstr(body, "\r\n0\r\n") != NULL ||
	       strncmp(body, "0\r\n", 3) == 0;
}

static bool
response_is_whole(const char *p, size_t n)
{
	const char *end = strstr(p, "\r\n\r\n");
	const char *length = strcasestr(p, "\r\ncontent-length:");
	int status = 0;

	if (end == NULL)
		return false;
	(void)sscanf(p, "HTTP/1.1 %d", &status);
	if (status == 204 || status == 304)
		return true;
	if (length != NULL && length < end)
		return n - (size_t)(end + 4 - p) >=
		       strtoull(length + 17, NULL, 10);
	return chunks_are_whole(end + 4) && strcmp(p + n - 4, "\r\n\r\n") == 0;
}

bool
mesh_read_response(struct mesh_client *m, char *p, size_t cap)
{
	size_t n = 0, got;

	p[0] = '\0';
	while (!response_is_whole(p, n)) {
		if (n + 1 == cap)
			return false;
		/* A byte at a time near the end keeps pipelined answers apart.
		 */
		got = mesh_read(m, p + n, 1);
		if (got == 0)
			return false;
		n += got;
		p[n] = '\0';
	}
	return true;
}

bool
mesh_read_head(struct mesh_client *m, char *p, size_t cap)
{
	size_t n = 0;

	for (p[0] = '\0'; n < 4 || strcmp(p + n - 4, "\r\n\r\n") != 0;) {
		if (n + 1 == cap || mesh_read(m, p + n, 1) != 1)
			return false;
		p[++n] = '\0';
	}
	return true;
}

static uint8_t
pattern_at(uint64_t i)
{
	return (uint8_t)(i ^ i >> 8 ^ (i >> 16) * 7);
}

enum pumped { PUMPED, PUMP_BLOCKED, PUMP_OVER };

static enum pumped
pumped(struct mesh_client *m, int n)
{
	int err = SSL_get_error(m->ssl, n);

	if (n > 0)
		return PUMPED;
	if (err == SSL_ERROR_WANT_READ || err == SSL_ERROR_WANT_WRITE)
		return PUMP_BLOCKED;
	note_end(m, n);
	return PUMP_OVER;
}

static enum pumped
pump_up(struct mesh_client *m, uint64_t *at, uint64_t most)
{
	uint8_t b[16384];
	uint64_t n = most - *at < sizeof(b) ? most - *at : sizeof(b);
	enum pumped p;
	int sent;

	if (n == 0)
		return PUMP_BLOCKED;
	for (uint64_t i = 0; i < n; i++)
		b[i] = pattern_at(*at + i);
	sent = SSL_write(m->ssl, b, (int)n);
	p = pumped(m, sent);
	if (p == PUMPED)
		*at += (uint64_t)sent;
	return p;
}

static enum pumped
pump_down(struct mesh_client *m, uint64_t *at, uint64_t most)
{
	uint8_t b[16384];
	enum pumped p;
	int got;

	if (*at == most)
		return PUMP_BLOCKED;
	got = SSL_read(m->ssl, b, sizeof(b));
	p = pumped(m, got);
	for (int i = 0; i < got; i++)
		if (b[i] != pattern_at(*at + (uint64_t)i)) {
			(void)snprintf(m->error, sizeof(m->error),
			    "wrong byte at %llu",
			    (unsigned long long)(*at + (uint64_t)i));
			return PUMP_OVER;
		}
	if (got > 0)
		*at += (uint64_t)got;
	return p;
}

bool
mesh_pump(struct mesh_client *m, uint64_t up, uint64_t down)
{
	struct pollfd fd = { .fd = m->fd };
	uint64_t sent = 0, got = 0;
	int flags = fcntl(m->fd, F_GETFL);
	enum pumped u = PUMPED, d = PUMPED;

	(void)fcntl(m->fd, F_SETFL, flags | O_NONBLOCK);
	SSL_set_mode(m->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE |
				 SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	while (sent < up || got < down) {
		u = pump_up(m, &sent, up);
		d = pump_down(m, &got, down);
		if (u == PUMP_OVER || d == PUMP_OVER)
			break;
		if (u == PUMPED || d == PUMPED)
			continue;
		fd.events = (short)(POLLIN | (sent < up ? POLLOUT : 0));
		if (poll(&fd, 1, (int)m->timeout_ms) != 1)
			break;
	}
	(void)fcntl(m->fd, F_SETFL, flags);
	return sent == up && got == down;
}

void
mesh_finish(struct mesh_client *m)
{
	if (m->ssl != NULL)
		SSL_shutdown(m->ssl);
	(void)shutdown(m->fd, SHUT_WR);
}

void
mesh_cut(struct mesh_client *m)
{
	(void)shutdown(m->fd, SHUT_WR);
}

void
mesh_reset(struct mesh_client *m)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(m->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(m->fd);
	m->fd = -1;
	mesh_close(m);
}

void
mesh_close(struct mesh_client *m)
{
	if (m->ssl != NULL && m->fd != -1)
		SSL_shutdown(m->ssl);
	SSL_free(m->ssl);
	SSL_CTX_free(m->ctx);
	SSL_SESSION_free(m->session);
	if (m->fd != -1)
		(void)close(m->fd);
	memset(m, 0, sizeof(*m));
	m->fd = -1;
}

enum mesh_end
mesh_wait_end(struct mesh_client *m, unsigned ms)
{
	const struct timeval tv = { .tv_sec = ms / 1000,
		.tv_usec = (ms % 1000) * 1000 };
	char b[4096];

	if (m->fd == -1)
		return m->end;
	(void)setsockopt(m->fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	m->end = MESH_OPEN;
	while (mesh_read(m, b, sizeof(b)) > 0)
		;
	return m->end;
}

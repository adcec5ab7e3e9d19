/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accepting side of the external server for tests: threads, TLS, faults,
 * and what was seen.  What is said over a connection is in ext_talk.c.
 */

#include "support/ext_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/addr.h"
#include "support/ext_talk.h"

static void
close_hard(int fd)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)close(fd);
}

static X509 *
cert_of(const char *pem)
{
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509 *x = PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	return x;
}

static bool
use_pair(SSL_CTX *ctx, const char *cert_pem, const char *key_pem)
{
	BIO *b = BIO_new_mem_buf(key_pem, -1);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(b, NULL, NULL, NULL);
	X509 *x = cert_of(cert_pem);
	bool ok = x != NULL && key != NULL &&
		  SSL_CTX_use_certificate(ctx, x) == 1 &&
		  SSL_CTX_use_PrivateKey(ctx, key) == 1;

	BIO_free(b);
	EVP_PKEY_free(key);
	X509_free(x);
	return ok;
}

static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *len,
    const unsigned char *in, unsigned n, void *arg)
{
	const struct ext_server *s = arg;
	const char *want = s->config.alpn;

	(void)ssl;
	for (unsigned i = 0; i < n; i += 1u + in[i]) {
		if (in[i] != strlen(want) ||
		    memcmp(in + i + 1, want, in[i]) != 0)
			continue;
		*out = in + i + 1;
		*len = in[i];
		return SSL_TLSEXT_ERR_OK;
	}
	return SSL_TLSEXT_ERR_NOACK;
}

static int
give_staple(SSL *ssl, void *arg)
{
	const struct ext_config *c = arg;

	if (c->staple == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	/* OpenSSL frees it. */
	SSL_set_tlsext_status_ocsp_resp(
	    ssl, OPENSSL_memdup(c->staple, c->staple_len), (long)c->staple_len);
	return SSL_TLSEXT_ERR_OK;
}

static void
set_algorithms(SSL_CTX *ctx, const struct ext_config *c)
{
	if (c->is_weak)
		SSL_CTX_set_security_level(ctx, 0);
	if (c->groups != NULL && SSL_CTX_set1_groups_list(ctx, c->groups) != 1)
		abort();
	if (c->ciphers != NULL && SSL_CTX_set_cipher_list(ctx, c->ciphers) != 1)
		abort();
}

static SSL_CTX *
make_ctx(struct ext_server *s)
{
	const struct ext_config *c = &s->config;
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	set_algorithms(ctx, c);
	SSL_CTX_set_tlsext_status_cb(ctx, give_staple);
	SSL_CTX_set_tlsext_status_arg(ctx, &s->config);
	if (!use_pair(ctx, c->cert_pem, c->key_pem))
		abort();
	SSL_CTX_set_min_proto_version(
	    ctx, c->min_version != 0 ? c->min_version : TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(
	    ctx, c->max_version != 0 ? c->max_version : TLS1_3_VERSION);
	/* Or a client that resumes would never be asked for a certificate. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
	SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"ext", 3);
	if (c->alpn != NULL)
		SSL_CTX_set_alpn_select_cb(ctx, select_alpn, s);
	if (c->client_ca_pem == NULL)
		return ctx;

	X509 *ca = cert_of(c->client_ca_pem);

	X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), ca);
	SSL_CTX_add_client_CA(ctx, ca);
	X509_free(ca);
	if (c->fault == EXT_LIKES_CERT)
		SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	else if (c->fault != EXT_ASKS_FOR_CERT)
		SSL_CTX_set_verify(ctx,
		    SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return ctx;
}

static void
remember_handshake(struct ext_server *s, SSL *ssl)
{
	const char *sni = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const unsigned char *alpn;
	unsigned n;

	SSL_get0_alpn_selected(ssl, &alpn, &n);
	pthread_mutex_lock(&s->lock);
	s->seen.handshakes++;
	s->seen.resumed += SSL_session_reused(ssl) ? 1 : 0;
	(void)snprintf(
	    s->seen.sni, sizeof(s->seen.sni), "%s", sni != NULL ? sni : "");
	(void)snprintf(s->seen.alpn, sizeof(s->seen.alpn), "%.*s", (int)n,
	    n > 0 ? (const char *)alpn : "");
	(void)snprintf(s->seen.version, sizeof(s->seen.version), "%s",
	    SSL_get_version(ssl));
	(void)snprintf(s->seen.cipher, sizeof(s->seen.cipher), "%s",
	    SSL_get_cipher_name(ssl));
	(void)snprintf(s->seen.group, sizeof(s->seen.group), "%s",
	    OBJ_nid2sn((int)SSL_get_negotiated_group(ssl)));
	pthread_mutex_unlock(&s->lock);
	ext_remember_peer(s, ssl);
}

void
ext_remember_peer(struct ext_server *s, SSL *ssl)
{
	X509 *x = SSL_get1_peer_certificate(ssl);

	pthread_mutex_lock(&s->lock);
	s->seen.peer[0] = '\0';
	if (x != NULL)
		X509_NAME_oneline(X509_get_subject_name(x), s->seen.peer,
		    sizeof(s->seen.peer));
	pthread_mutex_unlock(&s->lock);
	X509_free(x);
}

void
ext_remember_error(struct ext_server *s, const char *what)
{
	pthread_mutex_lock(&s->lock);
	(void)snprintf(s->seen.error, sizeof(s->seen.error), "%s: %s", what,
	    ERR_reason_error_string(ERR_peek_last_error()));
	pthread_mutex_unlock(&s->lock);
	ERR_clear_error();
}

/* The fault EXT_SILENT: until the server stops or the peer goes. */
static void
be_silent(struct ext_peer *p)
{
	char b[256];

	while (recv(p->fd, b, sizeof(b), 0) > 0)
		;
}

static bool
handshake(struct ext_peer *p)
{
	struct ext_server *s = p->server;

	if (s->ctx == NULL)
		return true;
	p->ssl = SSL_new(s->ctx);
	SSL_set_fd(p->ssl, p->fd);
	if (SSL_accept(p->ssl) == 1) {
		remember_handshake(s, p->ssl);
		return true;
	}
	ext_remember_error(s, "handshake");
	return false;
}

static bool
hear_proxy(struct ext_peer *p)
{
	struct ext_server *s = p->server;
	struct proxy_seen seen;

	if (!s->config.wants_proxy)
		return true;
	if (!proxy_read(p->fd, &seen))
		return false;
	pthread_mutex_lock(&s->lock);
	s->seen.introduced++;
	s->seen.proxy = seen;
	pthread_mutex_unlock(&s->lock);
	return true;
}

static void
serve(struct ext_peer *p)
{
	switch (p->server->config.fault) {
	case EXT_CLOSES:
		return;
	case EXT_RESETS:
		p->resets = true;
		return;
	case EXT_SILENT:
		be_silent(p);
		return;
	case EXT_FINE:
	case EXT_CUTS:
	case EXT_FINISHES:
	case EXT_RESETS_LATE:
	case EXT_STALLS:
	case EXT_RENEGOTIATES:
	case EXT_ASKS_FOR_CERT:
	case EXT_RENEGOTIATES_FOREVER:
	case EXT_LIKES_CERT:
		break;
	}
	if (hear_proxy(p) && handshake(p))
		ext_talk(p);
}

static void
hang_up(struct ext_peer *p)
{
	struct ext_server *s = p->server;

	if (p->ssl != NULL) {
		if (s->config.fault != EXT_CUTS && !p->cuts && !p->resets)
			SSL_shutdown(p->ssl);
		SSL_free(p->ssl);
	}
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < EXT_PEERS; i++)
		if (s->peers[i] == p)
			s->peers[i] = NULL;
	s->seen.open--;
	/* Unread bytes would turn our close into a reset. */
	if (p->resets)
		close_hard(p->fd);
	else
		(void)close(p->fd);
	pthread_cond_signal(&s->left);
	pthread_mutex_unlock(&s->lock);
	free(p);
}

static void *
peer_main(void *arg)
{
	struct ext_peer *p = arg;

	serve(p);
	hang_up(p);
	return NULL;
}

static void
start_thread(struct ext_peer *p)
{
	pthread_attr_t attr;
	pthread_t t;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 19);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&t, &attr, peer_main, p) != 0)
		abort();
	pthread_attr_destroy(&attr);
}

static void
note_from(struct ext_server *s, int fd)
{
	struct addr a = { .len = sizeof(a.u) };

	s->seen.from[0] = '\0';
	if (getpeername(fd, &a.u.sa, &a.len) == 0 &&
	    a.u.sa.sa_family != AF_UNIX)
		addr_print_host(&a, s->seen.from);
}

static void
welcome(struct ext_server *s, int fd)
{
	struct ext_peer *p = calloc(1, sizeof(*p));
	int one = 1;
	size_t i;

	p->server = s;
	p->fd = fd;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	pthread_mutex_lock(&s->lock);
	for (i = 0; i < EXT_PEERS && s->peers[i] != NULL; i++)
		;
	s->seen.connections++;
	note_from(s, fd);
	if (i == EXT_PEERS || s->stops) {
		pthread_mutex_unlock(&s->lock);
		close_hard(fd);
		free(p);
		return;
	}
	s->peers[i] = p;
	s->seen.open++;
	pthread_mutex_unlock(&s->lock);
	start_thread(p);
}

static void *
accept_main(void *arg)
{
	struct ext_server *s = arg;
	struct pollfd fds[2] = { { .fd = s->fd, .events = POLLIN },
		{ .fd = s->stop_pipe[0], .events = POLLIN } };
	int fd;

	for (;;) {
		if (poll(fds, 2, -1) == -1 && errno != EINTR)
			abort();
		if (fds[1].revents != 0)
			return NULL;
		fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			welcome(s, fd);
	}
}

static int
listen_on(const char *address, uint16_t port)
{
	struct addr a;
	int fd, one = 1;

	if (!addr_parse(str_of(address), port, &a))
		abort();
	fd = socket(a.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a.u.sa, a.len) != 0 || listen(fd, 1024) != 0) {
		perror("ext_server");
		abort();
	}
	return fd;
}

static int
listen_at(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	if (bind(fd, (void *)&un, sizeof(un)) != 0 || listen(fd, 64) != 0) {
		perror(path);
		abort();
	}
	return fd;
}

struct ext_server *
ext_start(const struct ext_config *c)
{
	struct ext_server *s = calloc(1, sizeof(*s));

	(void)signal(SIGPIPE, SIG_IGN);
	s->config = *c;
	if (s->config.name == NULL)
		s->config.name = "ext";
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->left, NULL);
	pthread_cond_init(&s->went_on, NULL);
	if (c->cert_pem != NULL)
		s->ctx = make_ctx(s);
	if (c->unix_path != NULL)
		s->fd = listen_at(c->unix_path);
	else
		s->fd = listen_on(
		    c->address != NULL ? c->address : "127.0.0.1", c->port);
	if (pipe(s->stop_pipe) != 0 ||
	    pthread_create(&s->thread, NULL, accept_main, s) != 0)
		abort();
	return s;
}

uint16_t
ext_port(const struct ext_server *s)
{
	struct addr a = { .len = sizeof(a.u) };

	if (getsockname(s->fd, &a.u.sa, &a.len) != 0)
		abort();
	return addr_port(&a);
}

void
ext_get(struct ext_server *s, struct ext_seen *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->seen;
	pthread_mutex_unlock(&s->lock);
}

void
ext_go_on(struct ext_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->goes_on = true;
	pthread_cond_broadcast(&s->went_on);
	pthread_mutex_unlock(&s->lock);
}

void
ext_set_status(struct ext_server *s, unsigned status)
{
	atomic_store(&s->status, status);
}

/* Of what is open, whatever was read and sent. */
static void
shut(int fd, bool resets)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (resets)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	(void)shutdown(fd, resets ? SHUT_RD : SHUT_RDWR);
}

static void
stop(struct ext_server *s, bool resets)
{
	if (write(s->stop_pipe[1], "x", 1) != 1)
		abort();
	pthread_join(s->thread, NULL);
	(void)close(s->fd);
	pthread_mutex_lock(&s->lock);
	s->stops = s->goes_on = true;
	pthread_cond_broadcast(&s->went_on);
	for (size_t i = 0; i < EXT_PEERS; i++)
		if (s->peers[i] != NULL)
			shut(s->peers[i]->fd, resets);
	while (s->seen.open > 0)
		pthread_cond_wait(&s->left, &s->lock);
	pthread_mutex_unlock(&s->lock);
	(void)close(s->stop_pipe[0]);
	(void)close(s->stop_pipe[1]);
	SSL_CTX_free(s->ctx);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->left);
	pthread_cond_destroy(&s->went_on);
	free(s);
}

void
ext_stop(struct ext_server *s)
{
	if (s != NULL)
		stop(s, false);
}

void
ext_reset(struct ext_server *s)
{
	stop(s, true);
}

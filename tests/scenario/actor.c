/* SPDX-License-Identifier: Apache-2.0 */
/* See actor.h. */

#include "scenario/actor.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

void
actor_plain(struct actor *p, int fd)
{
	*p = (struct actor){
		.fd = fd,
		.raw_most = SIZE_MAX,
		.alert = -1,
		.is_open = true,
	};
	text_add_z(&p->got, "");
}

static void
on_info(const SSL *ssl, int where, int code)
{
	struct actor *p = SSL_get_app_data(ssl);

	if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT &&
	    code >> 8 == SSL3_AL_FATAL)
		p->alert = code & 0xff;
}

static int
on_name(SSL *ssl, int *alert, void *arg)
{
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	struct actor *p = SSL_get_app_data(ssl);

	(void)alert;
	(void)arg;
	(void)snprintf(p->sni, sizeof(p->sni), "%s", name != NULL ? name : "");
	return SSL_TLSEXT_ERR_OK;
}

static void
start(struct actor *p, const SSL_METHOD *method, const struct pki *cert)
{
	p->is_open = false;
	p->ctx = SSL_CTX_new(method);
	if (cert != NULL) {
		SSL_CTX_use_certificate(p->ctx, cert->cert);
		SSL_CTX_use_PrivateKey(p->ctx, cert->key);
	}
	SSL_CTX_set_tlsext_servername_callback(p->ctx, on_name);
	p->ssl = SSL_new(p->ctx);
	SSL_set_app_data(p->ssl, p);
	SSL_set_info_callback(p->ssl, on_info);
	SSL_set_bio(p->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
}

void
actor_client(struct actor *p, int fd, const char *sni, const struct pki *cert)
{
	actor_plain(p, fd);
	start(p, TLS_client_method(), cert);
	SSL_set_tlsext_host_name(p->ssl, sni);
	SSL_set_connect_state(p->ssl);
	(void)SSL_do_handshake(p->ssl);
}

void
actor_server(struct actor *p, int fd, const struct pki *cert)
{
	actor_plain(p, fd);
	start(p, TLS_server_method(), cert);
	SSL_set_accept_state(p->ssl);
}

void
actor_fini(struct actor *p)
{
	if (p->fd != -1)
		close(p->fd);
	SSL_free(p->ssl);
	SSL_CTX_free(p->ctx);
	text_free(&p->raw_sent);
	text_free(&p->raw_got);
	text_free(&p->got);
}

size_t
actor_hello_size(struct actor *p)
{
	return BIO_ctrl_pending(SSL_get_wbio(p->ssl));
}

static bool
send_raw(struct actor *p, struct str bytes)
{
	ssize_t n = send(p->fd, bytes.p, bytes.len, MSG_NOSIGNAL);

	if (n <= 0)
		return false;
	text_add(&p->raw_sent, str_first(bytes, (size_t)n));
	return true;
}

/* What OpenSSL wants to send, as far as the story lets it. */
static bool
send_records(struct actor *p)
{
	size_t room = p->raw_most - p->raw_sent.len;
	bool did = false;
	char b[16384];
	int n;

	while (p->fd != -1 && room > 0) {
		n = BIO_read(SSL_get_wbio(p->ssl), b,
		    (int)(room < sizeof(b) ? room : sizeof(b)));
		if (n <= 0)
			break;
		did |= send_raw(p, (struct str){ b, (size_t)n });
		room = p->raw_most - p->raw_sent.len;
	}
	return did;
}

static bool
receive(struct actor *p)
{
	bool did = false;
	char b[16384];
	ssize_t n;

	while (p->fd != -1 && p->end == ACTOR_OPEN) {
		n = recv(p->fd, b, sizeof(b), 0);
		if (n == -1 && errno == EAGAIN)
			break;
		did = true;
		if (n <= 0) {
			p->end = n == 0 ? ACTOR_FIN : ACTOR_RESET;
			break;
		}
		text_add(&p->raw_got, (struct str){ b, (size_t)n });
		if (p->ssl == NULL)
			text_add(&p->got, (struct str){ b, (size_t)n });
		else
			(void)BIO_write(SSL_get_rbio(p->ssl), b, (int)n);
	}
	return did;
}

static void
shake(struct actor *p)
{
	int r, why;

	if (p->is_open || p->is_failed)
		return;
	ERR_clear_error();
	r = SSL_do_handshake(p->ssl);
	why = SSL_get_error(p->ssl, r);
	p->is_open = r == 1;
	p->is_failed = r != 1 && why != SSL_ERROR_WANT_READ;
}

static bool
decrypt(struct actor *p)
{
	bool did = false;
	char b[16384];
	int n;

	ERR_clear_error();
	while (p->is_open && (n = SSL_read(p->ssl, b, sizeof(b))) > 0) {
		text_add(&p->got, (struct str){ b, (size_t)n });
		did = true;
	}
	return did;
}

bool
actor_turn(struct actor *p)
{
	bool did = receive(p);

	if (p->ssl == NULL)
		return did;
	shake(p);
	did |= decrypt(p);
	did |= send_records(p);
	return did;
}

void
actor_send(struct actor *p, struct str bytes)
{
	ERR_clear_error();
	if (p->ssl == NULL)
		(void)send_raw(p, bytes);
	else if (p->is_open && bytes.len > 0)
		(void)SSL_write(p->ssl, bytes.p, (int)bytes.len);
	if (p->ssl != NULL)
		(void)send_records(p);
}

void
actor_finish(struct actor *p)
{
	if (p->ssl != NULL && p->is_open) {
		ERR_clear_error();
		(void)SSL_shutdown(p->ssl);
		(void)send_records(p);
	}
	if (p->fd != -1)
		(void)shutdown(p->fd, SHUT_WR);
}

void
actor_close(struct actor *p)
{
	if (p->fd == -1)
		return;
	actor_finish(p);
	(void)actor_turn(p);
	close(p->fd);
	p->fd = -1;
}

void
actor_reset(struct actor *p)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	if (p->fd == -1)
		return;
	(void)setsockopt(p->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(p->fd);
	p->fd = -1;
}

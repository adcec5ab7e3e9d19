/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a wire leaves OpenSSL: which connections may, where the secrets come
 * from, and what is kept of the SSL object.  Thread of the wire.
 *
 * The number of a direction's next record is not to be asked for, so records
 * are counted as OpenSSL shows their headers, from where their key begins: in
 * TLS 1.2 behind ChangeCipherSpec, in TLS 1.3 where the secret comes.  A
 * wrong number cannot go unnoticed: the first record would not open.
 */

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tls/library.h"
#include "tls/tls_records.h"
#include "tls/wire_tls_own.h"
#include "tls/wire_tls_state.h"

/* Half of what RFC 8446, section 5.5, allows AES-GCM, and a third to spare. */
#define UPDATE_AT ((uint64_t)1 << 23)
/* Without a record for so long, a wire is likely to be idle for longer. */
#define REST_MS 10000

/* Each secret of TLS 1.3 comes when its key comes into use. */
static void
on_secret(void *arg, bool is_client, const uint8_t *secret, size_t n)
{
	struct tls_own *o = arg;
	bool is_theirs = is_client == o->is_server;
	struct record_key *k = is_theirs ? &o->in : &o->out;

	if (o->is_on || n > sizeof(k->secret))
		return;
	memcpy(k->secret, secret, n);
	k->seq = 0;
	if (is_theirs)
		o->in_secret_len = n;
	else
		o->out_secret_len = n;
}

struct tls_own *
tls_own_new(bool is_server)
{
	struct tls_own *o = xcalloc(1, sizeof(*o));

	o->is_server = is_server;
	o->update_at = UPDATE_AT;
	o->watch = (struct secret_watch){ .on_secret = on_secret, .arg = o };
	return o;
}

void
tls_own_free(struct tls_own *o)
{
	if (o == NULL)
		return;
	timer_stop(&o->rest);
	if (o->is_fast)
		tls_engine_remove(TLS_ENGINE_IPSEC_MB);
	record_key_fini(&o->in);
	record_key_fini(&o->out);
	free(o);
}

bool
tls_own_is_on(const struct tls_wire *t)
{
	return t->own != NULL && t->own->is_on;
}

void
tls_own_on_header(struct tls_own *o, bool is_ours, const SSL *ssl, uint8_t type)
{
	struct record_key *k = is_ours ? &o->out : &o->in;

	if (SSL_version(ssl) >= TLS1_3_VERSION) {
		/* A ChangeCipherSpec is for show there, and has no number. */
		if (type == RECORD_DATA)
			k->seq++;
	} else if (type == RECORD_CHANGE_CIPHER_SPEC) {
		k->seq = 0;
	} else {
		k->seq++;
	}
}

static bool
derive_1_3(struct tls_own *o, const struct record_suite *s)
{
	return o->in_secret_len == s->secret_len &&
	       o->out_secret_len == s->secret_len &&
	       record_key_from_secret(&o->in, s, o->in.secret, false) &&
	       record_key_from_secret(&o->out, s, o->out.secret, true);
}

static bool
derive_1_2(struct tls_own *o, const struct record_suite *s, const SSL *ssl)
{
	uint8_t master[RECORD_MASTER];
	uint8_t client[RECORD_RANDOM], server[RECORD_RANDOM];
	bool is_ok;

	is_ok = SSL_SESSION_get_master_key(SSL_get_session(ssl), master,
		    sizeof(master)) == sizeof(master) &&
		SSL_get_client_random(ssl, client, sizeof(client)) ==
		    sizeof(client) &&
		SSL_get_server_random(ssl, server, sizeof(server)) ==
		    sizeof(server) &&
		record_keys_from_master(o->is_server ? &o->in : &o->out,
		    o->is_server ? &o->out : &o->in, s, master, client, server,
		    o->is_server);
	OPENSSL_cleanse(master, sizeof(master));
	return is_ok;
}

/* Is OpenSSL between two records, with nothing of either side in hand? */
static bool
is_quiet(const struct tls_wire *t)
{
	return !SSL_in_init(t->ssl) && SSL_has_pending(t->ssl) == 0 &&
	       t->ends.in_len == 0 && t->ends.out_len == 0 &&
	       t->ends.sent == IO_DONE && SSL_get_shutdown(t->ssl) == 0 &&
	       SSL_get_key_update_type(t->ssl) == SSL_KEY_UPDATE_NONE;
}

static const struct record_suite *
find_suite(const SSL *ssl)
{
	const SSL_CIPHER *c = SSL_get_current_cipher(ssl);
	int version = SSL_version(ssl);

	if (c == NULL || !library_has_usual_records(ssl) ||
	    (version != TLS1_2_VERSION && version != TLS1_3_VERSION))
		return NULL;
	return record_suite_find(SSL_CIPHER_get_protocol_id(c),
	    version == TLS1_3_VERSION ? RECORD_TLS_1_3 : RECORD_TLS_1_2);
}

static bool
derive(struct tls_own *o, const SSL *ssl)
{
	const struct record_suite *s = find_suite(ssl);
	bool is_ok = false;

	if (s == NULL)
		return false;
	switch (s->version) {
	case RECORD_TLS_1_2:
		is_ok = derive_1_2(o, s, ssl);
		break;
	case RECORD_TLS_1_3:
		library_tell_secrets(ssl, &o->watch);
		is_ok = derive_1_3(o, s);
		break;
	}
	ERR_clear_error();
	/* Else they were counted. */
	(void)library_record_numbers(ssl, &o->in.seq, &o->out.seq);
	return is_ok;
}

/* What hangs on the SSL object or its context; false: it is too long. */
static bool
keep_info(struct tls_wire *t)
{
	struct tls_own *o = t->own;
	struct tls_info *i = &o->info;

	tls_wire_ask(t, i);
	if (i->alpn.len > sizeof(o->alpn))
		return false;
	if (i->alpn.len > 0)
		memcpy(o->alpn, i->alpn.p, i->alpn.len);
	i->alpn.p = o->alpn;
	if (i->group == NULL)
		return true;
	if (strlen(i->group) >= sizeof(o->group))
		return false;
	strcpy(o->group, i->group);
	i->group = o->group;
	return true;
}

void
tls_own_drop_ssl(struct tls_wire *t)
{
	if (t->ssl == NULL)
		return;
	/* Else OpenSSL spoils the session: "not closed in order". */
	SSL_set_shutdown(t->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	SSL_free(t->ssl);
	t->ssl = NULL;
}

/* Of our suites, only a client of TLS 1.3 is sent tickets afterwards. */
static bool
may_get_tickets(const struct tls_own *o)
{
	return !o->is_server && o->in.suite->version == RECORD_TLS_1_3;
}

/* Tickets that did not come so far are dropped when they do. */
static void
on_rest(void *arg)
{
	struct tls_wire *t = arg;

	record_key_rest(&t->own->in);
	record_key_rest(&t->own->out);
	tls_own_drop_ssl(t);
}

void
tls_own_stir(struct tls_own *o)
{
	timer_set_about(&o->rest, REST_MS);
}

void
tls_own_start(struct tls_wire *t)
{
	struct tls_own *o = t->own;

	if (o == NULL)
		return;
	if (is_quiet(t) && derive(o, t->ssl) && keep_info(t)) {
		o->is_on = true;
		tls_engine_remove(TLS_ENGINE_OPENSSL);
		tls_engine_add(TLS_ENGINE_OWN);
		o->is_fast = record_cipher_is_fast(o->in.cipher);
		if (o->is_fast)
			tls_engine_add(TLS_ENGINE_IPSEC_MB);
		timer_init(&o->rest, t->ends.wire->loop, on_rest, t);
		tls_own_stir(o);
		if (!may_get_tickets(o))
			tls_own_drop_ssl(t);
		o->kernel.is_wanted = tls_records_may_be_kernel();
		tls_kernel_take_out(t);
		return;
	}
	tls_own_free(o);
	t->own = NULL;
	t->peer.own = NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_WIRE_TLS_OWN_H
#define TLS_WIRE_TLS_OWN_H

/*
 * A TLS wire whose records we handle ourselves once OpenSSL has done the
 * handshake.  What the handshake leads to is collected while it goes on; then
 * tls_own_start() takes both directions over at once, or leaves the wire to
 * OpenSSL for good.  For the files of wire_tls only.
 */

#include <openssl/ssl.h>

#include "net/loop.h"
#include "tls/late_message.h"
#include "tls/record.h"
#include "tls/secret_watch.h"
#include "tls/wire_tls.h"
#include "tls/wire_tls_kernel.h"

struct tls_wire;

struct tls_own {
	bool is_on;
	bool is_server;
	bool is_fast;      /* and counted as that */
	bool has_long;     /* the records that came last were long ones */
	struct timer rest; /* no record for a while: ciphers are freed */
	/*
	 * Until is_on: the number of the next record and, in TLS 1.3, the
	 * secret, as far as they are known.
	 */
	struct record_key in;
	struct record_key out;
	struct secret_watch watch;
	size_t in_secret_len; /* 0: not known yet */
	size_t out_secret_len;
	bool is_update_asked; /* the peer was asked for new keys */
	uint64_t update_at;   /* records until we change keys */
	struct late_cut messages;
	struct tls_kernel kernel;
	unsigned tickets; /* received since, some of them given to OpenSSL */
	struct tls_info info;
	char group[32];
	char alpn[32];
};

/* For a wire that may take its records over. */
struct tls_own *tls_own_new(bool is_server) MUST_CHECK;
void tls_own_free(struct tls_own *o);

/* Of SSL_set_msg_callback(): count records. */
void tls_own_on_header(
    struct tls_own *o, bool is_ours, const SSL *ssl, uint8_t type);

/* After the handshake, once: take over if this connection allows it. */
void tls_own_start(struct tls_wire *t);
bool tls_own_is_on(const struct tls_wire *t);

/* Records come or go: what they need is kept a while longer. */
void tls_own_stir(struct tls_own *o);

/* The SSL object, if it is there still, without harm to its session. */
void tls_own_drop_ssl(struct tls_wire *t);

/* The records at ends.in, their plaintext to plain; as decrypt(). */
size_t tls_own_open(struct tls_wire *t, uint8_t *plain);
/* For turning them where they lie. */
/* So many records brought so much. */
void tls_own_note_size(struct tls_own *o, size_t bytes, size_t records);
/* After the last of them: what is behind the stream's end is thrown away. */
void tls_own_end_stream(struct tls_wire *t);
/* One record of ends.in, its plaintext to plain; how much it brought. */
size_t tls_own_open_next(struct tls_wire *t, uint8_t *plain);
/* As encrypt_all(): into records that bio_send() will send. */
bool tls_own_seal(struct tls_wire *t, const struct str *v, size_t n) MUST_CHECK;
void tls_own_notify(struct tls_wire *t);

/* For wire_tls_kernel.c. */

/* What r means, whose bytes are at plain; as many are for the reader. */
size_t tls_own_take(
    struct tls_wire *t, const struct record *r, const uint8_t *plain);
/* The peer sent something wrong: say so, and that is the end. */
void tls_own_refuse(struct tls_wire *t, uint8_t alert);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_WIRE_TLS_STATE_H
#define TLS_WIRE_TLS_STATE_H

/*
 * What a TLS wire is made of: for the files of tls/ that make it up.  Nobody
 * else includes this.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "net/wire.h"
#include "tls/bio.h"
#include "tls/peer.h"
#include "tls/wire_tls_own.h"

/* Key updates and tickets in a row, with no byte for anybody in between. */
#define CHATTER_MOST 32

enum tls_stage { TLS_SHAKING, TLS_OPEN };

struct tls_wire {
	SSL *ssl; /* NULL: own has taken over, and needs it no more */
	struct tls_own *own; /* NULL: the records are OpenSSL's for good */
	enum tls_stage stage;
	struct bio_ends ends;
	bool has_whole; /* of what is kept: a record that was not opened yet */
	size_t tail; /* bytes behind ends.in: a record that is not whole yet */
	struct wire_buf cipher; /* received, and not yet decrypted */
	struct wire_buf held;   /* to be encrypted after a renegotiation */
	enum io end;            /* IO_DONE, or what reading says from now on */
	bool has_input;
	bool is_offering; /* a session is offered for resumption */
	bool is_notified; /* our close_notify is out, or will not come */
	bool is_finish_held;
	unsigned late;    /* times that a server asked for more, since */
	bool is_late_bad; /* once too often */
	unsigned chatter; /* messages since the last byte for us */
	size_t answers;   /* bytes of our answers to them, unsent */

	struct tls_peer peer;
	char *sni;
	char *session_key;
	struct tls_identities *set; /* of a server, until it has answered */
};

extern const struct wire_ops tls_wire_ops;

void tls_wire_free(struct tls_wire *t);

/* How much to read at a time: to open it elsewhere, or to turn it. */
size_t tls_wire_read_most(const struct wire *w);
size_t tls_wire_turn_most(const struct wire *w);
/* Records that are there as a whole go into ends.in, which SCRATCH_IN is. */
enum io tls_wire_fill(
    struct wire *w, struct tls_wire *t, size_t most) MUST_CHECK;
/* Keep what OpenSSL has not taken of it. */
void tls_wire_stash(struct tls_wire *t);
/* wire_tls_info(), from the SSL object. */
void tls_wire_ask(const struct tls_wire *t, struct tls_info *out);
/* Note why OpenSSL failed; its alert is sent. */
void tls_wire_fail(struct tls_wire *t);
/* For SSL_set_msg_callback(). */
void tls_wire_on_message(int is_ours, int version, int type, const void *p,
    size_t n, SSL *ssl, void *arg);

#endif

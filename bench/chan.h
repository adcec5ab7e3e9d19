/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CHAN_H
#define BENCH_CHAN_H

/*
 * One end of a connection over a socket that does not block: plain, or TLS with
 * the records of OpenSSL, or TLS with our own once OpenSSL has shaken hands.
 * What is written collects in memory until chan_flush(), so that an answer, or
 * a batch of records, costs one system call.  Used by programs of one thread.
 */

#include "seal.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct chan {
	SSL *ssl; /* NULL: plain, or records of our own */
	int fd;
	bool may_own;
	bool is_own;
	bool is_client;
	struct seal_secrets secrets;
	struct seal rx;
	struct seal tx;
	uint8_t *in; /* what came and nobody has taken */
	size_t in_pos;
	size_t in_end;
	size_t open_pos; /* of it, what is decrypted */
	size_t open_left;
	uint8_t *out;
	size_t out_size;
	size_t out_room;
	size_t sent; /* of what is in out */
};

enum chan_status {
	CHAN_OK,
	CHAN_WAIT,
	CHAN_END,
};

enum chan_records {
	CHAN_OPENSSL,
	CHAN_OWN, /* over TLS 1.3; a server has no tickets then */
};

/* version: "1.2", "1.3", or NULL for both.  The one AEAD and the one group
 * make every proxy between two of these do the same work. */
void chan_context_setup(
    SSL_CTX *ctx, const char *version, enum chan_records records);

/* Takes the descriptor.  ctx: NULL for one without TLS. */
void chan_init(struct chan *c, SSL_CTX *ctx, int fd, bool is_client);
void chan_fini(struct chan *c);

enum chan_status chan_handshake(struct chan *c);

/* Bytes read into buf; 0 with *status CHAN_WAIT or CHAN_END. */
size_t chan_read(
    struct chan *c, void *buf, size_t size, enum chan_status *status);

/* Whether something is here that no poll tells of. */
bool chan_has_more(const struct chan *c);
void chan_write(struct chan *c, const void *data, size_t size);

/* Says that no more will be written. */
void chan_close(struct chan *c);
enum chan_status chan_flush(struct chan *c);

/* Bytes as they are on the wire: written behind what was flushed, and taken
 * off the socket and dropped in the kernel. */
size_t chan_send_raw(
    struct chan *c, const void *data, size_t size, enum chan_status *status);
size_t chan_drop(struct chan *c, enum chan_status *status);

#endif

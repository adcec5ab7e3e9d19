/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CHAN_H
#define BENCH_CHAN_H

/*
 * One end of a TLS connection over a socket that does not block.  What is
 * written collects in memory until chan_flush(), so that an answer, or a batch
 * of records, costs one system call.  Used by programs of one thread.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct chan {
	SSL *ssl;
	BIO *out;
	size_t sent; /* of what is in out */
	int fd;
};

enum chan_status {
	CHAN_OK,
	CHAN_WAIT,
	CHAN_END,
};

/* version: "1.2", "1.3", or NULL for both.  The one AEAD and the one group
 * make every proxy between two of these do the same work. */
void chan_context_setup(SSL_CTX *ctx, const char *version);

/* Takes the descriptor. */
void chan_init(struct chan *c, SSL_CTX *ctx, int fd);
void chan_fini(struct chan *c);

enum chan_status chan_handshake(struct chan *c);

/* Bytes read into buf; 0 with *status CHAN_WAIT or CHAN_END. */
size_t chan_read(
    struct chan *c, void *buf, size_t size, enum chan_status *status);
bool chan_has_more(const struct chan *c);
void chan_write(struct chan *c, const void *data, size_t size);
enum chan_status chan_flush(struct chan *c);

/* Bytes of ciphertext taken off the socket and dropped in the kernel. */
size_t chan_drop(struct chan *c, enum chan_status *status);

#endif

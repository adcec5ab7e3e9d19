/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_SEAL_H
#define BENCH_SEAL_H

/*
 * Records of TLS 1.3 with AES-128-GCM, opened and sealed where they lie, from
 * the secrets that a handshake of OpenSSL logs.  No updates of keys: a peer of
 * the bench that asks for one is cut off.
 */

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEAL_HEAD 5
#define SEAL_TAG 16
#define SEAL_MORE (SEAL_HEAD + 1 + SEAL_TAG) /* than the plaintext */
#define SEAL_TEXT_MAX 16384
#define SEAL_RECORD_MAX (SEAL_HEAD + SEAL_TEXT_MAX + 256)

#define SEAL_ALERT 21
#define SEAL_HANDSHAKE 22
#define SEAL_DATA 23

enum seal_engine {
	SEAL_EVP,
	SEAL_IPSEC_MB, /* has VAES, where the processor has */
};

struct seal_secrets {
	uint8_t client[32];
	uint8_t server[32];
	bool has_client;
	bool has_server;
};

struct seal {
	EVP_CIPHER_CTX *evp;
	void *key; /* of the other engine */
	uint64_t seq;
	uint8_t iv[12];
};

/* The fastest engine that is built in. */
enum seal_engine seal_best(void);

/* From now on connections of ctx tell their secrets to what is their
 * SSL_set_app_data(). */
void seal_listen(SSL_CTX *ctx);

void seal_init(struct seal *s, enum seal_engine engine,
    const uint8_t secret[32], bool is_sealing);
void seal_fini(struct seal *s);

/* Makes a record of the n bytes at record + SEAL_HEAD; returns its size. */
size_t seal_close(struct seal *s, uint8_t *record, size_t n, uint8_t type);

/* The size of the record at data, of which n bytes are there, or 0: more are
 * needed to tell. */
size_t seal_size(const uint8_t *data, size_t n);

/* Opens the whole record, and returns how many bytes of plaintext are at
 * record + SEAL_HEAD, or -1. */
long seal_open(struct seal *s, uint8_t *record, size_t size, uint8_t *type);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_EXT_TALK_H
#define SUPPORT_EXT_TALK_H

/* Private to the external server for tests: one connection of it. */

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "support/ext_server.h"

#define EXT_PEERS 4096

struct ext_server {
	struct ext_config config;
	SSL_CTX *ctx;
	int fd;
	int stop_pipe[2];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct ext_seen seen;
	struct ext_peer *peers[EXT_PEERS];
	pthread_cond_t went_on;
	bool stops;
	bool goes_on;
	atomic_uint status; /* of every answer; 0: by path */
};

struct ext_peer {
	struct ext_server *server;
	int fd;
	SSL *ssl;
	bool cuts;   /* no close_notify at the end */
	bool resets; /* RST at the end */
	bool did_fault;
	bool is_stale; /* the next request is the last, and unanswered */
	char in[65536];
	size_t n_in;
};

/* The protocol, until either side ends. */
void ext_talk(struct ext_peer *p);
void ext_remember_peer(struct ext_server *s, SSL *ssl);
void ext_remember_error(struct ext_server *s, const char *what);

/* ext_talk.c: over TLS if there is any. */
ssize_t ext_read(struct ext_peer *p, void *b, size_t n);
bool ext_write(struct ext_peer *p, const void *b, size_t n);
bool ext_say(struct ext_peer *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void ext_count_bytes(struct ext_peer *p, size_t n);
/* After the first bytes came: the fault that belongs there. */
bool ext_do_fault(struct ext_peer *p);

/* ext_http.c: one request and its answer; false: the connection is over. */
bool ext_answer(struct ext_peer *p);

#endif

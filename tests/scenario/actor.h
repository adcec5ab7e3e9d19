/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCENARIO_ACTOR_H
#define SCENARIO_ACTOR_H

/*
 * The other end of one connection, a caller or a server, that does what its
 * story says: plain or by OpenSSL alone, never blocking, moved by actor_turn().
 * It keeps all that it sent and got, below TLS and above.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "support/pki.h"

enum actor_end { ACTOR_OPEN, ACTOR_FIN, ACTOR_RESET };

struct actor {
	int fd; /* -1: it closed */
	SSL_CTX *ctx;
	SSL *ssl;        /* NULL: plain */
	bool is_open;    /* the handshake is through */
	bool is_failed;  /* or it never will be */
	size_t raw_most; /* no more than this is sent */
	struct text raw_sent;
	struct text raw_got;
	struct text got; /* what is not taken yet */
	enum actor_end end;
	int alert;     /* the fatal one that came; -1: none */
	char sni[256]; /* a server's: what the other side asked for */
};

/* Take fd over. */
void actor_plain(struct actor *p, int fd);
void actor_client(
    struct actor *p, int fd, const char *sni, const struct pki *cert);
void actor_server(struct actor *p, int fd, const struct pki *cert);
void actor_fini(struct actor *p);

/* Bytes of the first flight that stands ready. */
size_t actor_hello_size(struct actor *p);
/* True: something happened. */
bool actor_turn(struct actor *p);

void actor_send(struct actor *p, struct str bytes);
/* Our direction ends, in order. */
void actor_finish(struct actor *p);
void actor_close(struct actor *p);
void actor_reset(struct actor *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_RECORDS_PAIR_H
#define DIFFERENTIAL_RECORDS_PAIR_H

/*
 * A wire that handles its own records, its peer, and its twin.  The peer is
 * OpenSSL over memory, so that the bytes on the way are ours to change.  The
 * twin is the SSL object that did the wire's handshake: had the wire not taken
 * over, it would read what the wire reads.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "differential/dice.h"
#include "net/loop.h"
#include "net/wire.h"
#include "support/pki.h"
#include "tls/record.h"
#include "tls/wire_tls_state.h"

#define RECORD_KINDS 6 /* of suites, in each of the two roles */

struct record_world {
	struct loop *loop;
	struct pki *ca, *server_cert, *mesh_ca, *caller;
	struct tls_clients *clients;
	struct tls_spec *spec;
	struct mesh_spec *mesh;
	struct tls_identities *set;
	SSL_CTX *servers[RECORD_KINDS], *callers[RECORD_KINDS];
	SSL_SESSION *sessions[RECORD_KINDS]; /* of callers */
};

/* What a reader made of a stream. */
struct heard {
	struct text bytes;
	enum io end; /* IO_AGAIN: none yet */
	int alert;   /* that it sent; -1: none but close_notify */
};

struct pair {
	struct record_world *world;
	size_t kind;
	bool is_server; /* the wire is */
	struct wire *wire;
	struct tls_wire *tls;
	int fd; /* the other end of the wire's socket */
	SSL *peer;
	SSL *twin;
	struct record_key forging; /* seals as the peer would */
	struct heard ours;         /* its alert is as the peer has it */
	struct heard theirs;       /* the twin's */
	const char *their_reason;  /* OpenSSL's, or NULL */
	bool has_twin_read_alert;
	struct heard peers;     /* what the wire sent */
	struct text on_the_way; /* to the wire */
	struct text twin_in;    /* a record that is not whole yet */
};

void record_world_init(struct record_world *w);
void record_world_fini(struct record_world *w);

/* Shaken, taken over, and tickets read.  NULL ends the program. */
void pair_init(struct pair *p, struct record_world *w, size_t kind,
    bool is_server, bool may_resume);
void pair_fini(struct pair *p);
bool pair_is_1_3(const struct pair *p);
const char *pair_name(const struct pair *p);

/* What the peer has written goes on its way. */
void pair_collect(struct pair *p);
/* Begin forging: from here on the peer itself writes no more. */
void pair_forge(struct pair *p);
/* In odd parts, with looks at the socket's other direction in between. */
void pair_deliver(struct pair *p, struct dice *d);
/* The socket's other direction, until nothing comes. */
void pair_hear(struct pair *p, struct dice *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_H1_PEER_H
#define SUPPORT_H1_PEER_H

/*
 * HTTP/1.1 as a test speaks it, in either role, and what follows an upgrade.
 * Nothing of the code under test is in it.
 */

#include "support/line.h"
#include "support/message.h"

enum h1_reading {
	H1_HEAD,
	H1_BYTES, /* left of them */
	H1_CHUNK, /* a chunk's line comes */
	H1_CHUNK_END,
	H1_TRAILERS,
	H1_TO_CLOSE,
	H1_RAW, /* after an upgrade: see raw */
	H1_BROKEN
};

struct h1_peer;

struct h1_options {
	bool is_server;
	/* A server's: a request's head came, or (again) its end. */
	void (*on_request)(struct h1_peer *p, struct message *m, void *arg);
	void *arg;
};

struct h1_peer {
	struct line *line;
	struct h1_options options;
	struct message **v; /* as they came */
	size_t n;
	enum h1_reading reading;
	uint64_t left;
	bool *no_body; /* of each answer that is awaited: it was HEAD */
	size_t n_asked;
	struct source out;
	char *out_trailers;
	bool out_is_chunked;
	bool out_is_open;
	bool out_busy;    /* a body is being sent */
	uint64_t sent;    /* bytes of the body that is being sent */
	struct bytes raw; /* what came after the upgrade */
	uint64_t n_raw;
	bool counts_raw; /* only counted and compared with the pattern */
	bool raw_is_other;
	struct source raw_out; /* a pattern to send */
};

struct h1_peer *h1_peer_new(struct line *l, const struct h1_options *o);
/* A request; its answer is the message that is returned, also before it came.
 */
struct message *h1_ask(struct h1_peer *p, const struct said *a);
void h1_answer(struct h1_peer *p, const struct said *a);
/* More of a streamed body that stays_open, and its end. */
void h1_more(struct h1_peer *p, const struct said *a);
void h1_finish(struct h1_peer *p, const char *trailers);
/* Bytes as they are. */
void h1_say(struct h1_peer *p, const char *text);
/* The n-th message (from 0), or NULL. */
struct message *h1_nth(struct h1_peer *p, size_t n);
/* From here on no HTTP: servers, after a 101. */
void h1_become_raw(struct h1_peer *p);

#endif

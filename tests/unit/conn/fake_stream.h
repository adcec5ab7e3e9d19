/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONN_FAKE_STREAM_H
#define UNIT_CONN_FAKE_STREAM_H

/*
 * Streams that follow a script and write down what they are given, and a
 * connection to a server that holds one: what an exchange couples, without any
 * version of HTTP.
 */

#include "http/stream.h"
#include "upstream/back.h"

#define FAKE_STEPS 24
#define FAKE_FIELDS 12

enum fake_kind {
	FAKE_NOTHING, /* the end of the script: no more comes */
	FAKE_WAIT,    /* not yet */
	FAKE_ASKED,   /* not before it was given a whole message */
	FAKE_HEAD,
	FAKE_DATA,
	FAKE_END,
	FAKE_FAIL
};

struct fake_head {
	struct head h;
	struct field fields[FAKE_FIELDS];
};

struct fake_step {
	enum fake_kind kind;
	struct fake_head *head;
	const char *data; /* NULL: n times x */
	size_t n;
	enum stream_error error;
};

struct fake_stream {
	struct stream st;
	struct fake_step steps[FAKE_STEPS];
	size_t n_steps;
	size_t at;
	size_t taken;      /* of the data at hand */
	unsigned *blocked; /* calls of can_push() that still say 0 */
	unsigned blocked_calls;
	size_t credit;
	uint8_t piece[1024]; /* what the last pull gave */
	struct fake_head *trailers;
	struct text got; /* what was pushed */
	bool is_in_body;
	bool has_ended;
	bool is_broken;       /* writing fails from now on */
	bool breaks_on_write; /* it will */
	bool keeps_quiet;     /* of its own error, as a back's does */
	unsigned flushes;
	unsigned releases;
	bool was_whole;
};

void fake_stream_init(struct fake_stream *f);
void fake_stream_fini(struct fake_stream *f);
void fake_add(struct fake_stream *f, struct fake_step step);
void fake_head_in(struct fake_stream *f, struct fake_head *h);
void fake_data(struct fake_stream *f, const char *data);
void fake_asked(struct fake_stream *f);
void fake_filler(struct fake_stream *f, size_t n);
void fake_end(struct fake_stream *f);
void fake_fail(struct fake_stream *f, enum stream_error e);
/* Wait once before each step whose bit is set. */
void fake_add_waits(struct fake_stream *f, unsigned mask);

/* Pairs of name and value; NULL ends them. */
void fake_request(struct fake_head *h, const char *method, const char *path,
    ...) __attribute__((sentinel));
void fake_response(struct fake_head *h, unsigned status, ...)
    __attribute__((sentinel));

/* A connection to a server, idle and in the pool of endpoint i. */
struct fake_back {
	struct back back;
	struct fake_stream stream;
	bool is_closed;
	bool is_spent;
	const char *failure; /* of the connection; NULL: none */
	unsigned opened;
};

void fake_back_init(struct fake_back *b);
/* is_used: an exchange had it before. */
void fake_back_pool(
    struct fake_back *b, struct cluster *c, size_t i, bool is_used);

#endif

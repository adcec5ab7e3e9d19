/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_MESSAGE_H
#define SUPPORT_MESSAGE_H

/*
 * A message of HTTP as a test's peer saw it or is to say it, whatever version
 * it speaks: a test reads the same lines of both.  Heads are lines of
 * "name: value\n"; what HTTP/1.1 has in its first line and in Host is told by
 * the names that HTTP/2 gives it, and names are in lower case.
 */

#include <stdbool.h>

#include "support/bytes.h"

struct message {
	struct bytes head;
	struct bytes interim; /* heads of 1xx, each ended by an empty line */
	struct bytes trailers;
	int status; /* 0: a request */
	unsigned n_interim;
	uint64_t n_body;
	struct bytes body; /* its first 16 KiB */
	bool is_other;     /* than the pattern, somewhere */
	bool has_head;
	bool ended; /* in order */
	bool was_reset;
	uint32_t reset_code;
};

/* A message to say; what is not given is left out. */
struct said {
	int status;            /* 0: a request */
	const char *method;    /* NULL: GET */
	const char *path;      /* NULL: / */
	const char *authority; /* NULL: caller.example; "": none */
	const char *protocol;  /* of an extended CONNECT; HTTP/2 */
	const char *fields;    /* lines */
	const char *body;      /* a text; NULL: the pattern */
	uint64_t n;            /* bytes of it; 0 of a text: all */
	bool is_streamed;      /* its length is not said */
	const char *trailers;  /* lines */
	bool stays_open;       /* the end is not said, see …_finish() */
	bool has_no_body;      /* of HEAD: only told of */
};

/* What is left to send of a body. */
struct source {
	char *text; /* NULL: the pattern */
	uint64_t at;
	uint64_t n;
};

void message_free(struct message *m);
/* Bytes of its body came. */
void message_take(struct message *m, const char *p, size_t n);
/* The value of a line, or NULL (static per call of 8). */
const char *message_field(const struct message *m, const char *name);
/* Lines with this name. */
unsigned message_count(const struct message *m, const char *name);
/* "name: value" of a text of lines; from is moved on; false at its end. */
bool next_line(const char **from, char *name, size_t name_cap, char *value,
    size_t value_cap);

bool said_has_body(const struct said *a);
uint64_t said_length(const struct said *a);
void source_set(struct source *s, const struct said *a);
/* At most n bytes; how many. */
size_t source_take(struct source *s, char *to, size_t n);
void source_free(struct source *s);

/*
 * The answer of a server that does what the path says: /bytes/N and
 * /streamed/N (the pattern), /status/N, /trailers, /informational, /cookies,
 * /hop (fields of one hop); any other is told what came, as text in out.
 * Trailers of the request are told as lines "trailer NAME: VALUE".
 */
void answer_by_path(const struct message *q, struct said *a, struct bytes *out);

#endif

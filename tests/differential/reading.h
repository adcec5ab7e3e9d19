/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_READING_H
#define DIFFERENTIAL_READING_H

/*
 * What a reader made of a stream of bytes: messages, and how it ended.  Every
 * reader gives the same, so that readings can be held against each other.
 */

#include "base/arena.h"

#define READING_MESSAGES 32
#define READING_FIELDS 160

struct named {
	struct str name;
	struct str value;
};

struct fields {
	struct named v[READING_FIELDS];
	size_t n;
};

struct message {
	struct str method;
	struct str target;
	unsigned status;
	struct fields fields;
	struct fields trailers;
	struct text body;
	bool is_whole; /* its end was found, in order */
	bool closes;   /* and nothing of the stream comes after it */
	size_t end;    /* where it is in the stream, if is_whole */
};

enum ending {
	READING_OPEN,     /* more bytes could go on with it */
	READING_CLOSED,   /* a message said that it is the last one */
	READING_REFUSED,  /* why says for what */
	READING_SWITCHED, /* what follows is another protocol */
	READING_FULL      /* more messages than there is room for */
};

/* The last message may not be whole. */
struct reading {
	struct message *v[READING_MESSAGES];
	size_t n;
	enum ending ending;
	int code; /* the reader's own word for why */
	const char *why;
	struct arena arena;
};

/* What bytes are to be read as. */
struct stream_kind {
	bool is_requests;
	bool answers_head; /* of answers: the request was a HEAD */
	bool ends;         /* nothing follows the bytes */
	bool is_sent;      /* by us: with more fields than were taken */
};

/* Bytes, and where they are cut; the last cut is their end. */
#define PIECES_MAX 24
struct pieces {
	struct str bytes;
	size_t cuts[PIECES_MAX];
	size_t n;
};

void reading_init(struct reading *r);
void reading_fini(struct reading *r);
/* NULL when there is no room; then the ending says so. */
struct message *reading_add(struct reading *r);
/* A copy, trimmed of optional whitespace. */
void reading_field(
    struct reading *r, struct fields *f, struct str name, struct str value);
void reading_refuse(struct reading *r, int code, const char *why);

size_t reading_whole(const struct reading *r);
struct str fields_get(const struct fields *f, const char *name);
size_t fields_count(const struct fields *f, const char *name);

/* Says in what they differ, or NULL. */
const char *message_head_differs(
    const struct message *a, const struct message *b);
const char *fields_differ(const struct fields *a, const struct fields *b);
/* One begins with all of the other. */
bool bodies_agree(const struct message *a, const struct message *b);

void reading_print(const char *who, const struct reading *r);

#endif

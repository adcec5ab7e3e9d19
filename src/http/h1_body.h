/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_BODY_H
#define HTTP_H1_BODY_H

/*
 * Where a body of HTTP/1.1 ends: by its length, its chunks or the connection
 * (RFC 9112, sections 6 and 7).  Pure, fuzzed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/h1_parse.h"
#include "http/head.h"

/* What the next byte is, in a body of chunks. */
enum chunk_state {
	CHUNK_SIZE,
	CHUNK_EXT, /* right after ';' */
	CHUNK_EXT_NAME,
	CHUNK_EXT_EQUALS, /* right after '=' */
	CHUNK_EXT_TOKEN,
	CHUNK_EXT_QUOTED,
	CHUNK_EXT_ESCAPED, /* right after '\\' */
	CHUNK_EXT_END,     /* right after the closing quote */
	CHUNK_SIZE_LF,
	CHUNK_DATA,
	CHUNK_DATA_CR,
	CHUNK_DATA_LF,
	CHUNK_TRAILER, /* at the begin of a line */
	CHUNK_TRAILER_LINE,
	CHUNK_TRAILER_LF,
	CHUNK_END
};

struct h1_body {
	enum body_kind kind;
	enum chunk_state state;
	uint64_t left;   /* of the length, or of the chunk */
	size_t line_len; /* of the line with the chunk's size, so far */
	size_t trailer_len;
};

void h1_body_init(struct h1_body *b, const struct head *h);

enum h1_body_status {
	H1_BODY_DATA, /* *data is some of it, *used bytes were consumed */
	H1_BODY_MORE, /* *used bytes were consumed, more are needed */
	H1_BODY_END,  /* *used bytes were consumed; what follows is not ours */
	H1_BODY_BAD
};

/*
 * The next piece of the body in bytes, at most credit of it.  Trailer fields
 * are collected in trailers (raw lines, capped by the limits).
 */
enum h1_body_status h1_body_next(struct h1_body *b, struct str bytes,
    size_t credit, const struct http_limits *lim, struct str *data,
    size_t *used, struct text *trailers) MUST_CHECK;
/* Nothing more of it is to come. */
bool h1_body_is_over(const struct h1_body *b);
/* The peer's stream ended: true if that is how this body may end. */
bool h1_body_eof(const struct h1_body *b);

#endif

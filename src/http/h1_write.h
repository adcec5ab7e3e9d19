/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_WRITE_H
#define HTTP_H1_WRITE_H

/* Heads, chunks and trailers as HTTP/1.1 bytes (RFC 9112).  Pure. */

#include <stdbool.h>
#include <stddef.h>

#include "http/head.h"

/*
 * The head with its edits, in out, which has cap bytes; 0 if it does not fit,
 * or says what may not be sent (http/strict.h).
 * Fields that frame the body are written from h->body, never copied; a body
 * that would end with the connection is sent in chunks instead.  Hop-by-hop
 * fields are never copied either: Connection says close if says_close is set,
 * and what h->upgrade and h->takes_trailers ask for.
 */
size_t h1_write_head(
    const struct head *h, bool says_close, char *out, size_t cap) MUST_CHECK;

#define H1_CHUNK_HEAD_MAX 20
/* The line before a chunk of n bytes, n > 0; its length. */
size_t h1_write_chunk_head(size_t n, char out[H1_CHUNK_HEAD_MAX]);

/*
 * The end of a body of chunks, with those trailer fields that may stand there
 * (RFC 9110, section 6.5.1); trailers may be NULL.  0 if it does not fit.
 */
size_t h1_write_end(
    const struct head *trailers, char *out, size_t cap) MUST_CHECK;

#endif

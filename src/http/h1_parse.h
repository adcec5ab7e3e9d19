/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_PARSE_H
#define HTTP_H1_PARSE_H

/*
 * HTTP/1.1 heads, the strict reading of RFC 9112: what two parsers
 * could understand differently is refused.  Pure, fuzzed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/head.h"
#include "http/http_limits.h"

enum h1_status {
	H1_OK,
	H1_MORE,
	H1_BAD,            /* 400 */
	H1_NO_HOST,        /* 400 */
	H1_TOO_LARGE,      /* 431 */
	H1_VERSION,        /* 426 */
	H1_NOT_IMPLEMENTED /* 501: a transfer coding other than chunked */
};

/*
 * bytes begins with the message; on H1_OK *used is the head's length and h
 * points into bytes, its fields into fields (HEAD_FIELDS_MAX of them).
 * scanned: how much an earlier H1_MORE has looked at already (0 at first), so
 * that a head that comes byte by byte is not read again and again.
 */
enum h1_status h1_parse_request(struct str bytes, const struct http_limits *lim,
    size_t *scanned, struct field *fields, struct head *h,
    size_t *used) MUST_CHECK;
/* is_head: it answers a HEAD. */
enum h1_status h1_parse_response(struct str bytes,
    const struct http_limits *lim, size_t *scanned, bool is_head,
    struct field *fields, struct head *h, size_t *used) MUST_CHECK;

/*
 * The fields after a body, whole lines without the empty one; they are put
 * into h.  Anything but H1_OK is a bad message.
 */
enum h1_status h1_parse_trailers(struct str bytes,
    const struct http_limits *lim, struct field *fields,
    struct head *h) MUST_CHECK;

#endif

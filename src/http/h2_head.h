/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_HEAD_H
#define HTTP_H2_HEAD_H

/*
 * Heads and trailers between the fields of HTTP/2 and struct head (RFC 9113,
 * section 8).  What the library has checked is not checked again; beyond it a
 * request has to be one that also makes sense to a server of HTTP/1.1.  For
 * the session's own files only.  Pure.
 */

#include <nghttp2/nghttp2.h>
#include <stdbool.h>

#include "http/h2_store.h"
#include "http/http_limits.h"

enum h2_kind { H2_OF_REQUEST, H2_OF_RESPONSE, H2_OF_TRAILERS };

/* A field block while it comes. */
struct h2_gather;

enum h2_gathered {
	H2_GATHER_OK, /* or over a limit, and thrown away */
	H2_GATHER_BAD,
	H2_GATHER_BOMB /* so far over the limits that decoding has to stop */
};

struct h2_gather *h2_gather_new(const struct http_limits *limits) MUST_CHECK;
/* NULL is fine. */
void h2_gather_free(struct h2_gather *g);
/* What came before is forgotten. */
void h2_gather_begin(struct h2_gather *g, enum h2_kind kind);
/* is_secret: it came as one that is never put into tables. */
enum h2_gathered h2_gather_add(struct h2_gather *g, struct str name,
    struct str value, bool is_secret) MUST_CHECK;
bool h2_gather_is_too_large(const struct h2_gather *g);

/* What a response answers. */
struct h2_asked {
	bool is_head;
	struct str upgrade;
};
/*
 * All came; is_end: nothing follows it.  NULL: it is malformed.  asked of a
 * response only.
 */
struct h2_room *h2_gather_finish(const struct h2_gather *g, bool is_end,
    const struct h2_asked *asked) MUST_CHECK;

#define H2_NVS_MOST (HEAD_FIELDS_MAX + HEAD_ADDED_MAX + 8)
struct h2_nvs {
	nghttp2_nv v[H2_NVS_MOST];
	size_t n;
	char status[4];
	char length[20];
};
/* Borrows from h. */
void h2_nvs_of_head(struct h2_nvs *nvs, const struct head *h);
void h2_nvs_of_trailers(struct h2_nvs *nvs, const struct head *t);

/* A copy that outlives t; NULL if nothing of it may be sent. */
struct h2_room *h2_copy_trailers(const struct head *t) MUST_CHECK;

#endif

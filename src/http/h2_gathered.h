/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_GATHERED_H
#define HTTP_H2_GATHERED_H

/*
 * What a field block has said so far: for h2_gather.c, which collects it, and
 * h2_head.c, which makes a head of it.  Nobody else includes this.
 */

#include "http/h2_head.h"

/* A part of g->bytes, which move while they grow. */
struct h2_piece {
	size_t at;
	size_t len;
};

/* base/spare's. */
struct h2_bytes {
	char *p;
	size_t len;
	size_t cap;
};

struct h2_gathered_field {
	enum field_id id;
	bool is_secret;
	struct h2_piece name; /* of FIELD_OTHER */
	struct h2_piece value;
};

/* All zero at a block's begin. */
struct h2_said {
	struct h2_piece method, scheme, authority, path, protocol, host;
	uint16_t status;
	bool is_too_large;
	bool has_host;
	bool has_cookie;
	bool has_secret_cookie;
	bool has_length;
	bool takes_trailers;
	bool expects_continue;
	uint64_t length;
	size_t size; /* of all that came */
	size_t seen;
};

struct h2_gather {
	enum h2_kind kind;
	const struct http_limits *limits;
	struct h2_bytes bytes;
	struct h2_bytes cookies;
	struct h2_said said;
	size_t n;
	struct h2_gathered_field fields[HEAD_FIELDS_MAX];
};

size_t h2_gather_fields_most(const struct h2_gather *g);

#endif

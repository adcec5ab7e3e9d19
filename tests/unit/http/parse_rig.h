/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_HTTP_PARSE_RIG_H
#define UNIT_HTTP_PARSE_RIG_H

/* Reading heads in tests: whole, cut in two, and byte by byte. */

#include <stdbool.h>

#include "http/h1_parse.h"

extern const struct http_limits parse_limits;

struct reading {
	struct str bytes;
	enum h1_status status;
	size_t used;
	struct head h;
	struct field fields[HEAD_FIELDS_MAX];
};

enum parse_kind { PARSE_REQUEST, PARSE_RESPONSE, PARSE_HEAD_RESPONSE };

enum h1_status parse_whole(struct reading *r, enum parse_kind kind,
    struct str bytes, const struct http_limits *limits);
/*
 * Read it again, cut in two at every place, and byte by byte: it has to end as
 * it did in r.  what names it.
 */
void parse_expect_same_in_pieces(const struct reading *r, enum parse_kind kind,
    const struct http_limits *limits, const char *what);
/* "a: 1|b: 2", without those that were removed. */
void parse_print_fields(const struct head *h, struct text *out);
const char *parse_status_text(enum h1_status s);

#endif

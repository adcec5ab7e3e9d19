/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_FACTS_H
#define HTTP_H1_FACTS_H

/*
 * What target and fields say about a message: whom it is for, where its body
 * ends, whether the connection lasts.  Two statements of one fact are refused
 * (RFC 9112, sections 3.2 and 6).  For h1_parse.c only.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "http/h1_parse.h"

struct h1_facts {
	struct str target_authority; /* of absolute-form or authority-form */
	bool is_chunked;
	bool says_close;
	bool says_keep_alive;
	bool says_upgrade;   /* Connection names Upgrade */
	struct str upgrade;  /* the one protocol; p is NULL unless it is one */
	unsigned n_upgrades; /* fields */
	size_t names;        /* in Connection */
};

#define H1_FACTS_NONE ((struct h1_facts){ .target_authority = STR_NONE })

enum h1_status h1_facts_target(
    struct h1_facts *x, struct head *h, struct str target) MUST_CHECK;
/* Fields are noted in the order in which they come. */
enum h1_status h1_facts_note(
    struct h1_facts *x, struct head *h, const struct field *f) MUST_CHECK;
enum h1_status h1_facts_trailer(const struct field *f) MUST_CHECK;
/* After the last field. */
enum h1_status h1_facts_request(
    const struct h1_facts *x, struct head *h) MUST_CHECK;
enum h1_status h1_facts_response(
    const struct h1_facts *x, struct head *h) MUST_CHECK;

#endif

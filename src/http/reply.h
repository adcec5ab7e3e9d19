/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

/*
 * Answers that the gateway gives itself: status, text/plain body, as recorded
 * of the egress that we stand in for; to gRPC as its trailers-only form.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/stream.h"

/* A field more: in place of one of that name, or beside it. */
struct reply_field {
	struct str name;
	struct str value;
	bool is_added;
};

/* More than these are left out. */
#define REPLY_FIELDS_MOST 12

struct reply {
	uint16_t status;
	struct str body;
	bool is_head; /* without the body */
	bool says_close;
	const struct reply_field *fields;
	size_t n_fields;
};

/* Pushes head and body, and flushes. */
void reply_push(struct stream *s, const struct reply *r);
const char *reply_reason(uint16_t status);

/*
 * The request is one of gRPC, by its content type; gRPC-Web, which reads HTTP
 * statuses, is not.
 */
bool reply_is_for_grpc(const struct head *request);
/*
 * The same answer as gRPC reads it: 200, and all in the head.  The body is its
 * message, and may be empty; no field takes the place of gRPC's own.
 */
void reply_push_grpc(struct stream *s, const struct reply *r);
/* What reply_push_grpc() says for this status. */
unsigned reply_grpc_status(uint16_t status);

#endif

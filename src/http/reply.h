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

/* Pushes head and body, and flushes.  is_head: without the body. */
void reply_push(struct stream *s, uint16_t status, struct str body,
    bool is_head, bool says_close);
const char *reply_reason(uint16_t status);

/*
 * The request is one of gRPC, by its content type; gRPC-Web, which reads HTTP
 * statuses, is not.
 */
bool reply_is_for_grpc(const struct head *request);
/*
 * The same answer as gRPC reads it: 200, and all in the head.  message may be
 * empty.
 */
void reply_push_grpc(
    struct stream *s, uint16_t status, struct str message, bool says_close);
/* What reply_push_grpc() says for this status. */
unsigned reply_grpc_status(uint16_t status);

#endif

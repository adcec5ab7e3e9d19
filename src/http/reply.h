/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

/*
 * Answers that the gateway gives itself: status, text/plain body, as recorded
 * of the egress that we stand in for.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/stream.h"

/* Pushes head and body, and flushes.  is_head: without the body. */
void reply_push(struct stream *s, uint16_t status, struct str body,
    bool is_head, bool says_close);
const char *reply_reason(uint16_t status);

#endif

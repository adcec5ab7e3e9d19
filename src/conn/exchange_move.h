/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_EXCHANGE_MOVE_H
#define CONN_EXCHANGE_MOVE_H

/* Moving a request to the server, and its answer to the caller. */

#include "conn/exchange.h"

enum moved {
	MOVED_WAIT, /* an event of one of the streams is due */
	MOVED_MORE, /* stopped to let others have a turn */
	MOVED_ALL,
	MOVED_FAIL,     /* the stream it comes from says why */
	MOVED_TOO_MUCH, /* of a request: over limits.body_bytes */
	MOVED_BROKEN    /* of an answer: not what the upgrade asked for */
};

/* Body and end of the request; its head is pushed.  Flushes. */
enum moved exchange_move_request(struct exchange *x) MUST_CHECK;
/* Heads, body and end of the answer.  Flushes. */
enum moved exchange_move_response(struct exchange *x) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_STORE_H
#define HTTP_H2_STORE_H

/*
 * The memory of streams of HTTP/2: bytes of a body that wait in either
 * direction, and heads that were received.  Spare pieces stay with the thread,
 * so that a busy one hardly allocates and an idle session holds nothing.  For
 * the session's own files only.  Own thread.
 */

#include <stddef.h>

#include "http/head.h"
#include "net/wire.h"

struct h2_chunk;

/* Bytes in order; {0} is empty. */
struct h2_queue {
	struct h2_chunk *first;
	struct h2_chunk *last;
	struct h2_chunk *lent; /* taken to its end, and still borrowed */
	size_t len;
};

void h2_queue_add(struct h2_queue *q, struct str bytes);
/*
 * The next bytes, at most `most`, in one piece; empty when there are none.
 * Borrowed until the next call for q.
 */
struct span h2_queue_take(struct h2_queue *q, size_t most);
void h2_queue_clear(struct h2_queue *q);
/* What it occupies, for tests of how much a peer can make us hold. */
size_t h2_queue_held(const struct h2_queue *q);

/* A head and all that it points to. */
struct h2_room {
	struct h2_room *next;
	struct head head;
	struct field fields[]; /* and the bytes behind them */
};

/* For n fields and that many bytes; the head is empty, fields are set. */
struct h2_room *h2_room_take(size_t n, size_t bytes) MUST_CHECK;
/* Where the bytes go. */
char *h2_room_bytes(struct h2_room *r);
/* NULL is fine. */
void h2_room_give(struct h2_room *r);

#endif

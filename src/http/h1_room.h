/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_ROOM_H
#define HTTP_H1_ROOM_H

/*
 * The memory of one head that is being received or acted upon: its bytes, its
 * fields, the first bytes of the body behind it, and trailers.  An idle
 * session has none; spare ones stay with the thread, so that a busy thread
 * does not allocate.  For the session's own files only.  Own thread.
 */

#include "http/h1_parse.h"

#define H1_ROOM_FIRST ((size_t)16 * 1024)

/* What each message needs stands first, and the ends of arrays are cold. */
struct h1_room {
	size_t scanned; /* h1_parse_request() */
	size_t used;    /* up to here bytes were consumed */
	size_t len;
	size_t cap;
	uint8_t *p; /* first[], until that is too small */
	struct text trailer_lines;
	struct field *trailer_fields; /* NULL until there are trailers */
	struct head head;
	struct field fields[HEAD_FIELDS_MAX];
	uint8_t first[H1_ROOM_FIRST];
	struct head trailers; /* meant only if there are trailer_lines */
};

struct h1_room *h1_room_take(void) MUST_CHECK;
/* NULL is fine. */
void h1_room_give(struct h1_room *r);

/* For the next head. */
void h1_room_clear(struct h1_room *r);
/*
 * Copy the begin of bytes, growing up to `most`; how many were taken, 0 only
 * when there are none or the room is at its most.
 */
size_t h1_room_add(struct h1_room *r, struct str bytes, size_t most);
/* What follows the consumed part. */
struct str h1_room_rest(const struct h1_room *r);

#endif

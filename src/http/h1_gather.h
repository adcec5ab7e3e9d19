/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_GATHER_H
#define HTTP_H1_GATHER_H

/*
 * Where small pieces of a message wait for each other, so that they are
 * written in one call.  One a thread: who pushes takes it over, and what
 * another wire had in it is written first.  For the session's own files only.
 */

#include "net/wire.h"

/* A head at its limit, with all that may be added to it. */
#define H1_GATHER_SIZE ((size_t)96 * 1024)

struct h1_gather {
	struct wire *wire; /* whose bytes these are, or NULL */
	size_t len;
	char bytes[H1_GATHER_SIZE];
};

/* Now w's; what it has gathered so far is still there. */
struct h1_gather *h1_gather_for(struct wire *w);
/* Write what w has gathered, and what follows it; IO_DONE with nothing. */
enum io h1_gather_flush(struct wire *w) MUST_CHECK;
enum io h1_gather_send(
    struct wire *w, struct str more, struct str tail) MUST_CHECK;
/* Drop what w has gathered: it is about to be closed. */
void h1_gather_forget(const struct wire *w);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TRICKS_H
#define SUPPORT_TRICKS_H

/*
 * The corpus of known tricks with HTTP/1.1 messages (tests/differential/corpus)
 * as tests want it: bytes, and how they are to end.
 *
 * A trick begins with "-- MESSAGES STATUS NAME".  Its lines follow, whose own
 * ends do not count: \r \n \t \\ \xHH stand for bytes, \{N}c for N times c, and
 * \[N] makes the rest of its line N times as long.  Empty lines and those that
 * begin with # are left out.
 */

#include "base/str.h"

struct trick {
	struct str name;   /* NULs end neither of these two */
	size_t messages;   /* that are taken whole */
	unsigned status;   /* of what is refused then; 0: nothing is */
	bool answers_head; /* of answers: its name begins with HEAD: */
	struct text bytes;
};

struct tricks {
	struct text file;
	struct trick *v;
	size_t n;
};

/* False, with *line set, when path cannot be read or is wrong there (0). */
bool tricks_read(struct tricks *t, const char *path, size_t *line) MUST_CHECK;
void tricks_free(struct tricks *t);

/* As the corpus writes bytes, but in one line. */
void trick_print(struct str bytes, struct text *out);

#endif

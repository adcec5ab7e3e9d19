/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_CUT_H
#define MODEL_CUT_H

/* Cuts a file into documents, at lines that start with ---.  Pure. */

#include "base/str.h"

struct cut {
	struct str rest; /* p is NULL at the end */
	unsigned line;   /* of rest */
};

struct cut cut_start(struct str file);
/*
 * The next document with content, and the number of its first line; false
 * when there is none.
 */
bool cut_next(struct cut *c, struct str *text, unsigned *line);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_LINES_H
#define GOLDEN_LINES_H

/* A list of texts that it owns. */

#include <stddef.h>

#include "base/str.h"

struct lines {
	char **v;
	size_t n;
};

#define LINES_NONE ((struct lines){ .v = NULL, .n = 0 })

/* Takes the line over. */
void lines_add(struct lines *l, char *line);
bool lines_have(const struct lines *l, struct str line);
void lines_sort(struct lines *l);
/* Each once as neighbours go, separated; the list is empty then. */
void lines_join(struct lines *l, const char *separator, struct text *out);
/* The same as a text of its own. */
char *lines_take(struct lines *l, const char *separator);
/* Without its end; false: there was none. */
bool next_line(struct str *rest, struct str *line);

#endif

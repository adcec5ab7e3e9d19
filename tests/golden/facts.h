/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_FACTS_H
#define GOLDEN_FACTS_H

/*
 * What a configuration says, in single facts that can be compared: of a server
 * name, what is said, and how it is.  Kuma's side and ours are put into the
 * same words; see differences.md for what is said.
 */

#include <stddef.h>

#include "base/str.h"

struct differences;

struct fact {
	char *name; /* the server name */
	char *what; /* "as", "allowed", "endpoints", "tls", "rate", … */
	char *value;
};

struct facts {
	struct fact *v;
	size_t n;
};

#define FACTS_NONE ((struct facts){ .v = NULL, .n = 0 })

/*
 * Takes the value over.  More than one of a name and what: they are one behind
 * the other, each once.
 */
void facts_add(struct facts *f, struct str name, const char *what, char *value);
void facts_free(struct facts *f);
/*
 * What differs and is in none of d's rows for the case, a line each.  only:
 * words that what begins with; NULL: all.
 */
void facts_compare(const char *of, const char *only, struct facts *theirs,
    struct facts *ours, struct differences *d, struct text *out);

#endif

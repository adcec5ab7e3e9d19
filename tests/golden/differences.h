/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_DIFFERENCES_H
#define GOLDEN_DIFFERENCES_H

/*
 * The table of differences.md whose rows are met in a case: which case, which
 * server name, what, how it is in Kuma's egress and how here, and why.
 * Patterns as of a shell in the first three; "-": nothing is said.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

#define DIFFERENCE_CELLS 6

struct difference {
	/* Case, server name, what, Kuma, here, why. */
	char *cell[DIFFERENCE_CELLS];
	unsigned n_cells; /* as written */
	unsigned line;
	bool is_met;
};

struct differences {
	struct difference *v;
	size_t n;
};

/* False: there is no such file.  Without the table there is no row. */
bool differences_read(const char *path, struct differences *out);
void differences_free(struct differences *d);
/* A row says so; it is met then. */
bool differences_allow(struct differences *d, const char *of, const char *name,
    const char *what, const char *theirs, const char *ours);
bool difference_is_of(const struct difference *row, const char *of);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_IN_FORCE_H
#define MODEL_IN_FORCE_H

/*
 * Which documents are in force, given those of all files and those that were
 * in force before.  For store.c; main thread.
 */

#include "model/store_file.h"

/* By kind, mesh, name, file, line. */
int document_cmp(const struct document *a, const struct document *b);
/* In a sorted list, that kind, mesh and name, a good one first; or NULL. */
struct document *documents_find(const struct documents *sorted, enum kind kind,
    struct str mesh, struct str name);

struct pick {
	const struct documents *before; /* sorted: in force until now */
	/* What files hold, in the order of their paths. */
	struct documents good;
	struct documents bad;
	/* What has left them, of which some may have to stay. */
	const struct documents *retired;
	struct documents in_force; /* the result, sorted */
	struct problems pr;        /* duplicates */
	struct documents doubles;  /* good, and not in force */
};

/* Fills in_force, doubles and pr; sets is_in_force in all it was given. */
void pick_run(struct pick *p);
void pick_fini(struct pick *p);

#endif

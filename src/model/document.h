/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_DOCUMENT_H
#define MODEL_DOCUMENT_H

/*
 * One document of a file: its text becomes a resource, or a refusal that
 * still knows what it would have been.  Which documents are in force is not
 * decided here: see store.h.  Main thread.
 */

#include <stdbool.h>

#include "base/problem.h"
#include "base/str.h"
#include "model/resource.h"

enum document_state {
	DOC_GOOD,
	DOC_REFUSED,   /* its mesh and name are known, and mostly its kind */
	DOC_UNREADABLE /* which document it is cannot be told */
};

struct document {
	enum document_state state;
	/* Never NULL.  Its kind is KIND_N when that is not one of ours. */
	struct resource *r;
	struct str kind; /* as written */
	struct problems pr;
	/* The rest is the store's: which list has it, … */
	enum document_place {
		PLACE_NEW,
		PLACE_FILE,
		PLACE_NEWER,
		PLACE_RETIRED
	} place;
	unsigned next_line; /* in the version that is being looked at */
	bool is_covered;    /* its file has a good version of it, it seems */
	bool is_in_force;
};

/* NULL: there is nothing but comments. */
struct document *document_read(const char *file, unsigned line, struct str text,
    const struct digest *digest) MUST_CHECK;
/* The bytes of a Secret, from a file of their own. */
struct document *document_of_secret(struct str mesh, struct str name,
    const char *file, struct str bytes) MUST_CHECK;
void document_free(struct document *d);

/* It starts at another line now; all the lines in it move along. */
void document_move(struct document *d, unsigned line);

#endif

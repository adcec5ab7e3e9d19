/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_STORE_FILE_H
#define MODEL_STORE_FILE_H

/*
 * One file that the store has heard of, and its documents: those of the last
 * version that could be read in full, and beside them, where the newest one
 * could not, what that one holds.  For store.c; main thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "model/document.h"

struct documents {
	struct document **v;
	size_t n;
	size_t cap;
};

void documents_add(struct documents *list, struct document *d);
/* The documents as well. */
void documents_free(struct documents *list);

struct store_file {
	char *key; /* its place in the sorted list */
	char *path;
	struct str mesh; /* of a Secret's own file; else p is NULL */
	struct str name;
	char *bytes; /* heard, and not yet looked at; or NULL */
	size_t len;
	bool is_dropped;
	char *failure; /* why it cannot be used at all; or NULL */
	bool was_failing;
	bool has_digest;
	struct digest digest; /* of the bytes last looked at */
	struct documents docs;
	bool ends_in_newline; /* the version that docs is from */
	bool is_damaged;
	struct documents newer; /* of the damaged version, what docs lacks */
};

struct store_file *store_file_new(const char *key, const char *path) MUST_CHECK;
/* Its documents go to retired. */
void store_file_free(struct store_file *f, struct documents *retired);

void store_file_put(struct store_file *f, struct str bytes);
void store_file_fail(struct store_file *f, const char *why);
/* Look at what was heard; true if anything is different now. */
bool store_file_load(struct store_file *f, struct documents *retired);

#endif

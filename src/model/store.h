/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_STORE_H
#define MODEL_STORE_H

/*
 * The resources as last heard.  A feed puts in whole files; the store cuts
 * them into documents, parses the changed ones, and keeps the last good
 * version of each: a file that cannot be parsed keeps all the documents of its
 * last good version, a document that is refused keeps its own.  Of two
 * documents of one (kind, mesh, name) the one in force stays, at start the
 * first by path, and both are named.  Main thread only.
 *
 * Other feeds (REST, Kubernetes) put one file a resource, named by its URL.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/problem.h"
#include "base/str.h"
#include "model/resource.h"

struct store;

struct store *store_new(void) MUST_CHECK;
void store_free(struct store *st);

/*
 * What file path holds now, YAML or JSON, any number of documents.  Takes
 * effect at the next store_commit().  Equal bytes do nothing.
 */
void store_put_file(struct store *st, const char *path, struct str bytes);
void store_drop_file(struct store *st, const char *path);
/* A file that is there but cannot be read: its documents stay, reported. */
void store_fail_file(struct store *st, const char *path, const char *why);

/*
 * The raw bytes of Secret name of mesh, from a file of their own
 * (secrets/MESH/NAME).  A Secret that is a resource as well is a duplicate.
 */
void store_put_secret(struct store *st, struct str mesh, struct str name,
    const char *path, struct str bytes);
void store_drop_secret(struct store *st, struct str mesh, struct str name);

/* Names of the files known, to find those that are gone. */
const char *const *store_files(const struct store *st, size_t *n);

/*
 * Put what was heard into force.  True if anything in force changed since the
 * last commit.  Pointers got from the store before are invalid afterwards.
 */
bool store_commit(struct store *st);

/* In force, sorted by mesh, then name. */
const struct resource *const *store_list(
    const struct store *st, enum kind kind, size_t *n);
const struct resource *store_find(
    const struct store *st, enum kind kind, struct str mesh, struct str name);

/* All that is wrong at present, by file and line. */
const struct problems *store_problems(const struct store *st);

/* A document that is not in force as it stands in its file. */
struct refused {
	const char *file;
	unsigned line;
	struct str kind; /* as written; may be empty */
	struct str mesh;
	struct str name;
	bool has_last_good; /* an earlier version serves meanwhile */
};
const struct refused *store_refused(const struct store *st, size_t *n);

#endif

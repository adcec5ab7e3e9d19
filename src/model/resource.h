/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_RESOURCE_H
#define MODEL_RESOURCE_H

/*
 * One document that is in force, with the place it came from.  Owned by the
 * store; main thread only.  The typed part is reached by <kind>_of().
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/str.h"
#include "model/kind.h"
#include "model/target.h"

struct resource {
	enum kind kind;
	struct str mesh; /* empty for a global kind */
	struct str name; /* in Kubernetes NAME.NAMESPACE, where it has one */
	/*
	 * What clients and SNI use: the label kuma.io/display-name, else the
	 * name without the namespace.
	 */
	struct str display_name;
	struct tags labels;
	const char *file;
	unsigned line;
	struct digest digest; /* of the document's text */
	/*
	 * A permission that was never understood: it denies what it targets,
	 * or its whole mesh (every mesh, if that is empty) when
	 * target_is_known is false.
	 */
	bool is_broken;
	bool target_is_known;
	/* Of a permission, by labels that are ours: see permission.c. */
	bool is_reported; /* what it denies is only reported */
	int64_t until_s;  /* when it ends; 0: never */
	void *spec;       /* kind_row()->spec_size bytes */
	struct arena arena;
};

#endif

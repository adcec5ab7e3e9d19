/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_KIND_H
#define MODEL_KIND_H

/*
 * The kinds of resource, one row each in kind.tbl.h: the name users write,
 * scope, what we do with it.  A document of a kind that is Kuma's but not ours
 * is accepted and listed as not used; any other kind is an error.
 */

#include <stdbool.h>

#include "base/str.h"

enum kind {
#define KIND(id, ...) KIND_##id,
#include "model/kind.tbl.h"
	KIND_N
};

enum kind_scope { SCOPE_MESHED, SCOPE_GLOBAL };

enum kind_use {
	KIND_USED,       /* read in full */
	KIND_NAMES_ONLY, /* only its names and tags count */
	KIND_NOT_USED    /* accepted, listed, without effect here */
};

struct bind;
struct problems;
struct resource;

struct kind_row {
	const char *name; /* type: (Universal) and kind: (Kubernetes) */
	enum kind_scope scope;
	enum kind_use use;
	/*
	 * Legacy kinds have their fields at the top level in Universal form,
	 * newer ones under spec:.  Both have them under spec: in Kubernetes.
	 */
	bool has_spec;
	size_t spec_size; /* 0: the document is not looked into */
	const struct bind *bind;
	/* After binding; adds what is wrong to pr.  NULL: nothing to check. */
	void (*check)(struct resource *, struct problems *pr);
	/* It decides who may do what: fails closed when not understood. */
	bool is_permission;
};

const struct kind_row *kind_row(enum kind k);
/* KIND_N when there is no such kind. */
enum kind kind_find(struct str name);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_RULES_H
#define POLICY_COMPILE_RULES_H

/*
 * Which permission wins.  Each document is turned into rules once; a service's
 * rules are those of the documents that select it, from highest to lowest
 * precedence, and services that the same documents select share one block.
 * Documents of the `rules` form are cut in parts, since their denials come
 * before all else, and what they allow comes last.  Main thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/str.h"
#include "model/permission.h"
#include "policy/service.h"

struct compile;
struct mesh_build;
struct named;

/* A permission, ready to be asked. */
struct permit {
	const struct resource *r; /* NULL: a setting, not a document */
	const struct mesh_traffic_permission
	    *mtp;      /* else a TrafficPermission */
	uint32_t rank; /* lower wins; unique in the mesh */
	struct rule *rules;
	size_t n_rules;
	bool is_final;    /* its last rule is for any caller */
	bool is_grant;    /* of no document */
	bool is_denial;   /* the document was not understood */
	bool is_reported; /* what it denies is only reported */
	/* Of those: what it would keep away by being there, as a denial. */
	struct permit *shutter;
	/*
	 * Counts where only rules that name a MeshExternalService do: it
	 * denies, or each of its matches has the server name of a service.
	 */
	bool is_for_named;
};

struct permit_use {
	struct permit *permit;
	const struct tags *selector; /* destination of a TrafficPermission */
	struct permit_use *next;
};

/* In the order of rank. */
struct permit_list {
	struct permit_use *first;
	struct permit_use **last;
};

struct permit_lists {
	struct permit_list tp;
	struct permit_list mtp;
};

struct rule_cache;

struct rule_index {
	struct permit_lists general; /* select by other things than a name */
	struct permit *denied;  /* not understood, target unknown: all denied */
	struct permit *unruled; /* for a MeshExternalService without rules */
	struct permit **permits; /* by rank */
	uint32_t n_permits;
	uint32_t cap_permits;
	bool has_from; /* some document is of that form */
	bool has_rules;
	bool is_mix_told;
	struct rule_cache *cache;
	uint32_t *ids; /* of the service at hand; never NULL */
	size_t n_ids;
	size_t cap_ids;
};

void forget_rules(struct rule_index *x);

/* A reference each; a block without rules denies. */
struct rule_block *rules_of_external_service(struct compile *c,
    struct mesh_build *m, const struct named *n,
    const struct tags *tags) MUST_CHECK;
struct rule_block *rules_of_mes(struct compile *c, struct mesh_build *m,
    const struct resource *r, uint16_t port) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TRAFFIC_MERGE_H
#define POLICY_TRAFFIC_MERGE_H

/*
 * What some policies come to for every service that just these concern: nothing
 * of the service itself is in it, so it is made once for all of them (Kuma
 * sections 8.1 and 8.3 to 8.6).  Items of `from` that mean the same caller are
 * merged field by field, the higher precedence over the lower.  Kuma writes
 * that down as disjoint sets of tags; here the narrowest combination of tags
 * that fits a caller decides, which is the same.  Main thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "policy/traffic.h"

struct arena;
struct fingerprint;
struct traffic_doc;

/* Combinations of callers' tags a merge and rate. */
#define TRAFFIC_CELLS_MAX 256

struct traffic_merge {
	struct str mesh;
	bool has_requests;               /* of services that speak HTTP */
	struct traffic_doc *const *docs; /* in the order of rank */
	size_t n_docs;
	struct arena *a; /* of all that draft points to */
	struct fingerprint *f;
	bool is_crowded; /* out: there were more than fit */
};

void traffic_merge(struct traffic_merge *m, struct traffic_policy *draft);

#endif

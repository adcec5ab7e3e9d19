/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_ENVOY_H
#define GOLDEN_ENVOY_H

/*
 * What a configuration of Envoy says, as facts: Kuma's side of a comparison.
 * It may be a list of resources, as Kuma's golden files are, or what Envoy
 * dumps.
 */

#include "base/str.h"
#include "facts.h"

/* A cluster that no chain of the same file leads to, and whose it is. */
struct envoy_cluster_of {
	const char *cluster; /* NULL ends a list */
	const char *name;
};

/* of may be NULL.  False: not readable. */
bool envoy_describe(
    struct str yaml, const struct envoy_cluster_of *of, struct facts *out);

#endif

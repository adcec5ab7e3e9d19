/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_REFERENCE_CASE_H
#define GOLDEN_REFERENCE_CASE_H

/*
 * The cases of Kuma that we compare with, and where they are below the folder
 * that ZEGRESS_REFERENCE names.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "envoy.h"
#include "facts.h"

enum reference_kind {
	/* Resources and configuration of a test of Kuma's egress. */
	REFERENCE_EGRESS,
	/* Of a policy's plugin; the resources are ours: reference/NAME.yaml. */
	REFERENCE_POLICY,
	/* Rules that resources lead to. */
	REFERENCE_MATCHING,
	/* A control plane's resources, and what its Envoy then had. */
	REFERENCE_RECORDED
};

struct reference_case {
	enum reference_kind kind;
	const char *name;
	const char *only;  /* see facts_compare() */
	const char *given; /* recorded: files of kuma/resources/ */
	bool is_split;     /* three files: clusters, endpoints, … */
	struct envoy_cluster_of of[3]; /* see envoy_describe() */
};

extern const struct reference_case reference_cases[];
extern const size_t n_reference_cases;

/*
 * Kuma's generator was handed the permissions of some cases whatever mesh they
 * name, so that their mesh does not exist: say what was meant.
 */
void reference_mend(struct text *t, const char *from, const char *to);
/* Both end the test where a file is missing or not readable. */
void reference_theirs(
    const struct reference_case *c, const char *root, struct facts *out);
void reference_ours(
    const struct reference_case *c, const char *root, struct facts *out);

#endif

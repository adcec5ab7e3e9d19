/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_TARGET_H
#define MODEL_TARGET_H

/* Pieces that several kinds share: tags, targetRef, data sources. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct tag {
	struct str key;
	struct str value;
};

/* Sorted by key, bytewise. */
struct tags {
	struct tag *v;
	size_t n;
};

/* The value of a tag; p is NULL when it has none. */
struct str tags_get(const struct tags *t, struct str key);
/*
 * Whether every tag of selector stands in t with the same value; a selector
 * value of "*" asks only for presence.
 */
bool tags_match(const struct tags *selector, const struct tags *t);

enum target_kind {
	TARGET_NONE, /* no targetRef: as Mesh */
	TARGET_MESH,
	TARGET_MESH_SUBSET,
	TARGET_MESH_GATEWAY,
	TARGET_MESH_SERVICE,
	TARGET_MESH_SERVICE_SUBSET,
	TARGET_MESH_EXTERNAL_SERVICE,
	TARGET_MESH_MULTI_ZONE_SERVICE,
	TARGET_MESH_HTTP_ROUTE,
	TARGET_DATAPLANE
};

/* spec.targetRef and from[].targetRef (Kuma, api/common targetRef). */
struct target_ref {
	enum target_kind kind;
	struct str name;
	struct str namespace;
	struct str section_name;
	struct tags tags;
	struct tags labels;
	unsigned line;
};

enum data_source_kind {
	SOURCE_NONE,
	SOURCE_INLINE, /* inline or inlineString: value holds the bytes */
	SOURCE_SECRET, /* value names a Secret of the same mesh */
	SOURCE_FILE    /* value is a path; only below `secrets` */
};

/* Kuma's DataSource (api/system DataSource); line 0: not given at all. */
struct data_source {
	enum data_source_kind kind;
	struct str value;
	bool is_shared; /* value is: see shared_bytes.h */
	unsigned line;
	/* Why it cannot be used, and then kind is SOURCE_NONE; or NULL. */
	const char *fault;
};

#endif

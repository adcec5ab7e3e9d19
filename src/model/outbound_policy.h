/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_OUTBOUND_POLICY_H
#define MODEL_OUTBOUND_POLICY_H

/*
 * The policies that say how traffic to a service is to be treated:
 * MeshLoadBalancingStrategy, MeshCircuitBreaker, MeshHealthCheck, MeshTimeout,
 * MeshRetry, MeshAccessLog.  All have a targetRef and items `to` with a target
 * and values; which values is in the header of each kind.  Items of `from` and
 * `rules` act where callers come in, so not here: they are only checked.  Main
 * thread.
 */

#include "model/policy_value.h"
#include "model/resource.h"

struct problems;

#define OUTBOUND_VALUES_MAX 28

struct outbound_item {
	struct target_ref target;
	unsigned line;
	bool has_default;
	struct policy_value v[OUTBOUND_VALUES_MAX]; /* by the kind's enum */
};

enum outbound_form { OUTBOUND_TO, OUTBOUND_FROM, OUTBOUND_RULES };

struct outbound_items {
	struct outbound_item *v;
	size_t n;
	bool is_given;
};

struct outbound_policy {
	struct target_ref target;                        /* spec.targetRef */
	struct outbound_items items[OUTBOUND_RULES + 1]; /* by form */
};

enum outbound_kind {
	OUTBOUND_BALANCE,
	OUTBOUND_HEALTH,
	OUTBOUND_BREAKER,
	OUTBOUND_TIMEOUT,
	OUTBOUND_RETRY,
	OUTBOUND_LOG,
	OUTBOUND_KINDS
};
extern const enum kind outbound_kinds[OUTBOUND_KINDS];

/* NULL if r is of another kind. */
const struct outbound_policy *outbound_policy_of(const struct resource *r);

/*
 * For the kinds: rows of spec, where item_rows hold those of default, made by
 * OUTBOUND_ITEM_ROWS.
 */
#define OUTBOUND_VALUE(i) offsetof(struct outbound_item, v[i])
#define OUTBOUND_GIVEN(i) offsetof(struct outbound_item, v[i].is_given)
#define OUTBOUND_ROW(name, i, reader)                                          \
	{                                                                      \
		.key = (name), .type = BIND_READ, .offset = OUTBOUND_VALUE(i), \
		.read = (reader)                                               \
	}
/* A map of rows, and the value that says that it was given. */
#define OUTBOUND_GROUP(name, i, rows)                              \
	{                                                          \
		.key = (name), .type = BIND_STRUCT, .sub = (rows), \
		.has_offset = OUTBOUND_GIVEN(i)                    \
	}
#define OUTBOUND_ITEM_ROWS(default_rows)                                       \
	{                                                                      \
		{ .key = "targetRef",                                          \
			.type = BIND_TARGET,                                   \
			.offset = offsetof(struct outbound_item, target) },    \
		    { .key = "default",                                        \
			    .type = BIND_STRUCT,                               \
			    .sub = (default_rows),                             \
			    .has_offset =                                      \
				offsetof(struct outbound_item, has_default) }, \
		    { .key = "matches", .type = BIND_SKIP },                   \
		    { .type = BIND_LINE,                                       \
			    .offset = offsetof(struct outbound_item, line) },  \
		    { .type = BIND_END },                                      \
	}
#define OUTBOUND_LIST(name, form, item_rows)                                 \
	{                                                                    \
		.key = (name), .type = BIND_LIST,                            \
		.offset = offsetof(struct outbound_policy, items[form].v),   \
		.n_offset = offsetof(struct outbound_policy, items[form].n), \
		.has_offset =                                                \
		    offsetof(struct outbound_policy, items[form].is_given),  \
		.size = sizeof(struct outbound_item), .sub = (item_rows)     \
	}
#define OUTBOUND_TARGET_ROW                                        \
	{                                                          \
		.key = "targetRef", .type = BIND_TARGET,           \
		.offset = offsetof(struct outbound_policy, target) \
	}

/* What a kind demands beyond the types of its values. */
struct outbound_demands {
	unsigned top; /* kinds of targetRef: TARGET_BIT() */
	unsigned to;
	bool wants_items;
	/* Looks at one item; at is the path of its default. */
	void (*check)(const struct outbound_item *item, const char *at,
	    struct problems *pr);
};

void outbound_policy_check(const struct outbound_policy *p,
    const struct outbound_demands *d, struct problems *pr);
/* An error at the field of that name below at. */
void outbound_error(
    struct problems *pr, const char *at, const char *field, const char *why);

/* Targets that the kinds have in common. */
extern const unsigned outbound_top_kinds;
extern const unsigned outbound_to_kinds;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_POLICY_FORM_H
#define MODEL_POLICY_FORM_H

/*
 * What the policies about traffic demand alike, whatever they are about: a
 * `from` form or selectors, and caps on how much one document may say.  For
 * their modules; main thread.
 */

#include "model/bind.h"
#include "model/resource.h"
#include "model/target_bind.h"

/* from[] items, sources[], destinations[] a document. */
#define POLICY_ITEMS_MAX 256

/* Whom from[].targetRef may mean, and what spec.targetRef may select. */
#define POLICY_FROM_KINDS                                           \
	(TARGET_BIT(TARGET_MESH) | TARGET_BIT(TARGET_MESH_SUBSET) | \
	    TARGET_BIT(TARGET_MESH_SERVICE) |                       \
	    TARGET_BIT(TARGET_MESH_SERVICE_SUBSET))
#define POLICY_TOP_KINDS                                       \
	(POLICY_FROM_KINDS | TARGET_BIT(TARGET_MESH_GATEWAY) | \
	    TARGET_BIT(TARGET_MESH_HTTP_ROUTE) |               \
	    TARGET_BIT(TARGET_DATAPLANE) |                     \
	    TARGET_BIT(TARGET_MESH_EXTERNAL_SERVICE))

/* What of from, to and rules a document has. */
struct policy_form {
	size_t n_from;
	bool has_to;
	bool has_rules;
};

void policy_form_check(const struct policy_form *form,
    const struct target_ref *target, const struct resource *r,
    struct problems *pr);
/* kuma.io/effect: shadow, which takes all effect away, is worth a word. */
void policy_shadow_check(const struct resource *r, struct problems *pr);
/* sources and destinations of the older kinds: the row, by its offsets. */
#define POLICY_SELECTORS(name, list, length)                        \
	{                                                           \
		.key = (name), .type = BIND_LIST, .offset = (list), \
		.n_offset = (length), .size = sizeof(struct tags),  \
		.sub = policy_selector_bind                         \
	}
extern const struct bind policy_selector_bind[];
/* most: elements that there may be; 0: any number. */
void policy_selectors_check(const struct tags *v, size_t n, size_t most,
    const char *name, struct problems *pr);

/* An error at the path that fmt gives. */
void policy_complain(struct problems *pr, const char *why, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* 100 to 599. */
bool is_http_status(unsigned status);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_POLICIES_H
#define POLICY_COMPILE_POLICIES_H

/*
 * What mesh policies about outgoing traffic (model/outbound_policy.h) say of a
 * service: the items that speak of it, merged value by value (Kuma sections
 * 8.1 and 8.8).  What values come to is in compile_balance.c and its like.
 * Main thread, for the time of one build.
 *
 * Callers share the egress, so an item counts for a kuma.io/service only if
 * its policy is for the whole mesh; for a MeshExternalService the policy's own
 * targetRef is not asked, as in Kuma.
 */

#include "model/outbound_policy.h"

struct compile;
struct mesh_build;
struct named;
struct policy_options;
struct service;

struct policy_use {
	const struct resource *r;
	const struct outbound_policy *policy;
	const struct outbound_item *item;
	uint32_t rank; /* the higher speaks; unique in mesh and kind */
	uint32_t told; /* values of which was said that they do nothing */
	struct policy_use *next;
};

/* From lowest to highest rank. */
struct policy_list {
	struct policy_use *first;
	struct policy_use *last;
};

struct policy_lists {
	struct policy_list of[OUTBOUND_KINDS];
};

/* Whom it is about. */
struct policy_subject {
	const struct mesh_build *mesh;
	const struct named *named;  /* a kuma.io/service, … */
	const struct resource *mes; /* or a MeshExternalService */
	uint16_t port;
	bool has_tls;      /* towards the server */
	bool is_elsewhere; /* only other zones have it */
};

/* The merged values, and which use each is of. */
struct policy_conf {
	bool is_matched;
	struct policy_value v[OUTBOUND_VALUES_MAX];
	struct policy_use *from[OUTBOUND_VALUES_MAX];
};

void index_policies(struct compile *c, struct mesh_build *m);
/* False: nothing speaks of it. */
bool policy_conf_of(const struct policy_subject *about, enum outbound_kind kind,
    struct policy_conf *out);

/* Everything that they say of a service whose protocol is known. */
void options_of_policies(struct compile *c, const struct policy_subject *about,
    const struct service *draft, struct arena *a, struct policy_options *out);

/* compile_log.c: the files that MeshAccessLogs want of a service. */
void add_mesh_logs(struct compile *c, const struct policy_subject *about,
    struct service *draft, struct arena *a);

/* What value i of a policy does not do here, said once an item. */
void tell_unused(struct compile *c, const struct policy_conf *conf, size_t i,
    const char *field, const char *why);

/*
 * The kinds.  Each takes what is given in conf, and adds to out what the
 * service's options are then.
 */
void options_of_balance(struct compile *c, const struct policy_conf *conf,
    const struct policy_subject *about, const struct service *draft,
    struct arena *a, struct policy_options *out);
/* The part of it that is about other zones. */
void options_of_zones(struct compile *c, const struct policy_conf *conf,
    struct arena *a, struct policy_options *out);
void options_of_breaker(struct compile *c, const struct policy_conf *conf,
    struct policy_options *out);
void options_of_health(struct compile *c, const struct policy_conf *conf,
    const struct policy_subject *about, const struct service *draft,
    struct arena *a, struct policy_options *out);
void options_of_timeout(struct compile *c, const struct policy_conf *conf,
    struct policy_options *out);
void options_of_retry(struct compile *c, const struct policy_conf *conf,
    const struct service *draft, struct policy_options *out);

#endif

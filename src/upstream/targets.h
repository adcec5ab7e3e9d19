/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_TARGETS_H
#define UPSTREAM_TARGETS_H

/*
 * What an endpoint that names SRV records leads to: addresses with ports, each
 * with a health of its own, which workers share as they do that of endpoints.
 * They come and go with the answers of DNS; at most so many of an endpoint are
 * remembered.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

/* As many as an answer has at most. */
#define TARGETS_MOST 64
/* One that no answer has is remembered so long. */
#define TARGETS_GONE_MS 600000

struct cluster;
struct live_endpoint;
struct shared_endpoint;
struct text;

struct live_target {
	unsigned refs;
	struct addr addr;
	struct shared_endpoint *known;
	bool is_offered; /* it is in the last answer */
	bool is_failing; /* as of an endpoint */
	uint64_t failed_ms;
	uint64_t gone_ms; /* since when it is in no answer */
};

/* Zeroed memory: none. */
struct live_targets {
	struct live_target **v;
	size_t n;
};

struct live_target *live_target_ref(struct live_target *t);
/* NULL is fine for these. */
void live_target_unref(struct live_target *t);
void live_target_failed(struct live_target *t, uint64_t now_ms);
void live_target_worked(struct live_target *t);

/* v is what the name of e leads to now. */
void targets_set(
    struct cluster *c, struct live_endpoint *e, const struct addr *v, size_t n);
/* e is gone from its service, though connections to it are not. */
void targets_withdraw(struct live_endpoint *e, uint64_t now_ms);
/* NULL: it was in no answer lately. */
struct live_target *targets_find(
    const struct live_endpoint *e, const struct addr *a);
/* The better ones first, otherwise in the order that they have. */
void targets_sort(
    const struct live_endpoint *e, struct addr *v, size_t n, uint64_t now_ms);
/* t is left out, and e has a better one. */
bool targets_shun(const struct live_endpoint *e, const struct live_target *t,
    uint64_t now_ms);
void targets_free(struct live_endpoint *e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_BALANCE_H
#define UPSTREAM_BALANCE_H

/*
 * Which of several endpoints is next.  First a priority, by how much of each
 * is healthy, then an endpoint of it, by the policy.  Who takes part at all in
 * a pick was said before, in the endpoints' standing: see pick.c.  Pure but
 * for what is kept with endpoints and balance: time is an argument, lots are
 * drawn from a seed.  Own thread.
 */

#include "policy/service_options.h"
#include "upstream/endpoint.h"

struct balance;

struct balance_settings {
	enum balance_policy policy;
	unsigned choices;          /* least request: of so many */
	unsigned table_size;       /* ring and Maglev */
	unsigned ring_least;       /* points */
	unsigned overprovisioning; /* percent */
	unsigned panic;            /* percent; 0: never */
	unsigned slow_start_ms;    /* 0: off */
	unsigned slow_start_least; /* percent of the weight */
	/* Load is requests; else connections. */
	bool counts_requests;
	/* Who is left out is not even the last resort. */
	bool is_strict;
};

/* What the options of a service say. */
struct balance_settings balance_settings_of(
    const struct service_options *o, bool counts_requests);

/* For all, which outlives it and does not change. */
struct balance *balance_new(const struct balance_settings *s,
    const struct live_endpoints *all, uint64_t seed) MUST_CHECK;
/* NULL is fine. */
void balance_free(struct balance *b);
const struct live_endpoints *balance_endpoints(const struct balance *b);
bool balance_is_strict(const struct balance *b);

/*
 * One of those whose standing allows it, or NULL.  hash: of what the caller
 * has; NULL: it has none, or nobody asks for it.  Equal hashes lead to the same
 * endpoint, or, where that takes no part, to the same other one.
 */
struct live_endpoint *balance_choose(
    struct balance *b, const uint64_t *hash, uint64_t now_ms) MUST_CHECK;

/* "maglev" */
const char *balance_name(const struct balance *b);
#define BALANCE_WHOLE 10000

/*
 * Look at all of them, as a caller would who may use all.  How much of the load
 * they can carry, of BALANCE_WHOLE.
 */
unsigned balance_survey(struct balance *b, uint64_t now_ms);
/* As of the survey, in percent: of its priority, and of its own weight. */
unsigned balance_load_of(
    const struct balance *b, const struct live_endpoint *e);
unsigned balance_warmth_of(
    const struct balance *b, const struct live_endpoint *e, uint64_t now_ms);

#endif

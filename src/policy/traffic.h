/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TRAFFIC_H
#define POLICY_TRAFFIC_H

/*
 * What mesh policies ask for beyond permission: rates that callers of a service
 * have to keep to, and faults that are made on purpose.  Compiled once, never
 * changed, shared between services and snapshots by digest.  What is left of a
 * rate at the moment is not here: see upstream/rates.h.  Any thread may read.
 *
 * Callers are told by the URIs of their certificate alone; the x-kuma-tags
 * that Kuma goes by (RateLimit, FaultInjection) can be forged.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"
#include "policy/principal.h"

struct fingerprint;
struct identity;

enum rate_of { RATE_OF_REQUESTS, RATE_OF_CONNECTIONS };

/* onRateLimit.headers: set replaces what is there, add stands beside it. */
struct header_change {
	struct str name; /* lower case */
	struct str value;
	bool is_added;
};

/* conf.http of RateLimit; local.http, local.tcp of MeshRateLimit. */
struct rate_rule {
	enum rate_of of;
	struct principal *callers; /* one of them matches */
	size_t n_callers;
	struct principal *except; /* and none of these */
	size_t n_except;
	uint64_t num; /* in so much time, for all callers together; over 0 */
	unsigned interval_ms;
	unsigned status; /* of the answer that refuses a request */
	struct header_change *headers; /* on it */
	size_t n_headers;
	struct str origin; /* "file:line Kind/name" */
	/*
	 * Of the document and how much it allows, each service by itself: the
	 * same over reloads and workers, and of all services it concerns.
	 */
	struct digest bucket;
};

/* In millionths; 1000000: always. */
#define CHANCE_ALWAYS 1000000u

/* One item of default.http of MeshFaultInjection; conf of FaultInjection. */
struct fault_rule {
	struct principal *callers; /* one of them matches */
	size_t n_callers;
	struct principal *except; /* and none of these */
	size_t n_except;
	unsigned abort_status; /* 0: no abort */
	unsigned abort_chance;
	unsigned delay_ms; /* 0: no delay */
	unsigned delay_chance;
	uint64_t bytes_per_s; /* of the answer's body; 0: no limit */
	unsigned bandwidth_chance;
	struct str origin;
};

struct traffic_policy {
	struct ref ref;
	struct digest digest;    /* what it says, not where */
	uint64_t origins;        /* hash of the places as well */
	struct rate_rule *rates; /* from highest to lowest precedence */
	size_t n_rates;
	struct fault_rule *faults; /* all that match apply, in this order */
	size_t n_faults;
	struct arena arena;
};

struct traffic_policy *traffic_policy_ref(struct traffic_policy *t);
void traffic_policy_unref(struct traffic_policy *t);

/* Fill in digest and origins of a draft; then make the object. */
void traffic_policy_digest(struct traffic_policy *draft, struct fingerprint *f);
struct traffic_policy *traffic_policy_new(
    const struct traffic_policy *draft) MUST_CHECK;

/* t may be NULL: no policy concerns the service. */
/* The first rule of that kind for the caller, or NULL: no limit. */
const struct rate_rule *traffic_rate(
    const struct traffic_policy *t, enum rate_of of, const struct identity *id);
/* The next one after prev (NULL: the first) for the caller, or NULL. */
const struct fault_rule *traffic_fault(const struct traffic_policy *t,
    const struct fault_rule *prev, const struct identity *id);

#endif

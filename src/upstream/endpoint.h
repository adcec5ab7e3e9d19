/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_ENDPOINT_H
#define UPSTREAM_ENDPOINT_H

/*
 * What one worker knows of one endpoint while it runs: how the last attempts
 * went, its connections that may be used, what balance.c keeps of it.  The
 * endpoint itself is the snapshot's and never changes: another digest is
 * another live_endpoint.  Counted without atomics: own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/service.h"
#include "upstream/back.h"
#include "upstream/targets.h"

/* For so long an endpoint that failed is only the last resort. */
#define ENDPOINT_FAILED_MS 10000

/* In one pick; better is more.  Of pick.c, for balance.c. */
enum standing {
	STANDING_OUT,   /* not for this caller, or gone */
	STANDING_TRIED, /* and it failed */
	STANDING_BAD,   /* not healthy */
	STANDING_GOOD
};

struct shared_endpoint;

/* The best first. */
enum endpoint_health {
	ENDPOINT_HEALTHY,
	ENDPOINT_FAILING,  /* this worker failed to connect lately */
	ENDPOINT_EJECTED,  /* by the outlier detection */
	ENDPOINT_UNHEALTHY /* active checks say so */
};

struct live_endpoint {
	unsigned refs;
	struct endpoint *endpoint; /* referenced */
	uint64_t name_id; /* of the name that it is for; 0: of no wildcard */
	/* What all workers know of it; referenced; NULL: nothing. */
	struct shared_endpoint *known;
	bool is_offered;             /* among those that known counts as such */
	struct live_targets targets; /* of SRV; of others none */
	unsigned ruleset;
	bool is_zoned;
	bool is_gone;    /* the service has it no longer, or not as it was */
	bool is_failing; /* the last attempt failed */
	enum standing standing;
	unsigned level;     /* of its priority; balance.c */
	bool is_known_good; /* it was healthy when last looked at */
	bool is_warming;    /* new, or healthy again */
	uint64_t warming_since_ms;
	uint64_t credit;    /* of round robin; wraps like a signed number */
	uint64_t mark;      /* the last pick that it was a candidate in */
	uint64_t hash_id;   /* where it leads to, of tables */
	unsigned turn;      /* which of its addresses comes first next time */
	uint64_t failed_ms; /* when the last failure was */
	char *failure;      /* what it was; NULL: there was none */
	unsigned connecting;
	unsigned active;   /* open connections, the idle ones included */
	unsigned requests; /* exchanges that use it, or wait for a dialling */
	/*
	 * Exchanges that its last connection took at a time: 1 of HTTP/1.1;
	 * 0: there was none yet.
	 */
	unsigned streams;
	struct back_list shared; /* those with room */
	struct back_list idle;   /* last used first */
	struct back_list pinned; /* idle too, each for one caller */
	size_t n_idle;
	int64_t chain_end_s; /* of the certificates that it showed last */
	uint64_t chain_noted_ms;
};

struct live_endpoints {
	struct live_endpoint **v;
	size_t n;
};

/* One reference, the caller's. */
struct live_endpoint *live_endpoint_new(
    const struct service_endpoint *se) MUST_CHECK;
struct live_endpoint *live_endpoint_ref(struct live_endpoint *e);
/* NULL is fine. */
void live_endpoint_unref(struct live_endpoint *e);

void live_endpoint_failed(
    struct live_endpoint *e, uint64_t now_ms, const char *text);
void live_endpoint_worked(struct live_endpoint *e);
/* k becomes e's. */
void live_endpoint_share(struct live_endpoint *e, struct shared_endpoint *k);
/* The service has it (again), or has it no longer. */
void live_endpoint_offer(struct live_endpoint *e, bool is_offered);
/* Of one with targets: no better than the best of them. */
enum endpoint_health live_endpoint_health(
    const struct live_endpoint *e, uint64_t now_ms);
enum endpoint_health live_target_health(
    const struct live_target *t, uint64_t now_ms);
/* What is known of the one that was reached; t: NULL, or its target. */
struct shared_endpoint *live_known(
    const struct live_endpoint *e, const struct live_target *t);
/* Neither left out, nor with a failed attempt in the last
 * ENDPOINT_FAILED_MS. */
bool live_endpoint_is_healthy(const struct live_endpoint *e, uint64_t now_ms);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_SHARED_H
#define UPSTREAM_SHARED_H

/*
 * What the workers share of a service while they have a cluster for it: what
 * is in use of its limits, and the health of its endpoints.  Found by the
 * service's key, an endpoint by its key and digest, so that it stays over
 * reloads; there is no more of it than the workers have clusters and
 * endpoints.  Any thread; locks are held for moments, never over a call of
 * somebody else.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "base/digest.h"
#include "base/hash.h"
#include "base/ref.h"
#include "upstream/breaker.h"
#include "upstream/health.h"
#include "upstream/outlier.h"

struct loop;
struct shared;
struct shared_service;

struct shared_endpoint {
	TAILQ_ENTRY(shared_endpoint) link;
	struct shared_group *group;
	char *key;
	struct digest digest;
	atomic_uint probed;
	_Atomic uint64_t out_until_ms; /* ejected; 0: never was */
	/* With the service's lock. */
	unsigned refs;
	unsigned offered; /* workers whose service has it now */
	struct outlier_host outlier;
	char *why; /* of the last check, if it failed; or NULL */
};

TAILQ_HEAD(shared_endpoint_list, shared_endpoint);

/*
 * Endpoints that are chosen between, and so are compared with each other: those
 * of this zone, or of others, or of one name of a wildcard; or the targets of
 * one endpoint.  With the service's lock.
 */
struct shared_group {
	struct shared_service *service;
	char *name;
	unsigned refs;     /* its endpoints' */
	UT_hash_handle hh; /* by name */
	struct shared_endpoint_list endpoints;
	uint64_t interval_ms; /* when the present interval began; 0: none */
};
TAILQ_HEAD(shared_member_list, shared_member);

/* What a member may be told; bits. */
enum shared_news {
	NEWS_HEALTH = 1, /* an endpoint's health has changed */
	NEWS_WANTED = 2, /* another worker needs a connection at the limit */
	NEWS_ROOM = 4    /* there may be one */
};

/* One worker's cluster of the service. */
struct shared_member {
	struct ref ref;
	TAILQ_ENTRY(shared_member) link;
	struct loop *loop;
	/* In loop's thread; arg NULL: it has left. */
	void (*fn)(void *arg, unsigned news);
	void *arg;
	atomic_uint news;     /* that it is about to be told */
	atomic_uint requests; /* in progress; written by its own thread */
};

struct shared_service {
	struct shared *all;
	unsigned refs; /* with the lock of its shard */
	char *key;
	size_t key_len;
	UT_hash_handle hh; /* by key */
	struct breaker breakers[BREAKER_N];
	atomic_uint wanted;      /* who waits for a connection at the limit */
	atomic_bool has_traffic; /* since it was made */

	pthread_mutex_t lock;
	struct shared_group *groups;
	struct shared_member_list members;
};

struct shared *shared_new(void) MUST_CHECK;
/* After the last reference has gone.  NULL is fine. */
void shared_free(struct shared *s);

/* Found or made; one reference, the caller's. */
struct shared_service *shared_service_get(
    struct shared *s, struct str key) MUST_CHECK;
void shared_service_unref(struct shared_service *s);

/* Likewise. */
struct shared_endpoint *shared_endpoint_get(struct shared_service *s,
    struct str group, struct str key, const struct digest *d) MUST_CHECK;
/* is_offered: that this reference counted as one whose worker has it now. */
void shared_endpoint_unref(struct shared_endpoint *e, bool is_offered);
/* By one more worker, or by one fewer. */
void shared_endpoint_offer(struct shared_endpoint *e, bool is_offered);

/* Nobody judges the service's endpoints any more: none is left out for it. */
void shared_forgive(struct shared_service *s);

/* Why its last check failed; empty: it did not. */
void shared_endpoint_explain(struct shared_endpoint *e, const char *why);
void shared_endpoint_why(struct shared_endpoint *e, struct text *out);

struct shared_member *shared_join(struct shared_service *s, struct loop *l,
    void (*fn)(void *arg, unsigned news), void *arg) MUST_CHECK;
/* fn is not called afterwards.  l's thread. */
void shared_leave(struct shared_service *s, struct shared_member *m);
/* To all members but that one, soon. */
void shared_tell(struct shared_service *s, const struct shared_member *but,
    enum shared_news news);
/* Requests in progress in all workers. */
unsigned shared_requests(struct shared_service *s);

#endif

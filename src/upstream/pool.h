/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

/*
 * Idle connections of a worker: each lies with its endpoint, the last used on
 * top, and in one line by age, whose oldest are closed when their time is
 * over.  One that its server closes goes at once.  Nothing is allocated to put
 * or take one.  Own thread.
 */

#include <stddef.h>

#include "net/loop.h"
#include "upstream/back.h"
#include "upstream/endpoint.h"

struct pool {
	struct loop *loop;
	const struct upstream_limits *limits;
	struct back_list by_age; /* the oldest first */
	struct timer timer;
};

void pool_init(
    struct pool *p, struct loop *l, const struct upstream_limits *limits);
/* Closes all. */
void pool_fini(struct pool *p);

/* Nobody uses b at present: is it still good for another exchange? */
bool pool_rest(struct pool *p, struct back *b) MUST_CHECK;
/* Takes over b, which is good; a full pool closes its oldest. */
void pool_put(struct pool *p, struct back *b);
/* The last used one that is still good, or NULL. */
struct back *pool_take(struct pool *p, struct live_endpoint *e) MUST_CHECK;
void pool_close(struct pool *p, struct live_endpoint *e);
/* The one that lies there longest; false: there is none. */
bool pool_close_oldest(struct pool *p, struct live_endpoint *e);

#endif

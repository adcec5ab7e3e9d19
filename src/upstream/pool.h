/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

/*
 * Connections of a worker that another exchange may use.  Idle ones lie with
 * their endpoint, the last used on top, and in one line by age, whose oldest
 * are closed when their time is over.  Shared ones, which carry exchanges and
 * have room for more, are only listed with their endpoint.  What is of no use
 * any more goes at once.  Nothing is allocated to put or find one.  Own
 * thread.
 */

#include <stddef.h>

#include "net/loop.h"
#include "upstream/back.h"
#include "upstream/endpoint.h"

struct pool {
	struct loop *loop;
	const struct upstream_limits *limits;
	/* Of every watched connection: see back_ops.watch. */
	void (*changed)(struct back *b);
	struct back_list by_age; /* the oldest first */
	struct timer timer;
};

void pool_init(struct pool *p, struct loop *l,
    const struct upstream_limits *limits, void (*changed)(struct back *b));
/* Closes all that nobody uses. */
void pool_fini(struct pool *p);

/*
 * b is new, or one of its streams was released: it is watched from now on.  Is
 * it good for another exchange?
 */
bool pool_rest(struct pool *p, struct back *b) MUST_CHECK;
/*
 * Where b, which is good, belongs now: to be called whenever its leases or its
 * room have changed.  Idle, it may be closed: a full pool closes its oldest.
 */
void pool_put(struct pool *p, struct back *b);
/* As an idle one that nobody finds, until it is put or taken out. */
void pool_put_pinned(struct pool *p, struct back *b);
/* Nobody finds it from now on. */
void pool_take_out(struct back *b);

/*
 * One with room, or NULL: a shared one, else the last used idle one, introduced
 * by this header, or by none.  It stays where it is until it is put anew.
 */
struct back *pool_find(
    struct live_endpoint *e, const struct proxy_header *caller) MUST_CHECK;
/* Shared ones only. */
struct back *pool_find_shared(
    struct live_endpoint *e, const struct proxy_header *caller) MUST_CHECK;
/* All that nobody uses. */
void pool_close(struct live_endpoint *e);
/* The one that nobody has used for longest; false: there is none. */
bool pool_close_oldest(struct live_endpoint *e);

#endif

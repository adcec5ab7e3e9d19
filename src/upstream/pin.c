/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeping one connection for one caller.  The pool ages it, like all that
 * nobody uses, but does not give it to anybody.
 */

#include "upstream/pin.h"

#include <stddef.h>

#include "upstream/cluster_state.h"
#include "upstream/pick.h"

void
pin_forget(struct back *b)
{
	if (b->pin != NULL)
		b->pin->back = NULL;
	b->pin = NULL;
}

static struct back *
take_out(struct pin *p)
{
	struct back *b = p->back;

	if (b == NULL)
		return NULL;
	pool_take_out(b);
	pin_forget(b);
	return b;
}

void
pin_release(struct pin *p)
{
	struct back *b = take_out(p);

	if (b != NULL)
		b->ops->close(b);
}

bool
pin_keep(struct pin *p, struct back *b)
{
	struct cluster *c = b->guard.cluster;

	/* HTTP/2 has no such thing as a connection of one caller. */
	if (p->back != NULL || b->version != HTTP_1_1 || c->is_dropped ||
	    b->guard.endpoint->is_gone || !pool_rest(&c->all->pool, b))
		return false;
	p->back = b;
	b->pin = p;
	pool_put_pinned(&c->all->pool, b);
	return true;
}

static bool
is_good(const struct back *b, const struct cluster *c,
    const struct reach_want *want)
{
	return b->guard.cluster == c && !c->is_dropped &&
	       b->proxy_header == want->proxy_header &&
	       pick_allows(want, b->guard.endpoint) && b->ops->can_reuse(b);
}

struct back *
pin_take(struct pin *p, const struct cluster *c, const struct reach_want *want)
{
	struct back *b = take_out(p);

	if (b == NULL || is_good(b, c, want))
		return b;
	b->ops->close(b);
	return NULL;
}

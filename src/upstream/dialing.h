/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_DIALING_H
#define UPSTREAM_DIALING_H

/*
 * New connections that were begun for leases that wait: one for as many of
 * them as the connection will presumably serve, its owners.  Own thread.
 */

#include "upstream/cluster_state.h"

/* For l, which waits and has none, at e if it still may be used by then. */
void dialing_begin(struct lease *l, struct live_endpoint *e);
/*
 * One that suits l and has room, of e if e is not NULL; false: none has.  Who
 * goes by hash joins only those of the endpoint that was picked for him.
 */
bool dialing_join(struct lease *l, const struct live_endpoint *e) MUST_CHECK;
/* l waits no longer, and owns none from now on. */
void dialing_leave(struct lease *l);
/* Somebody may join one. */
bool dialing_has_room(const struct cluster *c);

#endif

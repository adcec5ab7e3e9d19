/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONN_EXCHANGE_RIG_H
#define UNIT_CONN_EXCHANGE_RIG_H

/*
 * One exchange between a fake front and a fake back, on a connection whose
 * caller is who its certificate says; the exchange is run by the test, again
 * and again, as if each turn of the loop brought an event.
 */

#include "conn/exchange.h"
#include "unit/conn/conn_rig.h"
#include "unit/conn/fake_stream.h"

struct exchange_rig {
	struct rig g;
	struct conn conn;
	struct wire *caller; /* the other end */
	struct exchange x;
	struct fake_head request;
	struct fake_stream front;
	struct fake_back back;
	enum next next;  /* of the last run */
	unsigned agains; /* how often it asked to be run once more */
	unsigned wakes;  /* how often something happened */
};

/* Services "web" (127.0.0.1:1), "named" (a name) and "other" (refused). */
void xr_init(struct exchange_rig *r, const char *service);
void xr_fini(struct exchange_rig *r);
/* Another snapshot, with an unlike service; is it still allowed? */
void xr_reload(struct exchange_rig *r, bool allows);
/* Its service has this policy; before anything is asked of it. */
void xr_traffic(struct exchange_rig *r, const struct traffic_policy *draft);
/* back is in the pool of the service. */
void xr_pool(struct exchange_rig *r, bool is_used);
/* Begin with r->request, and run until it ends, or nothing happens. */
void xr_run(struct exchange_rig *r);
/* Go on after that. */
void xr_go_on(struct exchange_rig *r);
/* A new front, for another exchange of the same connection. */
void xr_next(struct exchange_rig *r);

#define XR_FRONT_GOT(r, want) \
	cr_expect_str_eq((r)->front.got.p, want, "\"%s\"", (r)->front.got.p)
#define XR_BACK_GOT(r, want) \
	cr_expect_str_eq(    \
	    (r)->back.stream.got.p, want, "\"%s\"", (r)->back.stream.got.p)

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of zones: what becomes of a connection for a service. */

#include <criterion/criterion.h>

#include "make_service.h"

static const char *const plain[] = { "a 10.0.0.1", NULL };
static const char *const zoned[] = { "a 10.0.0.1", "b 10.0.0.2@z1", NULL };
static const char *const ingress[] = { "i 10.9.9.9 3", NULL };
static const char *const weightless[] = { "i 10.9.9.9 0", NULL };

static void
unreachable(struct service *s)
{
	s->unreachable_zone = STR("z2");
}

static void
locality(struct service *s)
{
	s->is_locality_aware = true;
}

static const struct {
	const char *const *local;
	const char *const *remote;
	void (*change)(struct service *);
	bool caller_is_remote;
	bool local_is_live;
	uint64_t dice;
	enum route route;
} rows[] = {
	{ plain, NULL, NULL, false, false, 0, ROUTE_SERVE },
	{ zoned, NULL, NULL, false, false, 7, ROUTE_SERVE },
	{ zoned, NULL, NULL, true, false, 7, ROUTE_SERVE },
	{ plain, NULL, NULL, true, false, 0, ROUTE_NOT_ZONED },
	{ NULL, ingress, NULL, false, false, 0, ROUTE_RELAY },
	{ NULL, ingress, NULL, true, false, 0, ROUTE_THIRD_ZONE },
	{ plain, ingress, NULL, true, false, 0, ROUTE_THIRD_ZONE },
	{ zoned, ingress, NULL, true, false, 0, ROUTE_SERVE },
	{ NULL, NULL, unreachable, false, false, 0, ROUTE_NO_INGRESS },
	{ NULL, NULL, unreachable, true, false, 0, ROUTE_THIRD_ZONE },
	{ plain, NULL, unreachable, false, false, 0, ROUTE_SERVE },
	{ NULL, ingress, unreachable, false, false, 0, ROUTE_RELAY },
	{ NULL, NULL, NULL, false, false, 0, ROUTE_NO_ENDPOINT },
	{ NULL, NULL, NULL, true, false, 0, ROUTE_NO_ENDPOINT },
	/* One local of weight 1, an ingress of weight 3. */
	{ plain, ingress, NULL, false, false, 0, ROUTE_SERVE },
	{ plain, ingress, NULL, false, true, 1, ROUTE_RELAY },
	{ plain, ingress, NULL, false, true, 3, ROUTE_RELAY },
	{ plain, ingress, NULL, false, true, 4, ROUTE_SERVE },
	{ zoned, ingress, NULL, false, true, 1, ROUTE_SERVE },
	{ zoned, ingress, NULL, false, true, 2, ROUTE_RELAY },
	{ plain, weightless, NULL, false, true, 9, ROUTE_SERVE },
	/* Locality: the others only when none of ours is left. */
	{ plain, ingress, locality, false, true, 3, ROUTE_SERVE },
	{ plain, ingress, locality, false, false, 0, ROUTE_RELAY },
	{ plain, NULL, locality, false, false, 0, ROUTE_SERVE },
	{ zoned, ingress, locality, true, false, 0, ROUTE_SERVE },
};

Test(service, route)
{
	struct service *s;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		s = make_service_with("s", "allow *", rows[i].local,
		    rows[i].remote, rows[i].change);
		cr_expect_eq(
		    service_route(s, service_scope(s, STR("s{mesh=m}")),
			rows[i].caller_is_remote, rows[i].local_is_live,
			rows[i].dice),
		    rows[i].route, "row %zu", i);
		service_unref(s);
	}
}

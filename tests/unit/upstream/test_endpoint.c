/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered of an endpoint, and for how long. */

#include <criterion/criterion.h>

#include "upstream/endpoint.h"
#include "upstream_rig.h"

static struct service *
make(void)
{
	const struct rig_endpoint v[] = {
		{ .key = "a",
		    .host = "10.0.0.1",
		    .port = 1,
		    .ruleset = 3,
		    .is_zoned = true },
		{ .key = NULL },
	};

	return rig_service("s", "", v);
}

Test(endpoint, a_failure_is_remembered_for_ten_seconds)
{
	static const struct {
		uint64_t after_ms;
		bool is_healthy;
	} rows[] = { { 0, false }, { 1, false }, { 9999, false },
		{ 10000, true }, { 3600000, true } };
	struct service *s = make();
	struct live_endpoint *e = live_endpoint_new(&s->local[0]);

	cr_expect(live_endpoint_is_healthy(e, 5), "none was asked for yet");
	live_endpoint_failed(e, 7000, "one");
	live_endpoint_failed(e, 8000, "two");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(
		    live_endpoint_is_healthy(e, 8000 + rows[i].after_ms),
		    rows[i].is_healthy, "after %lu ms",
		    (unsigned long)rows[i].after_ms);
	cr_expect_str_eq(e->failure, "two");
	live_endpoint_worked(e);
	cr_expect(live_endpoint_is_healthy(e, 8000));
	cr_expect_str_eq(e->failure, "two", "kept for the operator");
	live_endpoint_unref(e);
	service_unref(s);
}

Test(endpoint, it_keeps_what_the_snapshot_lets_go)
{
	struct service *s = make();
	struct live_endpoint *e = live_endpoint_new(&s->local[0]);

	service_unref(s);
	cr_expect_eq(e->ruleset, 3);
	cr_expect(e->is_zoned);
	cr_expect(str_eq(e->endpoint->key, STR("a")));
	live_endpoint_unref(live_endpoint_ref(e));
	cr_expect(str_eq(e->endpoint->host, STR("10.0.0.1")));
	live_endpoint_unref(e);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a connection of HTTP/2 that several exchanges share ends, or one of its
 * streams does, and what that means for the others and for who comes later.
 */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "h2_sharing.h"
#include "upstream/cluster_state.h"

static struct h2_sharing t;

static void
setup(void)
{
	sharing_init(&t);
}

static void
teardown(void)
{
	sharing_fini(&t);
}

TestSuite(h2_end, .init = setup, .fini = teardown, .timeout = 60);

Test(h2_end, what_is_refused_is_told_and_has_room_elsewhere)
{
	sharing_start(&t, 2);
	for (unsigned i = 0; i < 6; i++)
		sharing_ask(&t, i);
	for (unsigned i = 0; i < 6; i++) {
		cr_assert(RIG_UNTIL(&t.g, t.e[i].is_done));
		rig_send(&t.e[i], "/");
	}
	/* Nothing was known of the server, so all went to one connection. */
	cr_assert(RIG_UNTIL(&t.g, h2_host_refused(t.h) == 4));
	cr_expect_eq(t.h->n_conns, 1);
	for (unsigned i = 2; i < 6; i++) {
		cr_assert(RIG_UNTIL(&t.g, rig_read(&t.e[i]) == PULL_FAIL));
		cr_expect_eq(t.e[i].lease.stream->error, STREAM_REFUSED);
		lease_end(&t.e[i].lease, false);
	}
	for (unsigned i = 2; i < 6; i++)
		rig_lease(t.c, &RIG_ANY, true, &t.counter, &t.e[i]);
	for (unsigned i = 2; i < 6; i++) {
		cr_assert(RIG_UNTIL(&t.g, t.e[i].is_done));
		cr_expect_not(t.e[i].lease.is_reused);
		rig_send(&t.e[i], "/");
	}
	cr_assert(RIG_UNTIL(&t.g, h2_host_requests(t.h) == 6));
	cr_expect_eq(t.h->n_conns, 3, "two are needed for four");
	cr_expect_eq(h2_host_refused(t.h), 4);
	cr_expect_eq(rig_stat("s", STAT_HTTP2_RX_RESET), 4);
	for (unsigned i = 0; i < 3; i++)
		h2_host_answer(t.h, i, 2);
	for (unsigned i = 0; i < 6; i++)
		sharing_finish(&t, i);
}

Test(h2_end, who_is_asked_to_leave_ends_what_was_begun)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, 3);
	h2_host_goaway(t.h, 0, 0x7fffffff);
	/* Nobody else finds it from then on. */
	cr_assert(RIG_UNTIL(&t.g, TAILQ_EMPTY(&t.c->local.v[0]->shared)));
	sharing_ask(&t, 3);
	cr_expect_not(t.e[3].is_done);
	cr_assert(RIG_UNTIL(&t.g, t.e[3].is_done));
	cr_assert_eq(t.h->n_conns, 2);
	cr_expect(rig_says(&t.g, "active=2 idle=0"));
	h2_host_answer(t.h, 0, 3);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 2);
		sharing_finish(&t, i);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	lease_end(&t.e[3].lease, true);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
}

Test(h2_end, what_it_never_took_may_be_sent_again)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, 3);
	h2_host_goaway(t.h, 0, 1);
	for (unsigned i = 1; i < 3; i++) {
		cr_assert(RIG_UNTIL(&t.g, rig_read(&t.e[i]) == PULL_FAIL));
		cr_expect_eq(t.e[i].lease.stream->error, STREAM_REFUSED);
		lease_end(&t.e[i].lease, false);
	}
	for (unsigned i = 1; i < 3; i++)
		sharing_begin(&t, i);
	cr_assert(RIG_UNTIL(&t.g, h2_host_requests(t.h) == 5));
	cr_expect_eq(t.h->n_conns, 2);
	h2_host_answer(t.h, 0, 1);
	h2_host_answer(t.h, 1, 2);
	for (unsigned i = 0; i < 3; i++)
		sharing_finish(&t, i);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
}

Test(h2_end, one_that_is_given_up_does_not_touch_the_others)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, 3);
	lease_end(&t.e[1].lease, false);
	cr_assert(RIG_UNTIL(&t.g, t.h->conns[0]->n_resets == 1));
	h2_host_answer(t.h, 0, 2);
	sharing_finish(&t, 0);
	sharing_finish(&t, 2);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
	cr_expect_eq(rig_stat("s", STAT_HTTP2_TX_RESET), 1);
	sharing_begin(&t, 1);
	cr_expect(t.e[1].lease.is_reused);
	lease_end(&t.e[1].lease, false);
	cr_expect_eq(t.h->n_conns, 1);
}

Test(h2_end, a_reset_ends_one_and_no_more)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, 2);
	h2_host_reset(t.h, 0, 2);
	cr_assert(RIG_UNTIL(&t.g, rig_read(&t.e[0]) == PULL_FAIL));
	cr_expect_eq(t.e[0].lease.stream->error, STREAM_RESET);
	cr_expect_eq(t.e[0].lease.stream->reset_code, 2);
	cr_expect_eq(lease_failure_text(&t.e[0].lease).len, 0);
	lease_end(&t.e[0].lease, false);
	h2_host_answer(t.h, 0, 1);
	sharing_finish(&t, 1);
	cr_expect_eq(t.h->n_conns, 1);
	cr_expect_eq(rig_stat("s", STAT_HTTP2_RX_RESET), 1);
}

Test(h2_end, a_connection_that_dies_takes_all_along)
{
	struct str why;

	sharing_start(&t, 100);
	sharing_begin_all(&t, 3);
	h2_host_close(t.h, 0);
	for (unsigned i = 0; i < 3; i++) {
		cr_assert(RIG_UNTIL(&t.g, rig_read(&t.e[i]) == PULL_FAIL));
		cr_expect_neq(t.e[i].lease.stream->error, STREAM_OK);
		cr_expect_neq(t.e[i].lease.stream->error, STREAM_REFUSED);
		why = lease_failure_text(&t.e[i].lease);
		cr_expect_gt(why.len, 0);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1,
	    "it is theirs until they let go");
	sharing_ask(&t, 3);
	cr_expect_not(t.e[3].is_done, "nobody gets it any more");
	for (unsigned i = 0; i < 3; i++)
		lease_end(&t.e[i].lease, false);
	cr_assert(RIG_UNTIL(&t.g, t.e[3].is_done));
	cr_expect_eq(t.e[3].lease.status, REACH_OK);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_PROTOCOL_ERROR), 0);
	lease_end(&t.e[3].lease, false);
}

Test(h2_end, who_speaks_something_else)
{
	static const char http1[] = "HTTP/1.1 400 Bad Request\r\n"
				    "Content-Length: 0\r\n\r\n";
	const struct h2_host_options o = { .holds = true,
		.holds_settings = true };

	t.h = h2_host_start(t.g.loop, &o);
	rig_start(&t.g);
	t.s = sharing_service(&t, PROTO_GRPC, 1);
	t.c = clusters_get(t.g.clusters, t.s);
	sharing_begin_all(&t, 2);
	h2_host_say(t.h, 0, http1, sizeof(http1) - 1);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert(RIG_UNTIL(&t.g, rig_read(&t.e[i]) == PULL_FAIL));
		cr_expect_gt(lease_failure_text(&t.e[i].lease).len, 0);
		lease_end(&t.e[i].lease, false);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_PROTOCOL_ERROR), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
}

Test(h2_end, an_idle_one_that_its_server_closes_goes)
{
	sharing_start(&t, 100);
	sharing_warm_up(&t);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
	h2_host_close(t.h, 0);
	cr_assert(RIG_UNTIL(&t.g, rig_stat("s", STAT_UPSTREAM_CX_ACTIVE) == 0));
	cr_expect(rig_says(&t.g, "active=0 idle=0"));
	sharing_begin(&t, 0);
	cr_expect_not(t.e[0].lease.is_reused);
	lease_end(&t.e[0].lease, false);
}

Test(h2_end, only_what_nobody_uses_grows_old)
{
	uint64_t now = clock_ms();

	clock_fake(now, 0);
	t.g.limits.pool_idle_ms = 1000;
	sharing_start(&t, 100);
	sharing_begin_all(&t, 2);
	h2_host_answer(t.h, 0, 2);
	sharing_finish(&t, 0);
	for (unsigned i = 0; i < 5; i++) {
		clock_fake(now += 1000, 0);
		loop_turn(t.g.loop);
	}
	cr_expect(rig_says(&t.g, "active=1 idle=0"));
	sharing_finish(&t, 1);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
	clock_fake(now += 999, 0);
	loop_turn(t.g.loop);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
	clock_fake(now += 1, 0);
	loop_turn(t.g.loop);
	cr_expect(rig_says(&t.g, "active=0 idle=0"));
	clock_unfake();
}

static void
reload(struct service *to)
{
	struct snapshot *snap = rig_snapshot(&to, 1);

	clusters_sync(t.g.clusters, snap);
	snapshot_unref(snap);
}

Test(h2_end, a_changed_endpoint_is_left_by_all)
{
	struct service *changed;

	sharing_start(&t, 100);
	changed = sharing_service(&t, PROTO_HTTP2, 7);
	sharing_begin_all(&t, 2);
	h2_host_answer(t.h, 0, 2);
	sharing_finish(&t, 0);
	reload(changed);
	sharing_begin(&t, 2);
	cr_expect_not(t.e[2].lease.is_reused);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 2);
	sharing_finish(&t, 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	lease_end(&t.e[2].lease, false);
	service_unref(changed);
}

Test(h2_end, a_service_that_speaks_otherwise_now_begins_anew)
{
	struct service *http1;

	sharing_start(&t, 100);
	http1 = sharing_service(&t, PROTO_HTTP, 1);
	sharing_warm_up(&t);
	reload(http1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	sharing_ask(&t, 1);
	cr_assert(RIG_UNTIL(&t.g, t.e[1].is_done));
	cr_expect_eq(t.e[1].lease.version, HTTP_1_1);
	lease_end(&t.e[1].lease, true);
	service_unref(http1);
}

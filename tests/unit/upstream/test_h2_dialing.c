/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many connections are dialled for many exchanges that come at once to a
 * service spoken to in HTTP/2, and what becomes of them when the dialling
 * fails, or the server turns out to speak something else.
 */

#include <criterion/criterion.h>

#include "h2_host.h"
#include "upstream/cluster_state.h"
#include "upstream_rig.h"

#define MANY 1000

static struct rig g;
static struct h2_host *h;
static struct ext_server *x;
static struct service *s;
static struct cluster *c;
static struct pki *ca, *cert;
static struct rig_exchange e[MANY];
static unsigned counter;

static void
setup(void)
{
	const struct pki_options root = { .subject = "CN=root" };

	rig_init(&g);
	ca = pki_ca_new(NULL, &root);
	cert = pki_server(ca, "x.example");
}

static void
teardown(void)
{
	service_unref(s);
	if (h != NULL)
		h2_host_stop(h);
	rig_fini(&g);
	if (x != NULL)
		ext_stop(x);
	pki_free(cert);
	pki_free(ca);
}

TestSuite(h2_dialing, .init = setup, .fini = teardown, .timeout = 60);

/* Endpoints a (ruleset 0) and, if b is not 0, b (ruleset 1). */
static void
start(enum protocol protocol, uint16_t a, uint16_t b, const char *alpn)
{
	rig_start(&g);
	s = rig_service_of(protocol, "s", "r0 r1",
	    (const struct rig_endpoint[]){
		{ .key = "a",
		    .host = "127.0.0.1",
		    .port = a,
		    .tls = alpn != NULL ? rig_tls_alpn(alpn) : NULL },
		{ .key = b > 0 ? "b" : NULL,
		    .host = "127.0.0.1",
		    .port = b,
		    .ruleset = 1,
		    .tls = alpn != NULL && b > 0 ? rig_tls_alpn(alpn) : NULL },
		{ .key = NULL } });
	c = clusters_get(g.clusters, s);
}

static void
serve(const struct h2_host_options *o)
{
	h = h2_host_start(g.loop, o);
}

static void
ask(unsigned i, uint64_t rulesets)
{
	rig_lease(c, &(struct reach_want){ .rulesets = rulesets }, false,
	    &counter, &e[i]);
}

static void
expect_all(unsigned n)
{
	cr_assert(RIG_UNTIL(&g, counter == n), "%u told", counter);
	for (unsigned i = 0; i < n; i++) {
		cr_assert_eq(e[i].lease.status, REACH_OK, "exchange %u: %s", i,
		    e[i].lease.detail);
		cr_expect_eq(e[i].calls, 1, "exchange %u", i);
	}
}

static void
end_all(unsigned n, bool is_whole)
{
	for (unsigned i = 0; i < n; i++)
		lease_end(&e[i].lease, is_whole);
}

Test(h2_dialing, a_thousand_cold_ones_need_ten_connections)
{
	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP2, h->port, 0, NULL);
	for (unsigned i = 0; i < MANY; i++)
		ask(i, 1);
	expect_all(MANY);
	for (unsigned i = 0; i < MANY; i++) {
		cr_expect_eq(e[i].order, i + 1);
		cr_expect_not(e[i].lease.is_reused);
		rig_send(&e[i], "/");
	}
	cr_assert(RIG_UNTIL(&g, h2_host_requests(h) == MANY));
	cr_expect_eq(h->n_conns, 10);
	for (unsigned i = 0; i < h->n_conns; i++)
		cr_expect_eq(h->conns[i]->n_most, 100, "connection %u", i);
	cr_expect_eq(h2_host_refused(h), 0);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 10);
	for (unsigned i = 0; i < h->n_conns; i++)
		h2_host_answer(h, i, 100);
	for (unsigned i = 0; i < MANY; i++) {
		cr_assert(RIG_UNTIL(&g, rig_read(&e[i]) == PULL_END));
		lease_end(&e[i].lease, true);
	}
	cr_expect(rig_says(&g, "active=10 idle=10"));
}

Test(h2_dialing, over_http1_a_thousand_would_need_a_thousand)
{
	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP, h->port, 0, NULL);
	for (unsigned i = 0; i < 20; i++)
		ask(i, 1);
	expect_all(20);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 20);
	end_all(20, true);
}

Test(h2_dialing, endpoints_take_turns)
{
	struct h2_host *other;

	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	other = h2_host_start(g.loop, &h->options);
	start(PROTO_GRPC, h->port, other->port, NULL);
	for (unsigned i = 0; i < 400; i++)
		ask(i, 3);
	expect_all(400);
	cr_assert(RIG_UNTIL(&g, h->n_conns + other->n_conns == 4));
	cr_expect_eq(h->n_conns, 2);
	end_all(400, true);
	h2_host_stop(other);
}

Test(h2_dialing, each_dials_where_it_may)
{
	struct h2_host *other;

	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	other = h2_host_start(g.loop, &h->options);
	start(PROTO_HTTP2, h->port, other->port, NULL);
	for (unsigned i = 0; i < 40; i++)
		ask(i, i % 2 == 0 ? 1 : 2);
	expect_all(40);
	for (unsigned i = 0; i < 40; i++)
		cr_expect(str_eq(e[i].lease.endpoint->key,
		    i % 2 == 0 ? STR("a") : STR("b")));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	end_all(40, true);
	h2_host_stop(other);
}

Test(h2_dialing, a_failure_is_that_of_all_its_owners)
{
	start(PROTO_HTTP2, rig_closed_port(), 0, NULL);
	for (unsigned i = 0; i < 50; i++)
		ask(i, 1);
	cr_assert(RIG_UNTIL(&g, counter == 50));
	for (unsigned i = 0; i < 50; i++) {
		cr_expect_eq(e[i].lease.status, REACH_REFUSED);
		cr_expect_eq(e[i].order, i + 1);
		cr_expect_not_null(
		    strstr(e[i].lease.detail, "connection refused"));
		cr_expect(str_eq(e[i].lease.endpoint->key, STR("a")));
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 1);
	end_all(50, false);
}

Test(h2_dialing, a_failure_leads_to_the_next_endpoint_for_all)
{
	const struct reach_want any = RIG_ANY;

	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP2, rig_closed_port(), h->port, NULL);
	for (unsigned i = 0; i < 30; i++)
		rig_lease(c, &any, false, &counter, &e[i]);
	expect_all(30);
	for (unsigned i = 0; i < 30; i++)
		cr_expect(str_eq(e[i].lease.endpoint->key, STR("b")));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 1);
	end_all(30, true);
}

Test(h2_dialing, a_failure_is_not_that_of_who_may_not_go_there)
{
	g.limits.connections = 1;
	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP2, rig_closed_port(), h->port, NULL);
	ask(0, 1);
	ask(1, 2);
	cr_assert(RIG_UNTIL(&g, e[0].is_done && e[1].is_done));
	cr_expect_eq(e[0].lease.status, REACH_REFUSED);
	cr_expect_eq(e[1].lease.status, REACH_OK, "%s", e[1].lease.detail);
	lease_end(&e[0].lease, false);
	lease_end(&e[1].lease, true);
}

Test(h2_dialing, who_gives_up_leaves_it_to_the_others)
{
	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP2, h->port, 0, NULL);
	for (unsigned i = 0; i < 3; i++)
		ask(i, 1);
	lease_end(&e[0].lease, false);
	lease_end(&e[2].lease, false);
	cr_assert(RIG_UNTIL(&g, e[1].is_done));
	cr_expect_eq(e[1].lease.status, REACH_OK);
	cr_expect_eq(counter, 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
	lease_end(&e[1].lease, true);
}

Test(h2_dialing, when_all_give_up_it_goes_into_the_pool)
{
	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP2, h->port, 0, NULL);
	for (unsigned i = 0; i < 3; i++)
		ask(i, 1);
	end_all(3, false);
	cr_assert(RIG_UNTIL(&g, rig_stat("s", STAT_UPSTREAM_CX_ACTIVE) == 1));
	cr_expect(rig_says(&g, "active=1 idle=1"));
	ask(3, 1);
	cr_expect(e[3].is_done);
	cr_expect(e[3].lease.is_reused);
	lease_end(&e[3].lease, true);
}

Test(h2_dialing, it_may_be_given_up_with_the_worker)
{
	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP2, h->port, 0, NULL);
	for (unsigned i = 0; i < 3; i++)
		ask(i, 1);
	end_all(3, false);
	clusters_free(g.clusters);
	rig_start(&g);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
}

Test(h2_dialing, at_the_limit_of_pending_the_next_is_refused)
{
	g.limits.pending = 10;
	serve(&(struct h2_host_options){ .streams = 100, .holds = true });
	start(PROTO_HTTP2, h->port, 0, NULL);
	for (unsigned i = 0; i < 11; i++)
		ask(i, 1);
	cr_expect(e[10].is_done);
	cr_expect_eq(e[10].lease.status, REACH_OVERFLOW);
	cr_assert(RIG_UNTIL(&g, counter == 10));
	end_all(11, true);
}

/* One that learnt what a server allows dials accordingly the next time. */
Test(h2_dialing, what_the_last_one_allowed_is_expected_of_the_next)
{
	serve(&(struct h2_host_options){ .streams = 5 });
	start(PROTO_HTTP2, h->port, 0, NULL);
	cr_expect(rig_visit(&g, c, "/", &e[0]));
	h2_host_close(h, 0);
	cr_assert(RIG_UNTIL(&g, rig_stat("s", STAT_UPSTREAM_CX_ACTIVE) == 0));
	h->options.holds = true;
	for (unsigned i = 0; i < 20; i++)
		ask(i, 1);
	expect_all(20);
	for (unsigned i = 0; i < 20; i++)
		rig_send(&e[i], "/");
	cr_assert(RIG_UNTIL(&g, h2_host_requests(h) == 21));
	cr_expect_eq(h->n_conns, 5);
	cr_expect_eq(h2_host_refused(h), 0);
	end_all(20, false);
}

/* It allows fewer than the one before: what it has no room for goes on. */
Test(h2_dialing, the_next_may_allow_fewer)
{
	serve(&(struct h2_host_options){ .streams = 10 });
	start(PROTO_HTTP2, h->port, 0, NULL);
	cr_expect(rig_visit(&g, c, "/", &e[0]));
	h2_host_close(h, 0);
	cr_assert(RIG_UNTIL(&g, rig_stat("s", STAT_UPSTREAM_CX_ACTIVE) == 0));
	h->options.holds = true;
	g.h2.streams = 4;
	for (unsigned i = 0; i < 10; i++)
		ask(i, 1);
	expect_all(10);
	for (unsigned i = 0; i < 10; i++) {
		cr_expect_eq(e[i].order, i + 1);
		rig_send(&e[i], "/");
	}
	cr_assert(RIG_UNTIL(&g, h2_host_requests(h) == 11));
	cr_expect_eq(h->n_conns, 4, "%u", h->n_conns);
	for (unsigned i = 1; i < h->n_conns; i++)
		cr_expect_leq(h->conns[i]->n_most, 4);
	end_all(10, false);
}

static void
serve_http1(const char *alpn)
{
	const struct ext_config o = {
		.protocol = EXT_HTTP,
		.name = "x",
		.cert_pem = cert->cert_pem,
		.key_pem = cert->key_pem,
		.alpn = alpn,
	};

	x = ext_start(&o);
}

Test(h2_dialing, the_server_may_choose_what_it_was_offered)
{
	serve(&(struct h2_host_options){
	    .streams = 100, .cert = cert, .alpn = "h2" });
	start(PROTO_HTTP2, h->port, 0, "h2,http/1.1");
	for (unsigned i = 0; i < 10; i++)
		ask(i, 1);
	expect_all(10);
	cr_expect_eq(e[9].lease.version, HTTP_2);
	cr_expect(e[9].lease.has_tls);
	cr_expect(str_eq(e[9].lease.tls->alpn, STR("h2")));
	cr_expect(rig_get(&g, &e[9], "/"));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
	end_all(10, true);
}

Test(h2_dialing, it_falls_back_to_http1_where_that_was_offered)
{
	serve_http1("http/1.1");
	start(PROTO_HTTP2, ext_port(x), 0, "h2,http/1.1");
	for (unsigned i = 0; i < 10; i++)
		ask(i, 1);
	expect_all(10);
	for (unsigned i = 0; i < 10; i++) {
		cr_expect_eq(e[i].lease.version, HTTP_1_1);
		cr_expect_eq(e[i].order, i + 1);
		cr_expect(rig_get(&g, &e[i], "/bytes/10"));
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_HTTP1), 10);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_HTTP2), 0);
	end_all(10, true);
	cr_expect(rig_says(&g, "active=10 idle=10"));
	/* Now it is known that each needs its own. */
	for (unsigned i = 0; i < 12; i++)
		ask(i, 1);
	cr_expect(e[9].is_done);
	cr_expect_neq(e[10].lease.dialing, e[11].lease.dialing);
	cr_assert(RIG_UNTIL(&g, e[10].is_done && e[11].is_done));
	end_all(12, true);
}

Test(h2_dialing, nothing_chosen_is_as_the_service_says)
{
	const struct {
		enum protocol protocol;
		const char *offered;
		enum http_version version;
	} rows[] = {
		{ PROTO_HTTP, "http/1.1", HTTP_1_1 },
		{ PROTO_HTTP2, "h2", HTTP_2 },
		{ PROTO_HTTP2, "h2,http/1.1", HTTP_2 },
		{ PROTO_GRPC, "h2", HTTP_2 },
	};

	serve(&(struct h2_host_options){ .cert = cert, .holds = true });
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		start(rows[i].protocol, h->port, 0, rows[i].offered);
		ask(0, 1);
		cr_assert(RIG_UNTIL(&g, e[0].is_done), "row %zu", i);
		cr_assert_eq(e[0].lease.status, REACH_OK, "row %zu: %s", i,
		    e[0].lease.detail);
		cr_expect_eq(e[0].lease.version, rows[i].version, "row %zu", i);
		lease_end(&e[0].lease, true);
		service_unref(s);
		clusters_free(g.clusters);
		s = NULL;
	}
	rig_start(&g);
}

Test(h2_dialing, the_server_must_not_choose_anything_else)
{
	const struct {
		enum protocol protocol;
		const char *offered;
		const char *chosen;
		const char *said;
	} rows[] = {
		{ PROTO_HTTP, "http/1.1", "h2",
		    "chose h2 by ALPN, it was offered http/1.1" },
		{ PROTO_HTTP2, "h2", "http/1.1",
		    "chose http/1.1 by ALPN, it was offered h2" },
		{ PROTO_GRPC, "h2", "http/1.0",
		    "chose http/1.0 by ALPN, it was offered h2" },
		{ PROTO_HTTP2, "h2,http/1.1", "h\n\"\x80",
		    "chose h?\"? by ALPN, it was offered h2,http/1.1" },
		{ PROTO_HTTP2, "h2,http/1.1", "h2,http/1.1",
		    "chose h2,http/1.1 by ALPN, it was offered h2,http/1.1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		serve(&(struct h2_host_options){
		    .cert = cert, .alpn = rows[i].chosen });
		start(rows[i].protocol, h->port, 0, rows[i].offered);
		ask(0, 1);
		ask(1, 1);
		cr_assert(RIG_UNTIL(&g, e[0].is_done && e[1].is_done));
		for (unsigned j = 0; j < 2; j++) {
			cr_expect_eq(e[j].lease.status, REACH_PROTOCOL,
			    "row %zu: %s", i, e[j].lease.detail);
			cr_expect_not_null(
			    strstr(e[j].lease.detail, rows[i].said),
			    "row %zu: %s", i, e[j].lease.detail);
			cr_expect_not(e[j].lease.has_tls, "row %zu", i);
			lease_end(&e[j].lease, false);
		}
		cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_PROTOCOL_ERROR),
		    rows[i].protocol == PROTO_HTTP ? 2 : 1, "row %zu", i);
		cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 0);
		service_unref(s);
		s = NULL;
		clusters_free(g.clusters);
		h2_host_stop(h);
		h = NULL;
	}
	rig_start(&g);
}

Test(h2_dialing, after_a_mismatch_the_next_endpoint_is_tried)
{
	struct rig_reached r;

	serve(&(struct h2_host_options){ .cert = cert, .alpn = "h2" });
	serve_http1("http/1.1");
	start(PROTO_HTTP, h->port, ext_port(x), "http/1.1");
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_str_eq(r.endpoint, "b");
	cr_expect_eq(r.r.attempts, 2);
	cr_expect(str_eq(r.r.tls.alpn, STR("http/1.1")));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_PROTOCOL_ERROR), 1);
	cr_expect(rig_says(&g, "unhealthy active=0 idle=0"));
	cr_expect(rig_says(&g, "failed 0 s ago: a: TLS with 127.0.0.1:"));
	rig_hang_up(&r);
}

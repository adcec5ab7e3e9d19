/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services that stand for all names under a suffix: each name has endpoints,
 * connections and failures of its own, their number is bounded, and none leads
 * to a private network.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "policy/fingerprint.h"
#include "policy/service_option.h"
#include "upstream/name.h"
#include "upstream_rig.h"

static struct rig g;
static struct ext_server *x[2]; /* at 127.0.0.2 and .3, on one port */
static struct service *s;
static struct cluster *c;

static struct ext_server *
serve(const char *address, uint16_t port, const struct pki *cert)
{
	return ext_start(&(struct ext_config){
	    .protocol = EXT_HTTP,
	    .name = address,
	    .address = address,
	    .port = port,
	    .cert_pem = cert != NULL ? cert->cert_pem : NULL,
	    .key_pem = cert != NULL ? cert->key_pem : NULL,
	});
}

static void
name(const char *host, const char *address)
{
	const char *const a[] = { address, NULL };

	dns_server_set(
	    g.names, host, &(struct dns_server_answer){ .a = a, .ttl_s = 300 });
}

static void
setup(void)
{
	rig_init(&g);
	rig_start(&g);
	x[0] = serve("127.0.0.2", 0, NULL);
	x[1] = serve("127.0.0.3", ext_port(x[0]), NULL);
	name("a.s3.test", "127.0.0.2");
	name("b.s3.test", "127.0.0.3");
	name("c.s3.test", "127.0.0.3");
}

static void
teardown(void)
{
	service_unref(s);
	rig_fini(&g);
	ext_stop(x[0]);
	ext_stop(x[1]);
}

TestSuite(known_names, .init = setup, .fini = teardown, .timeout = 60);

/* Its resource says an address where nobody ever is. */
static struct service *
make(const char *wildcard, unsigned most, uint16_t port, struct tls_spec *tls)
{
	struct service_options o = *service_options_standard();
	struct service *made = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "s3", .host = "192.0.2.1", .port = port, .tls = tls },
		{ .key = NULL } });
	struct fingerprint f;

	o.wildcard = str_of(wildcard);
	o.wildcard_names = most;
	fingerprint_init(&f);
	service_options_unref(made->options);
	made->options = service_options_seal(&o, &f);
	fingerprint_fini(&f);
	return made;
}

static void
start(unsigned most)
{
	s = make("*.s3.test", most, ext_port(x[0]), NULL);
	c = clusters_get(g.clusters, s);
}

/* Another version of it is in force. */
static void
change(struct service *other)
{
	struct snapshot *snapshot = rig_snapshot(&other, 1);

	clusters_sync(g.clusters, snapshot);
	snapshot_unref(snapshot);
	service_unref(s);
	s = other;
	c = clusters_get(g.clusters, s);
}

static enum name_result
get(const char *host, struct upstream_name **out)
{
	const char *why;

	return upstream_name_get(c, NAME_AUTHORITY, str_of(host), out, &why);
}

/* A lease for this name; its result is there. */
static void
lease(const char *host, struct rig_exchange *e)
{
	struct reach_want want = RIG_ANY;

	cr_assert_eq(get(host, &want.name), NAME_GIVEN, "%s", host);
	rig_lease(c, &want, false, NULL, e);
	upstream_name_unref(want.name);
	cr_assert(RIG_UNTIL(&g, e->is_done), "%s", host);
}

/* The name of the server that answered; "": none did. */
static const char *
visit(const char *host, struct rig_exchange *e)
{
	static char where[ADDR_TEXT];

	lease(host, e);
	where[0] = '\0';
	if (e->lease.status == REACH_OK) {
		cr_expect(rig_get(&g, e, "/"));
		addr_print_host(&e->lease.addr, where);
	}
	lease_end(&e->lease, e->lease.status == REACH_OK);
	return where;
}

static struct ext_seen
seen(struct ext_server *server)
{
	struct ext_seen out;

	ext_get(server, &out);
	return out;
}

static uint64_t
of_name(const char *host, unsigned id)
{
	char label[64];

	(void)snprintf(label, sizeof(label), "m_s %s", host);
	return stats_sum(SCOPE_NAMED, label, id);
}

Test(known_names, each_has_connections_of_its_own)
{
	struct rig_exchange e;

	start(10);
	cr_expect_str_eq(visit("a.s3.test", &e), "127.0.0.2");
	cr_expect_not(e.lease.is_reused);
	cr_expect_str_eq(visit("b.s3.test", &e), "127.0.0.3");
	cr_expect_not(e.lease.is_reused);
	/* The same server, and another name. */
	cr_expect_str_eq(visit("c.s3.test", &e), "127.0.0.3");
	cr_expect_not(e.lease.is_reused);
	cr_expect_str_eq(visit("A.S3.test", &e), "127.0.0.2");
	cr_expect(e.lease.is_reused);
	cr_expect_str_eq(visit("c.s3.test", &e), "127.0.0.3");
	cr_expect(e.lease.is_reused);
	cr_expect_eq(seen(x[0]).connections, 1);
	cr_expect_eq(seen(x[1]).connections, 2);
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_NAMES), 3);
	cr_expect_eq(of_name("a.s3.test", STAT_NAME_CX_TOTAL), 1);
	cr_expect_eq(of_name("a.s3.test", STAT_NAME_USES), 2);
	cr_expect(rig_says(&g, "m/ES/s wildcard *.s3.test names=3 most=10\n"));
	cr_expect(rig_says(&g, "m/ES/s s3@b.s3.test name b.s3.test:"));
	cr_expect(rig_says(&g, " 127.0.0.3 healthy active=1 idle=1 "));
}

/* Also while they wait for one that is being made. */
Test(known_names, who_waits_gets_one_of_his_own)
{
	struct reach_want want = RIG_ANY;
	struct rig_exchange e[4];
	static const char *const hosts[] = { "a.s3.test", "b.s3.test",
		"b.s3.test", "a.s3.test" };
	static const char *const at[] = { "127.0.0.2", "127.0.0.3", "127.0.0.3",
		"127.0.0.2" };
	char text[ADDR_TEXT];
	size_t i;

	start(10);
	for (i = 0; i < 4; i++) {
		cr_assert_eq(get(hosts[i], &want.name), NAME_GIVEN);
		rig_lease(c, &want, false, NULL, &e[i]);
		upstream_name_unref(want.name);
	}
	for (i = 0; i < 4; i++) {
		cr_assert(RIG_UNTIL(&g, e[i].is_done));
		cr_assert_eq(e[i].lease.status, REACH_OK);
		addr_print_host(&e[i].lease.addr, text);
		cr_expect_str_eq(text, at[i], "%zu", i);
		cr_expect(str_eq(e[i].lease.endpoint->host, str_of(hosts[i])));
	}
	for (i = 0; i < 4; i++)
		lease_end(&e[i].lease, true);
}

Test(known_names, without_one_nothing_is_reached)
{
	struct rig_reached r;
	struct rig_exchange e;

	start(10);
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_NO_ENDPOINT);
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_expect(e.is_done);
	cr_expect_eq(e.lease.status, REACH_NO_ENDPOINT);
	lease_end(&e.lease, false);
}

Test(known_names, what_is_not_under_the_suffix)
{
	static const char *const rows[] = { "", "s3.test", "evil-s3.test",
		"a.s3.test.", "a.s3.test:1", "127.0.0.1", "a.s3.test.example" };
	struct upstream_name *n;
	struct rig_exchange e;
	char with_port[64];
	size_t i;

	start(10);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(get(rows[i], &n), NAME_REFUSED, "%s", rows[i]);
		cr_expect_null(n);
	}
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_REFUSED), i);
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_NAMES), 0);
	(void)snprintf(with_port, sizeof(with_port), "a.s3.test:%u",
	    (unsigned)ext_port(x[0]));
	cr_expect_str_eq(visit(with_port, &e), "127.0.0.2");
}

Test(known_names, other_services_have_none)
{
	struct upstream_name *n;

	s = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.2", .port = 1 },
		{ .key = NULL } });
	c = clusters_get(g.clusters, s);
	cr_expect_eq(get("whatever", &n), NAME_GIVEN);
	cr_expect_null(n);
}

Test(known_names, the_one_unused_for_longest_makes_room)
{
	struct rig_exchange e;

	start(2);
	(void)visit("a.s3.test", &e);
	(void)visit("b.s3.test", &e);
	(void)visit("a.s3.test", &e);
	cr_expect(e.lease.is_reused);
	(void)visit("c.s3.test", &e);
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_NAMES), 2);
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_EVICTED), 1);
	cr_expect_not(rig_says(&g, " b.s3.test:"));
	/* Its connection went with it, and so did its counters. */
	cr_expect(RIG_UNTIL(&g, seen(x[1]).open == 1));
	cr_expect_eq(of_name("b.s3.test", STAT_NAME_USES), 0);
	(void)visit("a.s3.test", &e);
	cr_expect(e.lease.is_reused);
}

Test(known_names, one_in_use_makes_no_room)
{
	struct rig_exchange a, b, e;
	struct upstream_name *n;

	start(2);
	lease("a.s3.test", &a);
	lease("b.s3.test", &b);
	cr_expect_eq(get("c.s3.test", &n), NAME_FULL);
	cr_expect_null(n);
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_OVERFLOW), 1);
	/* Those that are there are had all the same. */
	cr_expect_eq(get("b.s3.test", &n), NAME_GIVEN);
	upstream_name_unref(n);
	lease_end(&b.lease, false);
	cr_expect_str_eq(visit("c.s3.test", &e), "127.0.0.3");
	lease_end(&a.lease, false);
}

/* A flood of names that lead nowhere costs nobody his connections. */
Test(known_names, those_that_never_worked_go_first)
{
	struct rig_exchange e;
	char host[32];
	unsigned i;

	start(3);
	(void)visit("a.s3.test", &e);
	(void)visit("b.s3.test", &e);
	for (i = 0; i < 10; i++) {
		(void)snprintf(host, sizeof(host), "none%u.s3.test", i);
		cr_expect_str_eq(visit(host, &e), "");
		cr_expect_eq(e.lease.status, REACH_NO_NAME);
	}
	cr_expect_eq(of_name("none9.s3.test", STAT_NAME_CX_FAIL), 1);
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_EVICTED), 9);
	(void)visit("a.s3.test", &e);
	cr_expect(e.lease.is_reused);
	(void)visit("b.s3.test", &e);
	cr_expect(e.lease.is_reused);
}

/* Whatever the lists of the daemon and of the service allow. */
Test(known_names, private_networks_are_refused)
{
	static const struct {
		const char *address;
		const char *why;
	} rows[] = {
		{ "10.1.2.3", "private network" },
		{ "192.168.1.1", "private network" },
		{ "100.64.0.1", "carrier-grade NAT" },
		{ "169.254.169.254", "link-local" },
	};
	struct rig_exchange e;
	char host[32];
	size_t i;

	cr_assert(cidr_parse(STR("0.0.0.0/1"), &g.allow));
	start(10);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		(void)snprintf(host, sizeof(host), "n%zu.s3.test", i);
		name(host, rows[i].address);
		cr_expect_str_eq(visit(host, &e), "", "%s", rows[i].address);
		cr_expect_eq(e.lease.status, REACH_ADDRESS_REFUSED);
		cr_expect_not_null(
		    strstr(e.lease.detail, rows[i].why), "%s", e.lease.detail);
	}
	/* It is the lists that open what is no private network. */
	cr_expect_str_eq(visit("a.s3.test", &e), "127.0.0.2");
	g.rules.n_allow = 0;
	name("late.s3.test", "127.0.0.2");
	cr_expect_str_eq(visit("late.s3.test", &e), "");
	cr_expect_eq(e.lease.status, REACH_ADDRESS_REFUSED);
}

Test(known_names, stay_over_a_reload)
{
	struct rig_exchange e;

	start(3);
	(void)visit("a.s3.test", &e);
	(void)visit("b.s3.test", &e);
	/* As it was, with room for one name less than there are. */
	change(make("*.s3.test", 1, ext_port(x[0]), NULL));
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_NAMES), 1);
	(void)visit("b.s3.test", &e);
	cr_expect(e.lease.is_reused);
}

Test(known_names, of_another_suffix_are_dropped)
{
	struct rig_exchange a, e;
	struct upstream_name *n;

	start(3);
	lease("a.s3.test", &a);
	(void)visit("b.s3.test", &e);
	change(make("*.other.test", 3, ext_port(x[0]), NULL));
	cr_expect_eq(rig_stat("s", STAT_WILDCARD_NAMES), 0);
	cr_expect_eq(get("a.s3.test", &n), NAME_REFUSED);
	cr_expect(RIG_UNTIL(&g, seen(x[1]).open == 0));
	/* What was under way ends in order, and is not kept. */
	cr_expect(rig_get(&g, &a, "/"));
	lease_end(&a.lease, true);
	cr_expect(RIG_UNTIL(&g, seen(x[0]).open == 0));
}

Test(known_names, go_where_the_resource_says_now)
{
	struct ext_server *other = serve("127.0.0.2", 0, NULL);
	struct rig_exchange e;

	start(3);
	(void)visit("a.s3.test", &e);
	change(make("*.s3.test", 3, ext_port(other), NULL));
	cr_expect_str_eq(visit("a.s3.test", &e), "127.0.0.2");
	cr_expect_not(e.lease.is_reused);
	cr_expect_eq(seen(other).requests, 1);
	cr_expect(RIG_UNTIL(&g, seen(x[0]).open == 0));
	service_unref(s);
	s = NULL;
	ext_stop(other);
}

/* An ordinary service that becomes a wildcard is no way around the name. */
Test(known_names, a_service_becomes_a_wildcard)
{
	struct rig_exchange e;

	s = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "s3", .host = "127.0.0.2", .port = ext_port(x[0]) },
		{ .key = NULL } });
	c = clusters_get(g.clusters, s);
	cr_expect(rig_visit(&g, c, "/", &e));
	change(make("*.s3.test", 3, ext_port(x[0]), NULL));
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_expect(e.is_done);
	cr_expect_eq(e.lease.status, REACH_NO_ENDPOINT);
	lease_end(&e.lease, false);
	cr_expect(RIG_UNTIL(&g, seen(x[0]).open == 0));
}

/* The name is what TLS sends and expects; sessions are not shared either. */
Test(known_names, tls_is_by_name)
{
	struct pki *ca =
	    pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=root" });
	struct pki *a = pki_server(ca, "a.s3.test");
	struct pki *both = pki_server(ca, "*.s3.test");
	struct ext_server *one = serve("127.0.0.2", 0, a);
	struct ext_server *two = serve("127.0.0.3", ext_port(one), both);
	struct rig_exchange e;

	name("imposed.s3.test", "127.0.0.2");
	s = make(
	    "*.s3.test", 5, ext_port(one), rig_tls(ca, "s3.test", "s3.test"));
	c = clusters_get(g.clusters, s);
	cr_expect_str_eq(visit("a.s3.test", &e), "127.0.0.2");
	cr_expect_str_eq(seen(one).sni, "a.s3.test");
	cr_expect_str_eq(visit("b.s3.test", &e), "127.0.0.3");
	cr_expect_str_eq(seen(two).sni, "b.s3.test");
	cr_expect_str_eq(visit("c.s3.test", &e), "127.0.0.3");
	cr_expect_str_eq(seen(two).sni, "c.s3.test");
	cr_expect_eq(seen(two).resumed, 0);
	/* Where a's session could be resumed, were it not for its name. */
	cr_expect_str_eq(visit("imposed.s3.test", &e), "");
	cr_expect_eq(e.lease.status, REACH_TLS);
	cr_expect_eq(e.lease.tls_failure, TLS_FAIL_NAME);
	service_unref(s);
	s = NULL;
	ext_stop(one);
	ext_stop(two);
	pki_free(both);
	pki_free(a);
	pki_free(ca);
}

/* The connections of all names together are those of the service. */
Test(known_names, the_limit_of_connections_is_the_services)
{
	struct rig_exchange e;

	g.limits.connections = 1;
	start(3);
	cr_expect_str_eq(visit("a.s3.test", &e), "127.0.0.2");
	cr_expect_str_eq(visit("b.s3.test", &e), "127.0.0.3");
	cr_expect(RIG_UNTIL(&g, seen(x[0]).open == 0));
	cr_expect_str_eq(visit("a.s3.test", &e), "127.0.0.2");
	cr_expect_not(e.lease.is_reused);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon on a host with several addresses and wires, and with IPv6 that is
 * broken in each way there is: in network namespaces (support/two_hosts.h),
 * skipped where there may be none.
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "e2e/zones.h"
#include "net/addr.h"
#include "support/two_hosts.h"

#define FOR(name, options) \
	"{ match = { service = \"" name "\"; }; " options " }"
#define V4 "192.0.2.1"
#define V6 "2001:db8:c::1"
/* Of a network that outside knows nothing of, until that is added. */
#define LOST "2001:db8:6::6"
/* Long, since the machine may be slow. */
#define DELAY_MS 2000
#define DELAY "services = ( { attempt_delay_ms = 2000; } );"

static struct two_hosts hosts;
static struct world w;

static void
start_hosts(void)
{
	char why[256];

	if (!two_hosts_start(&hosts, why))
		cr_skip_test("%s", why);
}

static struct ext_server *
serve_outside(const char *name, const char *address, uint16_t port)
{
	const struct ext_config c = { .protocol = EXT_ECHO,
		.name = name,
		.address = address,
		.port = port };
	struct ext_server *s;

	two_hosts_go_out(&hosts);
	s = world_serve(&w, &c);
	two_hosts_go_in(&hosts);
	return s;
}

static void
run_outside(const char *command)
{
	two_hosts_go_out(&hosts);
	cr_assert(two_hosts_run(command), "%s", command);
	two_hosts_go_in(&hosts);
}

static void
expect_from(struct ext_server *s, const char *service, const char *from)
{
	cr_expect_str_eq(who_serves(&w, service), "ext", "%s", service);
	cr_expect_str_eq(seen(s).from, from, "%s", service);
}

Test(namespaces, the_server_sees_the_configured_source)
{
	static const char config[] = "services = ( " FOR("address",
	    "source = [ \"10.9.0.3\", \"2001:db8:9::3\" ];") ", " FOR("address"
								      "6",
	    "source = [ \"10.9.0.3\", \"2001:db8:9::3\" ];") ", " FOR("wire",
	    "interface = \"wire1\";") ", " FOR("both",
	    "interface = \"wire1\"; source = [ \"10.8.0.3\" ];") ", " FOR("none"
									  "6",
	    "interface = \"wire1\";") " );";
	static const struct {
		const char *service;
		bool is_v6;
		const char *from;
	} rows[] = {
		{ "any", false, "10.9.0.2" },
		{ "any6", true, "2001:db8:9::2" },
		{ "address", false, "10.9.0.3" },
		{ "address6", true, "2001:db8:9::3" },
		{ "wire", false, "10.8.0.2" },
		{ "both", false, "10.8.0.3" },
	};
	struct ext_server *v4, *v6;

	start_hosts();
	world_init(&w, config);
	v4 = serve_outside("ext", V4, 0);
	v6 = serve_outside("ext", V6, 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_es(w.e, &(struct es){ .name = rows[i].service,
				  .host = rows[i].is_v6 ? "[" V6 "]" : V4,
				  .port = ext_port(rows[i].is_v6 ? v6 : v4) });
	write_es(w.e,
	    &(struct es){
		.name = "none6", .host = "[" V6 "]", .port = ext_port(v6) });
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_from(
		    rows[i].is_v6 ? v6 : v4, rows[i].service, rows[i].from);
	/* No IPv6 leads out of that wire, so it leaves by no other one. */
	cr_expect_str_eq(who_serves(&w, "none6"), "");
	cr_expect(has_outcome(
	    w.e, "destination_ip_unroutable", "\"service\":\"none6\""));
	world_end(&w);
}

/* A wire that goes down takes its services along, and no others. */
Test(namespaces, no_way_around_the_configured_interface)
{
	static const char config[] =
	    "services = ( " FOR("wire", "interface = \"wire1\";") " );";
	struct ext_server *s;

	start_hosts();
	world_init(&w, config);
	s = serve_outside("ext", V4, 0);
	write_es(w.e,
	    &(struct es){ .name = "any", .host = V4, .port = ext_port(s) });
	write_es(w.e,
	    &(struct es){ .name = "wire", .host = V4, .port = ext_port(s) });
	world_start(&w);
	expect_from(s, "wire", "10.8.0.2");
	cr_assert(two_hosts_run("ip link set wire1 down"));
	cr_expect_str_eq(who_serves(&w, "wire"), "");
	expect_from(s, "any", "10.9.0.2");
	cr_assert(two_hosts_run("ip link set wire1 up && ip route add " V4
				" via 10.8.0.1 dev wire1 metric 2"));
	expect_from(s, "wire", "10.8.0.2");
	world_end(&w);
}

/* Routes of this host may follow the mark. */
Test(namespaces, a_mark_decides_about_the_route)
{
	static const char config[] =
	    "services = ( " FOR("marked", "mark = 7;") " );";
	struct ext_server *s;

	start_hosts();
	if (!two_hosts_run("ip rule add fwmark 7 table 100 && ip route add " V4
			   " via 10.8.0.1 dev wire1 table 100"))
		cr_skip_test("this kernel routes by no marks");
	world_init(&w, config);
	s = serve_outside("ext", V4, 0);
	write_es(w.e,
	    &(struct es){ .name = "any", .host = V4, .port = ext_port(s) });
	write_es(w.e,
	    &(struct es){ .name = "marked", .host = V4, .port = ext_port(s) });
	world_start(&w);
	expect_from(s, "any", "10.9.0.2");
	expect_from(s, "marked", "10.8.0.2");
	world_end(&w);
}

/* Service "both", whose IPv6 nobody has; "six" has only that. */
static uint16_t
start_broken(void)
{
	static const char *const a[] = { V4, NULL }, *const aaaa[] = { LOST,
		NULL };
	uint16_t port;

	world_init(&w, DELAY);
	port = ext_port(serve_outside("v4", V4, 0));
	dns_server_set(w.dns, "both.example",
	    &(struct dns_server_answer){ .a = a, .aaaa = aaaa, .ttl_s = 300 });
	write_es(
	    w.e, &(struct es){
		     .name = "both", .host = "both.example", .port = port });
	write_es(w.e,
	    &(struct es){ .name = "six", .host = "[" LOST "]", .port = port });
	world_start(&w);
	return port;
}

/* So many callers at a time; how long the first and the last one waited. */
static void
call_both(size_t n, uint64_t *least_ms, uint64_t *most_ms)
{
	struct mesh_client m[8];
	uint64_t start = clock_ms();

	for (size_t i = 0; i < n; i++)
		call(&w, &m[i], "both");
	for (size_t i = 0; i < n; i++) {
		check_echo(&m[i], "v4");
		if (i == 0)
			*least_ms = clock_ms() - start;
	}
	*most_ms = clock_ms() - start;
	for (size_t i = 0; i < n; i++)
		mesh_close(&m[i]);
}

static bool
leads_somewhere(const char *host, uint16_t port)
{
	struct addr a;
	bool ok;
	int fd;

	cr_assert(addr_parse(str_of(host), port, &a));
	fd = socket(a.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ok = connect(fd, &a.u.sa, a.len) == 0;
	(void)close(fd);
	return ok;
}

/*
 * IPv6 works again, and is not tried first all the same: it lost too often.
 * Until it is seen to work.
 */
static void
expect_remembered(uint16_t port)
{
	uint64_t least, most;

	run_outside("ip addr add " LOST "/128 dev lo nodad");
	(void)serve_outside("v6", LOST, port);
	cr_expect(WAIT_UNTIL(5000, leads_somewhere(LOST, port)));
	call_both(1, &least, &most);
	cr_expect_lt(most, DELAY_MS);
	cr_expect_str_eq(who_serves(&w, "six"), "v6");
	cr_expect_str_eq(who_serves(&w, "both"), "v6");
	world_end(&w);
}

/* The commonest kind: a route, and nothing ever comes back. */
Test(namespaces, ipv6_that_swallows)
{
	uint64_t least, most;
	uint16_t port;

	start_hosts();
	cr_assert(
	    two_hosts_run("ip route add default via 2001:db8:9::1 dev wire0"));
	port = start_broken();
	call_both(3, &least, &most);
	cr_expect_geq(least, DELAY_MS, "it was tried first");
	cr_expect_lt(most, 2 * DELAY_MS, "one delay, for all at a time");
	call_both(1, &least, &most);
	cr_expect_lt(most, DELAY_MS);
	expect_remembered(port);
}

/* The head start ends when it fails. */
static void
expect_at_once(uint16_t port)
{
	uint64_t least, most;

	call_both(3, &least, &most);
	cr_expect_lt(most, DELAY_MS);
	cr_assert(two_hosts_run(
	    "ip route replace " LOST " via 2001:db8:9::1 dev wire0 metric 1"));
	expect_remembered(port);
}

Test(namespaces, ipv6_without_a_route)
{
	start_hosts();
	expect_at_once(start_broken());
}

Test(namespaces, ipv6_that_this_host_prohibits)
{
	start_hosts();
	cr_assert(
	    two_hosts_run("ip route add unreachable 2001:db8:6::/48 metric 5"));
	expect_at_once(start_broken());
}

/*
 * ICMP says so.  On so short a wire it comes while connect(2) still has the
 * socket, and Linux forgets it until the SYN is sent again, after 1 s.
 */
Test(namespaces, ipv6_that_a_router_refuses)
{
	bool forwards;

	start_hosts();
	cr_assert(two_hosts_run(
	    "ip route add 2001:db8:6::/48 via 2001:db8:9::1 dev wire0"));
	two_hosts_go_out(&hosts);
	forwards = two_hosts_run(
	    "echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/forwarding");
	two_hosts_go_in(&hosts);
	if (!forwards)
		cr_skip_test("this host lets nobody forward");
	run_outside("ip route add unreachable 2001:db8:6::/48");
	cr_expect_not(leads_somewhere(LOST, 1));
	expect_at_once(start_broken());
}

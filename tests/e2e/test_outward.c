/* SPDX-License-Identifier: Apache-2.0 */
/* How connections leave, and where they may lead: options of services. */

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/zones.h"
#include "net/sock.h"
#include "support/deaf.h"

#define FOR(name, options) \
	"{ match = { service = \"" name "\"; }; " options " }"

/* A name at loopback, which the daemon alone does not allow. */
static void
add_name(struct world *w, const char *name, const char *address, uint16_t port)
{
	char host[64];

	(void)snprintf(host, sizeof(host), "%s.example", name);
	world_name(w, host, address);
	write_es(
	    w->e, &(struct es){ .name = name, .host = host, .port = port });
}

Test(outward, addresses_of_one_service)
{
	static const char config[] = "services = ( " FOR(
	    "yes", "allow_addresses = [ \"127.0.0.0/24\" ];") ", " FOR("no",
	    "deny_addresses = [ \"127.0.0.1\" ];") " );";
	struct world w;
	uint16_t port;

	world_init_with(
	    &w, &(struct egress_options){ .config = config, .allow = "" });
	port = ext_port(world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" }));
	add_name(&w, "yes", "127.0.0.1", port);
	add_name(&w, "other", "127.0.0.1", port);
	/* A literal address is consent, but not to what is denied. */
	write_es(w.e, &(struct es){ .name = "literal", .port = port });
	write_es(w.e, &(struct es){ .name = "no", .port = port });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "yes"), "ext");
	cr_expect_str_eq(who_serves(&w, "literal"), "ext");
	cr_expect_str_eq(who_serves(&w, "other"), "");
	cr_expect_str_eq(who_serves(&w, "no"), "");
	cr_expect(has_outcome(w.e, "destination_ip_prohibited",
	    "other.example leads to 127.0.0.1"));
	cr_expect(has_outcome(
	    w.e, "destination_ip_prohibited", "denied by deny_addresses"));
	world_end(&w);
}

/* Private networks are refused for names only, and only where asked for. */
Test(outward, public_addresses_only)
{
	static const char config[] = "services = ( " FOR("public",
	    "addresses = \"public\"; allow_addresses = [ "
	    "\"127.0.0.1\" ];") ", " FOR("inside",
	    "addresses = \"public\";") " );";
	static const char *const a[] = { "10.1.2.3", "100.64.0.1", "127.0.0.1",
		NULL };
	static const char *const aaaa[] = { "fd00::1", NULL };
	struct world w;
	uint16_t port;

	world_init_with(
	    &w, &(struct egress_options){ .config = config, .allow = "" });
	port = ext_port(world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" }));
	dns_server_set(w.dns, "public.example",
	    &(struct dns_server_answer){ .a = a, .aaaa = aaaa, .ttl_s = 30 });
	write_es(w.e,
	    &(struct es){
		.name = "public", .host = "public.example", .port = port });
	add_name(&w, "inside", "192.168.7.7", port);
	world_start(&w);
	/* The private ones get no packet, so this takes no time. */
	cr_expect_str_eq(who_serves(&w, "public"), "ext");
	cr_expect_str_eq(who_serves(&w, "inside"), "");
	cr_expect(has_outcome(w.e, "destination_ip_prohibited",
	    "inside.example leads to 192.168.7.7"));
	cr_expect(
	    has_outcome(w.e, "destination_ip_prohibited", "private network"));
	world_end(&w);
}

/* A listener that learns with which type of service packets come. */
static int
listen_for_tos(uint16_t *port)
{
	const int on = 1;
	struct addr a;
	socklen_t len = sizeof(a.u);
	int fd;

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	fd = sock_listen(&a, false, 4);
	cr_assert_neq(fd, -1);
	cr_assert_eq(
	    setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on)), 0);
	cr_assert_eq(getsockname(fd, &a.u.sa, &len), 0);
	*port = addr_port(&a);
	return fd;
}

/* That of the last packet; -1: nobody knows. */
static int
type_of_service(int fd)
{
	char room[64];
	struct msghdr m = { .msg_control = room };
	socklen_t len = sizeof(room);
	struct cmsghdr *c;

	if (getsockopt(fd, IPPROTO_IP, IP_PKTOPTIONS, room, &len) != 0)
		return -1;
	m.msg_controllen = len;
	for (c = CMSG_FIRSTHDR(&m); c != NULL; c = CMSG_NXTHDR(&m, c))
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
			return *CMSG_DATA(c);
	return -1;
}

/*
 * Hundredths of seconds until the other end of fd asks for a sign of life; 0:
 * it does not mean to.  As /proc/net/tcp tells it (proc_net_tcp).
 */
static unsigned
until_keepalive(int fd)
{
	struct addr peer;
	socklen_t len = sizeof(peer.u);
	unsigned port, timer, when, found = 0;
	char line[256];
	FILE *f = fopen("/proc/net/tcp", "r");

	cr_assert_not_null(f);
	cr_assert_eq(getpeername(fd, &peer.u.sa, &len), 0);
	while (fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "%*u: %*x:%x %*x:%*x %*x %*x:%*x %x:%x", &port,
			&timer, &when) == 3 &&
		    port == addr_port(&peer) && timer == 2)
			found = when;
	(void)fclose(f);
	return found;
}

Test(outward, how_packets_are_marked_and_silence_is_met)
{
	static const char config[] = "services = ( " FOR(
	    "partner", "dscp = 10; keepalive = { idle_s = 60; };") " );";
	struct mesh_client m;
	struct world w;
	struct addr from;
	uint16_t port;
	int door, fd;

	world_init_with(&w, &(struct egress_options){ .config = config });
	door = listen_for_tos(&port);
	write_es(w.e, &(struct es){ .name = "any", .port = port });
	write_es(w.e, &(struct es){ .name = "partner", .port = port });
	world_start(&w);
	call(&w, &m, "partner");
	cr_assert(WAIT_UNTIL(5000, (fd = sock_accept(door, &from)) != -1));
	cr_expect_eq(type_of_service(fd), 10 << 2);
	cr_expect(WAIT_UNTIL(5000, until_keepalive(fd) > 0));
	cr_expect_leq(until_keepalive(fd), 6000);
	(void)close(fd);
	mesh_close(&m);
	call(&w, &m, "any");
	cr_assert(WAIT_UNTIL(5000, (fd = sock_accept(door, &from)) != -1));
	cr_expect_eq(type_of_service(fd), 0);
	cr_expect_eq(until_keepalive(fd), 0);
	(void)close(fd);
	(void)close(door);
	mesh_close(&m);
	world_end(&w);
}

Test(outward, the_source_address)
{
	static const char config[] = "services = ( " FOR("partner",
	    "source = [ \"127.0.0.9\" ]; dscp = 10; "
	    "keepalive = { idle_s = 60; };") ", " FOR("foreign",
	    "source = [ \"192.0.2.7\" ];") ", " FOR("six",
	    "source = [ \"::1\" ];") " );";
	struct ext_server *s;
	struct world w;

	world_init_with(&w, &(struct egress_options){ .config = config });
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w.e, &(struct es){ .name = "any", .port = ext_port(s) });
	write_es(w.e, &(struct es){ .name = "partner", .port = ext_port(s) });
	write_es(w.e, &(struct es){ .name = "foreign", .port = ext_port(s) });
	write_es(w.e, &(struct es){ .name = "six", .port = ext_port(s) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "any"), "ext");
	cr_expect_str_eq(seen(s).from, "127.0.0.1");
	cr_expect_str_eq(who_serves(&w, "partner"), "ext");
	cr_expect_str_eq(seen(s).from, "127.0.0.9");
	/* Never from another one than that. */
	cr_expect_str_eq(who_serves(&w, "foreign"), "");
	cr_expect(has_outcome(w.e, "destination_ip_unroutable",
	    "our end could not be set up: source address"));
	cr_expect_str_eq(who_serves(&w, "six"), "");
	cr_expect(has_outcome(
	    w.e, "destination_ip_prohibited", "the service does not use IPv4"));
	cr_expect_eq(seen(s).connections, 2);
	world_end(&w);
}

/* One that swallows packets costs a head start, and no more. */
Test(outward, an_address_that_is_silent)
{
	static const char config[] =
	    "services = ( { attempt_delay_ms = 50; } );";
	static const char *const a[] = { "127.0.0.7", "127.0.0.2", NULL };
	struct ext_config held = {
		.protocol = EXT_ECHO, .name = "ext", .address = "127.0.0.2"
	};
	struct deaf deaf;
	struct world w;

	deaf_start(&deaf, "127.0.0.7");
	world_init_with(&w, &(struct egress_options){ .config = config });
	held.port = deaf.port;
	(void)world_serve(&w, &held);
	dns_server_set(w.dns, "half.example",
	    &(struct dns_server_answer){ .a = a, .ttl_s = 30 });
	write_es(w.e,
	    &(struct es){
		.name = "half", .host = "half.example", .port = deaf.port });
	world_start(&w);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "half"), "ext", "%d", i);
	cr_expect_eq(cluster_metric(
			 w.e, "envoy_cluster_upstream_cx_connect_fail", "half"),
	    0);
	deaf_stop(&deaf);
	world_end(&w);
}

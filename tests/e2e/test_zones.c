/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is local and who comes from another zone, and what each of them gets:
 * zones of real daemons on loopback.
 */

#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "e2e/zones.h"

#define ALL(v) (sizeof(v) / sizeof((v)[0]))
#define HANDSHAKES "envoy_listener_ssl_handshake{"
#define ACCEPTED "envoy_listener_downstream_cx_total{"

static struct ext_server *
serve_echo(struct world *w, const char *name)
{
	return world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = name });
}

/* Service far of zone-2, as its document is in every zone. */
static void
write_far(struct world *w, uint16_t port)
{
	for (size_t i = 0; i < w->n_zones; i++)
		write_es(&w->zones[i],
		    &(struct es){
			.name = "far", .zone = "zone-2", .port = port });
}

static X509 *
cert_at(const struct mesh_options *o)
{
	struct mesh_client m;
	X509 *x;

	cr_assert(mesh_open(&m, o), "%s", m.error);
	x = SSL_get1_peer_certificate(m.ssl);
	mesh_close(&m);
	return x;
}

static bool
has_same_cert(const struct mesh_options *a, const struct mesh_options *b)
{
	X509 *x = cert_at(a), *y = cert_at(b);
	bool is_same = X509_cmp(x, y) == 0;

	X509_free(x);
	X509_free(y);
	return is_same;
}

Test(zones, local_callers_get_what_is_of_this_zone_or_of_none)
{
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = serve_echo(&w, "ext");
	write_es(w.e, &(struct es){ .name = "plain", .port = ext_port(s) });
	write_es(
	    w.e, &(struct es){
		     .name = "here", .zone = "zone-1", .port = ext_port(s) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "plain"), "ext");
	cr_expect_str_eq(who_serves(&w, "here"), "ext");
	cr_expect_not_null(egress_log_line(
	    w.e, "\"service\":\"plain\"", "\"zone_path\":\"serve\""));
	cr_expect_not_null(egress_log_line(
	    w.e, "\"service\":\"here\"", "\"zone_path\":\"serve\""));
	world_end(&w);
}

/* zone-1 and zone-2, which has both listeners in one process, and far. */
static struct egress *
start_two(struct world *w)
{
	struct egress *two;

	world_init(w, NULL);
	two =
	    world_add_zone(w, &(struct egress_options){ .has_ingress = true });
	write_far(w, ext_port(serve_echo(w, "far")));
	write_es(w->e, &(struct es){ .name = "plain",
			   .port = ext_port(serve_echo(w, "plain")) });
	write_ingress(
	    w->e, &(struct ingress){
		      .name = "zi-2", .zone = "zone-2", .port = two->ingress });
	return two;
}

Test(zones, a_service_of_another_zone_is_reached_through_its_ingress)
{
	struct world w;
	struct egress *two = start_two(&w);
	struct mesh_options near, far, direct;
	const char *line;

	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "far");
	/* zone-1 has not opened it, and zone-2 has carried it out. */
	cr_expect_eq(egress_metric(w.e, HANDSHAKES), 0);
	line = egress_log_line(w.e, "\"zone_path\":\"relay\"", NULL);
	cr_assert_not_null(line);
	cr_expect_not_null(strstr(line, "\"outcome\":\"ok\""), "%s", line);
	cr_expect_null(strstr(line, "\"identity\""), "%s", line);
	cr_expect_null(strstr(line, "\"rule\""), "%s", line);
	line = egress_log_line(two, "\"zone_path\":\"serve\"", NULL);
	cr_assert_not_null(line);
	cr_expect_not_null(
	    strstr(line, "\"caller_zone\":\"zone-1\""), "%s", line);
	cr_expect_not_null(
	    strstr(line, "\"identity\":\"spiffe://default/web\""), "%s", line);

	near = caller(&w, "plain");
	far = caller(&w, "far");
	direct = caller_at(&w, two, "far");
	cr_expect(has_same_cert(&far, &direct), "not zone-2's certificate");
	cr_expect_not(has_same_cert(&far, &near), "zone-1's certificate");
	world_end(&w);
}

/* Of the mesh's CA a zone that only relays needs nothing at all. */
Test(zones, a_relay_needs_no_key)
{
	struct world w;

	(void)start_two(&w);
	egress_write(w.e, "mesh-default.yaml",
	    "type: Mesh\nname: default\nmtls:\n  enabledBackend: ca-2\n"
	    "  backends: [ { name: ca-2, type: builtin } ]\n"
	    "routing: { zoneEgress: true }\n");
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "far");
	cr_expect_str_eq(who_serves(&w, "plain"), "");
	world_end(&w);
}

Test(zones, bytes_are_untouched_in_both_versions)
{
	struct world w;
	struct egress *two;
	struct ext_server *s;

	world_init(&w, NULL);
	two =
	    world_add_zone(&w, &(struct egress_options){ .has_ingress = true });
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_RAW });
	write_far(&w, ext_port(s));
	write_ingress(
	    w.e, &(struct ingress){
		     .name = "zi-2", .zone = "zone-2", .port = two->ingress });
	world_start(&w);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION;
	     version++) {
		struct mesh_options o = caller(&w, "far");
		struct mesh_client m;

		o.max_version = version;
		cr_assert(mesh_open(&m, &o), "%s", m.error);
		cr_expect(mesh_pump(&m, 1 << 20, 1 << 20), "end %d: %s",
		    (int)m.end, m.error);
		/* The end of our direction goes all the way and back. */
		mesh_finish(&m);
		cr_expect_eq(
		    mesh_wait_end(&m, 5000), MESH_FIN, "end %d", (int)m.end);
		mesh_close(&m);
	}
	cr_expect_eq(seen(s).bytes, 2 << 20);
	world_end(&w);
}

Test(zones, a_rule_may_ask_for_the_callers_zone)
{
	struct world w;
	struct egress *two;
	struct ext_server *tcp, *http;
	struct pki *other;
	struct mesh_options o;
	struct mesh_client m;

	two = start_two(&w);
	tcp = w.servers[0];
	http = world_serve(&w, &(struct ext_config){ .protocol = EXT_HTTP });
	for (size_t i = 0; i < w.n_zones; i++)
		write_es(&w.zones[i], &(struct es){ .name = "api",
					  .protocol = "http",
					  .zone = "zone-2",
					  .port = ext_port(http) });
	write_permission(two, "allow-all", NULL,
	    "kind: MeshSubset, tags: { kuma.io/zone: zone-1 }", "Allow");
	/* What zone-1 would say is not asked. */
	egress_remove(w.e, "allow-all.yaml");
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "far");
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);

	other = pki_sidecar(w.mesh_ca, "default", "web", "zone-3");
	o = caller(&w, "far");
	o.cert_pem = other->cert_pem;
	o.key_pem = other->key_pem;
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	o.sni = sni_of("api");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect_eq(status_of(ask_get(&m, "/")), 403);
	mesh_close(&m);
	cr_expect(has_outcome(two, "denied", "\"caller_zone\":\"zone-3\""));
	cr_expect_eq(seen(tcp).connections, 1);
	cr_expect_eq(seen(http).connections, 1);
	world_end(&w);
	pki_free(other);
}

/* zone-1, an ingress of zone-2 on a host of its own, and zone-2's egress. */
struct three {
	struct egress *ingress;
	struct egress *egress;
};

static struct three
start_three(struct world *w)
{
	struct three t;

	world_init(w, NULL);
	t.ingress = world_add_zone(
	    w, &(struct egress_options){
		   .zone = "zone-2", .no_egress = true, .has_ingress = true });
	t.egress =
	    world_add_zone(w, &(struct egress_options){ .zone = "zone-2" });
	write_far(w, ext_port(serve_echo(w, "far")));
	write_es(t.egress, &(struct es){ .name = "plain",
			       .port = ext_port(serve_echo(w, "plain")) });
	write_es(t.ingress,
	    &(struct es){ .name = "plain", .port = ext_port(w->servers[1]) });
	write_ingress(w->e,
	    &(struct ingress){
		.name = "zi-2", .zone = "zone-2", .port = t.ingress->ingress });
	write_zone_egress(t.ingress, "ze-2", t.egress->port);
	write_ingress(
	    t.egress, &(struct ingress){ .name = "zi-2", .zone = "zone-2" });
	return t;
}

Test(zones, an_ingress_alone_passes_on_to_the_zones_egress)
{
	struct world w;
	struct three t = start_three(&w);
	struct mesh_options o, local;
	struct mesh_client m;

	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "far");
	cr_expect_eq(egress_metric(w.e, HANDSHAKES), 0);
	cr_expect_eq(egress_metric(t.ingress, HANDSHAKES), 0);
	cr_expect_eq(egress_metric(t.egress, HANDSHAKES), 1);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"zone_path\":\"relay\"", "\"outcome\":\"ok\""));
	cr_expect_not_null(egress_log_line(
	    t.ingress, "\"zone_path\":\"ingress\"", "\"outcome\":\"ok\""));
	cr_expect_not_null(egress_log_line(
	    t.egress, "\"zone_path\":\"serve\"", "\"outcome\":\"ok\""));
	o = caller(&w, "far");
	local = caller_at(&w, t.egress, "far");
	local.source = "127.0.0.9";
	cr_expect(has_same_cert(&o, &local), "not the egress's certificate");

	/* What other zones may not have is not even passed on. */
	double before = egress_metric(t.egress, ACCEPTED);
	o = caller_at_ingress(&w, t.ingress, "plain");
	cr_expect_not(mesh_open(&m, &o));
	cr_expect_eq(m.end, MESH_FIN_NO_NOTIFY, "end %d", (int)m.end);
	mesh_close(&m);
	cr_expect(has_outcome(t.ingress, "not_zoned", "plain"));
	cr_expect_eq(egress_metric(t.egress, ACCEPTED), before);

	/* And the egress knows by the address who comes by the ingress. */
	o = caller_at(&w, t.egress, "plain");
	cr_expect_str_eq(who(&o), "");
	cr_expect(has_outcome(t.egress, "not_zoned", "plain"));
	local.sni = sni_of("plain");
	cr_expect_str_eq(who(&local), "plain");
	world_end(&w);
}

/* Nothing is decrypted, so the host need not hold any secret. */
Test(zones, an_ingress_alone_needs_no_key)
{
	struct world w;
	struct three t = start_three(&w);

	write_es(t.ingress, &(struct es){ .name = "far",
				.zone = "zone-2",
				.port = 9,
				.tls = "caCert: { secret: elsewhere }" });
	egress_write(t.ingress, "mesh-default.yaml",
	    "type: Mesh\nname: default\nmtls:\n  enabledBackend: ca-2\n"
	    "  backends: [ { name: ca-2, type: builtin } ]\n"
	    "routing: { zoneEgress: true }\n");
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "far");
	cr_expect_not(egress_said(t.ingress, "impersonate"));
	world_end(&w);
}

Test(zones, an_ingress_without_an_egress_closes)
{
	struct world w;
	struct three t = start_three(&w);

	egress_remove(t.ingress, "ze-2.yaml");
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "");
	cr_expect(has_outcome(t.ingress, "destination_unavailable",
	    "no ZoneEgress of this zone is known"));
	write_zone_egress(t.ingress, "ze-2", t.egress->port);
	cr_expect(WAIT_UNTIL(5000, strcmp(who_serves(&w, "far"), "far") == 0));
	world_end(&w);
}

Test(zones, an_ingress_alone_is_no_way_to_a_third_zone)
{
	struct world w;
	struct three t = start_three(&w);
	struct ext_server *third = serve_as_zone(&w, "third");
	struct mesh_options o;
	struct mesh_client m;

	write_es(t.ingress,
	    &(struct es){ .name = "third", .zone = "zone-3", .port = 9 });
	write_ingress(t.ingress,
	    &(struct ingress){
		.name = "zi-3", .zone = "zone-3", .port = ext_port(third) });
	world_start(&w);
	o = caller_at_ingress(&w, t.ingress, "third");
	cr_expect_not(mesh_open(&m, &o));
	mesh_close(&m);
	cr_expect(has_outcome(t.ingress, "third_zone", "third{"));
	cr_expect_eq(seen(third).connections, 0);
	cr_expect_eq(egress_metric(t.egress, ACCEPTED), 0);
	world_end(&w);
}

enum way { LOCAL, BY_INGRESS, FROM_INGRESS, FROM_INGRESS_NAME, FROM_OTHERS };

static const struct {
	enum way way;
	const char *source;
	const char *what;
} ways[] = {
	[LOCAL] = { LOCAL, "127.0.0.9", "a sidecar of the zone" },
	[BY_INGRESS] = { BY_INGRESS, "127.0.0.9", "the ingress listener" },
	[FROM_INGRESS] = { FROM_INGRESS, "127.0.0.7", "the zone's ingress" },
	[FROM_INGRESS_NAME] = { FROM_INGRESS_NAME, "127.0.0.6",
	    "an ingress with a name" },
	[FROM_OTHERS] = { FROM_OTHERS, "127.0.8.8", "remote_sources" },
};

static const struct {
	const char *service;
	const char *local;  /* who serves it, or the outcome */
	const char *remote; /* likewise, from another zone */
} offers[] = {
	{ "here", "ext", "ext" },
	{ "plain", "ext", "not_zoned" },
	{ "far", "far", "third_zone" },
	{ "lost", "no_zone_ingress", "third_zone" },
	{ "mes-here", "ext", "ext" },
	{ "mes-plain", "ext", "not_zoned" },
	{ "mes-far", "far", "third_zone" },
};

static bool
is_a_server(const char *expected)
{
	return strlen(expected) == 3;
}

static void
write_offers(struct world *w)
{
	uint16_t port = ext_port(serve_echo(w, "ext"));
	struct egress *e = w->e;
	struct ext_server *far = serve_as_zone(w, "far");

	write_es(
	    e, &(struct es){ .name = "here", .zone = "zone-1", .port = port });
	write_es(e, &(struct es){ .name = "plain", .port = port });
	write_es(
	    e, &(struct es){ .name = "far", .zone = "zone-2", .port = port });
	write_es(
	    e, &(struct es){ .name = "lost", .zone = "zone-4", .port = port });
	write_mes(e, &(struct mes){ .name = "mes-here",
			 .labels = "kuma.io/zone: zone-1",
			 .port = port });
	write_mes(e, &(struct mes){ .name = "mes-plain", .port = port });
	write_mes(e, &(struct mes){ .name = "mes-far",
			 .labels = "kuma.io/zone: zone-2",
			 .port = port });
	world_name(w, "ingress.zone-1.example", "127.0.0.6");
	write_ingress(
	    e, &(struct ingress){
		   .name = "zi-1", .zone = "zone-1", .address = "127.0.0.7" });
	write_ingress(e, &(struct ingress){ .name = "zi-1b",
			     .zone = "zone-1",
			     .address = "ingress.zone-1.example" });
	write_ingress(e, &(struct ingress){ .name = "zi-2",
			     .zone = "zone-2",
			     .address = "127.0.0.9",
			     .port = ext_port(far) });
}

/* One row of the table of zones: how one caller fares with one service. */
static void
check_offer(struct world *w, enum way way, size_t i)
{
	const char *service = offers[i].service;
	const char *expected =
	    way == LOCAL ? offers[i].local : offers[i].remote;
	struct mesh_options o = way == BY_INGRESS
				    ? caller_at_ingress(w, w->e, service)
				    : caller(w, service);
	struct mesh_client m;
	double before;

	o.source = ways[way].source;
	if (strncmp(service, "mes-", 4) == 0)
		o.sni = mes_sni(service);
	if (is_a_server(expected)) {
		cr_expect_str_eq(
		    who(&o), expected, "%s from %s", service, ways[way].what);
		return;
	}
	before = ended(w->e, expected);
	cr_expect_not(mesh_open(&m, &o), "%s from %s", service, ways[way].what);
	cr_expect_eq(m.end, MESH_FIN_NO_NOTIFY, "%s from %s: end %d", service,
	    ways[way].what, (int)m.end);
	mesh_close(&m);
	cr_expect_eq(ended(w->e, expected), before + 1, "%s from %s: not %s",
	    service, ways[way].what, expected);
	cr_expect(has_outcome(w->e, expected, ways[way].source), "%s from %s",
	    service, ways[way].what);
}

Test(zones, what_local_and_remote_callers_get)
{
	struct world w;
	unsigned far;

	world_init_with(&w, &(struct egress_options){ .has_ingress = true,
				.config = "remote_sources = [ "
					  "\"127.0.8.0/24\" ];" });
	write_offers(&w);
	world_start(&w);
	/* The only thing that is not known at once. */
	cr_expect(WAIT_UNTIL(
	    5000, dns_server_count(w.dns, "ingress.zone-1.example") == 2));
	for (size_t i = 0; i < ALL(offers); i++)
		check_offer(&w, LOCAL, i);
	far = seen(w.servers[1]).connections;
	cr_expect_eq(far, 2);
	for (enum way way = BY_INGRESS; way <= FROM_OTHERS; way++)
		for (size_t i = 0; i < ALL(offers); i++)
			check_offer(&w, way, i);
	cr_expect_eq(
	    seen(w.servers[1]).connections, far, "a SYN to a third zone");
	/* What went nowhere took no path. */
	cr_expect_eq(egress_logged(w.e, "third_zone", "zone_path"), 0);
	world_end(&w);
}

/* Of one service, callers of other zones get the endpoints of this zone. */
Test(zones, remote_callers_get_only_tagged_endpoints)
{
	struct world w;
	struct mesh_options o;
	struct mesh_client m;

	world_init_with(&w, &(struct egress_options){ .has_ingress = true });
	write_es(w.e, &(struct es){ .name = "t1",
			  .service = "tcp",
			  .zone = "zone-1",
			  .port = ext_port(serve_echo(&w, "tagged")) });
	write_es(w.e, &(struct es){ .name = "t2",
			  .service = "tcp",
			  .port = ext_port(serve_echo(&w, "plain")) });
	for (int i = 0; i < 2; i++)
		write_es(w.e,
		    &(struct es){ .name = i == 0 ? "h1" : "h2",
			.service = "http",
			.protocol = "http",
			.zone = i == 0 ? "zone-1" : NULL,
			.port = ext_port(world_serve(&w,
			    &(struct ext_config){ .protocol = EXT_HTTP })) });
	world_start(&w);
	/* A local one leaves pooled connections to both. */
	call(&w, &m, "http");
	for (int i = 0; i < 4; i++)
		cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	cr_expect_eq(seen(w.servers[3]).connections, 1);
	unsigned before = seen(w.servers[3]).requests;
	o = caller_at_ingress(&w, w.e, "http");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	for (int i = 0; i < 6; i++)
		cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	cr_expect_eq(seen(w.servers[3]).requests, before);
	o = caller_at_ingress(&w, w.e, "tcp");
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who(&o), "tagged");
	world_end(&w);
}

/* What was this zone's is so no longer: who came from outside has to go. */
Test(zones, a_tag_that_goes_ends_what_remote_callers_have)
{
	struct world w;
	struct ext_server *s;
	struct mesh_options o;
	struct mesh_client local, remote;

	world_init_with(&w, &(struct egress_options){ .has_ingress = true });
	s = serve_echo(&w, "ext");
	write_es(
	    w.e, &(struct es){
		     .name = "here", .zone = "zone-1", .port = ext_port(s) });
	world_start(&w);
	o = caller_at_ingress(&w, w.e, "here");
	cr_assert(mesh_open(&remote, &o), "%s", remote.error);
	check_echo(&remote, "ext");
	call(&w, &local, "here");
	check_echo(&local, "ext");
	write_es(w.e, &(struct es){ .name = "here", .port = ext_port(s) });
	cr_expect_eq(
	    mesh_wait_end(&remote, 3000), MESH_FIN, "end %d", (int)remote.end);
	cr_expect(has_outcome(w.e, "revoked", "\"service\":\"here\""));
	check_echo(&local, "ext");
	mesh_close(&remote);
	mesh_close(&local);
	world_end(&w);
}

/* Until the ingress of that zone is known. */
Test(zones, a_zone_without_an_ingress)
{
	struct world w;
	struct ext_server *far;

	world_init(&w, NULL);
	far = serve_as_zone(&w, "far");
	write_far(&w, 9);
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "");
	cr_expect(has_outcome(w.e, "no_zone_ingress", "\"service\":\"far\""));
	cr_expect_not_null(strstr(egress_ctl(w.e, "check"), "no ZoneIngress"));
	/* One that cannot be dialled is none. */
	write_ingress(
	    w.e, &(struct ingress){ .name = "zi-2", .zone = "zone-2" });
	cr_expect(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "check"),
		      "advertisedAddress: warning: is missing") != NULL));
	cr_expect_str_eq(who_serves(&w, "far"), "");
	write_ingress(
	    w.e, &(struct ingress){
		     .name = "zi-2", .zone = "zone-2", .port = ext_port(far) });
	cr_expect(WAIT_UNTIL(5000, strcmp(who_serves(&w, "far"), "far") == 0));
	world_end(&w);
}

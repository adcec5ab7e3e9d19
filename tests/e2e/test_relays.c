/* SPDX-License-Identifier: Apache-2.0 */
/* What is handed on to other zones: to which ingress, and how much of it. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e/zones.h"

#define ALL(v) (sizeof(v) / sizeof((v)[0]))

/* As an ingress says what it has: service NAME of mesh default. */
#define OFFER(name, instances)                    \
	"{ mesh: default, instances: " #instances \
	", tags: { kuma.io/service: " name        \
	", kuma.io/zone: zone-2 }, externalService: true }"
#define OFFER_INTERNAL(name)                                            \
	"{ mesh: default, instances: 1, tags: { kuma.io/service: " name \
	", kuma.io/zone: zone-2 } }"

static struct ext_server *
serve_echo(struct world *w, const char *name, uint16_t port)
{
	return world_serve(
	    w, &(struct ext_config){
		   .protocol = EXT_ECHO, .name = name, .port = port });
}

/* Service far of zone-2, which the ingresses offer with these weights. */
static void
start_with_ingresses(
    struct world *w, const char *first, const char *second, const char *config)
{
	world_init(w, config);
	write_es(
	    w->e, &(struct es){ .name = "far", .zone = "zone-2", .port = 9 });
	write_ingress(w->e, &(struct ingress){ .name = "zi-a",
				.zone = "zone-2",
				.port = ext_port(serve_as_zone(w, "first")),
				.services = first });
	write_ingress(w->e, &(struct ingress){ .name = "zi-b",
				.zone = "zone-2",
				.port = ext_port(serve_as_zone(w, "second")),
				.services = second });
	world_start(w);
}

Test(relays, ingresses_by_their_weights)
{
	struct world w;

	start_with_ingresses(&w, OFFER("far", 1), OFFER("far", 3), NULL);
	for (int i = 0; i < 12; i++)
		cr_expect_str_neq(who_serves(&w, "far"), "");
	cr_expect_eq(seen(w.servers[0]).connections, 3);
	cr_expect_eq(seen(w.servers[1]).connections, 9);
	world_end(&w);
}

Test(relays, an_ingress_without_the_service_is_left_out)
{
	struct world w;

	start_with_ingresses(&w, OFFER("else", 5), OFFER("far", 1), NULL);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "far"), "second");
	world_end(&w);
}

Test(relays, an_ingress_that_fails_is_followed_by_the_next)
{
	struct world w;

	start_with_ingresses(&w, OFFER("far", 3), OFFER("far", 1), NULL);
	ext_stop(w.servers[0]);
	w.servers[0] = NULL;
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "far"), "second");
	cr_expect_eq(cluster_metric(
			 w.e, "envoy_cluster_upstream_cx_connect_fail", "far"),
	    1);
	ext_stop(w.servers[1]);
	w.servers[1] = NULL;
	cr_expect_str_eq(who_serves(&w, "far"), "");
	cr_expect(
	    has_outcome(w.e, "connection_refused", "\"zone_path\":\"relay\""));
	world_end(&w);
}

/* An ingress is no way round what a name may lead to, nor back to us. */
Test(relays, where_an_ingress_may_be)
{
	struct world w;
	struct ext_server *far;
	const char *line;

	world_init_with(&w, &(struct egress_options){ .allow = "" });
	far = serve_as_zone(&w, "far");
	write_es(
	    w.e, &(struct es){ .name = "far", .zone = "zone-2", .port = 9 });
	write_es(
	    w.e, &(struct es){ .name = "loop", .zone = "zone-3", .port = 9 });
	world_name(&w, "zone-2.example", "127.0.0.1");
	write_ingress(w.e, &(struct ingress){ .name = "zi-2",
			       .zone = "zone-2",
			       .advertised = "zone-2.example",
			       .port = ext_port(far) });
	write_ingress(
	    w.e, &(struct ingress){
		     .name = "zi-3", .zone = "zone-3", .port = w.e->port });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "far"), "");
	cr_expect_str_eq(who_serves(&w, "loop"), "");
	cr_expect_eq(seen(far).connections, 0);
	line = egress_log_line(
	    w.e, "destination_ip_prohibited", "zone-2.example leads to");
	cr_expect_not_null(line);
	line = egress_log_line(
	    w.e, "destination_ip_prohibited", "a listener of this egress");
	cr_expect_not_null(line);
	world_end(&w);
}

/* Service both here and in zone-2, whose ingress offers it three times. */
static void
start_both(struct world *w, const char *routing)
{
	world_init(w, NULL);
	write_mesh(w->e, "default", w->mesh_ca, routing);
	write_es(
	    w->e, &(struct es){ .name = "near",
		      .service = "both",
		      .zone = "zone-1",
		      .port = ext_port(serve_echo(w, "near", free_port())) });
	write_es(w->e, &(struct es){ .name = "away",
			   .service = "both",
			   .zone = "zone-2",
			   .port = 9 });
	write_ingress(w->e, &(struct ingress){ .name = "zi-2",
				.zone = "zone-2",
				.port = ext_port(serve_as_zone(w, "away")),
				.services = OFFER("both", 3) });
	world_start(w);
}

Test(relays, zones_share_a_service_by_weight)
{
	struct world w;
	unsigned away = 0, near = 0;

	start_both(&w, "zoneEgress: true");
	for (int i = 0; i < 60; i++) {
		const char *name = who_serves(&w, "both");

		away += strcmp(name, "away") == 0;
		near += strcmp(name, "near") == 0;
	}
	cr_expect_eq(away + near, 60);
	/* 45 of 60, by dice: beyond 6 standard deviations it is wrong. */
	cr_expect(away >= 25 && away < 60, "%u of 60", away);
	world_end(&w);
}

/* Those of other zones serve while none of ours is left. */
Test(relays, locality_aware)
{
	struct world w;
	uint16_t port;
	uint64_t failed_ms;
	int held;

	start_both(&w, "zoneEgress: true, localityAwareLoadBalancing: true");
	for (int i = 0; i < 12; i++)
		cr_expect_str_eq(who_serves(&w, "both"), "near");
	cr_expect_eq(seen(w.servers[1]).connections, 0);

	port = ext_port(w.servers[0]);
	ext_stop(w.servers[0]);
	w.servers[0] = NULL;
	held = hold_port(port);
	failed_ms = clock_ms();
	/* The one who finds out is not handed on: he has shaken hands. */
	cr_expect_str_eq(who_serves(&w, "both"), "");
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "both"), "away");

	(void)close(held);
	(void)serve_echo(&w, "near", port);
	cr_assert(WAIT_UNTIL(20000, clock_ms() >= failed_ms + 9000));
	cr_expect_str_eq(who_serves(&w, "both"), "away");
	cr_expect(
	    WAIT_UNTIL(10000, strcmp(who_serves(&w, "both"), "near") == 0));
	cr_expect_geq(clock_ms(), failed_ms + 9900);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "both"), "near");
	world_end(&w);
}

/* An endpoint whose name leads nowhere is none that is left. */
Test(relays, locality_aware_without_a_name)
{
	struct world w;
	struct ext_server *away;

	world_init(&w, NULL);
	write_mesh(w.e, "default", w.mesh_ca,
	    "zoneEgress: true, localityAwareLoadBalancing: true");
	away = serve_as_zone(&w, "away");
	write_es(w.e, &(struct es){ .name = "near",
			  .service = "both",
			  .host = "gone.example",
			  .port = 9 });
	write_es(w.e, &(struct es){ .name = "away",
			  .service = "both",
			  .zone = "zone-2",
			  .port = 9 });
	write_ingress(w.e,
	    &(struct ingress){
		.name = "zi-2", .zone = "zone-2", .port = ext_port(away) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "both"), "");
	cr_expect(has_outcome(w.e, "dns_error", "gone.example"));
	for (int i = 0; i < 3; i++)
		cr_expect_str_eq(who_serves(&w, "both"), "away");
	world_end(&w);
}

/* A hashed name is handed on like any other, and served in its zone. */
Test(relays, a_mesh_external_service_of_another_zone)
{
	struct world w;
	struct egress *two;
	struct mesh_options o;

	world_init(&w, NULL);
	two =
	    world_add_zone(&w, &(struct egress_options){ .has_ingress = true });
	(void)serve_echo(&w, "far", 0);
	for (size_t i = 0; i < w.n_zones; i++)
		write_mes(&w.zones[i], &(struct mes){ .name = "mes",
					   .labels = "kuma.io/zone: zone-2",
					   .port = ext_port(w.servers[0]) });
	write_ingress(
	    w.e, &(struct ingress){
		     .name = "zi-2", .zone = "zone-2", .port = two->ingress });
	/* It does not depend on this. */
	write_mesh(w.e, "default", w.mesh_ca, "zoneEgress: false");
	world_start(&w);
	o = caller(&w, "");
	o.sni = mes_sni("mes");
	cr_expect_str_eq(who(&o), "far");
	cr_expect_not_null(egress_log_line(
	    w.e, "\"zone_path\":\"relay\"", "\"outcome\":\"ok\""));
	cr_expect_not_null(egress_log_line(
	    two, "\"zone_path\":\"serve\"", "\"outcome\":\"ok\""));
	world_end(&w);
}

/* Who the caller talks to is the other zone's sidecar, through and through. */
Test(relays, a_service_inside_the_mesh)
{
	struct world w;
	struct mesh_client m;

	world_init(&w, NULL);
	write_ingress(w.e, &(struct ingress){ .name = "zi-2",
			       .zone = "zone-2",
			       .port = ext_port(serve_as_zone(&w, "sidecar")),
			       .services = OFFER_INTERNAL("backend") });
	world_start(&w);
	call(&w, &m, "backend");
	cr_expect_not_null(
	    strstr(m.peer_uris, "spiffe://default/far "), "%s", m.peer_uris);
	check_echo(&m, "sidecar");
	mesh_close(&m);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"service\":\"backend\"", "\"zone_path\":\"relay\""));
	cr_expect_str_eq(seen(w.servers[0]).sni, "backend{mesh=default}");
	world_end(&w);
}

Test(relays, only_in_meshes_that_route_through_their_egresses)
{
	static const char *const rows[] = { "", "zoneEgress: false" };

	for (size_t i = 0; i < ALL(rows); i++) {
		struct world w;
		struct mesh_options o;
		struct mesh_client m;
		struct ext_server *s;

		world_init(&w, NULL);
		s = serve_as_zone(&w, "sidecar");
		write_mesh(w.e, "default", w.mesh_ca, rows[i]);
		write_es(w.e,
		    &(struct es){ .name = "far", .zone = "zone-2", .port = 9 });
		write_ingress(w.e, &(struct ingress){ .name = "zi-2",
				       .zone = "zone-2",
				       .port = ext_port(s),
				       .services = OFFER_INTERNAL(
					   "backend") ", " OFFER("far", 1) });
		world_start(&w);
		o = caller(&w, "backend");
		cr_expect_not(mesh_open(&m, &o));
		cr_expect_eq(m.end, MESH_RST, "row %zu", i);
		mesh_close(&m);
		cr_expect(has_outcome(w.e, "no_service", "backend"));
		cr_expect_str_eq(who_serves(&w, "far"), "");
		cr_expect(
		    has_outcome(w.e, "no_zone_ingress", "\"service\":\"far\""));
		cr_expect_not_null(
		    strstr(egress_ctl(w.e, "check"), "routing.zoneEgress"));
		cr_expect_eq(seen(s).connections, 0);
		world_end(&w);
		egress_remove_tree(w.home); /* for the next row */
	}
}

/* Of the daemon. */
static unsigned
count_pipes(const struct egress *e)
{
	char dir[64], path[128], to[64];
	unsigned n = 0;
	ssize_t len;

	(void)snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)e->pid);
	for (int fd = 0; fd < 1024; fd++) {
		(void)snprintf(path, sizeof(path), "%s/%d", dir, fd);
		len = readlink(path, to, sizeof(to) - 1);
		n += len > 5 && memcmp(to, "pipe:", 5) == 0;
	}
	return n;
}

static void
start_bulk(struct world *w, enum ext_protocol protocol)
{
	world_init(w, NULL);
	write_es(
	    w->e, &(struct es){ .name = "far", .zone = "zone-2", .port = 9 });
	write_ingress(
	    w->e, &(struct ingress){ .name = "zi-2",
		      .zone = "zone-2",
		      .port = ext_port(serve_as_zone_by(w, protocol, "far")) });
	world_start(w);
}

/* Much is spliced: the sandbox allows it, and every byte is in its place. */
Test(relays, much_both_ways)
{
	const uint64_t much = (uint64_t)24 << 20;
	struct mesh_client m;
	unsigned before;
	struct world w;

	start_bulk(&w, EXT_RAW);
	before = count_pipes(w.e);
	call(&w, &m, "far");
	cr_expect(mesh_pump(&m, much, much), "%s", m.error);
	mesh_finish(&m);
	cr_expect_eq(mesh_wait_end(&m, 20000), MESH_FIN);
	mesh_close(&m);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"zone_path\":\"relay\"", "\"outcome\":\"ok\""));
	cr_expect_geq(cluster_metric(w.e,
			  "envoy_cluster_upstream_cx_tx_bytes_total", "far"),
	    (double)much);
	cr_expect_geq(cluster_metric(w.e,
			  "envoy_cluster_upstream_cx_rx_bytes_total", "far"),
	    (double)much);
	cr_expect_gt(count_pipes(w.e), before, "it was copied");
	world_end(&w);
}

/* A server that goes, or a caller, while much is on its way. */
Test(relays, a_reset_amid_much)
{
	static const char *const outcomes[] = { "caller_reset",
		"connection_terminated" };

	for (size_t i = 0; i < ALL(outcomes); i++) {
		static char block[1 << 16];
		struct mesh_client m;
		struct world w;

		start_bulk(&w, EXT_SINK);
		call(&w, &m, "far");
		for (int k = 0; k < 200; k++)
			cr_assert(mesh_write(&m, block, sizeof(block)));
		if (i == 0) {
			mesh_reset(&m);
		} else {
			ext_reset(w.servers[0]);
			w.servers[0] = NULL;
			while (mesh_write(&m, block, sizeof(block)))
				continue;
		}
		cr_expect(
		    has_outcome(w.e, outcomes[i], "\"zone_path\":\"relay\""),
		    "row %zu", i);
		mesh_close(&m);
		world_end(&w);
		egress_remove_tree(w.home);
	}
}

static bool
is_refused(struct world *w, struct mesh_options *o, const char *outcome)
{
	double before = ended(w->e, outcome);
	struct mesh_client m;
	bool is_open = mesh_open(&m, o);

	mesh_close(&m);
	return !is_open && ended(w->e, outcome) == before + 1;
}

/* Of the relays, and of each source address for itself. */
Test(relays, a_source_may_have_so_many)
{
	struct world w;
	struct mesh_client first, second, other, again;
	struct mesh_options o, elsewhere;
	uint16_t port;

	start_with_ingresses(
	    &w, NULL, OFFER("far", 1), "limits = { source_relays = 2; };");
	port = ext_port(serve_echo(&w, "plain", 0));
	write_es(w.e, &(struct es){ .name = "plain", .port = port });
	cr_assert(
	    WAIT_UNTIL(5000, strcmp(who_serves(&w, "plain"), "plain") == 0));
	call(&w, &first, "far");
	call(&w, &second, "far");
	o = caller(&w, "far");
	cr_expect(is_refused(&w, &o, "source_limit"));
	cr_expect(has_outcome(w.e, "source_limit", "\"service\":\"far\""));
	/* What is served here is not counted. */
	cr_expect_str_eq(who_serves(&w, "plain"), "plain");
	elsewhere = o;
	elsewhere.source = "127.0.0.5";
	cr_assert(mesh_open(&other, &elsewhere), "%s", other.error);
	mesh_close(&other);
	mesh_close(&first);
	cr_expect(WAIT_UNTIL(
	    5000, mesh_open(&again, &o) || (mesh_close(&again), false)));
	mesh_close(&again);
	mesh_close(&second);
	world_end(&w);
}

/* A relay that waits for its ingress counts for more than one that runs. */
Test(relays, a_source_may_wait_for_so_many)
{
	struct world w;
	struct mesh_client waiting, other;
	struct mesh_options o, patient;
	struct ext_server *far;

	world_init(&w, "limits = { source_dials = 1; };");
	far = serve_as_zone(&w, "far");
	dns_server_set(w.dns, "zone-2.example",
	    &(struct dns_server_answer){ .drop_a = true, .drop_aaaa = true });
	write_es(
	    w.e, &(struct es){ .name = "far", .zone = "zone-2", .port = 9 });
	write_ingress(w.e, &(struct ingress){ .name = "zi-2",
			       .zone = "zone-2",
			       .advertised = "zone-2.example",
			       .port = ext_port(far) });
	world_start(&w);
	o = caller(&w, "far");
	patient = o;
	patient.timeout_ms = 50;
	cr_expect_not(mesh_open(&waiting, &patient));
	cr_assert_eq(waiting.end, MESH_TIMEOUT, "end %d", (int)waiting.end);
	cr_expect(is_refused(&w, &o, "source_limit"));
	patient.source = "127.0.0.5";
	cr_expect_not(mesh_open(&other, &patient));
	cr_expect_eq(other.end, MESH_TIMEOUT, "end %d", (int)other.end);
	mesh_close(&other);

	/* The resolver is asked again, and knows. */
	world_name(&w, "zone-2.example", "127.0.0.1");
	cr_assert(WAIT_UNTIL(5000, SSL_connect(waiting.ssl) == 1));
	check_echo(&waiting, "far");
	cr_expect_str_eq(who_serves(&w, "far"), "far");
	mesh_close(&waiting);
	world_end(&w);
}

static const char *const routes[] = {
	"type: TrafficRoute\nmesh: default\nname: split\n"
	"sources: [ { match: { kuma.io/service: '*' } } ]\n"
	"destinations: [ { match: { kuma.io/service: '*' } } ]\n"
	"conf:\n  split:\n"
	"  - { weight: 1, destination: { kuma.io/service: near, version: v1, "
	"env: prod } }\n"
	"  - { weight: 1, destination: { kuma.io/service: far, version: v1, "
	"env: prod } }\n",
	"type: MeshHTTPRoute\nmesh: default\nname: http\nspec:\n"
	"  targetRef: { kind: Mesh }\n  to:\n"
	"  - targetRef: { kind: MeshService, name: near }\n    rules:\n"
	"    - matches: [ { path: { type: PathPrefix, value: / } } ]\n"
	"      default:\n        backendRefs:\n"
	"        - { kind: MeshServiceSubset, name: near, weight: 1, tags: { "
	"version: v2 } }\n"
	"        - { kind: MeshServiceSubset, name: far, weight: 1, tags: { "
	"version: v2 } }\n",
	"type: MeshTCPRoute\nmesh: default\nname: tcp\nspec:\n"
	"  targetRef: { kind: Mesh }\n  to:\n"
	"  - targetRef: { kind: MeshService, name: near }\n    rules:\n"
	"    - default:\n        backendRefs:\n"
	"        - { kind: MeshServiceSubset, name: near, weight: 1, tags: { "
	"version: v3 } }\n"
	"        - { kind: MeshServiceSubset, name: far, weight: 1, tags: { "
	"version: v3 } }\n",
};

/* One server, as three ExternalServices with the tags of the routes. */
static void
write_versions(
    struct egress *e, const char *service, const char *tags, uint16_t port)
{
	static const char *const versions[] = { "v1, env: prod", "v2", "v3" };
	char file[32];

	for (size_t i = 0; i < ALL(versions); i++) {
		(void)snprintf(file, sizeof(file), "%s-%zu.yaml", service, i);
		egress_writef(e, file,
		    "type: ExternalService\nmesh: default\nname: %s-%zu\n"
		    "tags: { kuma.io/service: %s, version: %s%s }\n"
		    "networking: { address: 127.0.0.1:%u }\n",
		    service, i, service, versions[i], tags, (unsigned)port);
	}
}

/* With a TrafficRoute there are only the names that routes make. */
Test(relays, subset_names)
{
	static const char *const subsets[] = { "{env=prod,mesh=default,"
					       "version=v1}",
		"{mesh=default,version=v2}", "{mesh=default,version=v3}" };
	static const char *const others[] = { "{mesh=default}",
		"{mesh=default,version=v1}", "{mesh=default,version=v4}" };
	char file[32], sni[128];
	struct world w;
	struct egress *two;
	struct mesh_options o;
	struct mesh_client m;

	world_init(&w, NULL);
	two =
	    world_add_zone(&w, &(struct egress_options){ .has_ingress = true });
	write_versions(w.e, "near", "", ext_port(serve_echo(&w, "near", 0)));
	(void)serve_echo(&w, "far", 0);
	write_ingress(
	    w.e, &(struct ingress){
		     .name = "zi-2", .zone = "zone-2", .port = two->ingress });
	for (size_t i = 0; i < w.n_zones; i++) {
		write_versions(&w.zones[i], "far", ", kuma.io/zone: zone-2",
		    ext_port(w.servers[1]));
		for (size_t k = 0; k < ALL(routes); k++) {
			(void)snprintf(file, sizeof(file), "r%zu.yaml", k);
			egress_write(&w.zones[i], file, routes[k]);
		}
	}
	world_start(&w);
	o = caller(&w, "");
	o.sni = sni;
	for (size_t i = 0; i < ALL(subsets); i++) {
		(void)snprintf(sni, sizeof(sni), "near%s", subsets[i]);
		cr_expect_str_eq(who(&o), "near", "%s", sni);
		(void)snprintf(sni, sizeof(sni), "far%s", subsets[i]);
		cr_expect_str_eq(who(&o), "far", "%s", sni);
	}
	for (size_t i = 0; i < ALL(others); i++) {
		(void)snprintf(sni, sizeof(sni), "near%s", others[i]);
		cr_expect_not(mesh_open(&m, &o), "%s", sni);
		cr_expect_eq(m.end, MESH_RST, "%s: end %d", sni, (int)m.end);
		mesh_close(&m);
	}
	world_end(&w);
}

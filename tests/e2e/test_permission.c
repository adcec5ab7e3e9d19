/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may use what, and what the others see: deny by default, the kinds of
 * rules, 403 for requests, a close for connections, and no SYN for either.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

struct servers {
	struct ext_server *tcp;
	struct ext_server *http;
};

/* A tcp service "raw" and an http service "api", and no permission at all. */
static struct servers
start(struct world *w, const char *config)
{
	struct servers s;

	world_init(w, config);
	egress_remove(w->e, "allow-all.yaml");
	s.tcp = world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	s.http = world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(w->e, &(struct es){ .name = "raw", .port = ext_port(s.tcp) });
	write_es(w->e,
	    &(struct es){
		.name = "api", .protocol = "http", .port = ext_port(s.http) });
	return s;
}

/* May this sidecar use tcp service raw and http service api? */
static bool
may_use(struct world *w, const struct pki *p)
{
	struct mesh_options o = caller(w, "raw");
	struct mesh_client m;
	bool tcp, http;
	int status;
	char c;

	o.cert_pem = p->cert_pem;
	o.key_pem = p->key_pem;
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	tcp = say(&m, "x") && mesh_read(&m, &c, 1) == 1;
	mesh_close(&m);
	o.sni = sni_of("api");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	status = status_of(ask_get(&m, "/"));
	cr_expect(status == 200 || status == 403, "status %d", status);
	http = status == 200;
	mesh_close(&m);
	cr_expect_eq(tcp, http, "tcp and http differ");
	return tcp;
}

Test(permission, nothing_is_allowed_by_default)
{
	struct world w;
	struct servers s = start(&w, NULL);

	world_start(&w);
	cr_expect_not(may_use(&w, w.web));
	cr_expect_eq(seen(s.tcp).connections, 0);
	cr_expect_eq(seen(s.http).connections, 0);
	cr_expect(has_outcome(w.e, "denied", "\"service\":\"raw\""));
	cr_expect(has_outcome(w.e, "denied", "\"service\":\"api\""));
	cr_expect_eq(cluster_metric(w.e, "zegress_service_denied", "raw"), 1);
	cr_expect_eq(cluster_metric(w.e, "zegress_service_denied", "api"), 1);
	world_end(&w);
}

#define RULES_MOST 2
#define RULES_FORM(name, lists)                                             \
	"type: MeshTrafficPermission\nmesh: default\nname: " name           \
	"\nspec: { targetRef: { kind: Mesh }, rules: [ { default: { " lists \
	" } } ] }\n"
#define EXACT(service) \
	"{ spiffeID: { type: Exact, value: spiffe://default/" service " } }"

static const struct permission_case {
	const char *name;
	const char *rules[RULES_MOST];
	bool web, batch, far; /* web and batch of zone-1, web of zone-2 */
} cases[] = {
	{ "TrafficPermission of one service",
	    { "type: TrafficPermission\nmesh: default\nname: a\n"
	      "sources: [ { match: { kuma.io/service: web } } ]\n"
	      "destinations: [ { match: { kuma.io/service: '*' } } ]\n" },
	    true, false, true },
	{ "TrafficPermission by zone",
	    { "type: TrafficPermission\nmesh: default\nname: a\n"
	      "sources: [ { match: { kuma.io/service: '*', "
	      "kuma.io/zone: zone-1 } } ]\n"
	      "destinations: [ { match: { kuma.io/service: '*' } } ]\n" },
	    true, true, false },
	{ "TrafficPermission of another destination",
	    { "type: TrafficPermission\nmesh: default\nname: a\n"
	      "sources: [ { match: { kuma.io/service: '*' } } ]\n"
	      "destinations: [ { match: { kuma.io/service: else } } ]\n" },
	    false, false, false },
	{ "MeshTrafficPermission Allow of one service",
	    { "type: MeshTrafficPermission\nmesh: default\nname: a\nspec:\n"
	      "  targetRef: { kind: Mesh }\n  from:\n"
	      "  - targetRef: { kind: MeshService, name: web }\n"
	      "    default: { action: Allow }\n" },
	    true, false, true },
	{ "MeshTrafficPermission by zone",
	    { "type: MeshTrafficPermission\nmesh: default\nname: a\nspec:\n"
	      "  targetRef: { kind: Mesh }\n  from:\n"
	      "  - targetRef: { kind: MeshSubset, tags: { kuma.io/zone: "
	      "zone-1 } }\n"
	      "    default: { action: Allow }\n" },
	    true, true, false },
	{ "a service in a zone",
	    { "type: MeshTrafficPermission\nmesh: default\nname: a\nspec:\n"
	      "  targetRef: { kind: Mesh }\n  from:\n"
	      "  - targetRef: { kind: MeshServiceSubset, name: web, tags: { "
	      "kuma.io/zone: zone-2 } }\n"
	      "    default: { action: Allow }\n" },
	    false, false, true },
	{ "all but one",
	    { "type: MeshTrafficPermission\nmesh: default\nname: a\nspec:\n"
	      "  targetRef: { kind: Mesh }\n  from:\n"
	      "  - targetRef: { kind: Mesh }\n"
	      "    default: { action: Allow }\n"
	      "  - targetRef: { kind: MeshService, name: batch }\n"
	      "    default: { action: Deny }\n" },
	    true, false, true },
	{ "AllowWithShadowDeny allows",
	    { "type: MeshTrafficPermission\nmesh: default\nname: a\nspec:\n"
	      "  targetRef: { kind: Mesh }\n  from:\n"
	      "  - targetRef: { kind: MeshService, name: web }\n"
	      "    default: { action: AllowWithShadowDeny }\n" },
	    true, false, true },
	{ "MeshTrafficPermission replaces TrafficPermission",
	    { "type: TrafficPermission\nmesh: default\nname: a\n"
	      "sources: [ { match: { kuma.io/service: '*' } } ]\n"
	      "destinations: [ { match: { kuma.io/service: '*' } } ]\n",
		"type: MeshTrafficPermission\nmesh: default\nname: b\nspec:\n"
		"  targetRef: { kind: Mesh }\n  from:\n"
		"  - targetRef: { kind: MeshService, name: web }\n"
		"    default: { action: Allow }\n" },
	    true, false, true },
	{ "the more specific targetRef wins",
	    { "type: MeshTrafficPermission\nmesh: default\nname: a\nspec:\n"
	      "  targetRef: { kind: Mesh }\n  from:\n"
	      "  - targetRef: { kind: Mesh }\n"
	      "    default: { action: Allow }\n",
		"type: MeshTrafficPermission\nmesh: default\nname: raw\nspec:\n"
		"  targetRef: { kind: MeshSubset, tags: { kuma.io/service: "
		"'*' } }\n"
		"  from:\n"
		"  - targetRef: { kind: MeshService, name: batch }\n"
		"    default: { action: Deny }\n" },
	    true, false, true },
	/* The rules form. */
	{ "rules that allow one",
	    { RULES_FORM("a", "allow: [ " EXACT("web") " ]") }, true, false,
	    true },
	{ "rules that allow by prefix, and deny",
	    { RULES_FORM("a",
		"allow: [ { spiffeID: { type: Prefix, value: "
		"spiffe://default } } ], deny: [ " EXACT("batch") " ]") },
	    true, false, true },
	{ "a deny of one document, an allow of another",
	    { RULES_FORM(
		  "a", "allow: [ " EXACT("web") ", " EXACT("batch") " ]"),
		RULES_FORM("b", "deny: [ " EXACT("web") " ]") },
	    false, true, false },
	{ "rules in place of a TrafficPermission",
	    { "type: TrafficPermission\nmesh: default\nname: a\n"
	      "sources: [ { match: { kuma.io/service: '*' } } ]\n"
	      "destinations: [ { match: { kuma.io/service: '*' } } ]\n",
		RULES_FORM("b", "deny: [ " EXACT("batch") " ]") },
	    false, false, false },
	/* Of other zones too: rules on zones are of the from form. */
	{ "both forms: a deny of either wins",
	    { RULES_FORM("a", "allow: [ { spiffeID: { type: Prefix, value: "
			      "spiffe://default/ } } ]"),
		"type: MeshTrafficPermission\nmesh: default\nname: b\nspec:\n"
		"  targetRef: { kind: Mesh }\n  from:\n"
		"  - targetRef: { kind: MeshSubset, tags: { kuma.io/zone: "
		"zone-2 } }\n"
		"    default: { action: Deny }\n" },
	    true, true, false },
	{ "allowWithShadowDeny allows",
	    { RULES_FORM("a", "allowWithShadowDeny: [ " EXACT("batch") " ]") },
	    false, true, false },
	{ "a rule that is misspelt",
	    { RULES_FORM("new",
		"allow: [ { spiffeID: { type: Prefix, value: "
		"spiffe://default/ } } ], denny: [ " EXACT("batch") " ]") },
	    false, false, false },
	/* Fail closed: what cannot be understood denies what it targets. */
	{ "a broken permission beside one that allows",
	    { "type: MeshTrafficPermission\nmesh: default\nname: a\nspec:\n"
	      "  targetRef: { kind: Mesh }\n  from:\n"
	      "  - targetRef: { kind: Mesh }\n"
	      "    default: { action: Allow }\n",
		"type: MeshTrafficPermission\nmesh: default\nname: b\nspec:\n"
		"  targetRef: { kind: Mesh }\n  from:\n"
		"  - targetRef: { kind: MeshService, name: batch }\n"
		"    default: { action: Refuse }\n" },
	    false, false, false },
};

static void
try_case(struct world *w, const struct permission_case *c,
    const struct pki *batch, const struct pki *far)
{
	char file[32];

	for (int i = 0; i < RULES_MOST; i++) {
		(void)snprintf(file, sizeof(file), "rule-%d.yaml", i);
		/* An empty file would leave in force what it held. */
		egress_write(
		    w->e, file, c->rules[i] != NULL ? c->rules[i] : "# none\n");
	}
	/* A reload that refuses something says so by its status. */
	(void)egress_ctl(w->e, "reload");
	cr_expect_eq(may_use(w, w->web), c->web, "%s: web", c->name);
	cr_expect_eq(may_use(w, batch), c->batch, "%s: batch", c->name);
	cr_expect_eq(may_use(w, far), c->far, "%s: web of zone-2", c->name);
}

Test(permission, kinds_of_rules)
{
	struct world w;
	struct pki *batch, *far;

	(void)start(&w, NULL);
	batch = pki_sidecar(w.mesh_ca, "default", "batch", "zone-1");
	far = pki_sidecar(w.mesh_ca, "default", "web", "zone-2");
	world_start(&w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		try_case(&w, &cases[i], batch, far);
	world_end(&w);
	pki_free(batch);
	pki_free(far);
}

Test(permission, shadow_deny_is_in_the_log)
{
	struct world w;

	(void)start(&w, NULL);
	write_permission(
	    w.e, "shadow", NULL, "kind: Mesh", "AllowWithShadowDeny");
	world_start(&w);
	cr_expect(may_use(&w, w.web));
	cr_expect_not_null(
	    egress_log_line(w.e, "\"shadow_denied\":1", "\"service\":\"raw\""));
	cr_expect_not_null(egress_log_line(
	    w.e, "\"shadow_denied\":1", "\"kind\":\"request\""));
	cr_expect_not_null(
	    egress_log_line(w.e, "MeshTrafficPermission/shadow", NULL));
	world_end(&w);
}

/* One name of the tcp service, and of no other. */
Test(permission, rules_by_server_name)
{
	struct world w;
	struct servers s = start(&w, NULL);
	struct mesh_options o;
	struct mesh_client m;
	char c;

	egress_write(w.e, "rule.yaml",
	    RULES_FORM("sni", "allowWithShadowDeny: [ { sni: { type: Exact, "
			      "value: 'raw{mesh=default}' } } ]"));
	world_start(&w);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/")), 403);
	mesh_close(&m);
	/* Names are folded before they are compared. */
	o = caller(&w, "raw");
	o.sni = "RAW{mesh=default}";
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect(say(&m, "x") && mesh_read(&m, &c, 1) == 1);
	mesh_close(&m);
	cr_expect_eq(seen(s.http).connections, 0);
	cr_expect_eq(
	    cluster_metric(w.e, "zegress_service_shadow_denied", "raw"), 1);
	cr_expect_eq(cluster_metric(w.e, "zegress_service_allowed", "raw"), 1);
	cr_expect_eq(
	    cluster_metric(w.e, "zegress_service_shadow_denied", "api"), 0);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"shadow_denied\":1", "MeshTrafficPermission/sni"));
	/* A reload that takes the name away ends what came by it. */
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect(say(&m, "x") && mesh_read(&m, &c, 1) == 1);
	egress_write(w.e, "rule.yaml",
	    RULES_FORM("sni", "allow: [ { sni: { type: Exact, value: "
			      "'api{mesh=default}' } } ]"));
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "revoked", "\"service\":\"raw\""));
	world_end(&w);
}

/* With a last good version in force a mistake takes nothing away. */
Test(permission, a_broken_permission_keeps_its_last_good_version)
{
	struct world w;

	(void)start(&w, NULL);
	write_permission(w.e, "rule", NULL, "kind: Mesh", "Allow");
	world_start(&w);
	cr_expect(may_use(&w, w.web));
	write_permission(w.e, "rule", NULL, "kind: Mesh", "Perhaps");
	cr_assert(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "check"), "must be one of") != NULL));
	cr_expect(may_use(&w, w.web));
	write_permission(w.e, "rule", NULL, "kind: Mesh", "Deny");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "check"), "nothing is refused") != NULL));
	cr_expect_not(may_use(&w, w.web));
	world_end(&w);
}

Test(permission, a_denied_request_gets_403_and_the_connection_stays)
{
	static const char want[] = "RBAC: access denied";
	struct world w;
	struct servers s = start(&w, NULL);
	struct mesh_client m;
	const char *a;

	world_start(&w);
	call(&w, &m, "api");
	a = ask_get(&m, "/one");
	cr_expect_eq(status_of(a), 403);
	cr_expect(strstr(a, "\r\n\r\nRBAC: access denied") != NULL, "%s", a);
	cr_expect_str_eq(a + strlen(a) - strlen(want), want);
	cr_expect(strcasestr(a, "content-type: text/plain") != NULL);
	cr_expect_null(strcasestr(a, "connection: close"));
	/* Bodies are read, so that the next request is found. */
	a = ask(&m, "POST /two HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
		    "12345");
	cr_expect_eq(status_of(a), 403);
	a = ask(&m, "POST /three HTTP/1.1\r\nHost: x\r\n"
		    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
	cr_expect_eq(status_of(a), 403);
	/* The same connection serves once it is allowed. */
	write_permission(w.e, "allow", NULL, "kind: Mesh", "Allow");
	cr_assert(WAIT_UNTIL(5000, status_of(ask_get(&m, "/four")) == 200));
	mesh_close(&m);
	cr_expect(strstr(seen(s.http).head, "/four") != NULL);
	cr_expect_eq(seen(s.http).requests, 1);
	world_end(&w);
}

/* A HEAD has no body, whoever answers. */
Test(permission, a_denied_head_has_no_body)
{
	struct world w;
	struct mesh_client m;
	char a[4096];

	(void)start(&w, NULL);
	world_start(&w);
	call(&w, &m, "api");
	cr_assert(say(&m, "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 403);
	cr_expect(strcasestr(a, "content-length: 19") != NULL, "%s", a);
	cr_expect_eq(status_of(ask_get(&m, "/")), 403);
	mesh_close(&m);
	world_end(&w);
}

/* Too much to throw away: the answer, and the end. */
Test(permission, a_large_denied_body_ends_the_connection)
{
	struct world w;
	struct mesh_client m;
	char a[4096], block[4096];
	uint64_t from;

	(void)start(&w, NULL);
	world_start(&w);
	call(&w, &m, "api");
	cr_assert(say(&m,
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 403);
	cr_expect(strcasestr(a, "connection: close") != NULL, "%s", a);
	mesh_close(&m);

	/* Nobody knows how long a chunked one will be. */
	call(&w, &m, "api");
	ask(&m, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
		"\r\n800000\r\n");
	memset(block, 'x', sizeof(block));
	from = clock_ms();
	while (mesh_write(&m, block, sizeof(block)) && clock_ms() < from + 8000)
		;
	cr_expect(m.end == MESH_RST || m.end == MESH_FIN ||
		      m.end == MESH_FIN_NO_NOTIFY,
	    "it goes on: %d", (int)m.end);
	mesh_close(&m);
	world_end(&w);
}

/* Asked before anything is dialled, by each request. */
Test(permission, each_request_asks)
{
	struct world w;
	struct servers s = start(&w, NULL);
	struct mesh_client m;

	write_permission(w.e, "allow", NULL, "kind: Mesh", "Allow");
	world_start(&w);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	egress_remove(w.e, "allow.yaml");
	cr_assert(WAIT_UNTIL(5000, status_of(ask_get(&m, "/")) == 403));
	unsigned requests = seen(s.http).requests;
	cr_expect_eq(status_of(ask_get(&m, "/")), 403);
	cr_expect_eq(seen(s.http).requests, requests);
	mesh_close(&m);
	world_end(&w);
}

/* The same rules hold for a MeshExternalService. */
Test(permission, mesh_external_service)
{
	struct world w;
	struct servers s = start(&w, NULL);
	struct mesh_options o;
	struct mesh_client m;

	write_mes(w.e, &(struct mes){ .name = "mes", .port = ext_port(s.tcp) });
	world_start(&w);
	o = caller(&w, "raw");
	o.sni = mes_sni("mes");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	cr_expect_eq(seen(s.tcp).connections, 0);
	egress_write(w.e, "rule.yaml",
	    "type: MeshTrafficPermission\nmesh: default\nname: mes\nspec:\n"
	    "  targetRef: { kind: MeshExternalService, name: mes }\n"
	    "  from:\n"
	    "  - targetRef: { kind: MeshService, name: web }\n"
	    "    default: { action: Allow }\n");
	(void)egress_ctl(w.e, "reload");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
}

Test(permission, mesh_external_service_as_kuma_has_it)
{
	struct world w;
	struct servers s = start(&w, "mes_without_rule = \"allow\";");
	struct mesh_options o;
	struct mesh_client m;

	write_mes(w.e, &(struct mes){ .name = "mes", .port = ext_port(s.tcp) });
	world_start(&w);
	o = caller(&w, "raw");
	o.sni = mes_sni("mes");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	check_echo(&m, "ext");
	mesh_close(&m);
	/* An ExternalService is still denied. */
	cr_expect_not(may_use(&w, w.web));
	/* And so is it, once the mesh says so. */
	write_mesh(w.e, "default", w.mesh_ca,
	    "zoneEgress: true, defaultForbidMeshExternalServiceAccess: true");
	(void)egress_ctl(w.e, "reload");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	world_end(&w);
}

/* Several ExternalServices of one service: a caller gets what it may have. */
Test(permission, by_endpoint)
{
	static const char rule[] =
	    "type: TrafficPermission\nmesh: default\nname: %s\n"
	    "sources: [ { match: { kuma.io/service: %s } } ]\n"
	    "destinations: [ { match: { kuma.io/service: pair, side: %s } } "
	    "]\n";
	static const char service[] =
	    "type: ExternalService\nmesh: default\nname: %s\n"
	    "tags: { kuma.io/service: pair, side: %s }\n"
	    "networking: { address: '127.0.0.1:%u' }\n";
	struct world w;
	struct ext_server *left, *right;
	struct mesh_client m;

	(void)start(&w, NULL);
	left = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "left" });
	right = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "right" });
	egress_writef(
	    w.e, "left.yaml", service, "left", "left", ext_port(left));
	egress_writef(
	    w.e, "right.yaml", service, "right", "right", ext_port(right));
	egress_writef(w.e, "a.yaml", rule, "a", "web", "left");
	egress_writef(w.e, "b.yaml", rule, "b", "batch", "right");
	world_start(&w);
	for (int i = 0; i < 6; i++) {
		call(&w, &m, "pair");
		check_echo(&m, "left");
		mesh_close(&m);
	}
	cr_expect_eq(seen(right).connections, 0);
	world_end(&w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/config.h: what stands in the file is what is set, or is refused. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/str.h"
#include "daemon/config.h"
#include "unit/feed/tree.h"

struct rig {
	struct tree tree;
	struct config *config;
	struct problems pr;
	struct text said; /* all problems, without the directory */
};

static void
rig_load(struct rig *r, const char *name)
{
	struct text line;
	const char *p;
	size_t i;

	config_free(r->config);
	r->config = config_load(tree_path(&r->tree, name), &r->pr);
	for (i = 0; i < r->pr.n; i++) {
		line = TEXT_EMPTY;
		problem_print(&r->pr.v[i], &line);
		p = line.p;
		if (strncmp(p, r->tree.path, strlen(r->tree.path)) == 0)
			p += strlen(r->tree.path) + 1;
		text_addf(&r->said, "%s\n", p);
		text_free(&line);
	}
	text_add_z(&r->said, "");
}

static void
rig_init(struct rig *r, const char *text)
{
	*r = (struct rig){ .config = NULL };
	tree_init(&r->tree);
	tree_write(&r->tree, "c", text);
	text_reserve(&r->said, 1);
	rig_load(r, "c");
}

static void
rig_fini(struct rig *r)
{
	config_free(r->config);
	problems_free(&r->pr);
	text_free(&r->said);
	tree_fini(&r->tree);
}

static void
expect_row(const struct option_row *row, const void *base, const char *what)
{
	struct text got = TEXT_EMPTY, want = TEXT_EMPTY;

	option_print(row, base, &got);
	switch (row->type) {
	case OPTION_TEXT:
	case OPTION_STR:
	case OPTION_CHOICE:
	case OPTION_ONE_OF:
		text_addf(&want, "\"%s\"", row->standard);
		break;
	case OPTION_UINT:
	case OPTION_SIZE:
	case OPTION_BOOL:
		text_add_z(&want, row->standard);
		break;
	case OPTION_TEXTS:
	case OPTION_STRS:
	case OPTION_NETWORKS:
		/* A default of several words would need more here. */
		if (row->standard[0] != '\0')
			text_addf(&want, "[ \"%s\" ]", row->standard);
		else
			text_add_z(&want, "[]");
		break;
	}
	cr_expect_str_eq(got.p, want.p, "%s: %s is %s", what, row->name, got.p);
	text_free(&got);
	text_free(&want);
}

static void
expect_defaults(const struct config *c, const char *what)
{
	size_t i;

	for (i = 0; i < CONFIG_OPTIONS; i++)
		if (option_rows[i].scope == OPTION_IN_CONFIG)
			expect_row(&option_rows[i], c, what);
		else if (option_rows[i].scope == OPTION_IN_LISTENER)
			expect_row(&option_rows[i], &c->listeners[0], what);
}

Test(config, nothing_given_is_the_defaults)
{
	struct rig r;

	rig_init(&r, "# nothing\n");
	cr_assert_not_null(r.config, "%s", r.said.p);
	cr_expect_str_eq(r.said.p, "");
	expect_defaults(r.config, "empty file");
	cr_expect_eq(r.config->n_listeners, 1);
	cr_expect_eq(addr_port(&r.config->listeners[0].addr), 10002);
	cr_expect_eq(r.config->n_identities, 0);
	cr_expect_eq(r.config->n_services, 0);
	cr_expect_str_eq(r.config->dns.hosts_file, "/etc/hosts");
	rig_fini(&r);
}

/* A default outside its own range would be one that nobody can write. */
Test(config, defaults_are_in_their_range)
{
	uint64_t n;
	size_t i;

	for (i = 0; i < CONFIG_OPTIONS; i++) {
		const struct option_row *row = &option_rows[i];

		cr_expect(row->help[strlen(row->help) - 1] == '.',
		    "%s: help is a sentence", row->name);
		if (row->type != OPTION_UINT && row->type != OPTION_SIZE)
			continue;
		cr_expect(str_to_u64(str_of(row->standard), row->most, &n) &&
			      n >= row->least,
		    "%s: %s", row->name, row->standard);
	}
}

Test(config, takes_every_type)
{
	const struct config *c;
	struct rig r;

	rig_init(&r,
	    "zone = \"zone-1\";\n"
	    "workers = 3;\n"
	    "sandbox = false;\n"
	    "on_revoke = \"keep\";\n"
	    "dns = { servers = [ \"10.0.0.1\", \"[::1]:53\" ];\n"
	    "        hosts_file = \"\"; max_names = 5000L; };\n"
	    "limits = { idle_ms = 10000; headers = 50; pool_idle_ms = 0;\n"
	    "           h2_pings = 9; body_bytes = 12; };\n"
	    "allow_addresses = [ \"127.0.0.0/8\", \"::1\" ];\n"
	    "deny_addresses = ( \"10.0.0.0/8\" );\n"
	    "listeners = (\n"
	    "  { address = \"127.0.0.1\"; port = 1; role = \"ingress\"; },\n"
	    "  { address = \"::1\"; } );\n"
	    "identity = ( { mesh = \"m\"; cert = \"c\"; key = \"k\"; } );\n"
	    "admin = { port = 0; socket = \"\"; };\n");
	cr_assert_not_null(r.config, "%s", r.said.p);
	c = r.config;
	cr_expect_str_eq(c->zone, "zone-1");
	cr_expect_eq(c->workers, 3);
	cr_expect(!c->has_sandbox);
	cr_expect(c->keeps_revoked);
	cr_expect_eq(c->dns.n_servers, 2);
	cr_expect_str_eq(c->dns.servers[1], "[::1]:53");
	cr_expect_null(c->dns.hosts_file);
	cr_expect_eq(c->dns.max_names, 5000);
	cr_expect_eq(c->conn.idle_ms, 10000);
	cr_expect_eq(c->http.fields, 50);
	cr_expect_eq(c->upstream.pool_idle_ms, 0);
	cr_expect_eq(c->h2.abuse[H2_ABUSE_PINGS], 9);
	cr_expect_eq(c->conn.body_bytes, 12);
	cr_expect_eq(c->addr_rules.n_allow, 2);
	cr_expect_eq(c->addr_rules.allow[0].bits, 8);
	cr_expect_eq(c->addr_rules.n_deny, 1);
	cr_expect_eq(c->n_listeners, 2);
	cr_expect(c->listeners[0].is_ingress);
	cr_expect_eq(addr_port(&c->listeners[0].addr), 1);
	cr_expect(!c->listeners[1].is_ingress);
	cr_expect_eq(c->listeners[1].addr.u.sa.sa_family, AF_INET6);
	cr_expect_eq(c->n_identities, 1);
	cr_expect_str_eq(c->identities[0].mesh, "m");
	cr_expect_eq(c->identities[0].line, 14);
	cr_expect_eq(c->admin_port, 0);
	cr_expect_str_eq(c->admin_socket, "");
	rig_fini(&r);
}

Test(config, refuses_with_place_and_remedy)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "zon = \"a\";",
		    "c:1: zon: there is no such option; did you mean zone?\n" },
		{ "\nlimits = {\n idel_ms = 10; };",
		    "c:3: limits.idel_ms: there is no such option; did you "
		    "mean limits.idle_ms?\n" },
		{ "admn = { };", "c:1: admn: there is no such option; did you "
				 "mean admin?\n" },
		{ "listeners = ( { prot = 1; } );",
		    "c:1: listeners.prot: there is no such option; did you "
		    "mean listeners.port?\n" },
		{ "completely_else = 1;",
		    "c:1: completely_else: there is no such option\n" },
		{ "workers = \"2\";",
		    "c:1: workers: wants a whole number from 0 to 256\n" },
		{ "workers = 257;",
		    "c:1: workers: wants a whole number from 0 to 256\n" },
		{ "workers = -1;",
		    "c:1: workers: wants a whole number from 0 to 256\n" },
		{ "workers = 1.0;",
		    "c:1: workers: wants a whole number from 0 to 256\n" },
		{ "limits = { hello_ms = 5; };",
		    "c:1: limits.hello_ms: wants a whole number from 10 to "
		    "600000 ms\n" },
		{ "zone = 1;", "c:1: zone: wants a text in double quotes\n" },
		{ "zone = \"\";", "c:1: zone: may not be empty\n" },
		{ "sandbox = 1;", "c:1: sandbox: wants true or false\n" },
		{ "on_revoke = \"shut\";",
		    "c:1: on_revoke: wants \"close\" or \"keep\"\n" },
		{ "compat = \"kuma\";",
		    "c:1: compat: wants \"\" or \"kuma-2\"\n" },
		{ "allow_addresses = \"::1\";",
		    "c:1: allow_addresses: wants a list: [ \"…\", \"…\" ]\n" },
		{ "allow_addresses = [ \"::1\", \"x\" ];",
		    "c:1: allow_addresses: wants addresses or networks, as "
		    "\"10.0.0.0/8\"\n" },
		{ "dns = { servers = ( 1 ); };",
		    "c:1: dns.servers: wants texts in double quotes\n" },
		{ "dns = { servers = [ \"10.0.0.53:53\", \"fd00::53\", "
		  "\"[::1]:5353\", \"[::1]\", \"resolver\" ]; };",
		    "c:1: dns.servers: \"resolver\" is no address; one is "
		    "\"10.0.0.53\" or \"[fd00::53]:5353\"\n" },
		{ "dns = { servers = [ \"10.0.0.53:0\" ]; };",
		    "c:1: dns.servers: \"10.0.0.53:0\" is no address; one is "
		    "\"10.0.0.53\" or \"[fd00::53]:5353\"\n" },
		{ "dns = { servers = [ \"[::1\", \"1.2.3.4:65536\" ]; };",
		    "c:1: dns.servers: \"[::1\" is no address; one is "
		    "\"10.0.0.53\" or \"[fd00::53]:5353\"\n"
		    "c:1: dns.servers: \"1.2.3.4:65536\" is no address; one "
		    "is \"10.0.0.53\" or \"[fd00::53]:5353\"\n" },
		{ "mesh_access_log_sinks = [ \"logs:5000\", \"[::1]:1\", "
		  "\"logs\" ];",
		    "c:1: mesh_access_log_sinks: \"logs\" is no \"HOST:PORT\"; "
		    "one is \"logs.example:5000\" or \"[fd00::5]:5000\"\n" },
		{ "dns = 1;", "c:1: dns: wants a group: { … }\n" },
		{ "listeners = { };",
		    "c:1: listeners: wants a list of groups: ( { … } )\n" },
		{ "listeners = ( \"a\" );",
		    "c:1: listeners: wants a group: { … }\n" },
		{ "listeners = ( { address = \"host\"; } );",
		    "c:1: listeners.address: wants an IPv4 or IPv6 "
		    "address\n" },
		{ "listeners = ( { port = 1; }, { port = 1; } );",
		    "c: listeners: two of them are 0.0.0.0 port 1\n" },
		{ "identity = ( { mesh = \"m\"; cert = \"c\"; } );",
		    "c:1: identity: wants mesh, cert and key\n" },
		{ "identity = ( { mesh = \"m\"; cert = \"c\"; key = \"k\"; },\n"
		  "{ mesh = \"m\"; cert = \"c\"; key = \"k\"; } );",
		    "c:2: identity.mesh: mesh m has two identities\n" },
		{ "admin = { address = \"localhost\"; };",
		    "c:1: admin.address: wants an IP address, or \"\"\n" },
		{ "dns = { min_ttl_s = 10; max_ttl_s = 9; };",
		    "c:1: dns.min_ttl_s: is more than dns.max_ttl_s\n" },
		{ "limits = { head_bytes = 2000; line_bytes = 2001; };",
		    "c:1: limits.line_bytes: is more than "
		    "limits.head_bytes\n" },
		{ "limits = { h2_setings = 1; };",
		    "c:1: limits.h2_setings: there is no such option; did you "
		    "mean limits.h2_settings?\n" },
		{ "limits = { h2_stream_window = 1000; };",
		    "c:1: limits.h2_stream_window: wants a whole number from "
		    "65535 to 16777216 bytes\n" },
		{ "zone = ;", "c:1: syntax error\n" },
		{ "zone = 1;\nworkers = 999;\n",
		    "c:1: zone: wants a text in double quotes\n"
		    "c:2: workers: wants a whole number from 0 to 256\n" },
	};
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, rows[i].text);
		cr_expect_null(r.config, "%s", rows[i].text);
		cr_expect_str_eq(
		    r.said.p, rows[i].want, "%s: %s", rows[i].text, r.said.p);
		rig_fini(&r);
	}
}

#define GRANT(rest)                                                \
	"grants = ( { caller = \"web\"; service = \"payments\";\n" \
	"mesh = \"default\";\n" rest " } );"
#define GOOD_UNTIL "until = \"2030-12-31T18:00:00Z\";\n"

Test(config, takes_grants)
{
	struct text origin = TEXT_EMPTY;
	const struct grant *g;
	struct rig r;

	rig_init(&r, "\n" GRANT(GOOD_UNTIL
			 "reason = \"fix the db\"; }, { caller = "
			 "\"kuma://kuma.io/zone/east\"; service = \"b\"; "
			 "mesh = \"m\"; until = \"20301231T180001Z\"; "
			 "reason = \"x\";"));
	cr_assert_not_null(r.config, "%s", r.said.p);
	cr_expect_str_eq(r.said.p, "");
	cr_assert_eq(r.config->n_grants, 2);
	g = r.config->grants;
	cr_expect_eq(g[0].id, 0);
	cr_expect(str_eq(g[0].caller, STR("spiffe://default/web")));
	cr_expect(str_eq(g[0].service, STR("payments")));
	cr_expect(str_eq(g[0].mesh, STR("default")));
	cr_expect_eq(g[0].until_s, 1924970400);
	cr_expect(str_eq(g[1].caller, STR("kuma://kuma.io/zone/east")));
	cr_expect_eq(g[1].until_s, 1924970401);
	grant_print(&g[0], &origin);
	cr_expect_str_eq(origin.p + strlen("grant ") + strlen(r.tree.path),
	    "/c:2: fix the db, until 2030-12-31T18:00:00.000Z");
	text_free(&origin);
	rig_fini(&r);
}

/* A grant must never be taken for one that says more. */
Test(config, refuses_a_grant_that_is_not_whole)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ GRANT("reason = \"x\";"),
		    "c:1: grants.until: is missing: a grant has an end, as "
		    "\"2030-12-31T18:00:00Z\"\n" },
		{ GRANT("until = \"\"; reason = \"x\";"),
		    "c:3: grants.until: may not be empty\n" },
		{ GRANT("until = \"never\"; reason = \"x\";"),
		    "c:3: grants.until: is no time; one is "
		    "\"2030-12-31T18:00:00Z\"\n" },
		{ GRANT("until = \"2030-02-30T18:00:00Z\"; reason = \"x\";"),
		    "c:3: grants.until: is no time; one is "
		    "\"2030-12-31T18:00:00Z\"\n" },
		{ GRANT("until = \"1969-12-31T18:00:00Z\"; reason = \"x\";"),
		    "c:3: grants.until: is no time; one is "
		    "\"2030-12-31T18:00:00Z\"\n" },
		{ GRANT("until = 2030; reason = \"x\";"),
		    "c:3: grants.until: wants a text in double quotes\n" },
		{ GRANT(GOOD_UNTIL),
		    "c:1: grants.reason: is missing: say why\n" },
		{ GRANT(GOOD_UNTIL "reason = \"  \";"),
		    "c:4: grants.reason: a reason is wanted, of at most 200 "
		    "bytes without quotes and backslashes\n" },
		{ GRANT(GOOD_UNTIL "reason = \"a\\nb\";"),
		    "c:4: grants.reason: a reason is wanted, of at most 200 "
		    "bytes without quotes and backslashes\n" },
		{ GRANT(GOOD_UNTIL "reason = \"x\"; for = \"2h\";"),
		    "c:4: grants.for: there is no such option\n" },
		{ GRANT(GOOD_UNTIL "raeson = \"x\";"),
		    "c:4: grants.raeson: there is no such option; did you mean "
		    "grants.reason?\n" },
		{ "grants = ( { } );",
		    "c:1: grants.caller: is missing: say who may, as \"web\"\n"
		    "c:1: grants.service: is missing: say what it may use\n"
		    "c:1: grants.mesh: is missing: say which mesh, as "
		    "\"default\"\n"
		    "c:1: grants.until: is missing: a grant has an end, as "
		    "\"2030-12-31T18:00:00Z\"\n"
		    "c:1: grants.reason: is missing: say why\n" },
		{ "grants = ( { caller = \"http://web\"; service = \"s\"; "
		  "mesh = \"m\";\n" GOOD_UNTIL "reason = \"x\"; } );",
		    "c:1: grants.caller: the caller has to be a service of the "
		    "mesh, or a whole spiffe:// or kuma:// name of its "
		    "certificate\n" },
		{ "grants = ( { caller = \"web\";\nservice = \"a b\"; "
		  "mesh = \"m\";\n" GOOD_UNTIL "reason = \"x\"; } );",
		    "c:2: grants.service: the service has to be a name\n" },
		{ "grants = ( 1 );", "c:1: grants: wants a group: { … }\n" },
		{ "grants = { };",
		    "c:1: grants: wants a list of groups: ( { … } )\n" },
	};
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, rows[i].text);
		cr_expect_null(r.config, "%s", rows[i].text);
		cr_expect_str_eq(
		    r.said.p, rows[i].want, "%s: %s", rows[i].text, r.said.p);
		rig_fini(&r);
	}
}

Test(config, names_the_included_file)
{
	struct rig r;

	rig_init(&r, "");
	tree_write(&r.tree, "more", "\nzone = 1;\n");
	tree_write(&r.tree, "c2", "@include \"more\"\n");
	rig_load(&r, "c2");
	cr_expect_not_null(
	    strstr(r.said.p, "more:2: zone: wants a text in double quotes\n"),
	    "%s", r.said.p);
	rig_fini(&r);
}

Test(config, a_file_that_is_not_there)
{
	struct rig r;

	rig_init(&r, "");
	rig_load(&r, "none");
	cr_expect_null(r.config);
	cr_expect_str_eq(r.said.p, "none: cannot be read\n");
	rig_fini(&r);
}

Test(config, compat_weakens_what_is_not_set)
{
	static const struct {
		const char *text;
		bool verifies_none;
		bool allows;
		bool is_literal;
		size_t warnings;
	} rows[] = {
		{ "", false, false, false, 0 },
		{ "compat = \"\";", false, false, false, 0 },
		{ "compat = \"kuma-2\";", true, true, true, 3 },
		{ "compat = \"kuma-2\"; verify_without_ca = \"system\";", false,
		    true, true, 2 },
		{ "compat = \"kuma-2\"; mes_without_rule = \"deny\";", true,
		    false, true, 2 },
		{ "verify_without_ca = \"none\";", true, false, false, 1 },
		{ "mes_without_rule = \"allow\"; on_revoke = \"keep\";"
		  "sandbox = false;",
		    false, true, false, 3 },
	};
	struct build_settings set;
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, rows[i].text);
		cr_assert_not_null(r.config, "%s", rows[i].text);
		config_build_settings(r.config, &set);
		cr_expect_eq(set.verify_without_ca, !rows[i].verifies_none,
		    "%s", rows[i].text);
		cr_expect_eq(set.mes_without_rule_allows, rows[i].allows, "%s",
		    rows[i].text);
		cr_expect_eq(
		    set.modes_as_kuma2, rows[i].is_literal, "%s", rows[i].text);
		cr_expect_eq(
		    r.pr.n, rows[i].warnings, "%s: %s", rows[i].text, r.said.p);
		cr_expect_eq(r.pr.errors, 0);
		rig_fini(&r);
	}
}

Test(config, knows_what_a_reload_cannot_change)
{
	static const struct {
		const char *text;
		const char *fixed;
	} rows[] = {
		{ "", "" },
		{ "verify_without_ca = \"none\";", "" },
		{ "identity = ( { mesh = \"m\"; cert = \"c\"; key = \"k\"; });",
		    "" },
		{ "services = ( { request_ms = 1; } );", "" },
		{ "zone = \"b\";", "zone" },
		{ "workers = 2; limits = { idle_ms = 99; };",
		    "workers, limits.idle_ms" },
		{ "listeners = ( { port = 3; } );", "listeners.port" },
		{ "allow_addresses = [ \"::1\" ];", "allow_addresses" },
	};
	struct text fixed;
	struct rig a, b;
	size_t i;

	rig_init(&a, "");
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&b, rows[i].text);
		cr_assert_not_null(b.config, "%s", b.said.p);
		fixed = TEXT_EMPTY;
		text_reserve(&fixed, 1);
		config_fixed_changes(a.config, b.config, &fixed);
		cr_expect_str_eq(
		    fixed.p, rows[i].fixed, "%s: %s", rows[i].text, fixed.p);
		text_free(&fixed);
		rig_fini(&b);
	}
	rig_fini(&a);
}

/* Towards servers only the number of streams and PING are options of it. */
Test(config, both_sides_share_the_limits_of_http2)
{
	const struct h2_limits *a, *b;
	struct rig r;
	size_t i;

	rig_init(&r,
	    "limits = { head_ms = 77; h2_streams = 7; h2_ping_ms = 70;\n"
	    "  upstream_h2_streams = 8; upstream_h2_ping_ms = 80;\n"
	    "  h2_stream_window = 70000; h2_connection_window = 90000;\n"
	    "  h2_ping_timeout_ms = 99; h2_resets = 3; h2_outbound = 4; };\n");
	cr_assert_not_null(r.config, "%s", r.said.p);
	a = &r.config->h2;
	b = &r.config->h2_server;
	cr_expect_eq(a->streams, 7);
	cr_expect_eq(b->streams, 8);
	cr_expect_eq(a->ping_ms, 70);
	cr_expect_eq(b->ping_ms, 80);
	cr_expect_eq(a->head_ms, 77);
	cr_expect_eq(b->head_ms, 77);
	cr_expect_eq(b->stream_window, 70000);
	cr_expect_eq(b->connection_window, 90000);
	cr_expect_eq(b->ping_timeout_ms, 99);
	cr_expect_eq(a->abuse[H2_ABUSE_RESETS], 3);
	cr_expect_eq(a->abuse[H2_ABUSE_OUTBOUND], 4);
	for (i = 0; i < H2_ABUSE_N; i++)
		cr_expect_eq(a->abuse[i], b->abuse[i], "abuse %zu", i);
	rig_fini(&r);
}

static const char *
sample_path(void)
{
	static char path[512];

	(void)snprintf(
	    path, sizeof(path), "%s/etc/zegressd.conf", getenv("TOP_BUILDDIR"));
	return path;
}

/* The sample with every "#option" turned on: comments are "# words". */
static void
uncomment(const char *from, struct text *out)
{
	char line[512];
	FILE *f = fopen(from, "r");

	cr_assert_not_null(f, "%s", from);
	while (fgets(line, sizeof(line), f) != NULL)
		if (line[0] == '#' && line[1] != ' ' && line[1] != '\n')
			text_add_z(out, line + 1);
		else
			text_add_z(out, line);
	fclose(f);
}

Test(config, the_sample_shows_the_defaults)
{
	struct text all = TEXT_EMPTY;
	struct rig r;
	size_t i;

	uncomment(sample_path(), &all);
	rig_init(&r, all.p);
	text_free(&all);
	cr_assert_not_null(r.config, "%s", r.said.p);
	cr_expect_str_eq(r.said.p, "");
	for (i = 0; i < CONFIG_OPTIONS; i++)
		if (option_rows[i].scope == OPTION_IN_CONFIG)
			cr_expect_gt(r.config->places[i].line, 0,
			    "%s is in the sample", option_rows[i].name);
	cr_expect_eq(r.config->n_identities, 1);
	cr_assert_eq(r.config->n_services, 1);
	cr_expect_eq(r.config->n_grants, 1);
	for (i = 0; i < CONFIG_OPTIONS; i++)
		if (option_rows[i].scope == OPTION_IN_SERVICE &&
		    strncmp(option_rows[i].name, "services.match.", 15) != 0)
			expect_row(
			    &option_rows[i], &r.config->services[0], "sample");
	expect_defaults(r.config, "sample");
	rig_fini(&r);
}

Test(config, the_sample_works_as_it_is)
{
	struct problems pr = PROBLEMS_NONE;
	struct config *c = config_load(sample_path(), &pr);

	cr_expect_not_null(c);
	cr_expect_eq(pr.n, 0);
	config_free(c);
	problems_free(&pr);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* zegressctl connect: a mesh caller for whoever has no sidecar. */

#include <stdio.h>
#include <string.h>

#include "e2e/tunnels.h"

/* Services raw (tcp), sink (tcp), api (http) and a MeshExternalService. */
static void
start_with(struct world *w, const char *config)
{
	static const struct {
		const char *name;
		enum ext_protocol protocol;
	} rows[] = {
		{ "raw", EXT_ECHO },
		{ "sink", EXT_SINK },
		{ "api", EXT_HTTP },
	};

	world_init(w, config);
	for (size_t i = 0; i < 3; i++)
		write_es(w->e,
		    &(struct es){ .name = rows[i].name,
			.protocol =
			    rows[i].protocol == EXT_HTTP ? "http" : "tcp",
			.port = ext_port(world_serve(w,
			    &(struct ext_config){ .protocol = rows[i].protocol,
				.name = "ext" })) });
	write_mes(w->e,
	    &(struct mes){ .name = "mes", .port = ext_port(w->servers[0]) });
	tunnels_prepare(w);
	world_start(w);
}

static void
start(struct world *w)
{
	start_with(w, NULL);
}

Test(connect, an_external_service)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m[3];

	start(&w);
	t = tunnel_start(&w, "--service raw " LISTEN);
	for (size_t i = 0; i < 3; i++) {
		tunnel_dial(&t, &m[i]);
		check_echo(&m[i], "ext");
	}
	for (size_t i = 0; i < 3; i++) {
		check_echo(&m[i], "ext");
		mesh_close(&m[i]);
	}
	cr_expect(WAIT_UNTIL(
	    5000, egress_logged(w.e, "\"identity\":\"spiffe://default/web\"",
		      "\"service\":\"raw\"") == 3));
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, http)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--service api " LISTEN);
	tunnel_dial(&t, &m);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(status_of(ask_get(&m, "/bytes/100")), 200);
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, a_mesh_external_service)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--service mes --port 443 " LISTEN);
	tunnel_dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", mes_sni("mes")));
	tunnel_stop(&t);
	/* By its port it is another one. */
	t = tunnel_start(&w, "--service mes --port 444 " LISTEN);
	tunnel_dial(&t, &m);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST);
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, a_server_name_as_it_is)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--sni 'raw{mesh=default}' --listen :0");
	tunnel_dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

/* The caller has said all; the answer comes after that. */
Test(connect, half_close)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;
	char b[64];

	start(&w);
	t = tunnel_start(&w, "--service sink " LISTEN);
	tunnel_dial(&t, &m);
	cr_assert(mesh_write(&m, "12345", 5));
	mesh_finish(&m);
	cr_expect_eq(mesh_read_all(&m, b, sizeof(b)), 2);
	cr_expect_str_eq(b, "5\n");
	cr_expect_eq(m.end, MESH_FIN, "end %d", (int)m.end);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":5"));
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, by_standard_input_and_output)
{
	struct world w;
	char out[4096];

	start(&w);
	cr_expect_eq(connect_run(&w, "echo hello |", "--service raw --stdio",
			 out, sizeof(out)),
	    0);
	cr_expect_str_eq(out, "echo ext: hello\n");
	/* Much of it, and the end at the end. */
	cr_expect_eq(connect_run(&w, "head -c 20000000 /dev/zero |",
			 "--service sink --stdio", out, sizeof(out)),
	    0);
	cr_expect_str_eq(out, "20000000\n");
	world_end(&w);
}

Test(connect, callers_that_are_not_let_in)
{
	static const struct {
		const char *words;
		const char *said;
	} rows[] = {
		{ "--service nobody", "the egress ended the connection" },
		{ "--service mes", "the egress ended the connection" },
		{ "--service raw --ca %s/other.pem", "certificate" },
		{ "--service raw --identity spiffe://default/else",
		    "spiffe://default/else" },
		{ "--service raw --egress 127.0.0.1:1",
		    "the egress refuses the connection" },
	};
	struct world w;
	struct pki *other;
	char path[128], words[256], out[4096];

	start(&w);
	other = pki_mesh_ca("default");
	(void)snprintf(path, sizeof(path), "%s/other.pem", w.home);
	pki_write(other, path, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strstr(rows[i].words, "%s");

		(void)snprintf(words, sizeof(words), "%.*s%s%s --stdio",
		    (int)(at != NULL ? (size_t)(at - rows[i].words)
				     : strlen(rows[i].words)),
		    rows[i].words, at != NULL ? w.home : "",
		    at != NULL ? at + 2 : "");
		cr_expect_eq(
		    connect_run(&w, "echo hello |", words, out, sizeof(out)), 1,
		    "%s: %s", words, out);
		cr_expect(
		    strstr(out, "zegressctl connect: 127.0.0.1:") != NULL &&
			strstr(out, rows[i].said) != NULL,
		    "%s: %s", words, out);
	}
	cr_expect_eq(seen(w.servers[0]).connections, 0);
	world_end(&w);
	pki_free(other);
}

/* One that fails is told and reset; the next one has its own chance. */
Test(connect, a_listener_outlives_failures)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "allow-all") == NULL));
	t = tunnel_start(&w, "--service raw " LISTEN);
	tunnel_dial(&t, &m);
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "denied", NULL));
	write_permission(w.e, "allow-all", NULL, "kind: Mesh", "Allow");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "allow-all") != NULL));
	tunnel_dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	/* The egress goes away and comes back. */
	cr_expect_eq(egress_stop(w.e, 5000), 0);
	tunnel_dial(&t, &m);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST);
	mesh_close(&m);
	cr_expect(
	    WAIT_UNTIL(5000, tunnel_has_said(&t, "refuses the connection")));
	cr_assert(egress_start(w.e));
	tunnel_dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

/* Rules name the tool's caller as they name any. */
Test(connect, by_rules_of_callers_and_names)
{
	static const char *const allowed[] = {
		"deny: [ { spiffeID: { type: Exact, value: "
		"spiffe://default/batch } } ], allow: [ { spiffeID: { type: "
		"Exact, value: spiffe://default/web }, sni: { type: Exact, "
		"value: 'raw{mesh=default}' } } ]",
		"allow: [ { spiffeID: { type: Prefix, value: "
		"spiffe://default/w } } ]",
	};
	static const char *const denied[] = {
		"allow: [ { spiffeID: { type: Prefix, value: spiffe://default "
		"} } ], deny: [ { spiffeID: { type: Exact, value: "
		"spiffe://default/web } } ]",
		"allow: [ { spiffeID: { type: Exact, value: "
		"spiffe://default/web }, sni: { type: Exact, value: "
		"'api{mesh=default}' } } ]",
	};
	char out[4096];
	struct world w;
	int status;

	start(&w);
	for (size_t i = 0; i < 4; i++) {
		egress_writef(w.e, "allow-all.yaml",
		    "type: MeshTrafficPermission\nmesh: default\nname: all\n"
		    "spec: { rules: [ { default: { %s } } ] }\n",
		    i < 2 ? allowed[i] : denied[i - 2]);
		(void)egress_ctl(w.e, "reload");
		status = connect_run(&w, "echo hello |",
		    "--service raw --stdio", out, sizeof(out));
		/* Whoever is denied meets an end or a reset, as it happens. */
		if (i < 2)
			cr_expect_eq(status, 0, "%zu: %s", i, out);
		cr_expect_eq(
		    strstr(out, "echo ext: hello") != NULL, i < 2, "%s", out);
		if (i >= 2)
			cr_expect_eq(
			    WAIT_UNTIL(5000, has_outcome(w.e, "denied",
						 "\"service\":\"raw\"")),
			    true, "%zu", i);
	}
	world_end(&w);
}

static void
expect_explained(struct world *w, const char *words, const char *said)
{
	char out[4096], all[256];

	(void)snprintf(all, sizeof(all), "%s --stdio --explain", words);
	(void)connect_run(w, "echo hello |", all, out, sizeof(out));
	cr_expect(strstr(out, said) != NULL, "%s: %s", all, out);
}

#define BY_ALLOW_ALL "allow-all.yaml:1 MeshTrafficPermission/allow-all\n"
#define REPORTED                                                         \
	"zegressctl connect: decision: allowed, only because of report " \
	"mode; rule: report mode of the service; would deny: no rule "   \
	"matches\n"

/* The decision and its rule, report mode too; nothing without the daemon. */
Test(connect, explained)
{
	struct world w;

	start_with(&w, "services = ( { match = { service = \"sink\"; }; "
		       "report = true; } );");
	expect_explained(&w, "--service raw", "decision: allowed; rule: ");
	expect_explained(&w, "--service raw", BY_ALLOW_ALL);
	expect_explained(
	    &w, "--service mes --port 443", "decision: allowed; rule: ");
	expect_explained(&w, "--service nobody", "no service nobody{mesh");
	expect_explained(&w, "--service raw --egress 127.0.0.1:1",
	    "decision: allowed; rule: ");
	egress_remove(w.e, "allow-all.yaml");
	(void)egress_ctl(w.e, "reload");
	expect_explained(&w, "--service raw",
	    "zegressctl connect: decision: denied; rule: no rule matches\n");
	expect_explained(&w, "--sni 'SINK{mesh=default}'", REPORTED);
	expect_explained(&w, "--service sink", "\n6\n");
	cr_expect_eq(egress_stop(w.e, 5000), 0);
	expect_explained(&w, "--service raw", "ctl.sock: ");
	world_end(&w);
}

/* Each connection of a listener is told what holds by then. */
Test(connect, explained_anew)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--service raw --explain " LISTEN);
	tunnel_dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(tunnel_has_said(&t, BY_ALLOW_ALL));
	cr_expect_not(tunnel_has_said(&t, "denied"));
	egress_remove(w.e, "allow-all.yaml");
	(void)egress_ctl(w.e, "reload");
	tunnel_dial(&t, &m);
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	cr_expect(
	    tunnel_has_said(&t, "decision: denied; rule: no rule matches\n"));
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, words_that_make_no_sense)
{
	static const struct {
		const char *words;
		int status;
		const char *said;
	} rows[] = {
		{ "", 2, "usage: zegressctl connect" },
		{ "--service raw", 2, "usage: " },
		{ "--service raw --sni x --stdio", 2, "usage: " },
		{ "--service raw --listen :0 --stdio", 2, "usage: " },
		{ "--service raw --stdio more", 2, "usage: " },
		{ "--service raw --stdio --nonsense", 2, "--nonsense" },
		{ "--service raw --stdio --cert /none.pem", 1,
		    "/none.pem: No such file" },
		{ "--service raw --stdio --key /dev/null", 1,
		    "/dev/null: is empty" },
		{ "--service raw --port x --stdio", 1,
		    "--port: wants a number" },
		{ "--service raw --stdio --egress 127.0.0.1", 1,
		    "--egress: wants ADDRESS:PORT" },
		{ "--service raw --listen 127.0.0.1", 1,
		    "--listen: wants ADDRESS:PORT" },
		{ "--service raw --listen 192.0.2.1:1", 1,
		    "192.0.2.1:1: Cannot assign" },
		{ "--help", 0, "usage: " },
	};
	struct world w;
	char out[4096];

	start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(
		    connect_run(&w, "", rows[i].words, out, sizeof(out)),
		    rows[i].status, "%s: %s", rows[i].words, out);
		cr_expect(strstr(out, rows[i].said) != NULL, "%s: %s",
		    rows[i].words, out);
	}
	world_end(&w);
}

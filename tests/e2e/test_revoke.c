/* SPDX-License-Identifier: Apache-2.0 */
/* What a reload that takes permission away does to whoever is connected. */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

#define REVOKED_MS 1000

/* Two services of one echo server, and an http service. */
static void
start(struct world *w, const struct egress_options *o)
{
	static const char *const services[] = { "raw", "other" };

	world_init_with(w, o);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	(void)world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	for (size_t i = 0; i < 2; i++)
		write_es(w->e, &(struct es){ .name = services[i],
				   .port = ext_port(w->servers[0]) });
	write_es(w->e, &(struct es){ .name = "api",
			   .protocol = "http",
			   .port = ext_port(w->servers[1]) });
	world_start(w);
}

static void
call_as(struct world *w, struct mesh_client *m, const struct pki *p,
    const char *service)
{
	struct mesh_options o = caller(w, service);

	o.cert_pem = p->cert_pem;
	o.key_pem = p->key_pem;
	cr_assert(mesh_open(m, &o), "%s", m->error);
	check_echo(m, "ext");
}

static void
deny_web(struct world *w)
{
	write_permission(
	    w->e, "no-web", "raw", "kind: MeshService, name: web", "Deny");
}

Test(revoke, within_a_second_and_nobody_else)
{
	struct world w;
	struct pki *batch;
	struct mesh_client victim, elsewhere, another;
	uint64_t from, took;

	start(&w, &(struct egress_options){ .zone = NULL });
	batch = pki_sidecar(w.mesh_ca, "default", "batch", "zone-1");
	call_as(&w, &victim, w.web, "raw");
	call_as(&w, &elsewhere, w.web, "other");
	call_as(&w, &another, batch, "raw");
	from = clock_ms();
	deny_web(&w);
	cr_expect_eq(mesh_wait_end(&victim, 5000), MESH_FIN);
	took = clock_ms() - from;
	cr_expect_lt(took, REVOKED_MS, "after %u ms", (unsigned)took);
	check_echo(&elsewhere, "ext");
	check_echo(&another, "ext");
	cr_expect(has_outcome(w.e, "revoked", "no-web.yaml:1"));
	cr_expect_eq(egress_logged(w.e, "\"outcome\":\"revoked\"", NULL), 1);
	cr_expect_eq(ended(w.e, "revoked"), 1);
	cr_expect(strstr(egress_ctl(w.e, "status"), "revoked     1") != NULL,
	    "%s", egress_ctl(w.e, "status"));
	mesh_close(&victim);
	mesh_close(&elsewhere);
	mesh_close(&another);
	world_end(&w);
	pki_free(batch);
}

/* The server learns of it too. */
Test(revoke, ends_the_connection_to_the_server)
{
	struct world w;
	struct mesh_client m;

	start(&w, &(struct egress_options){ .zone = NULL });
	call_as(&w, &m, w.web, "raw");
	cr_expect_eq(seen(w.servers[0]).open, 1);
	egress_remove(w.e, "allow-all.yaml");
	cr_expect(WAIT_UNTIL(5000, seen(w.servers[0]).open == 0));
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	world_end(&w);
}

/* Bytes in flight do not protect it, nor does a server that takes none. */
Test(revoke, in_the_middle_of_a_transfer)
{
	static char block[1 << 20];
	struct world w;
	struct mesh_client m;
	struct ext_server *s;

	start(&w, &(struct egress_options){ .zone = NULL });
	s = world_serve(&w,
	    &(struct ext_config){ .protocol = EXT_SINK, .fault = EXT_STALLS });
	write_es(w.e, &(struct es){ .name = "sink", .port = ext_port(s) });
	cr_assert(in_force(w.e, "ES/sink "));
	call(&w, &m, "sink");
	cr_assert(mesh_write(&m, block, sizeof(block)));
	egress_remove(w.e, "allow-all.yaml");
	cr_expect(has_outcome(w.e, "revoked", "\"service\":\"sink\""));
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	ext_go_on(s);
	world_end(&w);
}

/* A server that is being reached is given up. */
Test(revoke, before_the_server_is_reached)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s;

	start(&w, &(struct egress_options){ .zone = NULL });
	s = world_serve(&w,
	    &(struct ext_config){ .protocol = EXT_ECHO, .fault = EXT_SILENT });
	write_es(w.e, &(struct es){ .name = "silent",
			  .port = ext_port(s),
			  .tls = "caCert: { secret: ext-ca }" });
	cr_assert(in_force(w.e, "ES/silent "));
	call(&w, &m, "silent");
	cr_assert(WAIT_UNTIL(5000, seen(s).connections == 1));
	egress_remove(w.e, "allow-all.yaml");
	cr_expect(has_outcome(w.e, "revoked", "\"service\":\"silent\""));
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	world_end(&w);
}

/* Which rule allows does not matter. */
Test(revoke, not_while_another_rule_allows)
{
	struct world w;
	struct mesh_client m;

	start(&w, &(struct egress_options){ .zone = NULL });
	call_as(&w, &m, w.web, "raw");
	write_permission(
	    w.e, "allow-web", "raw", "kind: MeshService, name: web", "Allow");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "allow-web") != NULL));
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "allow-all") == NULL));
	check_echo(&m, "ext");
	egress_remove(w.e, "allow-web.yaml");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	world_end(&w);
}

Test(revoke, keep_lets_it_end_by_itself)
{
	struct world w;
	struct mesh_client m, later;

	start(
	    &w, &(struct egress_options){ .config = "on_revoke = \"keep\";" });
	call_as(&w, &m, w.web, "raw");
	deny_web(&w);
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "no-web") != NULL));
	call(&w, &later, "raw");
	cr_expect_eq(mesh_wait_end(&later, 5000), MESH_FIN);
	cr_expect(has_outcome(w.e, "denied", NULL));
	mesh_close(&later);
	/* A service that is gone is no other case. */
	egress_remove(w.e, "raw.yaml");
	cr_assert(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "services"), "ES/raw ") == NULL));
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":12"));
	cr_expect_eq(ended(w.e, "revoked"), 0);
	cr_expect(egress_said(w.e, "outlive the permission"));
	world_end(&w);
}

/* A request asks for itself; the connection stays, and is good again. */
Test(revoke, http_asks_anew_at_every_request)
{
	struct world w;
	struct mesh_client m;

	start(&w, &(struct egress_options){ .zone = NULL });
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	egress_remove(w.e, "allow-all.yaml");
	cr_expect(WAIT_UNTIL(5000, status_of(ask_get(&m, "/")) == 403));
	unsigned before = seen(w.servers[1]).requests;
	const char *answer = ask_get(&m, "/");
	cr_expect_eq(status_of(answer), 403);
	cr_expect(strstr(answer, "\r\n\r\nRBAC: access denied") != NULL, "%s",
	    answer);
	cr_expect_eq(seen(w.servers[1]).requests, before);
	write_permission(w.e, "allow-all", NULL, "kind: Mesh", "Allow");
	cr_expect(WAIT_UNTIL(5000, status_of(ask_get(&m, "/")) == 200));
	mesh_close(&m);
	cr_expect_eq(ended(w.e, "revoked"), 0);
	world_end(&w);
}

/* Nothing of an answer was sent, so it can still be told why. */
Test(revoke, a_request_in_progress_is_answered)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s;
	static const char request[] = "GET /late HTTP/1.1\r\nHost: h\r\n\r\n";
	char answer[4096];

	start(&w, &(struct egress_options){ .zone = NULL });
	s = world_serve(&w,
	    &(struct ext_config){ .protocol = EXT_HTTP, .fault = EXT_STALLS });
	write_es(
	    w.e, &(struct es){
		     .name = "slow", .protocol = "http", .port = ext_port(s) });
	cr_assert(in_force(w.e, "ES/slow "));
	call(&w, &m, "slow");
	cr_assert(mesh_write(&m, request, strlen(request)));
	cr_assert(WAIT_UNTIL(5000, seen(s).connections == 1));
	egress_remove(w.e, "allow-all.yaml");
	cr_expect(mesh_read_response(&m, answer, sizeof(answer)));
	cr_expect(strstr(answer, " 403 ") != NULL, "%s", answer);
	cr_expect(has_outcome(w.e, "revoked", "\"path\":\"/late\""));
	ext_go_on(s);
	mesh_close(&m);
	world_end(&w);
}

static void
write_version(struct world *w, const char *version, uint16_t port)
{
	char file[32];

	(void)snprintf(file, sizeof(file), "pair-%s.yaml", version);
	egress_writef(w->e, file,
	    "type: ExternalService\nmesh: default\nname: pair-%s\n"
	    "tags: { kuma.io/service: pair, version: %s }\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    version, version, port);
}

static void
allow_version(struct world *w, const char *version)
{
	char file[32];

	(void)snprintf(file, sizeof(file), "allow-%s.yaml", version);
	egress_writef(w->e, file,
	    "type: TrafficPermission\nmesh: default\nname: allow-%s\n"
	    "sources: [ { match: { kuma.io/service: '*' } } ]\n"
	    "destinations:\n"
	    "- match: { kuma.io/service: pair, version: %s }\n",
	    version, version);
}

/* Which of the two servers answers: their names are "1" and "2". */
static char
server_of(struct mesh_client *m)
{
	char b[16];

	cr_assert(mesh_write(m, "x\n", 2));
	cr_assert_eq(mesh_read_full(m, b, 10), 10, "end %d", (int)m->end);
	return b[5];
}

#define PAIR_CONNS 6

/* Of one service, only what leads to the ExternalService that lost it. */
Test(revoke, per_external_service)
{
	struct world w;
	struct mesh_client m[PAIR_CONNS], later;
	char server[PAIR_CONNS];
	unsigned of_2 = 0;

	start(&w, &(struct egress_options){ .zone = NULL });
	for (size_t i = 0; i < 2; i++)
		write_version(&w, i == 0 ? "v1" : "v2",
		    ext_port(world_serve(
			&w, &(struct ext_config){ .protocol = EXT_ECHO,
				.name = i == 0 ? "1" : "2" })));
	allow_version(&w, "v1");
	allow_version(&w, "v2");
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(in_force(w.e, "ES/pair tcp local=2"));
	for (size_t i = 0; i < PAIR_CONNS; i++) {
		call(&w, &m[i], "pair");
		server[i] = server_of(&m[i]);
		of_2 += server[i] == '2';
	}
	cr_assert_eq(of_2, PAIR_CONNS / 2, "round robin: %u", of_2);
	egress_remove(w.e, "allow-v2.yaml");
	for (size_t i = 0; i < PAIR_CONNS; i++) {
		if (server[i] == '2')
			cr_expect_eq(mesh_wait_end(&m[i], 5000), MESH_FIN);
		else
			cr_expect_eq(server_of(&m[i]), '1');
		mesh_close(&m[i]);
	}
	cr_expect_eq(ended(w.e, "revoked"), of_2);
	for (size_t i = 0; i < PAIR_CONNS; i++) {
		call(&w, &later, "pair");
		cr_expect_eq(server_of(&later), '1');
		mesh_close(&later);
	}
	world_end(&w);
}

#define MANY 600

/* More than one slice, in several workers, and some that stay in between. */
Test(revoke, many_connections_of_many_workers, .timeout = 120)
{
	static struct mesh_client m[MANY];
	struct world w;
	uint64_t from, took;
	size_t i;

	start(&w, &(struct egress_options){ .workers = 3 });
	for (i = 0; i < MANY; i++)
		call(&w, &m[i], i % 3 == 0 ? "other" : "raw");
	for (i = 0; i < MANY; i++)
		check_echo(&m[i], "ext");
	from = clock_ms();
	deny_web(&w);
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "revoked") == MANY / 3 * 2),
	    "%f are closed", ended(w.e, "revoked"));
	took = clock_ms() - from;
	cr_expect_lt(took, REVOKED_MS, "after %u ms", (unsigned)took);
	for (i = 0; i < MANY; i++) {
		if (i % 3 == 0)
			check_echo(&m[i], "ext");
		else
			cr_expect_eq(mesh_wait_end(&m[i], 5000), MESH_FIN);
		mesh_close(&m[i]);
	}
	world_end(&w);
}

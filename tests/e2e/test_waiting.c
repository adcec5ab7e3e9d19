/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who waits for a server while the rules of the service change: he is asked
 * for anew, and neither forgotten nor let in by what he was allowed before.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

/* A service whose one connection is taken by first, with second behind it. */
static void
queue_up(struct world *w, struct mesh_client *first, struct mesh_client *second)
{
	struct ext_server *s;

	world_init(
	    w, "limits = { upstream_connections = 1; connect_ms = 20000; };");
	s = world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(
	    w->e, &(struct es){
		      .name = "api", .protocol = "http", .port = ext_port(s) });
	world_start(w);
	call(w, first, "api");
	cr_assert(say(first, "GET /hang HTTP/1.1\r\nHost: a\r\n\r\n"));
	cr_assert(WAIT_UNTIL(5000, seen(s).requests == 1));
	call(w, second, "api");
	cr_assert(say(second, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	cr_assert(WAIT_UNTIL(
	    5000, cluster_metric(w->e, "zegress_service_allowed", "api") == 2));
}

static bool
has_rule(struct egress *e, const char *text)
{
	return WAIT_UNTIL(
	    5000, strstr(egress_ctl(e, "services -v"), text) != NULL);
}

static int
answer_of(struct mesh_client *m)
{
	char answer[8192] = "";

	(void)mesh_read_response(m, answer, sizeof(answer));
	return status_of(answer);
}

Test(waiting, a_request_outlives_a_change_of_rules)
{
	struct mesh_client first, second;
	struct world w;

	queue_up(&w, &first, &second);
	write_permission(
	    w.e, "more", "api", "kind: MeshService, name: other", "Allow");
	cr_assert(has_rule(w.e, "/more"));
	mesh_close(&first);
	cr_expect_eq(answer_of(&second), 200);
	mesh_close(&second);
	world_end(&w);
}

Test(waiting, a_request_is_denied_by_a_change_of_rules)
{
	struct mesh_client first, second;
	struct world w;

	queue_up(&w, &first, &second);
	write_permission(
	    w.e, "less", "api", "kind: MeshService, name: web", "Deny");
	cr_assert(has_rule(w.e, "/less"));
	mesh_close(&first);
	cr_expect_eq(answer_of(&second), 403);
	cr_expect(has_outcome(w.e, "denied", "\"status\":403"));
	mesh_close(&second);
	world_end(&w);
}

/* What ends the first makes room for the second, who must not use it. */
Test(waiting, a_request_is_denied_when_the_service_goes)
{
	struct mesh_client first, second;
	struct world w;

	queue_up(&w, &first, &second);
	egress_remove(w.e, "api.yaml");
	cr_expect_eq(answer_of(&second), 403);
	cr_expect_eq(seen(w.servers[0]).requests, 1);
	mesh_close(&first);
	mesh_close(&second);
	world_end(&w);
}

Test(waiting, a_connection_outlives_a_change_of_rules)
{
	const struct dns_server_answer silence = { .drop_a = true,
		.drop_aaaa = true };
	struct mesh_client m;
	struct ext_server *s;
	struct world w;

	world_init_with(&w, &(struct egress_options){
				.config = "limits = { connect_ms = 20000; };",
				.dns = "tries = 10;" });
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "e" });
	dns_server_set(w.dns, "slow.example", &silence);
	write_es(w.e,
	    &(struct es){
		.name = "echo", .host = "slow.example", .port = ext_port(s) });
	world_start(&w);
	call(&w, &m, "echo");
	cr_assert(
	    WAIT_UNTIL(5000, dns_server_count(w.dns, "slow.example") > 0));
	write_permission(
	    w.e, "more", "echo", "kind: MeshService, name: other", "Allow");
	cr_assert(has_rule(w.e, "/more"));
	world_name(&w, "slow.example", "127.0.0.1");
	check_echo(&m, "e");
	mesh_close(&m);
	world_end(&w);
}

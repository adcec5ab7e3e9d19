/* SPDX-License-Identifier: Apache-2.0 */
/* Which of several servers is chosen: policies, hashes, priorities. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e/zones.h"

#define SERVERS 4
#define USERS 24

#define FOR(name, options) \
	"{ match = { service = \"" name "\"; }; balance = { " options " }; }"

static const char *const names[SERVERS] = { "s0", "s1", "s2", "s3" };

/* One service of so many servers. */
static void
serve(struct world *w, const char *service, const char *protocol,
    enum ext_protocol kind, size_t n, struct ext_server **to)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = world_serve(w,
		    &(struct ext_config){ .protocol = kind, .name = names[i] });
		write_es(w->e, &(struct es){ .name = names[i],
				   .service = service,
				   .protocol = protocol,
				   .port = ext_port(to[i]) });
	}
}

/* The name in "server NAME" of an answer; "": there is none. */
static const char *
server_of(const char *answer)
{
	static char name[16];
	const char *p = strstr(answer, "server s");

	name[0] = '\0';
	if (p != NULL)
		(void)sscanf(p, "server %15s", name);
	return name;
}

/* A request of a user, on a connection of its own. */
static size_t
server_for(struct world *w, unsigned user)
{
	struct mesh_client m;
	char request[128];
	size_t i;

	(void)snprintf(request, sizeof(request),
	    "GET /echo HTTP/1.1\r\nHost: x\r\nX-User: user-%u\r\n\r\n", user);
	call(w, &m, "api");
	for (i = 0; i < SERVERS; i++)
		if (strcmp(server_of(ask(&m, request)), names[i]) == 0)
			break;
	mesh_close(&m);
	return i;
}

/* The same user, the same server, from all workers; when it is gone another,
 * and nobody else moves. */
Test(balance, by_a_header)
{
	static const char config[] = "services = ( " FOR("api",
	    "policy = \"maglev\"; hash = [ \"header:x-user\" ]; "
	    "overprovisioning = 400;") " );";
	struct ext_server *s[SERVERS];
	size_t place[USERS], now;
	unsigned used[SERVERS] = { 0 };
	struct world w;

	world_init_with(
	    &w, &(struct egress_options){ .config = config, .workers = 2 });
	serve(&w, "api", "http", EXT_HTTP, SERVERS, s);
	world_start(&w);
	for (unsigned u = 0; u < USERS; u++) {
		place[u] = server_for(&w, u);
		cr_assert_lt(place[u], SERVERS, "user %u", u);
		used[place[u]]++;
	}
	for (size_t i = 0; i < SERVERS; i++)
		cr_expect_lt(used[i], USERS, "all at server %zu", i);
	for (unsigned u = 0; u < USERS * 2; u++)
		cr_expect_eq(server_for(&w, u % USERS), place[u % USERS]);
	ext_stop(s[2]);
	w.servers[2] = NULL;
	for (unsigned u = 0; u < USERS * 2; u++) {
		now = server_for(&w, u % USERS);
		cr_expect_lt(now, SERVERS);
		cr_expect_neq(now, 2);
		if (place[u % USERS] != 2)
			cr_expect_eq(now, place[u % USERS]);
	}
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "clusters"), " balance=maglev weight=1 "));
	world_end(&w);
}

/* The value of the cookie sid that an answer gives; "": it gives none. */
static const char *
cookie_of(const char *answer)
{
	static const char field[] = "set-cookie: sid=";
	static char value[32];
	const char *p = strcasestr(answer, field);

	value[0] = '\0';
	if (p != NULL)
		(void)sscanf(p + strlen(field), "%31[0-9a-f]", value);
	return value;
}

/* Who has no cookie gets one, and with it the same server from all workers. */
Test(balance, cookies_are_given)
{
	static const char config[] = "services = ( " FOR("api",
	    "policy = \"ring_hash\"; "
	    "hash = [ \"cookie:sid ttl=60 path=/\" ];") " );";
	unsigned used[SERVERS] = { 0 };
	struct ext_server *s[SERVERS];
	struct mesh_client m;
	struct world w;

	world_init_with(
	    &w, &(struct egress_options){ .config = config, .workers = 2 });
	serve(&w, "api", "http", EXT_HTTP, SERVERS, s);
	world_start(&w);
	for (unsigned u = 0; u < USERS; u++) {
		char cookie[32], request[160], server[16];
		const char *answer;

		call(&w, &m, "api");
		answer = ask(&m, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
		(void)snprintf(cookie, sizeof(cookie), "%s", cookie_of(answer));
		(void)snprintf(server, sizeof(server), "%s", server_of(answer));
		cr_assert_eq(strlen(cookie), 16, "%s", answer);
		cr_expect_not_null(
		    strstr(answer, "; Max-Age=60; Path=/; HttpOnly\r\n"));
		mesh_close(&m);
		used[server[1] - '0']++;
		(void)snprintf(request, sizeof(request),
		    "GET /echo HTTP/1.1\r\nHost: x\r\nCookie: a=b; "
		    "sid=%s\r\n\r\n",
		    cookie);
		for (int i = 0; i < 3; i++) {
			call(&w, &m, "api");
			answer = ask(&m, request);
			cr_expect_str_eq(server_of(answer), server);
			cr_expect_str_eq(cookie_of(answer), "");
			mesh_close(&m);
		}
	}
	for (size_t i = 0; i < SERVERS; i++)
		cr_expect_lt(used[i], USERS, "all at server %zu", i);
	world_end(&w);
}

/* Connections of tcp: the identity decides, which is the default. */
Test(balance, by_the_caller)
{
	static const char config[] =
	    "services = ( " FOR("raw", "policy = \"ring_hash\";") " );";
	struct ext_server *s[SERVERS];
	unsigned different = 0;
	char first[16] = "";
	struct world w;

	world_init_with(
	    &w, &(struct egress_options){ .config = config, .workers = 2 });
	serve(&w, "raw", "tcp", EXT_ECHO, SERVERS, s);
	world_start(&w);
	for (unsigned i = 0; i < 12; i++) {
		struct mesh_options o = caller(&w, "raw");
		char service[16], place[16];
		struct pki *p;

		(void)snprintf(service, sizeof(service), "app-%u", i);
		p = pki_sidecar(w.mesh_ca, "default", service, NULL);
		o.cert_pem = p->cert_pem;
		o.key_pem = p->key_pem;
		(void)snprintf(place, sizeof(place), "%s", who(&o));
		cr_expect_str_neq(place, "");
		for (int j = 0; j < 3; j++)
			cr_expect_str_eq(who(&o), place, "%s", service);
		if (i == 0)
			(void)snprintf(first, sizeof(first), "%s", place);
		different += strcmp(first, place) != 0;
		pki_free(p);
	}
	cr_expect_gt(different, 0);
	world_end(&w);
}

/* One that takes its time gets nothing more while others have less to do. */
Test(balance, least_request_leaves_a_slow_server_alone)
{
	static const char config[] =
	    "services = ( " FOR("api", "policy = \"least_request\";") " );";
	struct ext_server *s[2];
	struct mesh_client slow;
	const char *other;
	struct world w;

	world_init(&w, config);
	serve(&w, "api", "http", EXT_HTTP, 2, s);
	world_start(&w);
	call(&w, &slow, "api");
	cr_assert(say(&slow, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(
	    WAIT_UNTIL(5000, seen(s[0]).requests + seen(s[1]).requests == 1));
	other = seen(s[0]).requests == 1 ? "s1" : "s0";
	for (int i = 0; i < 16; i++)
		cr_expect_str_eq(
		    server_of(get_once(&w, "api", "/echo")), other, "%d", i);
	mesh_close(&slow);
	world_end(&w);
}

/* endpoints[].priority of a MeshExternalService. */
static void
write_with_backup(struct world *w, uint16_t first, uint16_t backup)
{
	egress_writef(w->e, "mes.yaml",
	    "type: MeshExternalService\n"
	    "mesh: default\n"
	    "name: mes\n"
	    "spec:\n"
	    "  match: { type: HostnameGenerator, port: 443, protocol: tcp }\n"
	    "  endpoints:\n"
	    "  - { address: 127.0.0.1, port: %u, priority: 1 }\n"
	    "  - { address: 127.0.0.1, port: %u }\n",
	    backup, first);
}

Test(balance, the_backup_serves_until_the_first_is_back)
{
	struct ext_config first = { .protocol = EXT_ECHO, .name = "first" };
	struct ext_server *backup;
	struct mesh_options o;
	struct world w;
	int held;

	world_init(&w, NULL);
	backup = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "backup" });
	first.port = free_port();
	held = hold_port(first.port);
	write_with_backup(&w, first.port, ext_port(backup));
	world_start(&w);
	o = caller(&w, "mes");
	o.sni = mes_sni("mes");
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who(&o), "backup", "%d", i);
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "clusters"), " priority=0 load=0% failed"));
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "clusters"), " priority=1 load=100%\n"));
	(void)close(held);
	(void)world_serve(&w, &first);
	/* Its ten seconds are not over; but now it is all that is left. */
	ext_stop(backup);
	w.servers[0] = NULL;
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who(&o), "first", "%d", i);
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "clusters"), " priority=0 load=100%"));
	world_end(&w);
}

/* What is wrong is told with its place, and changes with a reload. */
Test(balance, a_reload_changes_it)
{
	static const char config[] =
	    "services = ( " FOR("raw", "policy = \"maglev\";") " );";
	struct ext_server *s[2];
	struct egress_options o = { .config = NULL };
	char first[16];
	struct world w;
	unsigned other = 0;

	world_init(&w, NULL);
	serve(&w, "raw", "tcp", EXT_ECHO, 2, s);
	world_start(&w);
	(void)snprintf(first, sizeof(first), "%s", who_serves(&w, "raw"));
	cr_expect_str_neq(who_serves(&w, "raw"), first);
	o.config = config;
	egress_configure(w.e, &o);
	(void)egress_ctl(w.e, "reload");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "clusters"), " balance=maglev ") != NULL));
	(void)snprintf(first, sizeof(first), "%s", who_serves(&w, "raw"));
	for (int i = 0; i < 6; i++)
		other += strcmp(who_serves(&w, "raw"), first) != 0;
	cr_expect_eq(other, 0);
	world_end(&w);
}

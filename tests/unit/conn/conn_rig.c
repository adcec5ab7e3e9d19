/* SPDX-License-Identifier: Apache-2.0 */
/* See conn_rig.h. */

#include "unit/conn/conn_rig.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "tls/pem.h"
#include "tls/tls_init.h"

#define STEP_MS 50
#define SPIFFE_SELF "spiffe://default/zone-egress"

const char rig_permission[] =
    "type: MeshTrafficPermission\nmesh: default\nname: callers\nspec:\n"
    "  targetRef: { kind: Mesh }\n  from:\n"
    "  - targetRef: { kind: MeshSubset, tags: { kuma.io/service: caller } }\n"
    "    default: { action: Allow }\n---\n";

static const char mesh[] =
    "type: Mesh\nname: default\nrouting: { zoneEgress: true }\nmtls:\n"
    "  enabledBackend: ca-1\n  backends:\n"
    "  - { name: ca-1, type: builtin }\n---\n";

static void
add_secret(struct text *to, const char *name, const char *pem)
{
	text_addf(to, "type: Secret\nmesh: default\nname: %s\ndata: ", name);
	base64_encode(str_of(pem), to);
	text_add_z(to, "\n---\n");
}

static void
put_resources(struct rig *g, const char *yaml)
{
	struct text all = TEXT_EMPTY;

	text_add_z(&all, mesh);
	add_secret(&all, "default.ca-builtin-cert-ca-1", g->ca->cert_pem);
	add_secret(&all, "default.ca-builtin-key-ca-1", g->ca->key_pem);
	text_add_z(&all, yaml);
	store_put_file(g->store, "all.yaml", text_str(&all));
	text_free(&all);
	(void)store_commit(g->store);
}

static struct snapshot *
build(struct rig *g)
{
	const struct build_settings set = {
		.zone = STR("zone-1"),
		.verify_without_ca = true,
		.serve_mixed_endpoints = true,
	};
	struct problems pr = PROBLEMS_NONE;
	struct text line = TEXT_EMPTY;
	struct snapshot *s;

	s = snapshot_build(g->store, &set, g->snapshot, &pem_ops, &pr);
	problems_append(&pr, store_problems(g->store));
	for (size_t i = 0; i < pr.n; i++) {
		text_clear(&line);
		problem_print(&pr.v[i], &line);
		cr_assert_neq(pr.v[i].level, PROBLEM_ERROR, "%s", line.p);
	}
	text_free(&line);
	problems_free(&pr);
	return s;
}

static void
make_identities(struct rig *g)
{
	struct problems pr = PROBLEMS_NONE;
	struct mesh_spec *const *meshes;
	size_t n;

	meshes = snapshot_meshes(g->snapshot, &n);
	g->identities =
	    tls_identities_new(meshes, n, NULL, clock_wall_s(), &pr);
	cr_assert_eq(pr.errors, 0);
	problems_free(&pr);
}

static void
make_upstream(struct rig *g)
{
	char address[ADDR_TEXT];
	const char *server = address;
	const struct dns_config dns = {
		.servers = &server, .n_servers = 1, .ipv4 = true
	};
	struct addr a;

	/* A name server that never answers. */
	g->silent = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	cr_assert_eq(bind(g->silent, &a.u.sa, a.len), 0);
	cr_assert_eq(getsockname(g->silent, &a.u.sa, &a.len), 0);
	addr_print(&a, address);
	g->dns = dns_new(g->loop, &dns);
	g->tls = tls_clients_new();
	cr_assert(cidr_parse(STR("127.0.0.0/8"), &g->allow));
	g->rules = (struct addr_rules){ .allow = &g->allow, .n_allow = 1 };
	g->upstream = (struct upstream_limits){
		.connect_ms = 5000,
		.pool_idle_ms = 60000,
		.pool_per_endpoint = 128,
		.connections = 1024,
		.pending = 1024,
	};
	g->http = (struct http_limits){
		.head_bytes = 61440, .fields = 100, .trailer_bytes = 8192
	};
	g->h2 = (struct h2_limits){
		.streams = 100,
		.stream_window = 262144,
		.connection_window = 1048576,
		.head_ms = 15000,
		.ping_ms = 60000,
		.ping_timeout_ms = 20000,
		.abuse = {
#define H2_EVENT(...)
#define H2_ABUSE(id, name, limit, standard, help) standard,
#include "http/h2_event.tbl.h"
		},
	};
	g->rates = rates_new();
	g->callers = caller_limits_new(1000);
	g->upstream_env = (struct upstream_env){
		.rates = g->rates,
		.loop = g->loop,
		.dns = g->dns,
		.tls = g->tls,
		.stats = g->stats,
		.addr_rules = &g->rules,
		.limits = &g->upstream,
		.http = &g->http,
		.h2 = &g->h2,
	};
	g->clusters = clusters_new(&g->upstream_env);
}

static void
make_log(struct rig *g)
{
	struct text why = TEXT_EMPTY;
	int fd;

	(void)snprintf(
	    g->log_path, sizeof(g->log_path), "/tmp/zegress-conn.XXXXXX");
	fd = mkstemp(g->log_path);
	cr_assert_neq(fd, -1);
	close(fd);
	g->file = access_log_open(g->log_path, "json", &why);
	cr_assert_not_null(g->file, "%s", why.p);
	g->log = access_log_new(g->file, g->loop);
}

static void
make_conns(struct rig *g)
{
	g->limits = (struct conn_limits){
		.hello_ms = 15000,
		.tls_ms = 15000,
		.idle_ms = 3600000,
		.head_ms = 15000,
		.http_idle_ms = 300000,
		.stream_idle_ms = 300000,
		.drain_ms = 30000,
		.connections = 1000,
		.source_relays = 1000,
		.source_dials = 100,
		.drain_body = 65536,
	};
	g->env = (struct conn_env){
		.loop = g->loop,
		.clusters = g->clusters,
		.stats = g->stats,
		.log = g->log,
		.limits = &g->limits,
		.callers = g->callers,
		.http = &g->http,
		.h2 = &g->h2,
		.zone = STR("zone-1"),
	};
	g->listener = (struct listener_info){
		.role = ROLE_EGRESS,
		.stats = stats_get(g->stats, SCOPE_LISTENER, "test"),
		.name = STR("192.0.2.1:10002"),
	};
	g->conns = conns_new(&g->env, g->snapshot, g->identities);
}

void
rig_init(struct rig *g, const char *yaml)
{
	*g = (struct rig){ .now_ms = 1000000 };
	tls_init();
	log_set_level(LOG_ERROR);
	clock_fake(g->now_ms, clock_wall_ms());
	g->ca = pki_mesh_ca("default");
	g->caller = pki_sidecar(g->ca, "default", "caller", "zone-1");
	g->loop = loop_new();
	g->stats = stats_shard_new();
	g->store = store_new();
	put_resources(g, yaml);
	g->snapshot = build(g);
	make_identities(g);
	make_upstream(g);
	make_log(g);
	make_conns(g);
}

void
rig_fini(struct rig *g)
{
	conns_free(g->conns);
	rig_turn(g, 1);
	access_log_free(g->log);
	access_log_close(g->file);
	clusters_free(g->clusters);
	rates_free(g->rates);
	caller_limits_free(g->callers);
	tls_clients_free(g->tls);
	dns_free(g->dns);
	close(g->silent);
	rig_turn(g, 1);
	loop_free(g->loop);
	tls_identities_unref(g->identities);
	snapshot_unref(g->snapshot);
	store_free(g->store);
	stats_shard_free(g->stats);
	pki_free(g->caller);
	pki_free(g->ca);
	(void)unlink(g->log_path);
}

void
rig_reload(struct rig *g, const char *yaml)
{
	struct snapshot *old = g->snapshot;

	put_resources(g, yaml);
	g->snapshot = build(g);
	snapshot_unref(old);
	conns_set_snapshot(g->conns, g->snapshot);
	clusters_sync(g->clusters, g->snapshot);
}

void
rig_turn(struct rig *g, unsigned turns)
{
	while (turns-- > 0)
		loop_turn(g->loop);
}

void
rig_pass(struct rig *g, uint64_t ms)
{
	int64_t wall = clock_wall_ms() - (int64_t)g->now_ms;
	uint64_t until = g->now_ms + ms;

	while (g->now_ms < until) {
		g->now_ms += STEP_MS;
		if (g->now_ms > until)
			g->now_ms = until;
		clock_fake(g->now_ms, wall + (int64_t)g->now_ms);
		rig_turn(g, 2);
	}
}

struct wire *
rig_handshake(struct rig *g, const struct pki *caller, const char *sni,
    struct wire **theirs)
{
	const struct pki *who = caller != NULL ? caller : g->caller;
	enum io ours_io = IO_AGAIN, theirs_io = IO_AGAIN;
	struct text why = TEXT_EMPTY;
	struct wire *ours;
	int fd[2];

	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	ours = wire_new(g->loop, fd[0]);
	*theirs = wire_new(g->loop, fd[1]);
	wire_tls_accept(ours, g->identities,
	    tls_identities_find(g->identities, STR("default")), TLS_ALPN_NONE,
	    str_of(sni));
	cr_assert(wire_tls_connect_mesh(*theirs, str_of(sni),
		      str_of(g->ca->cert_pem), str_of(who->cert_pem),
		      str_of(who->key_pem), STR(SPIFFE_SELF), &why),
	    "%s", why.p);
	for (int i = 0; i < 100; i++) {
		if (theirs_io == IO_AGAIN)
			theirs_io = wire_tls_handshake(*theirs);
		loop_turn(g->loop);
		if (ours_io == IO_AGAIN)
			ours_io = wire_tls_handshake(ours);
	}
	cr_assert_eq(
	    ours_io, IO_DONE, "%.*s", STR_ARG(wire_tls_failure_text(ours)));
	cr_assert_eq(theirs_io, IO_DONE);
	return ours;
}

static bool
has_all(const char *line, va_list texts)
{
	const char *t;

	while ((t = va_arg(texts, const char *)) != NULL)
		if (strstr(line, t) == NULL)
			return false;
	return true;
}

unsigned
rig_logged(struct rig *g, ...)
{
	char line[8192];
	unsigned n = 0;
	va_list ap;
	FILE *f;

	rig_turn(g, 1);
	f = fopen(g->log_path, "r");
	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		va_start(ap, g);
		n += has_all(line, ap);
		va_end(ap);
	}
	(void)fclose(f);
	return n;
}

uint64_t
rig_ended(enum outcome o)
{
	return stats_sum(SCOPE_OUTCOME, outcome_row(o)->word, STAT_ENDED);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See gateway.h. */

#include "scenario/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/problem.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "tls/pem.h"
#include "tls/tls_init.h"

static void
set_defaults(struct gateway *g)
{
	(void)snprintf(g->zone, sizeof(g->zone), "zone-1");
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
}

void
gateway_init(struct gateway *g)
{
	const struct pki_options external = { .subject = "CN=External CA" };

	*g = (struct gateway){ .is_started = false };
	tls_init();
	log_set_level(LOG_ERROR);
	set_defaults(g);
	g->external_ca = pki_ca_new(NULL, &external);
	g->store = store_new();
	g->loop = loop_new();
	g->stats = stats_shard_new();
}

static void
free_worker(struct gateway *g)
{
	conns_free(g->conns);
	loop_turn(g->loop);
	access_log_free(g->log);
	access_log_close(g->file);
	clusters_free(g->clusters);
	rates_free(g->rates);
	caller_limits_free(g->callers);
	tls_clients_free(g->tls);
	dns_free(g->dns);
	tls_identities_unref(g->identities);
	snapshot_unref(g->snapshot);
	(void)unlink(g->log_path);
}

void
gateway_fini(struct gateway *g)
{
	if (g->is_started)
		free_worker(g);
	loop_turn(g->loop);
	loop_free(g->loop);
	store_free(g->store);
	stats_shard_free(g->stats);
	for (size_t i = 0; i < g->n_meshes; i++)
		pki_free(g->meshes[i].ca);
	pki_free(g->external_ca);
}

static void
add_secret(struct text *to, const char *mesh, const char *name, const char *pem)
{
	text_addf(
	    to, "---\ntype: Secret\nmesh: %s\nname: %s\ndata: ", mesh, name);
	base64_encode(str_of(pem), to);
	text_add_char(to, '\n');
}

void
gateway_mesh(struct gateway *g, const char *name, const char *spec)
{
	struct gateway_mesh *m = &g->meshes[g->n_meshes++];
	struct text t = TEXT_EMPTY;
	char secret[128];

	if (g->n_meshes > GATEWAY_MESHES)
		abort();
	(void)snprintf(m->name, sizeof(m->name), "%s", name);
	m->ca = pki_mesh_ca(name);
	text_addf(&t,
	    "type: Mesh\nname: %s\nrouting: { zoneEgress: true%s }\n"
	    "mtls:\n  enabledBackend: ca\n"
	    "  backends: [ { name: ca, type: builtin } ]\n",
	    name, spec);
	(void)snprintf(secret, sizeof(secret), "%s.ca-builtin-cert-ca", name);
	add_secret(&t, name, secret, m->ca->cert_pem);
	(void)snprintf(secret, sizeof(secret), "%s.ca-builtin-key-ca", name);
	add_secret(&t, name, secret, m->ca->key_pem);
	add_secret(&t, name, "ext-ca", g->external_ca->cert_pem);
	(void)snprintf(secret, sizeof(secret), "mesh-%s.yaml", name);
	gateway_put(g, secret, text_str(&t));
	text_free(&t);
}

const struct pki *
gateway_ca(const struct gateway *g, const char *mesh)
{
	for (size_t i = 0; i < g->n_meshes; i++)
		if (strcmp(g->meshes[i].name, mesh) == 0)
			return g->meshes[i].ca;
	return NULL;
}

void
gateway_put(struct gateway *g, const char *file, struct str yaml)
{
	store_put_file(g->store, file, yaml);
}

void
gateway_drop(struct gateway *g, const char *file)
{
	store_drop_file(g->store, file);
}

static bool
has_errors(const struct problems *pr, struct text *why)
{
	for (size_t i = 0; i < pr->n; i++) {
		if (pr->v[i].level != PROBLEM_ERROR)
			continue;
		problem_print(&pr->v[i], why);
		text_add_char(why, '\n');
	}
	return pr->errors > 0;
}

/* The first phase of a reload: everything new, beside what serves. */
static bool
build(struct gateway *g, struct snapshot **s, struct tls_identities **t,
    struct text *why)
{
	const struct build_settings set = {
		.zone = str_of(g->zone),
		.verify_without_ca = true,
		.serve_mixed_endpoints = true,
		.services = &g->services,
		.n_services = !service_entry_gives_nothing(&g->services),
	};
	struct problems pr = PROBLEMS_NONE;
	struct mesh_spec *const *meshes;
	bool is_good;
	size_t n;

	(void)store_commit(g->store);
	*s = snapshot_build(g->store, &set, g->snapshot, &pem_ops, &pr);
	meshes = snapshot_meshes(*s, &n);
	*t = tls_identities_new(meshes, n, g->identities, clock_wall_s(), &pr);
	problems_append(&pr, store_problems(g->store));
	is_good = !has_errors(&pr, why);
	problems_free(&pr);
	return is_good;
}

/* Those of this zone that stand there as an address. */
static void
set_ingresses(struct gateway *g)
{
	const struct str *hosts;
	struct addr v[8];
	size_t n, found = 0;

	hosts = snapshot_ingress_hosts(g->snapshot, &n);
	for (size_t i = 0; i < n && found < ARRAY_LEN(v); i++)
		found += addr_parse(hosts[i], 0, &v[found]);
	conns_set_ingresses(g->conns, v, found);
}

static uint32_t
no_jitter(uint32_t n)
{
	(void)n;
	return 0;
}

static void
make_upstream(struct gateway *g)
{
	const struct dns_config dns = {
		.min_ttl_s = 5,
		.max_ttl_s = 3600,
		.negative_ttl_s = 5,
		.max_stale_s = g->max_stale_s > 0 ? g->max_stale_s : 86400,
		.random = no_jitter,
		.timeout_ms = 2000,
		.tries = 3,
		.max_names = 1000,
		.ipv4 = true,
		.ipv6 = true,
	};

	g->dns = dns_new(g->loop, &dns);
	g->tls = tls_clients_new();
	if (!addr_parse(STR("192.0.2.1"), 10002, &g->own))
		abort();
	g->rates = rates_new();
	g->callers = caller_limits_new(1000);
	g->upstream_env = (struct upstream_env){
		.rates = g->rates,
		.loop = g->loop,
		.dns = g->dns,
		.tls = g->tls,
		.stats = g->stats,
		.addr_rules = &g->rules,
		.own = &g->own,
		.n_own = 1,
		.limits = &g->upstream,
		.http = &g->http,
		.h2 = &g->h2,
	};
	g->clusters = clusters_new(&g->upstream_env);
}

static bool
make_log(struct gateway *g, struct text *why)
{
	int fd;

	(void)snprintf(
	    g->log_path, sizeof(g->log_path), "/tmp/zegress-story.XXXXXX");
	fd = mkstemp(g->log_path);
	if (fd == -1)
		return false;
	close(fd);
	g->file = access_log_open(g->log_path, "json", why);
	if (g->file == NULL)
		return false;
	g->log = access_log_new(g->file, g->loop);
	return true;
}

static void
make_listeners(struct gateway *g)
{
	g->egress = (struct listener_info){
		.role = ROLE_EGRESS,
		.stats = stats_get(g->stats, SCOPE_LISTENER, "egress"),
		.name = STR("192.0.2.1:10002"),
	};
	g->ingress = (struct listener_info){
		.role = ROLE_INGRESS,
		.relays_only = g->relays_only,
		.stats = stats_get(g->stats, SCOPE_LISTENER, "ingress"),
		.name = STR("192.0.2.1:10001"),
	};
}

static void
make_conns(struct gateway *g)
{
	g->env = (struct conn_env){
		.loop = g->loop,
		.clusters = g->clusters,
		.stats = g->stats,
		.log = g->log,
		.limits = &g->limits,
		.callers = g->callers,
		.http = &g->http,
		.h2 = &g->h2,
		.remote_sources = g->remote,
		.n_remote_sources = g->n_remote,
		.keep_revoked = g->keeps_revoked,
		.zone = str_of(g->zone),
	};
	g->conns = conns_new(&g->env, g->snapshot, g->identities);
	set_ingresses(g);
}

bool
gateway_start(struct gateway *g, struct text *why)
{
	if (!make_log(g, why))
		return false;
	g->is_started = true;
	make_upstream(g);
	make_listeners(g);
	if (!build(g, &g->snapshot, &g->identities, why))
		return false;
	make_conns(g);
	return true;
}

bool
gateway_reload(struct gateway *g, struct text *why)
{
	struct tls_identities *old_identities = g->identities, *t;
	struct snapshot *old = g->snapshot, *s;
	bool is_good = build(g, &s, &t, why);

	g->snapshot = s;
	g->identities = t;
	conns_set_snapshot(g->conns, s);
	conns_set_identities(g->conns, t);
	clusters_sync(g->clusters, s);
	set_ingresses(g);
	conns_reauthorize(g->conns, NULL, NULL);
	snapshot_unref(old);
	tls_identities_unref(old_identities);
	return is_good;
}

void
gateway_accept(
    struct gateway *g, int fd, const struct addr *from, bool by_ingress)
{
	conns_accept(g->conns, fd, from, by_ingress ? &g->ingress : &g->egress);
}

static void
on_drained(void *arg)
{
	struct gateway *g = arg;

	g->is_drained = true;
}

void
gateway_drain(struct gateway *g)
{
	conns_drain(g->conns, on_drained, g);
}

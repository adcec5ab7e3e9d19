/* SPDX-License-Identifier: Apache-2.0 */
/* A real store, snapshot and identities, without anyone who serves. */

#include "unit/admin/admin_rig.h"

#include <criterion/criterion.h>

#include "admin/expiry.h"
#include "base/clock.h"
#include "base/stats.h"
#include "model/store.h"
#include "policy/snapshot.h"
#include "support/pki.h"
#include "tls/identity_store.h"
#include "tls/pem.h"
#include "tls/tls_init.h"
#include "upstream/chain_book.h"

static const char resources[] =
    "type: Mesh\nname: m\nrouting: { zoneEgress: true }\nmtls: {\n"
    "  enabledBackend: b, backends: [ { name: b, type: builtin } ] }\n"
    "---\n"
    "type: ZoneIngress\nname: i\nzone: z2\nnetworking: { address: "
    "192.0.2.9, port: 1, advertisedAddress: 192.0.2.9, "
    "advertisedPort: 1 }\n---\n"
    "type: ExternalService\nmesh: m\nname: one\n"
    "tags: { kuma.io/service: one, kuma.io/zone: z2 }\n"
    "networking: { address: \"192.0.2.1:80\" }\n---\n"
    "type: ExternalService\nmesh: m\nname: two\n"
    "tags: { kuma.io/service: two, kuma.io/protocol: http }\n"
    "networking: { address: \"192.0.2.1:443\", tls: { enabled: true, "
    "clientCert: { secret: own-cert }, clientKey: { secret: own-key } } "
    "}\n"
    "---\n"
    "type: ExternalService\nmesh: m\nname: bad\n"
    "tags: { kuma.io/service: bad }\n"
    "networking: { address: \"no port\" }\n---\n";

static void
show(void *arg, struct admin_state *out)
{
	const struct rig *r = arg;

	*out = r->state;
}

static bool
collect(void *arg, enum admin_part part, size_t max, struct text *out)
{
	struct rig *r = arg;

	r->collect_max = max;
	switch (part) {
	case PART_CONNS:
		text_add_z(out, "conns\n");
		break;
	case PART_CLUSTERS:
		text_add_z(out, "clusters\n");
		break;
	case PART_CALLERS:
		text_add_z(out, "callers\n");
		break;
	case PART_DNS:
		text_add_z(out, "names\n");
		break;
	}
	return !r->has_late_worker;
}

static bool
flush_dns(void *arg, struct str name, struct text *out)
{
	struct rig *r = arg;

	text_addf(out, "flushed \"%.*s\"\n", STR_ARG(name));
	return !r->has_late_worker;
}

static bool
reload(void *arg, struct text *out)
{
	struct rig *r = arg;

	r->reloads++;
	if (r->refuses_reload)
		text_add_z(out, "c:1: zone: bad\n");
	return !r->refuses_reload;
}

static void
drain(void *arg)
{
	struct rig *r = arg;

	r->drains++;
	r->state.phase = PHASE_DRAINING;
}

static bool
grant(void *arg, const struct grant_wish *w, struct text *out)
{
	(void)arg;
	text_addf(out, "%.*s|%.*s|%.*s|%.*s|%lld|%lld|%u\n", STR_ARG(w->mesh),
	    STR_ARG(w->caller), STR_ARG(w->service), STR_ARG(w->reason),
	    (long long)w->for_s, (long long)w->until_s, (unsigned)w->uid);
	return true;
}

static bool
revoke_grant(void *arg, uint64_t id, uint32_t uid, struct text *out)
{
	(void)arg;
	text_addf(
	    out, "%llu over by %u\n", (unsigned long long)id, (unsigned)uid);
	return true;
}

static void
list_grants(void *arg, struct text *out)
{
	(void)arg;
	text_add_z(out, "grants\n");
}

static void
add_secret(struct text *to, const char *name, const char *pem)
{
	text_addf(to, "type: Secret\nmesh: m\nname: %s\ndata: ", name);
	base64_encode(str_of(pem), to);
	text_add_z(to, "\n---\n");
}

static void
build(struct rig *r)
{
	static const struct service_entry entry = {
		.service = { .p = "two", .len = 3 },
		.given = { [SERVICE_OPTION_HOST] = true,
		    [SERVICE_OPTION_REQUEST_MS] = true },
		.options = { .host_text = { .p = "keep", .len = 4 },
		    .request_ms = 15000 },
	};
	static const struct build_settings set = {
		.services = &entry,
		.n_services = 1,
		.zone = { .p = "z1", .len = 2 },
		.verify_without_ca = true,
		.serve_mixed_endpoints = true,
	};
	struct pki *ca = pki_mesh_ca("m");
	struct pki *own =
	    pki_leaf_new(ca, &(struct pki_options){ .eku = NULL });
	struct mesh_spec *const *meshes;
	struct text all = TEXT_EMPTY;
	size_t n;

	text_add_z(&all, resources);
	add_secret(&all, "m.ca-builtin-cert-b", ca->cert_pem);
	add_secret(&all, "m.ca-builtin-key-b", ca->key_pem);
	add_secret(&all, "own-cert", own->cert_pem);
	add_secret(&all, "own-key", own->key_pem);
	pki_free(own);
	pki_free(ca);
	r->store = store_new();
	store_put_file(r->store, "a.yaml", text_str(&all));
	text_free(&all);
	cr_assert(store_commit(r->store));
	r->snapshot =
	    snapshot_build(r->store, &set, NULL, &pem_ops, &r->problems);
	meshes = snapshot_meshes(r->snapshot, &n);
	r->identities =
	    tls_identities_new(meshes, n, NULL, clock_wall_s(), &r->problems);
	problems_append(&r->problems, store_problems(r->store));
}

void
rig_init(struct rig *r)
{
	size_t refused;

	*r = (struct rig){
		.listener = { .name = "127.0.0.1:10002" },
	};
	tls_init();
	build(r);
	store_refused(r->store, &refused);
	r->shard = stats_shard_new();
	r->chains = chain_book_new();
	r->expiry = expiry_new(r->shard, r->chains);
	expiry_follow(r->expiry, r->snapshot, r->identities);
	r->source = (struct admin_source){
		.state = show,
		.collect = collect,
		.flush_dns = flush_dns,
		.reload = reload,
		.drain = drain,
		.grant = grant,
		.revoke_grant = revoke_grant,
		.list_grants = list_grants,
		.uid = 9,
		.arg = r,
	};
	r->state = (struct admin_state){
		.phase = PHASE_SERVING,
		.zone = "z1",
		.uptime_s = 5,
		.n_workers = 2,
		.connections = 7,
		.listeners = &r->listener,
		.n_listeners = 1,
		.refused = refused,
		.reloads = 3,
		.problems = &r->problems,
		.snapshot = r->snapshot,
		.identities = r->identities,
		.store = r->store,
		.expiry = r->expiry,
	};
}

void
rig_fini(struct rig *r)
{
	expiry_free(r->expiry);
	chain_book_free(r->chains);
	stats_shard_free(r->shard);
	snapshot_unref(r->snapshot);
	tls_identities_unref(r->identities);
	store_free(r->store);
	problems_free(&r->problems);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MeshExternalServices: each is a service of its own, under a hashed server
 * name (Kuma sections 4.3 and 9).  Main thread.
 */

#include "model/mesh_external_service.h"
#include "policy/compile.h"
#include "policy/service_seal.h"
#include "policy/sni.h"

static void
add_name(struct compile *c, const struct resource *r,
    const struct mesh_external_service *mes, struct service *draft,
    struct arena *a)
{
	struct text t = TEXT_EMPTY;

	sni_print_hashed(
	    draft->name, draft->mesh, mes->port, "mes", NULL, 0, &t);
	ascii_lower(t.p, t.len);
	draft->snis = arena_alloc(a, sizeof(*draft->snis));
	if (name_fits(c, r, text_str(&t)))
		draft->snis[draft->n_snis++] = arena_str(a, text_str(&t));
	text_free(&t);
}

/* Empty parts keep their place, so that a board can take the name apart. */
static struct str
unified_name(struct arena *a, const struct resource *r,
    const struct mesh_external_service *mes)
{
	struct str zone = tags_get(&r->labels, STR("kuma.io/zone"));
	struct str space = tags_get(&r->labels, STR("k8s.kuma.io/namespace"));

	return str_of(arena_printf(a, "kri_extsvc_%.*s_%.*s_%.*s_%.*s_%u",
	    STR_ARG(r->mesh), STR_ARG(zone), STR_ARG(space),
	    STR_ARG(r->display_name), mes->port));
}

static struct endpoint *
last_good(const struct service *prev, struct str key)
{
	struct endpoint *e =
	    prev == NULL ? NULL : service_find_local(prev, key);

	return e == NULL ? NULL : endpoint_ref(e);
}

/* With common NULL only what prev has is left. */
static struct endpoint *
make_endpoint(struct compile *c, const struct resource *r,
    const struct mesh_external_service *mes, size_t i,
    const struct tls_spec *common, const struct service *service,
    const struct service *prev, struct arena *a)
{
	const struct mes_endpoint *from = &mes->endpoints[i];
	struct endpoint draft = {
		.key = str_of(arena_printf(a, "%.*s/%zu", STR_ARG(r->name), i)),
		.origin = service->origin,
		.host = from->address,
		.port = from->port,
		.host_is_address = from->is_address,
		.zone = tags_get(&r->labels, STR("kuma.io/zone")),
		.weight = 1,
		.priority = from->priority,
	};

	if (common == NULL)
		return last_good(prev, draft.key);
	if (mes->tls_is_enabled && !c->set->relays_only)
		draft.tls = mes_endpoint_tls(c, mes, service, common, i);
	return endpoint_seal(&draft, prev, &c->fingerprint);
}

static void
add_endpoints(struct compile *c, const struct resource *r,
    const struct mesh_external_service *mes, struct service *draft,
    const struct service *prev, struct arena *a)
{
	struct tls_spec tls = { .sni = STR_NONE };
	struct service_endpoint *to;
	bool is_good = true;
	size_t i;

	if (mes->tls_is_enabled && mes->n_endpoints > 0 && !c->set->relays_only)
		is_good = mes_tls(c, r, mes, draft, &tls);
	else if (!mes->tls_is_enabled && !c->set->relays_only)
		warn_no_tls(c, r, draft);
	draft->local =
	    arena_alloc(a, (mes->n_endpoints + 1) * sizeof(*draft->local));
	for (i = 0; i < mes->n_endpoints; i++) {
		to = &draft->local[draft->n_local];
		to->endpoint = make_endpoint(
		    c, r, mes, i, is_good ? &tls : NULL, draft, prev, a);
		if (to->endpoint == NULL)
			continue;
		to->is_zoned = to->endpoint->zone.len > 0;
		draft->n_local++;
	}
}

static void
add_rules(struct compile *c, struct mesh_build *m, const struct resource *r,
    uint16_t port, struct service *draft, struct arena *a)
{
	struct rule_block *block = rules_of_mes(c, m, r, port);

	draft->rulesets = arena_alloc(a, sizeof(*draft->rulesets));
	draft->n_rulesets = 1;
	draft->rulesets[0] = (struct ruleset){
		.digest = block->digest,
		.rules = block->rules,
		.n_rules = block->n_rules,
		.block = block,
	};
}

static void
add_local(struct compile *c, struct mesh_build *m, const struct resource *r,
    const struct mesh_external_service *mes, struct service *draft,
    const struct service *prev, struct arena *a)
{
	if (mes->has_extension)
		problem_add(c->pr, PROBLEM_WARNING, r->file, r->line,
		    "spec.extension",
		    "extensions are not known here, so it has no endpoints: "
		    "give endpoints instead");
	else
		add_endpoints(c, r, mes, draft, prev, a);
	add_rules(c, m, r, mes->port, draft, a);
	draft->traffic = traffic_of_mes(c, m, r, draft);
}

static void
compile_one(struct compile *c, struct mesh_build *m, const struct resource *r,
    struct arena *a)
{
	const struct mesh_external_service *mes = mesh_external_service_of(r);
	struct str zone = tags_get(&r->labels, STR("kuma.io/zone"));
	bool is_here = zone.len == 0 || str_eq(zone, c->set->zone);
	struct service draft = {
		.kind = SERVICE_MESH_EXTERNAL,
		.protocol = protocol_of(mes->protocol),
		.key = service_key(a, m->name, "MES", r->name),
		.mesh = m->name,
		.name = r->display_name,
		.stats_name = unified_name(a, r, mes),
		.origin = resource_origin(a, r),
		.is_locality_aware = m->mesh->locality_aware,
	};
	const struct policy_subject about = {
		.mesh = m,
		.mes = r,
		.port = mes->port,
		.has_tls = mes->tls_is_enabled,
	};
	struct service *prev = find_prev_service(c, draft.key);

	note_entries(c, draft.mesh, draft.name);
	if (is_here && !m->can_serve)
		return;
	add_name(c, r, mes, &draft, a);
	if (draft.n_snis == 0)
		return;
	if (is_here) {
		set_options(c, &about, &draft, a);
		add_local(c, m, r, mes, &draft, prev, a);
	} else {
		add_zone_relays(c, zone, r, &draft, a);
	}
	plan_add_service(c->plan, seal_service(c, &draft, prev));
}

void
compile_mesh_external_services(struct compile *c, struct mesh_build *m)
{
	const struct resource *const *v;
	struct arena a;
	size_t i, n;

	v = resources_of(c, KIND_MESH_EXTERNAL_SERVICE, m->name, &n);
	for (i = 0; i < n; i++) {
		arena_init(&a, 2048);
		compile_one(c, m, v[i], &a);
		arena_fini(&a);
	}
}

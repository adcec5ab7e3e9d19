/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ExternalServices: those of one kuma.io/service become one service, with the
 * server names that routes give it (Kuma section 4.2).  Main thread.
 */

#include "policy/compile.h"
#include "policy/compile_subset.h"
#include "policy/service_seal.h"
#include "policy/sni.h"

static void
add_name(struct compile *c, const struct resource *r,
    const struct service *draft, const struct destination_use *use,
    struct subsets *to)
{
	const struct tags none = { .n = 0 };
	const struct tags *tags = use == NULL ? &none : &use->destination->tags;
	struct text t = TEXT_EMPTY;

	sni_print_tags(draft->name, draft->mesh, tags->v, tags->n, &t);
	ascii_lower(t.p, t.len);
	if (name_fits(c, r, text_str(&t)))
		to->v[to->n++] = (struct subset_name){
			.name = arena_str(to->arena, text_str(&t)),
			.destination = use == NULL ? NULL : use->destination,
			.route = use == NULL ? NULL : use->route,
		};
	text_free(&t);
}

static size_t
count(const struct destinations *d)
{
	const struct destination_use *use;
	size_t n = 0;

	for (use = d->first; use != NULL; use = use->next)
		n++;
	return n;
}

static void
add_names(struct compile *c, const struct destinations *d,
    const struct resource *r, const struct service *draft, struct subsets *to)
{
	const struct destination_use *use;

	for (use = d->first; use != NULL; use = use->next)
		add_name(c, r, draft, use, to);
}

void
add_tag_names(struct compile *c, const struct mesh_build *m,
    const struct named *n, const struct resource *r, struct service *draft,
    struct subsets *to)
{
	to->v = arena_alloc(
	    to->arena, (count(&m->everywhere) + count(&n->destinations) + 1) *
			   sizeof(*to->v));
	if (!m->has_routes)
		add_name(c, r, draft, NULL, to);
	add_names(c, &m->everywhere, r, draft, to);
	add_names(c, &n->destinations, r, draft, to);
	subsets_sort(to, draft);
}

static struct str
protocol_tag(const struct member *member)
{
	return tags_get(&member->es->tags, STR("kuma.io/protocol"));
}

/* The first by name decides. */
static enum protocol
find_protocol(struct compile *c, const struct named *n)
{
	const struct member *first = n->members, *member;
	enum protocol protocol = protocol_of(protocol_tag(first));

	for (member = first->next; member != NULL; member = member->next) {
		if (protocol_of(protocol_tag(member)) == protocol)
			continue;
		problem_add(c->pr, PROBLEM_WARNING, member->r->file,
		    member->r->line, "tags",
		    "has another kuma.io/protocol than ExternalService %.*s "
		    "of the same service %.*s: %s is used for both, give "
		    "them the same",
		    STR_ARG(first->r->name), STR_ARG(n->name),
		    protocol_name(protocol));
		break;
	}
	return protocol;
}

/* False: refused, since names and addresses are not to be mixed. */
static bool
check_mixed(struct compile *c, const struct named *n)
{
	const struct member *first = n->members, *member;

	for (member = first->next; member != NULL; member = member->next)
		if (member->es->host_is_address != first->es->host_is_address)
			break;
	if (member == NULL || c->set->serve_mixed_endpoints)
		return true;
	problem_add(c->pr, PROBLEM_ERROR, member->r->file, member->r->line,
	    "networking.address",
	    "%.*s of ExternalService %.*s and %.*s of ExternalService %.*s "
	    "mix a name and an IP address in service %.*s, which is refused: "
	    "set mixed_endpoints = \"serve\", or use one form in both",
	    STR_ARG(member->es->host), STR_ARG(member->r->name),
	    STR_ARG(first->es->host), STR_ARG(first->r->name),
	    STR_ARG(n->name));
	return false;
}

static void
warn_dataplane(struct compile *c, const struct named *n)
{
	const struct offer *o;
	bool is_internal = n->is_dataplane;

	for (o = n->offers; o != NULL && !is_internal; o = o->next)
		is_internal = !o->service->is_external;
	if (is_internal)
		problem_add(c->pr, PROBLEM_WARNING, n->members->r->file,
		    n->members->r->line, "tags",
		    "kuma.io/service %.*s is also a service inside the mesh: "
		    "through the egress it is this ExternalService",
		    STR_ARG(n->name));
}

/* A reference; the last good one when this one makes no sense; or NULL. */
static struct endpoint *
make_endpoint(struct compile *c, const struct member *member,
    const struct service *service, const struct service *prev, struct arena *a)
{
	struct endpoint draft = {
		.key = member->r->name,
		.host = member->es->host,
		.port = member->es->port,
		.host_is_address = member->es->host_is_address,
		.zone = member->zone,
		.weight = 1,
	};
	struct endpoint *old;

	if (external_service_tls(
		c, member->r, member->es, service, &draft.tls)) {
		draft.origin = resource_origin(a, member->r);
		return endpoint_seal(&draft, prev, &c->fingerprint);
	}
	old = prev == NULL ? NULL : service_find_local(prev, draft.key);
	return old == NULL ? NULL : endpoint_ref(old);
}

static bool
is_local(const struct compile *c, const struct member *member)
{
	return member->zone.len == 0 || str_eq(member->zone, c->set->zone);
}

/*
 * The index among the draft's of equal rules for the same names; takes the
 * reference over.
 */
static bool
find_ruleset(struct service *draft, struct subsets *subsets,
    struct rule_block *block, struct cover cover, unsigned *index)
{
	size_t i;

	for (i = 0; i < draft->n_rulesets; i++)
		if (draft->rulesets[i].block == block &&
		    covers_equal(subsets, subsets->rulesets[i], cover))
			break;
	*index = (unsigned)i;
	if (i < draft->n_rulesets || i == SERVICE_RULESETS_MAX) {
		rule_block_unref(block);
		return i < draft->n_rulesets;
	}
	subsets->rulesets[i] = cover;
	draft->rulesets[draft->n_rulesets++] = (struct ruleset){
		.digest = block->digest,
		.rules = block->rules,
		.n_rules = block->n_rules,
		.block = block,
	};
	return true;
}

static void
add_member(struct compile *c, struct mesh_build *m, const struct named *n,
    const struct member *member, struct service *draft,
    const struct service *prev, struct subsets *subsets)
{
	struct service_endpoint *to = &draft->local[draft->n_local];
	struct cover cover = { .bits = NULL };

	to->endpoint = make_endpoint(c, member, draft, prev, subsets->arena);
	if (to->endpoint == NULL)
		return;
	to->is_zoned = member->zone.len > 0;
	subsets_cover(subsets, &member->es->tags, &cover);
	if (find_ruleset(draft, subsets,
		rules_of_external_service(c, m, n, &member->es->tags), cover,
		&to->ruleset)) {
		draft->n_local++;
		return;
	}
	endpoint_unref(to->endpoint);
	problem_add(c->pr, PROBLEM_ERROR, member->r->file, member->r->line,
	    "tags",
	    "the ExternalServices of %.*s have more than %d different sets "
	    "of permissions, or of tags that routes ask for, and this one is "
	    "left out: give some the same tags",
	    STR_ARG(n->name), SERVICE_RULESETS_MAX);
}

static void
add_members(struct compile *c, struct mesh_build *m, const struct named *n,
    struct service *draft, const struct service *prev, struct subsets *subsets)
{
	struct arena *a = subsets->arena;
	const struct member *member;
	size_t most = n->n_members;

	draft->local = arena_alloc(a, most * sizeof(*draft->local));
	if (most > SERVICE_RULESETS_MAX)
		most = SERVICE_RULESETS_MAX;
	draft->rulesets = arena_alloc(a, most * sizeof(*draft->rulesets));
	subsets->rulesets = arena_alloc(a, most * sizeof(*subsets->rulesets));
	for (member = n->members; member != NULL; member = member->next)
		if (is_local(c, member))
			add_member(c, m, n, member, draft, prev, subsets);
	if (draft->n_local > 0)
		draft->traffic = traffic_of_external_service(c, m, n, draft);
}

static bool
has_local(const struct compile *c, const struct named *n)
{
	const struct member *member;

	for (member = n->members; member != NULL; member = member->next)
		if (is_local(c, member))
			return true;
	return false;
}

static bool
has_names(struct compile *c, const struct mesh_build *m, const struct named *n,
    struct service *draft, struct subsets *to)
{
	const struct resource *r = n->members->r;

	add_tag_names(c, m, n, r, draft, to);
	if (draft->n_snis == 0)
		problem_add(c->pr, PROBLEM_WARNING, r->file, r->line, "tags",
		    "no TrafficRoute of mesh %.*s leads to service %.*s, so "
		    "nobody can ask for it: add it as destination",
		    STR_ARG(m->name), STR_ARG(n->name));
	return draft->n_snis > 0;
}

static void
set_member_options(struct compile *c, struct mesh_build *m,
    const struct named *n, struct service *draft, struct arena *a)
{
	struct policy_subject about = { .mesh = m, .named = n };
	const struct member *member;

	for (member = n->members; member != NULL; member = member->next)
		if (is_local(c, member) && member->es->tls.is_enabled)
			about.has_tls = true;
	set_options(c, &about, draft, a);
}

static void
compile_external(struct compile *c, struct mesh_build *m, const struct named *n,
    struct arena *a)
{
	struct service draft = {
		.kind = SERVICE_EXTERNAL,
		.key = service_key(a, m->name, "ES", n->name),
		.mesh = m->name,
		.name = n->name,
		.stats_name = stats_name(a, m->name, n->name),
		.origin = resource_origin(a, n->members->r),
		.is_locality_aware = m->mesh->locality_aware,
	};
	struct service *prev = find_prev_service(c, draft.key);
	struct subsets subsets = { .arena = a };

	warn_dataplane(c, n);
	note_entries(c, draft.mesh, draft.name);
	if (!has_names(c, m, n, &draft, &subsets) || !check_mixed(c, n))
		return;
	draft.protocol = find_protocol(c, n);
	if (m->can_serve && has_local(c, n))
		set_member_options(c, m, n, &draft, a);
	if (m->can_serve)
		add_members(c, m, n, &draft, prev, &subsets);
	add_relays(c, m, n, &draft, &subsets);
	/* Without an identity only what is relayed is offered. */
	if (!m->can_serve && has_local(c, n) && draft.n_remote == 0)
		return;
	subsets_settle(c, &subsets, n, &draft);
	plan_add_service(c->plan, seal_service(c, &draft, prev));
}

void
compile_services(struct compile *c, struct mesh_build *m)
{
	const struct named *n;
	struct arena a;

	for (n = m->names; n != NULL; n = n->hh.next) {
		if (n->members == NULL && n->offers == NULL)
			continue;
		if (n->members == NULL) {
			compile_relay(c, m, n);
			continue;
		}
		arena_init(&a, 4096);
		compile_external(c, m, n, &a);
		arena_fini(&a);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What zegressd.conf says of services beside their resources: taken into each,
 * and told where it leads to nothing.  Which entry wins is decided in
 * service_options.c.  Main thread.
 */

#include "model/nearest.h"
#include "policy/compile.h"
#include "policy/hash_key.h"
#include "policy/policy_options.h"
#include "policy/service_option.h"
#include "policy/service_seal.h"

/* Comparing with ten thousand names takes its time. */
#define MOST_SUGGESTIONS 10

void
note_entries(struct compile *c, struct str mesh, struct str service)
{
	size_t i;

	for (i = 0; i < c->set->n_services; i++)
		if (service_entry_matches(&c->set->services[i], mesh, service))
			c->is_entry_used[i] = true;
}

void
note_zone_entries(struct compile *c, struct str mesh, struct str service)
{
	const struct service_entry *e;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (e->given[SERVICE_OPTION_BALANCE_ZONES] &&
		    service_entry_matches(e, mesh, service))
			c->is_entry_used[i] = true;
	}
}

/* Entries for a whole mesh may well meet services that they are not for. */
static bool
is_named_by(const struct service_entry *e, const struct service *s)
{
	return e->service.len > 0 && service_entry_matches(e, s->mesh, s->name);
}

/* Names of the options of e that are about requests; false: all it has are. */
static bool
list_requests(const struct service_entry *e, struct text *out)
{
	bool has_others = false;
	size_t i;

	for (i = 0; i < SERVICE_OPTION_N; i++) {
		if (!e->given[i])
			continue;
		if (service_option_rows[i].whom != SERVICE_FOR_REQUESTS)
			has_others = true;
		else
			text_addf(out, "%s%s", out->len > 0 ? ", " : "",
			    service_option_rows[i].name);
	}
	return has_others;
}

static void
warn_no_requests(struct compile *c, const struct service *s)
{
	const struct service_entry *e;
	struct text names = TEXT_EMPTY;
	bool has_others;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		text_clear(&names);
		if (!is_named_by(e, s))
			continue;
		has_others = list_requests(e, &names);
		if (names.len == 0)
			continue;
		problem_add(c->pr, PROBLEM_WARNING, e->file, e->line,
		    "services.match",
		    "service %.*s of mesh %.*s is of protocol %s, whose "
		    "requests are not looked at, so %s takes no effect: "
		    "let its resource say http, http2 or grpc",
		    STR_ARG(s->name), STR_ARG(s->mesh),
		    protocol_name(s->protocol),
		    has_others ? names.p : "what is said of it");
	}
	text_free(&names);
}

static void
warn_grpc_fallback(struct compile *c, const struct service *s)
{
	const struct service_entry *e;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (is_named_by(e, s) &&
		    e->given[SERVICE_OPTION_HTTP2_FALLBACK] &&
		    e->options.http2_fallback)
			problem_add(c->pr, PROBLEM_WARNING, e->file, e->line,
			    "services.http2_fallback",
			    "service %.*s of mesh %.*s is of protocol grpc, "
			    "which HTTP/1.1 cannot carry: not used there, "
			    "take it out",
			    STR_ARG(s->name), STR_ARG(s->mesh));
	}
}

/* balance.hash names something of requests, and there are none. */
static void
warn_no_hash(
    struct compile *c, const struct service *s, const struct service_entry *e)
{
	const struct str_list *list = &e->options.balance_hash;
	struct hash_key k;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (hash_key_parse(list->v[i], &k) &&
		    hash_key_is_of_request(&k))
			problem_add(c->pr, PROBLEM_WARNING, e->file, e->line,
			    "services.balance.hash",
			    "service %.*s of mesh %.*s is of protocol %s, "
			    "whose requests are not looked at, so %.*s takes "
			    "no effect there: use caller or source, or let "
			    "its resource say http, http2 or grpc",
			    STR_ARG(s->name), STR_ARG(s->mesh),
			    protocol_name(s->protocol), STR_ARG(list->v[i]));
}

static void
warn_no_hashes(struct compile *c, const struct service *s)
{
	const struct service_entry *e;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (is_named_by(e, s) && e->given[SERVICE_OPTION_BALANCE_HASH])
			warn_no_hash(c, s, e);
	}
}

static void
add_source(struct service_options *o, struct option_source *v,
    enum service_option option, struct str place)
{
	v[o->n_sources++] =
	    (struct option_source){ .option = option, .place = place };
}

/* Who runs the host speaks before whoever writes policies. */
void
choose_options(struct compile *c, const struct policy_subject *about,
    const struct service *draft, struct arena *a, struct service_options *o)
{
	const struct service_entry *best[SERVICE_OPTION_N];
	struct policy_options p = { .given = { false } };
	struct option_source *v;
	enum service_option i;

	options_of_policies(c, about, draft, a, &p);

	v = arena_alloc(a, SERVICE_OPTION_N * sizeof(*v));
	service_options_choose(c->set->services, c->set->n_services,
	    draft->mesh, draft->name, best);
	*o = *service_options_standard();
	for (i = 0; i < SERVICE_OPTION_N; i++) {
		if (service_option_rows[i].whom == SERVICE_FOR_REQUESTS &&
		    !protocol_is_http(draft->protocol))
			continue;
		if (best[i] != NULL) {
			service_option_copy(i, &best[i]->options, o);
			add_source(o, v, i,
			    str_of(arena_printf(
				a, "%s:%u", best[i]->file, best[i]->line)));
		} else if (p.given[i]) {
			service_option_copy(i, &p.options, o);
			add_source(o, v, i, resource_origin(a, p.from[i]->r));
		}
	}
	o->sources = v;
	service_options_derive(o);
}

void
set_options(struct compile *c, const struct policy_subject *about,
    struct service *draft, struct arena *a)
{
	struct service_options o;

	choose_options(c, about, draft, a, &o);
	if (!protocol_is_http(draft->protocol)) {
		warn_no_requests(c, draft);
		warn_no_hashes(c, draft);
	}
	if (draft->protocol == PROTO_GRPC && o.http2_fallback)
		warn_grpc_fallback(c, draft);
	/* Where it means nothing it makes no difference either. */
	if (draft->protocol != PROTO_HTTP2)
		o.http2_fallback = false;
	draft->options = share_options(c->share, &o);
	add_mesh_logs(c, about, draft, a);
}

struct service *
seal_service(struct compile *c, struct service *draft, struct service *prev)
{
	struct service_options o;

	if (draft->options == NULL) {
		o = *service_options_standard();
		draft->options = share_options(c->share, &o);
	}
	check_wildcard(c, draft);
	if (draft->n_local > 0 && c->set->report_only)
		draft->report = REPORT_DAEMON;
	else if (draft->n_local > 0 && draft->options->report)
		draft->report = REPORT_SERVICE;
	return service_seal(draft, prev, &c->fingerprint);
}

/* A name of the entry's mesh that is nearly the one it has; or NULL. */
static const char *
suggest(const struct compile *c, const struct service_entry *e)
{
	struct nearest near = nearest_to(e->service);
	const struct service *s;
	size_t i;

	for (i = 0; i < c->plan->n_services; i++) {
		s = c->plan->services[i];
		if (s->kind != SERVICE_INTERNAL &&
		    service_entry_matches(e, s->mesh, e->service))
			nearest_try(&near, s->name.p);
	}
	return near.best;
}

static void
warn_unused(struct compile *c, const struct service_entry *e, bool may_suggest)
{
	const char *near =
	    may_suggest && e->service.len > 0 ? suggest(c, e) : NULL;
	struct text whom = TEXT_EMPTY;

	if (e->service.len > 0)
		text_addf(&whom, " %.*s", STR_ARG(e->service));
	if (e->mesh.len > 0)
		text_addf(&whom, " of mesh %.*s", STR_ARG(e->mesh));
	problem_add(c->pr, PROBLEM_WARNING, e->file, e->line, "services.match",
	    "there is no ExternalService or MeshExternalService%s, so nothing "
	    "of this takes effect%s%s%s",
	    whom.p, near != NULL ? "; did you mean " : ": ",
	    near != NULL ? near : "correct the name, or add the resource",
	    near != NULL ? "?" : "");
	text_free(&whom);
}

void
warn_unused_entries(struct compile *c)
{
	const struct service_entry *e;
	unsigned suggestions = 0;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (!c->is_entry_used[i] && e->mesh.len + e->service.len > 0)
			warn_unused(c, e, suggestions++ < MOST_SUGGESTIONS);
	}
}

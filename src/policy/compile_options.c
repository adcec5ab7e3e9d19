/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What zegressd.conf says of services beside their resources: taken into each,
 * and told where it leads to nothing.  Which entry wins is decided in
 * service_options.c.  Main thread.
 */

#include "model/nearest.h"
#include "policy/compile.h"

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

/* Entries for a whole mesh may well meet services that they are not for. */
static bool
is_named_by(const struct service_entry *e, const struct service *s)
{
	return e->service.len > 0 && service_entry_matches(e, s->mesh, s->name);
}

static void
warn_no_requests(struct compile *c, const struct service *s)
{
	const struct service_entry *e;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (is_named_by(e, s) && e->given != 0)
			problem_add(c->pr, PROBLEM_WARNING, e->file, e->line,
			    "services.match",
			    "service %.*s of mesh %.*s is of protocol %s, "
			    "whose requests are not looked at, so nothing of "
			    "this takes effect: let its resource say http, "
			    "http2 or grpc",
			    STR_ARG(s->name), STR_ARG(s->mesh),
			    protocol_name(s->protocol));
	}
}

static void
warn_grpc_fallback(struct compile *c, const struct service *s)
{
	const struct service_entry *e;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (is_named_by(e, s) &&
		    service_entry_has(e, SERVICE_OPTION_HTTP2_FALLBACK) &&
		    e->options.http2_fallback)
			problem_add(c->pr, PROBLEM_WARNING, e->file, e->line,
			    "services.http2_fallback",
			    "service %.*s of mesh %.*s is of protocol grpc, "
			    "which HTTP/1.1 cannot carry: not used there, "
			    "take it out",
			    STR_ARG(s->name), STR_ARG(s->mesh));
	}
}

void
set_options(struct compile *c, struct service *draft)
{
	struct service_options *o = &draft->options;

	if (!protocol_is_http(draft->protocol)) {
		warn_no_requests(c, draft);
		return;
	}
	service_options_of(
	    c->set->services, c->set->n_services, draft->mesh, draft->name, o);
	if (draft->protocol == PROTO_GRPC && o->http2_fallback)
		warn_grpc_fallback(c, draft);
	/* Where it means nothing it makes no difference either. */
	if (draft->protocol != PROTO_HTTP2)
		o->http2_fallback = false;
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

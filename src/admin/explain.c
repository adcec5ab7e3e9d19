/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decision that a connection would get now, asked of the snapshot in force
 * with the same code.  Main thread.
 */

#include "admin/explain.h"

#include "policy/authorize.h"
#include "policy/snapshot.h"

static void
put(struct text *out, const char *what, struct str value)
{
	text_addf(out, "%-12s%.*s\n", what, STR_ARG(value));
}

/* A bare word is a service of the mesh. */
static bool
read_caller(
    struct str caller, struct str mesh, struct identity **id, struct text *out)
{
	struct str uris[IDENTITY_URIS_MAX + 1];
	struct text first = TEXT_EMPTY;
	struct str word;
	enum identity_status status;
	size_t n = 0;

	while (caller.p != NULL && n < ARRAY_LEN(uris)) {
		word = str_cut(&caller, ',');
		if (n == 0 && str_index(word, '/') == -1) {
			text_addf(&first, "spiffe://%.*s/%.*s", STR_ARG(mesh),
			    STR_ARG(word));
			word = text_str(&first);
		}
		uris[n++] = word;
	}
	status = identity_new(mesh, uris, n, INT64_MAX, id);
	text_free(&first);
	switch (status) {
	case IDENTITY_OK:
		return true;
	case IDENTITY_NO_SPIFFE:
		text_addf(out,
		    "no caller of mesh %.*s: one has a spiffe://%.*s/ name\n",
		    STR_ARG(mesh), STR_ARG(mesh));
		break;
	case IDENTITY_BAD_SAN:
		text_addf(out, "no certificate has such names\n");
		break;
	}
	return false;
}

static const char *
decision_of(const struct verdict *v)
{
	if (v->is_reported)
		return "allowed, only because of report mode";
	return v->is_allowed ? "allowed" : "denied";
}

static bool
has_in(const struct service_endpoint *v, size_t n, uint64_t sets)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((sets >> v[i].ruleset & 1) != 0)
			return true;
	return false;
}

static bool
goes_both_ways(const struct service *s, struct sni_scope scope)
{
	return has_in(s->local, s->n_local, scope.rulesets) &&
	       has_in(s->remote, s->n_remote, scope.relays);
}

static const char *
route_of(const struct service *s, struct str sni, bool is_remote)
{
	const struct sni_scope scope = service_scope(s, sni);

	if (!is_remote && goes_both_ways(s, scope))
		return s->is_locality_aware
			   ? "served here; relayed to another zone while no "
			     "endpoint here can be reached"
			   : "served here, or relayed to another zone, by "
			     "weight";
	switch (service_route(s, scope, is_remote, true, 0)) {
	case ROUTE_SERVE:
		return "served here";
	case ROUTE_RELAY:
		return "relayed to another zone, whose egress decides";
	case ROUTE_NO_INGRESS:
		return "nowhere: its zone has no ingress";
	case ROUTE_NOT_ZONED:
		return "refused: not tagged with this zone";
	case ROUTE_THIRD_ZONE:
		return "refused: of a third zone";
	case ROUTE_NO_SUBSET:
		return "nowhere: no endpoint has the tags of the server name";
	case ROUTE_NO_ENDPOINT:
		break;
	}
	return "nowhere: it has no endpoint";
}

static void
print_endpoints(
    const struct service *s, const struct verdict *v, struct text *out)
{
	const struct service_endpoint *e;
	size_t i;

	for (i = 0; i < s->n_local; i++) {
		e = &s->local[i];
		text_addf(out, "%-12s%.*s %.*s:%u%s\n",
		    (v->rulesets >> e->ruleset & 1) != 0 ? "endpoint"
							 : "not for it",
		    STR_ARG(e->endpoint->key), STR_ARG(e->endpoint->host),
		    (unsigned)e->endpoint->port,
		    e->is_zoned ? "" : " (not for callers of other zones)");
	}
}

static void
print_verdict(
    const struct service *s, const struct verdict *v, struct text *out)
{
	if (s->n_local == 0)
		return;
	put(out, "decision", str_of(decision_of(v)));
	put(out, "rule", v->rule);
	if (v->is_reported)
		put(out, "would deny", v->would_rule);
	if (v->is_shadow_denied)
		put(out, "shadow", STR("the rule would like to deny"));
	print_endpoints(s, v, out);
}

/* The name asked for; else the first that is for all, or just the first. */
static struct str
name_of(const struct service *s, struct str sni)
{
	size_t i;

	if (sni.len > 0 || s->n_snis == 0)
		return sni;
	for (i = 0; s->scopes != NULL && i < s->n_snis; i++)
		if (s->scopes[i].rulesets == mask_below(s->n_rulesets))
			return s->snis[i];
	return s->snis[0];
}

static bool
explain(const struct service *s, struct str caller, struct str sni,
    struct text *out)
{
	struct identity *id;
	struct verdict v;
	size_t i;

	if (!read_caller(caller, s->mesh, &id, out))
		return false;
	sni = name_of(s, sni);
	authorize(s, id, sni, &v);
	text_addf(out, "%-12s%.*s (%.*s)\n", "service", STR_ARG(s->key),
	    STR_ARG(s->origin));
	put(out, "server name", sni);
	for (i = 0; i < id->n_uris; i++)
		put(out, "caller", id->uris[i]);
	print_verdict(s, &v, out);
	put(out, "route", str_of(route_of(s, sni, false)));
	put(out, "other zones", str_of(route_of(s, sni, true)));
	identity_free(id);
	return true;
}

/* It is no service's name: a server name, as a connection asks by it? */
static bool
explain_sni(const struct admin_state *s, struct str caller, struct str sni,
    struct text *out)
{
	const struct service *found = snapshot_match(s->snapshot, sni);

	if (found != NULL)
		return explain(found, caller, sni, out);
	text_addf(out, "no service %.*s\n", STR_ARG(sni));
	return false;
}

bool
explain_print(const struct admin_state *s, struct str caller,
    struct str service, struct str sni, struct text *out)
{
	struct service *const *v;
	bool is_found = false, is_good = false;
	size_t n, i;

	v = snapshot_services(s->snapshot, &n);
	for (i = 0; i < n; i++) {
		if (!str_eq(v[i]->name, service) && !str_eq(v[i]->key, service))
			continue;
		if (is_found)
			text_add_char(out, '\n');
		is_found = true;
		is_good = explain(v[i], caller, sni, out) || is_good;
	}
	return is_found ? is_good : explain_sni(s, caller, service, out);
}

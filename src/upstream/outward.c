/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the options of a service, which were checked when they were read, to
 * what connecting wants.
 */

#include "upstream/outward.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/xalloc.h"
#include "policy/service_option.h"

static struct cidr *
networks(const struct str_list *from, size_t *n)
{
	struct cidr *v;
	size_t i;

	*n = 0;
	if (from->n == 0)
		return NULL;
	v = xcalloc(from->n, sizeof(*v));
	for (i = 0; i < from->n; i++)
		*n += cidr_parse(from->v[i], &v[*n]);
	return v;
}

static void
set_sources(struct outward *w, const struct str_list *source)
{
	struct addr a;
	size_t i;

	for (i = 0; i < source->n; i++)
		if (!addr_parse(source->v[i], 0, &a))
			continue;
		else if (a.u.sa.sa_family == AF_INET6)
			w->way.from6 = a;
		else
			w->way.from4 = a;
	/* Whoever names a source address wants no other one to be used. */
	if (source->n > 0) {
		w->uses_v4 = w->uses_v4 && w->way.from4.len > 0;
		w->uses_v6 = w->uses_v6 && w->way.from6.len > 0;
	}
}

struct str
outward_unix_path(struct str dial)
{
	const struct str scheme = STR("unix:");
	const struct str slashes = STR("//");
	struct str path = str_from(dial, scheme.len);

	if (!str_starts(dial, scheme))
		return STR_NONE;
	/* As resources write it. */
	if (str_starts(path, slashes))
		path = str_from(path, slashes.len);
	return path.len > 1 && path.p[0] == '/' && path.len < SOCK_UNIX_MOST
		   ? path
		   : STR_NONE;
}

static char *
dup_unless_empty(struct str s)
{
	return s.len > 0 ? str_dup(s) : NULL;
}

static void
set_parent(struct outward *w, const struct service_options *o)
{
	const char *why;

	/* A proxy knows hosts only. */
	w->resolves_here = o->proxy_resolve == PROXY_RESOLVE_LOCAL || o->srv;
	/* Callers choose them: somebody has to want that nobody checks. */
	w->resolves_named_here = o->proxy_resolve != PROXY_RESOLVE_PROXY;
	w->parent_url = dup_unless_empty(o->proxy);
	w->auth.path = dup_unless_empty(o->proxy_auth_file);
	/* What makes no sense was refused when it was read. */
	if (w->parent_url != NULL &&
	    !parent_parse(str_of(w->parent_url), &w->parent, &why))
		w->parent.kind = PARENT_NONE;
}

struct outward *
outward_new(const struct service_options *o, const struct addr_rules *all)
{
	struct outward *w = xcalloc(1, sizeof(*w));

	w->refs = 1;
	w->rules.allow = networks(&o->allow_addresses, &w->rules.n_allow);
	w->rules.deny = networks(&o->deny_addresses, &w->rules.n_deny);
	w->rules.only_public = o->addresses == ADDRESSES_PUBLIC;
	w->rules.more = all;
	w->named_rules = w->rules;
	w->named_rules.only_public = true;
	w->named_rules.never_private = true;
	w->uses_v4 = o->family != FAMILY_IPV6;
	w->uses_v6 = o->family != FAMILY_IPV4;
	w->prefers_v4 = o->family == FAMILY_PREFER_IPV4;
	w->delay_ms = o->attempt_delay_ms;
	w->interface = dup_unless_empty(o->interface);
	w->way.interface = w->interface;
	w->way.mark = o->mark;
	w->way.dscp = (uint8_t)o->dscp;
	w->way.keepalive_s = o->keepalive_s;
	w->way.keepalive_interval_s = o->keepalive_interval_s;
	w->way.keepalive_probes = o->keepalive_probes;
	set_sources(w, &o->source);
	w->dial_path = dup_unless_empty(outward_unix_path(o->dial));
	w->introduces_caller = o->proxy_protocol == PROXY_PROTOCOL_V2;
	set_parent(w, o);
	return w;
}

struct outward *
outward_ref(struct outward *w)
{
	w->refs++;
	return w;
}

void
outward_unref(struct outward *w)
{
	if (w == NULL || --w->refs > 0)
		return;
	free(w->rules.allow);
	free(w->rules.deny);
	free(w->interface);
	free(w->dial_path);
	free(w->parent_url);
	parent_auth_fini(&w->auth);
	free(w);
}

bool
outward_is_same(
    const struct service_options *a, const struct service_options *b)
{
	enum service_option i;

	for (i = 0; i < SERVICE_OPTION_N; i++)
		if (service_option_rows[i].whom == SERVICE_FOR_CONNECTIONS &&
		    !service_option_eq(i, a, b))
			return false;
	return true;
}

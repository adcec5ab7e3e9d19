/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What does not go together with `wildcard` in a service: told where it is
 * written.  Main thread.
 */

#include "policy/compile.h"
#include "policy/service_option.h"

/* The entry that the option was taken from, or one that is as good. */
static const struct service_entry *
find_entry(const struct compile *c, const struct service *s)
{
	const struct service_entry *e;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (service_entry_matches(e, s->mesh, s->name) &&
		    e->given[SERVICE_OPTION_WILDCARD] &&
		    service_option_eq(
			SERVICE_OPTION_WILDCARD, &e->options, s->options))
			return e;
	}
	return NULL;
}

static void
tell(struct compile *c, const struct service *s, enum problem_level level,
    const char *what)
{
	const struct service_entry *e = find_entry(c, s);

	if (e != NULL)
		problem_add(c->pr, level, e->file, e->line, "services.wildcard",
		    "service %.*s of mesh %.*s %s", STR_ARG(s->name),
		    STR_ARG(s->mesh), what);
}

static void
warn(struct compile *c, const struct service *s, const char *what)
{
	tell(c, s, PROBLEM_WARNING, what);
}

static bool
originates_tls(const struct service *s)
{
	size_t i;

	for (i = 0; i < s->n_local; i++)
		if (s->local[i].endpoint->tls != NULL)
			return true;
	return false;
}

static bool
has_several_ports(const struct service *s)
{
	size_t i;

	for (i = 1; i < s->n_local; i++)
		if (s->local[i].endpoint->port != s->local[0].endpoint->port)
			return true;
	return false;
}

static bool
has_unix_sockets(const struct service *s)
{
	size_t i;

	for (i = 0; i < s->n_local; i++)
		if (endpoint_is_unix(s->local[i].endpoint))
			return true;
	return false;
}

/* One server must not be had under the names of all.  True: it is not. */
static bool
refuses_unix_sockets(struct compile *c, struct service *draft)
{
	if (draft->options->dial.len > 0)
		tell(c, draft, PROBLEM_ERROR,
		    "has a wildcard, and services.dial leads to one server: "
		    "it has no endpoints until one of them is taken out");
	else if (has_unix_sockets(draft))
		tell(c, draft, PROBLEM_ERROR,
		    "has a wildcard, and an endpoint behind a Unix socket, "
		    "which is one server: it has no endpoints until the "
		    "resource says a host, or the wildcard is taken out");
	else
		return false;
	while (draft->n_local > 0)
		endpoint_unref(draft->local[--draft->n_local].endpoint);
	return true;
}

static void
warn_about_requests(struct compile *c, const struct service *s)
{
	if (!protocol_is_http(s->protocol) && originates_tls(s))
		warn(c, s,
		    "is of a protocol whose requests are not looked at, so "
		    "that the name comes from the caller's own TLS, which its "
		    "endpoints must not be wrapped in once more: set "
		    "tls.enabled to false, or let its resource say http");
	if (s->options->host == HOST_NAMED)
		warn(c, s,
		    "has a wildcard, so its servers get the Host that was "
		    "asked for: take services.host out");
}

static void
warn_about_names(struct compile *c, const struct service *s)
{
	const struct service_options *o = s->options;

	if (o->proxy.len > 0 && o->proxy_resolve == PROXY_RESOLVE_PROXY)
		warn(c, s,
		    "has a wildcard, and its parent proxy finds the addresses "
		    "of names that callers choose: only the proxy's own rules "
		    "keep them out of private networks "
		    "(proxy_resolve = \"local\" has ours hold)");
	if (o->srv)
		warn(c, s,
		    "has a wildcard, whose names are hosts on the port of the "
		    "resource: take services.srv out");
	if (has_several_ports(s))
		warn(c, s,
		    "has endpoints on several ports: which of them a name is "
		    "reached at changes from connection to connection");
}

void
check_wildcard(struct compile *c, struct service *draft)
{
	if (draft->options->wildcard.len == 0 || refuses_unix_sockets(c, draft))
		return;
	warn_about_requests(c, draft);
	warn_about_names(c, draft);
}

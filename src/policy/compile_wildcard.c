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
warn(struct compile *c, const struct service *s, const char *what)
{
	const struct service_entry *e = find_entry(c, s);

	if (e != NULL)
		problem_add(c->pr, PROBLEM_WARNING, e->file, e->line,
		    "services.wildcard", "service %.*s of mesh %.*s %s",
		    STR_ARG(s->name), STR_ARG(s->mesh), what);
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

void
warn_wildcard(struct compile *c, const struct service *s)
{
	if (s->options->wildcard.len == 0)
		return;
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
	if (s->options->srv)
		warn(c, s,
		    "has a wildcard, whose names are hosts on the port of the "
		    "resource: take services.srv out");
	if (has_several_ports(s))
		warn(c, s,
		    "has endpoints on several ports: which of them a name is "
		    "reached at changes from connection to connection");
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_OUTWARD_H
#define UPSTREAM_OUTWARD_H

/*
 * How connections of a service leave this host, and where they may lead: what
 * its options say, in the form that connecting wants.  Made when a service
 * comes into force; a reach under way keeps the one it began with.  Immutable
 * but for a turn and what it remembers of a file, counted without atomics: own
 * thread.
 */

#include <stdbool.h>

#include "net/addr.h"
#include "net/sock.h"
#include "policy/service_options.h"
#include "upstream/parent.h"
#include "upstream/parent_auth.h"

struct outward {
	unsigned refs;
	struct addr_rules rules; /* of the service; more: the daemon's */
	/*
	 * The same for names of a wildcard, which callers choose: never to a
	 * private network.
	 */
	struct addr_rules named_rules;
	struct sock_way way;
	bool uses_v4;
	bool uses_v6;
	bool prefers_v4;
	unsigned delay_ms; /* between addresses */
	char *interface;
	char *dial_path; /* a Unix socket in place of all; NULL: none */
	char *parent_url;
	struct parent parent; /* of kind NONE: there is none */
	unsigned parent_turn;
	struct parent_auth auth;
	/* We find names for the parent proxy, too; those of a wildcard. */
	bool resolves_here;
	bool resolves_named_here;
	bool introduces_caller; /* by a PROXY header */
};

/* One reference, the caller's.  all is the daemon's, and outlives it. */
struct outward *outward_new(
    const struct service_options *o, const struct addr_rules *all) MUST_CHECK;
struct outward *outward_ref(struct outward *w);
/* NULL is fine. */
void outward_unref(struct outward *w);

/* The path in services.dial; p NULL: it says something else. */
struct str outward_unix_path(struct str dial);

/* Connections made under one serve as well under the other. */
bool outward_is_same(
    const struct service_options *a, const struct service_options *b);

#endif

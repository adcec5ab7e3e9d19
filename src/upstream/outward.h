/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_OUTWARD_H
#define UPSTREAM_OUTWARD_H

/*
 * How connections of a service leave this host, and where they may lead: what
 * its options say, in the form that connecting wants.  Made when a service
 * comes into force; a reach under way keeps the one it began with.  Immutable,
 * counted without atomics: own thread.
 */

#include <stdbool.h>

#include "net/addr.h"
#include "net/sock.h"
#include "policy/service_options.h"

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
};

/* One reference, the caller's.  all is the daemon's, and outlives it. */
struct outward *outward_new(
    const struct service_options *o, const struct addr_rules *all) MUST_CHECK;
struct outward *outward_ref(struct outward *w);
/* NULL is fine. */
void outward_unref(struct outward *w);

/* Connections made under one serve as well under the other. */
bool outward_is_same(
    const struct service_options *a, const struct service_options *b);

#endif

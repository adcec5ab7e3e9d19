/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of services about how connections leave, and where they may lead.
 * Whether this process may do it shows when it connects: the configuration is
 * also checked elsewhere, and by others.  Main thread.
 */

#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/service_reading.h"
#include "net/addr.h"
#include "net/name_servers.h"

static void
check_networks(const struct service_reading *r, enum service_option o,
    const struct str_list *list)
{
	struct cidr c;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!cidr_parse(list->v[i], &c))
			service_reading_tell(r, PROBLEM_ERROR, o,
			    "%.*s: wants addresses or networks, as "
			    "\"10.0.0.0/8\"",
			    STR_ARG(list->v[i]));
}

/* One of each family at most. */
static void
check_source(const struct service_reading *r, const struct str_list *list)
{
	unsigned v4 = 0, v6 = 0;
	struct addr a;
	size_t i;

	for (i = 0; i < list->n; i++)
		if (!addr_parse(list->v[i], 0, &a))
			service_reading_tell(r, PROBLEM_ERROR,
			    SERVICE_OPTION_SOURCE,
			    "%.*s: wants addresses of this host, as "
			    "\"192.0.2.7\"",
			    STR_ARG(list->v[i]));
		else if (a.u.sa.sa_family == AF_INET6)
			v6++;
		else
			v4++;
	if (v4 > 1 || v6 > 1)
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_SOURCE,
		    "wants one address of a family at most");
}

static void
check_source_family(
    const struct service_reading *r, const struct service_options *o)
{
	const int wanted = o->family == FAMILY_IPV4   ? AF_INET
			   : o->family == FAMILY_IPV6 ? AF_INET6
						      : AF_UNSPEC;
	struct addr a;
	size_t i;

	if (wanted == AF_UNSPEC || o->source.n == 0)
		return;
	for (i = 0; i < o->source.n; i++)
		if (addr_parse(o->source.v[i], 0, &a) &&
		    a.u.sa.sa_family == wanted)
			return;
	service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_SOURCE,
	    "has no address of the only family that is used: add one, or "
	    "change services.family");
}

/* c-ares passes over what it does not understand. */
static void
check_resolvers(const struct service_reading *r, const struct str_list *list)
{
	size_t i;

	if (list->n > NAME_SERVERS_MOST)
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_RESOLVERS,
		    "are %zu; at most %d are used", list->n, NAME_SERVERS_MOST);
	for (i = 0; i < list->n; i++)
		if (!name_server_is_valid(list->v[i]))
			service_reading_tell(r, PROBLEM_ERROR,
			    SERVICE_OPTION_RESOLVERS,
			    "%.*s: wants addresses, as \"10.0.0.53\" or "
			    "\"[fd00::53]:5353\"",
			    STR_ARG(list->v[i]));
}

static bool
is_interface_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '/')
			return false;
	return s.len < IF_NAMESIZE;
}

void
config_check_outward(
    const struct service_reading *r, const struct service_options *o)
{
	check_networks(r, SERVICE_OPTION_ALLOW_ADDRESSES, &o->allow_addresses);
	check_networks(r, SERVICE_OPTION_DENY_ADDRESSES, &o->deny_addresses);
	check_source(r, &o->source);
	check_source_family(r, o);
	check_resolvers(r, &o->resolvers);
	if (!is_interface_name(o->interface))
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_INTERFACE,
		    "wants the name of a network interface, as \"eth1\"");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of services about what stands between us and the server: a parent
 * proxy, a Unix socket.  Whether a file can be read or a socket is there shows
 * when it is used.  Main thread.
 */

#include "base/log.h"
#include "daemon/service_reading.h"
#include "upstream/outward.h"
#include "upstream/parent.h"

static bool
is_given(const struct service_reading *r, enum service_option o)
{
	return service_reading_find(r, o) != NULL;
}

/* Said once when the configuration is read, not for every connection. */
static void
tell_what_is_checked(const struct service_options *o)
{
	/* What it means for a wildcard is told with the service. */
	if (o->proxy_resolve == PROXY_RESOLVE_LOCAL || o->srv ||
	    o->wildcard.len > 0)
		return;
	log_info("services.proxy",
	    "%.*s resolves the names of servers: rules about addresses hold "
	    "for its own address only (proxy_resolve = \"local\" has them "
	    "hold for the servers', too)",
	    STR_ARG(o->proxy));
}

static void
check_proxy(const struct service_reading *r, const struct service_options *o)
{
	struct parent p;
	const char *why;

	if (o->proxy.len == 0)
		return;
	if (parent_parse(o->proxy, &p, &why))
		tell_what_is_checked(o);
	else
		service_reading_tell(
		    r, PROBLEM_ERROR, SERVICE_OPTION_PROXY, "%s", why);
}

static void
check_dial(const struct service_reading *r, const struct service_options *o)
{
	if (o->dial.len == 0)
		return;
	if (outward_unix_path(o->dial).p == NULL)
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_DIAL,
		    "wants \"unix:/PATH\", of at most 107 bytes");
	if (o->proxy.len > 0)
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_DIAL,
		    "no parent proxy leads to a Unix socket: take one of dial "
		    "and proxy out");
}

void
config_check_parent(
    const struct service_reading *r, const struct service_options *o)
{
	check_proxy(r, o);
	check_dial(r, o);
	if (is_given(r, SERVICE_OPTION_PROXY_AUTH_FILE) &&
	    o->proxy_auth_file.len > 0 && o->proxy_auth_file.p[0] != '/')
		service_reading_tell(r, PROBLEM_ERROR,
		    SERVICE_OPTION_PROXY_AUTH_FILE, "wants an absolute path");
}

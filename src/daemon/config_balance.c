/* SPDX-License-Identifier: Apache-2.0 */
/* Options of services about the choice of endpoints.  Main thread. */

#include "daemon/service_reading.h"
#include "policy/hash_key.h"
#include "policy/zone_order.h"

static void
check_zones(const struct service_reading *r, const struct service_options *o)
{
	size_t i;

	for (i = 0; i < o->balance_zones.n; i++)
		if (!zone_rule_is_good(o->balance_zones.v[i]))
			service_reading_tell(r, PROBLEM_ERROR,
			    SERVICE_OPTION_BALANCE_ZONES,
			    "%.*s: wants \"any\", \"none\", \"only ZONE\" or "
			    "\"except ZONE\", with a space before each zone",
			    STR_ARG(o->balance_zones.v[i]));
}

void
config_check_balance(
    const struct service_reading *r, const struct service_options *o)
{
	struct hash_key k;
	size_t i;

	check_zones(r, o);
	if (o->balance_hash.n == 0)
		service_reading_tell(r, PROBLEM_ERROR,
		    SERVICE_OPTION_BALANCE_HASH,
		    "wants one thing to go by at least, as \"caller\"; "
		    "\"random\" is a policy");
	for (i = 0; i < o->balance_hash.n; i++)
		if (!hash_key_parse(o->balance_hash.v[i], &k))
			service_reading_tell(r, PROBLEM_ERROR,
			    SERVICE_OPTION_BALANCE_HASH,
			    "%.*s: wants \"caller\", \"source\", "
			    "\"header:NAME\", \"cookie:NAME [ttl=SECONDS "
			    "[path=PATH]]\", \"query:NAME\", \"path\" or "
			    "\"host\", and perhaps \" terminal\" behind it",
			    STR_ARG(o->balance_hash.v[i]));
}

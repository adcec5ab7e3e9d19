/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entry an option of a service comes from.  How entries are read is in
 * daemon/config_services.c.  Pure, any thread.
 */

#include "policy/service_options.h"

const char *
forwarded_for_name(enum forwarded_for f)
{
	switch (f) {
	case FORWARDED_FOR_KEEP:
		return "keep";
	case FORWARDED_FOR_APPEND:
		return "append";
	case FORWARDED_FOR_REMOVE:
		return "remove";
	}
	return "?";
}

static const struct str standard_upgrades[] = { { "websocket", 9 } };

static const struct service_options standard = {
	.upgrades = standard_upgrades,
	.n_upgrades = ARRAY_LEN(standard_upgrades),
};

static bool
is_meant(struct str wanted, struct str name)
{
	return wanted.len == 0 || str_eq(wanted, name);
}

bool
service_entry_matches(
    const struct service_entry *e, struct str mesh, struct str service)
{
	return is_meant(e->mesh, mesh) && is_meant(e->service, service);
}

bool
service_entry_has(const struct service_entry *e, enum service_option o)
{
	return (e->given & 1u << o) != 0;
}

/* More is more specific. */
static unsigned
rank_of(const struct service_entry *e)
{
	return (e->service.len > 0 ? 2u : 0u) + (e->mesh.len > 0 ? 1u : 0u);
}

static void
note_better(const struct service_entry *e, const struct service_entry **best)
{
	unsigned o;

	for (o = 0; o < SERVICE_OPTION_N; o++)
		if (service_entry_has(e, o) &&
		    (best[o] == NULL || rank_of(e) > rank_of(best[o])))
			best[o] = e;
}

static void
take(enum service_option o, const struct service_options *from,
    struct service_options *to)
{
	switch (o) {
	case SERVICE_OPTION_HOST:
		to->host = from->host;
		to->host_name = from->host_name;
		break;
	case SERVICE_OPTION_HTTP2_FALLBACK:
		to->http2_fallback = from->http2_fallback;
		break;
	case SERVICE_OPTION_UPGRADES:
		to->upgrades = from->upgrades;
		to->n_upgrades = from->n_upgrades;
		break;
	case SERVICE_OPTION_FORWARDED_FOR:
		to->forwarded_for = from->forwarded_for;
		break;
	case SERVICE_OPTION_FORWARD_CLIENT_CERT:
		to->forwards_client_cert = from->forwards_client_cert;
		break;
	case SERVICE_OPTION_VIA:
		to->via = from->via;
		break;
	case SERVICE_OPTION_SERVER:
		to->server = from->server;
		break;
	case SERVICE_OPTION_REQUEST_MS:
		to->request_ms = from->request_ms;
		break;
	case SERVICE_OPTION_N:
		break;
	}
}

void
service_options_of(const struct service_entry *entries, size_t n,
    struct str mesh, struct str service, struct service_options *out)
{
	const struct service_entry *best[SERVICE_OPTION_N] = { NULL };
	unsigned o;
	size_t i;

	for (i = 0; i < n; i++)
		if (service_entry_matches(&entries[i], mesh, service))
			note_better(&entries[i], best);
	*out = standard;
	for (o = 0; o < SERVICE_OPTION_N; o++)
		if (best[o] != NULL)
			take(o, &best[o]->options, out);
}

bool
service_options_allow_upgrade(const struct service_options *o, struct str token)
{
	size_t i;

	for (i = 0; i < o->n_upgrades; i++)
		if (str_eq_nocase(o->upgrades[i], token))
			return true;
	return false;
}

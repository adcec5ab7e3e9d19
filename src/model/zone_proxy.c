/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a ZoneIngress and a ZoneEgress may say: where they listen, what other
 * zones dial, which services an ingress has.  Main thread.
 */

#include "model/zone_proxy.h"

#include <stdio.h>

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/scalar.h"
#include "model/target_bind.h"

#define IN(field) offsetof(struct zone_ingress, field)
#define OUT(field) offsetof(struct zone_egress, field)
#define SERVICE(field) offsetof(struct available_service, field)

static const struct bind service_rows[] = {
	{ .key = "tags", .type = BIND_TAGS, .offset = SERVICE(tags) },
	{ .key = "mesh", .type = BIND_STR, .offset = SERVICE(mesh) },
	{ .key = "instances",
	    .type = BIND_UNSIGNED,
	    .offset = SERVICE(instances) },
	{ .key = "externalService",
	    .type = BIND_BOOL,
	    .offset = SERVICE(is_external) },
	{ .type = BIND_END },
};

static const struct bind ingress_admin_rows[] = {
	{ .key = "port", .type = BIND_PORT, .offset = IN(admin_port) },
	{ .type = BIND_END },
};

static const struct bind ingress_networking_rows[] = {
	{ .key = "address", .type = BIND_STR, .offset = IN(address) },
	{ .key = "port", .type = BIND_PORT, .offset = IN(port) },
	{ .key = "advertisedAddress",
	    .type = BIND_STR,
	    .offset = IN(advertised_address) },
	{ .key = "advertisedPort",
	    .type = BIND_PORT,
	    .offset = IN(advertised_port) },
	{ .key = "admin", .type = BIND_STRUCT, .sub = ingress_admin_rows },
	{ .type = BIND_END },
};

const struct bind zone_ingress_bind[] = {
	{ .key = "zone", .type = BIND_STR, .offset = IN(zone) },
	{ .key = "networking",
	    .type = BIND_STRUCT,
	    .sub = ingress_networking_rows },
	{ .key = "availableServices",
	    .type = BIND_LIST,
	    .offset = IN(services),
	    .n_offset = IN(n_services),
	    .has_offset = IN(has_available_services),
	    .size = sizeof(struct available_service),
	    .sub = service_rows },
	{ .type = BIND_END },
};

static const struct bind egress_admin_rows[] = {
	{ .key = "port", .type = BIND_PORT, .offset = OUT(admin_port) },
	{ .type = BIND_END },
};

static const struct bind egress_networking_rows[] = {
	{ .key = "address", .type = BIND_STR, .offset = OUT(address) },
	{ .key = "port", .type = BIND_PORT, .offset = OUT(port) },
	{ .key = "admin", .type = BIND_STRUCT, .sub = egress_admin_rows },
	{ .type = BIND_END },
};

const struct bind zone_egress_bind[] = {
	{ .key = "zone", .type = BIND_STR, .offset = OUT(zone) },
	{ .key = "networking",
	    .type = BIND_STRUCT,
	    .sub = egress_networking_rows },
	{ .type = BIND_END },
};

static void
complain(struct problems *pr, const char *path, const char *why)
{
	problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "%s", why);
}

static void
check_address(struct str address, const char *path, struct problems *pr)
{
	if (address.len == 0)
		return;
	if (is_any_address(address))
		complain(pr, path, "must not be 0.0.0.0 or ::");
	else if (!is_ip_address(address) && !is_dns_name(address))
		complain(pr, path,
		    "address has to be valid IP address or domain name");
}

static void
check_listener(
    struct str address, uint16_t port, uint16_t admin_port, struct problems *pr)
{
	bool is_local = is_loopback_address(address) ||
			is_any_address(address) ||
			str_eq(address, STR("localhost"));

	if (port == 0)
		complain(pr, "networking.port",
		    "port must be in the range [1, 65535]");
	else if (admin_port == port && is_local)
		complain(pr, "networking.admin.port",
		    "must differ from networking.port");
	check_address(address, "networking.address", pr);
}

static void
check_advertised(const struct zone_ingress *zi, struct problems *pr)
{
	bool has_address = zi->advertised_address.len > 0;
	bool has_port = zi->advertised_port > 0;

	check_address(
	    zi->advertised_address, "networking.advertisedAddress", pr);
	if (has_address && !has_port)
		complain(pr, "networking.advertisedPort",
		    "has to be defined with advertisedAddress");
	if (has_port && !has_address)
		complain(pr, "networking.advertisedAddress",
		    "has to be defined with advertisedPort");
}

void
zone_ingress_check(struct resource *r, struct problems *pr)
{
	struct zone_ingress *zi = r->spec;
	char path[64];
	size_t i;

	check_listener(zi->address, zi->port, zi->admin_port, pr);
	check_advertised(zi, pr);
	for (i = 0; i < zi->n_services; i++) {
		snprintf(path, sizeof(path), "availableServices[%zu].tags", i);
		if (tags_get(&zi->services[i].tags, STR("kuma.io/service"))
			.len == 0)
			complain(pr, path,
			    "mandatory tag \"kuma.io/service\" is missing");
	}
}

void
zone_egress_check(struct resource *r, struct problems *pr)
{
	struct zone_egress *ze = r->spec;

	check_listener(ze->address, ze->port, ze->admin_port, pr);
}

const struct zone_ingress *
zone_ingress_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_ZONE_INGRESS ? r->spec : NULL;
}

const struct zone_egress *
zone_egress_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_ZONE_EGRESS ? r->spec : NULL;
}

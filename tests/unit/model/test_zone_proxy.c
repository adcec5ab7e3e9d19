/* SPDX-License-Identifier: Apache-2.0 */
/* ZoneEgress and ZoneIngress. */

#include "model/zone_proxy.h"
#include "unit/model/model_load.h"

#define EGRESS "type: ZoneEgress\nname: ze\n"
#define INGRESS "type: ZoneIngress\nname: zi\n"

Test(zone_proxy, every_field_is_read)
{
	struct store *st = load(EGRESS
	    "zone: eu\n"
	    "networking: {address: 10.0.0.1, port: 10002, admin: {port: 1}}\n"
	    "---\n" INGRESS "zone: us\n"
	    "networking: {address: 10.0.0.2, port: 10001,\n"
	    "  advertisedAddress: in.example, advertisedPort: 20001}\n"
	    "availableServices:\n"
	    "- {tags: {kuma.io/service: a, version: v1}, mesh: m, "
	    "instances: 3}\n"
	    "- {tags: {kuma.io/service: b}, mesh: m, instances: \"2\", "
	    "externalService: true}\n");
	const struct zone_egress *ze =
	    zone_egress_of(find(st, KIND_ZONE_EGRESS, "", "ze"));
	const struct zone_ingress *zi =
	    zone_ingress_of(find(st, KIND_ZONE_INGRESS, "", "zi"));

	cr_expect_eq(store_problems(st)->n, 0u);
	cr_assert_not_null(ze);
	expect_str(ze->zone, "eu");
	expect_str(ze->address, "10.0.0.1");
	cr_expect_eq(ze->port, 10002);
	cr_assert_not_null(zi);
	expect_str(zi->zone, "us");
	expect_str(zi->advertised_address, "in.example");
	cr_expect_eq(zi->advertised_port, 20001);
	cr_expect(zi->has_available_services);
	cr_assert_eq(zi->n_services, 2u);
	cr_expect_eq(zi->services[0].tags.n, 2u);
	cr_expect_eq(zi->services[0].instances, 3u);
	cr_expect_not(zi->services[0].is_external);
	cr_expect_eq(zi->services[1].instances, 2u);
	cr_expect(zi->services[1].is_external);
	expect_str(zi->services[1].mesh, "m");
	store_free(st);
}

Test(zone_proxy, an_ingress_may_leave_its_services_out)
{
	struct store *st = load(INGRESS "networking: {port: 10001}\n");
	const struct zone_ingress *zi =
	    zone_ingress_of(find(st, KIND_ZONE_INGRESS, "", "zi"));

	cr_assert_not_null(zi);
	cr_expect_not(zi->has_available_services);
	cr_expect_eq(zi->zone.len, 0u);
	store_free(st);
}

#define NET(text) "networking: {" text "}\n"

Test(zone_proxy, what_is_refused)
{
	static const struct wrong rows[] = {
		{ "good", EGRESS NET("address: 10.0.0.1, port: 10002"), "",
		    "" },
		{ "a name", EGRESS NET("address: ze.example, port: 1"), "",
		    "" },
		{ "no address", EGRESS NET("port: 10002"), "", "" },
		{ "nothing", EGRESS, "networking.port", "" },
		{ "no port", EGRESS NET("address: 10.0.0.1"), "networking.port",
		    "" },
		{ "port too high", EGRESS NET("port: 65536"), "networking.port",
		    "" },
		{ "any address", EGRESS NET("address: 0.0.0.0, port: 1"),
		    "networking.address", "" },
		{ "any IPv6 address", EGRESS NET("address: \"::\", port: 1"),
		    "networking.address", "" },
		{ "no address at all", EGRESS NET("address: \"..\", port: 1"),
		    "networking.address", "" },
		{ "admin on the same loopback port",
		    EGRESS NET("address: 127.0.0.1, port: 9901, "
			       "admin: {port: 9901}"),
		    "networking.admin.port", "" },
		{ "admin on another interface",
		    EGRESS NET("address: 10.0.0.1, port: 9901, "
			       "admin: {port: 9901}"),
		    "", "" },
		{ "ingress without port", INGRESS, "networking.port", "" },
		{ "advertised address alone",
		    INGRESS NET("port: 1, advertisedAddress: 10.0.0.1"),
		    "networking.advertisedPort", "" },
		{ "advertised port alone",
		    INGRESS NET("port: 1, advertisedPort: 1"),
		    "networking.advertisedAddress", "" },
		{ "advertised port too high",
		    INGRESS NET("port: 1, advertisedAddress: 10.0.0.1, "
				"advertisedPort: 70000"),
		    "networking.advertisedPort", "" },
		{ "advertised any",
		    INGRESS NET("port: 1, advertisedAddress: 0.0.0.0, "
				"advertisedPort: 1"),
		    "networking.advertisedAddress", "" },
		{ "service without its tag",
		    INGRESS NET("port: 1") "availableServices: [{tags: {a: b}, "
					   "mesh: m}]\n",
		    "availableServices[0].tags", "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

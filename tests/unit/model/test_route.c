/* SPDX-License-Identifier: Apache-2.0 */
/* Routes, of which only the destinations count; and Dataplanes' services. */

#include "model/dataplane.h"
#include "model/route.h"
#include "unit/model/model_load.h"

/* "service{k=v} …" of all destinations; to free(). */
static char *
destinations(const struct store *st, enum kind kind)
{
	struct text out = TEXT_EMPTY;
	const struct resource *const *list;
	const struct route_destination *d;
	size_t n, i, k;

	list = store_list(st, kind, &n);
	cr_assert_eq(n, 1u);
	for (i = 0; i < route_of(list[0])->n_destinations; i++) {
		d = &route_of(list[0])->destinations[i];
		text_addf(
		    &out, "%s%.*s", i > 0 ? " " : "", STR_ARG(d->service));
		for (k = 0; k < d->tags.n; k++)
			text_addf(&out, "{%.*s=%.*s}",
			    STR_ARG(d->tags.v[k].key),
			    STR_ARG(d->tags.v[k].value));
	}
	return text_take(&out);
}

static void
expect_destinations(enum kind kind, const char *text, const char *expected)
{
	struct store *st = load(text);
	char *got = destinations(st, kind);

	cr_expect_str_eq(got, expected, "%s", got);
	free(got);
	store_free(st);
}

#define TR                                               \
	"type: TrafficRoute\nname: r\n"                  \
	"sources: [{match: {kuma.io/service: \"*\"}}]\n" \
	"destinations: [{match: {kuma.io/service: not-this}}]\n"

Test(route, legacy_destinations)
{
	expect_destinations(KIND_TRAFFIC_ROUTE,
	    TR "conf: {loadBalancer: {roundRobin: {}}, destination: "
	       "{kuma.io/service: a, version: v1}}\n",
	    "a{version=v1}");
}

Test(route, legacy_splits_and_http)
{
	expect_destinations(KIND_TRAFFIC_ROUTE,
	    TR "conf:\n"
	       "  split:\n"
	       "  - {weight: 1, destination: {kuma.io/service: b}}\n"
	       "  - {weight: 1, destination: {kuma.io/service: c}}\n"
	       "  http:\n"
	       "  - match: {path: {prefix: /}}\n"
	       "    destination: {kuma.io/service: d}\n"
	       "  - split: [{weight: 1, destination: {kuma.io/service: e}}]\n"
	       "  destination: {kuma.io/service: \"*\"}\n",
	    "* b c d e");
}

#define HTTP_ROUTE                                                         \
	"type: MeshHTTPRoute\nname: r\nspec:\n  targetRef: {kind: Mesh}\n" \
	"  to:\n  - targetRef: {kind: MeshService, name: not-this}\n"      \
	"    rules:\n"

Test(route, http_backends_and_mirrors)
{
	expect_destinations(KIND_MESH_HTTP_ROUTE,
	    HTTP_ROUTE
	    "    - matches: [{path: {type: PathPrefix, value: /}}]\n"
	    "      default:\n"
	    "        backendRefs:\n"
	    "        - {kind: MeshService, name: a, weight: 1}\n"
	    "        - {kind: MeshServiceSubset, name: b, tags: {v: \"2\"}}\n"
	    "        - {kind: MeshExternalService, name: not-this}\n"
	    "        filters:\n"
	    "        - type: RequestMirror\n"
	    "          requestMirror: {backendRef: {kind: MeshService, "
	    "name: m}}\n"
	    "        - type: RequestRedirect\n"
	    "    - default:\n"
	    "        backendRefs: [{kind: MeshSubset, tags: {v: x}}]\n",
	    "a b{v=2} m *{v=x}");
}

Test(route, tcp_backends)
{
	expect_destinations(KIND_MESH_TCP_ROUTE,
	    "type: MeshTCPRoute\nname: r\nspec:\n  to:\n  - rules:\n"
	    "    - default: {backendRefs: [{kind: MeshService, name: a},"
	    " {kind: Mesh}, {kind: MeshService, labels: {x: y}}]}\n",
	    "a *");
}

Test(route, what_is_refused)
{
	static const struct wrong rows[] = {
		{ "destination without service",
		    TR "conf: {split: [{destination: {version: v1}}]}\n",
		    "conf.split[0].destination", "" },
		{ "conf of the wrong type", TR "conf: []\n", "conf", "" },
		{ "no destination", TR "conf: {}\n", "", "conf" },
		{ "name is a number",
		    HTTP_ROUTE "    - default: {backendRefs: [{kind: "
			       "MeshService, name: 5}]}\n",
		    "spec.to[0].rules[0].default.backendRefs[0].name", "" },
		{ "to is a map",
		    "type: MeshTCPRoute\nname: r\nspec: {to: {}}\n", "spec.to",
		    "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

Test(dataplane, services_of_inbounds)
{
	struct store *st = load(
	    "type: Dataplane\nmesh: m\nname: d\nnetworking:\n"
	    "  address: 10.0.0.1\n"
	    "  inbound:\n"
	    "  - {port: 1, tags: {kuma.io/service: a, kuma.io/protocol: tcp}}\n"
	    "  - {port: 2}\n"
	    "  - {port: 3, tags: {kuma.io/service: b}}\n"
	    "  outbound: [{port: 4, tags: {kuma.io/service: not-this}}]\n");
	const struct dataplane *dp =
	    dataplane_of(find(st, KIND_DATAPLANE, "m", "d"));

	cr_assert_not_null(dp);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_assert_eq(dp->n_services, 2u);
	expect_str(dp->services[0], "a");
	expect_str(dp->services[1], "b");
	store_free(st);
}

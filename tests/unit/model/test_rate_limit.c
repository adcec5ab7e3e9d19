/* SPDX-License-Identifier: Apache-2.0 */
/* RateLimit and MeshRateLimit: what is read, and what Kuma refuses. */

#include "model/rate_limit.h"
#include "unit/model/model_load.h"

#define RL "type: RateLimit\nmesh: shop\nname: l\n"
#define BOTH                                           \
	"sources: [{match: {kuma.io/service: web}}]\n" \
	"destinations: [{match: {kuma.io/service: pay}}]\n"
#define HTTP(more) "conf: {http: {requests: 5, interval: 10s" more "}}\n"
#define REPLY(what) HTTP(", onRateLimit: {" what "}")

#define MRL "type: MeshRateLimit\nmesh: shop\nname: l\nspec:\n"
#define FROM(local)                               \
	MRL "  from: [{targetRef: {kind: Mesh}, " \
	    "default: {local: " local "}}]\n"
#define RATE "requestRate: {num: 5, interval: 1s}"

Test(rate_limit, legacy_is_read)
{
	struct store *st = load(RL BOTH REPLY(
	    "status: 423, headers: [{key: X-A, value: b, append: true}, "
	    "{key: x-c, value: d}]"));
	const struct rate_limit *rl =
	    rate_limit_of(find(st, KIND_RATE_LIMIT, "shop", "l"));

	cr_assert_not_null(rl);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect(rl->has_http);
	cr_expect_eq(rl->http.num, 5u);
	cr_expect_eq(rl->http.interval_us, 10000000u);
	cr_expect_eq(rl->http.status, 423u);
	cr_assert_eq(rl->http.n_set, 2u);
	expect_str(rl->http.set[0].name, "X-A");
	cr_expect(rl->http.set[0].is_added);
	cr_expect_not(rl->http.set[1].is_added);
	store_free(st);
}

Test(rate_limit, the_from_form_is_read)
{
	struct store *st = load(
	    FROM("{http: {" RATE ", onRateLimit: {status: 424, headers: "
		 "{set: [{name: x-a, value: b}], add: []}}}, tcp: {disabled: "
		 "false, connectionRate: {num: 7, interval: 51ms}}}"));
	const struct mesh_rate_limit *mrl =
	    mesh_rate_limit_of(find(st, KIND_MESH_RATE_LIMIT, "shop", "l"));
	const struct mrl_from *from;

	cr_assert_not_null(mrl);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_assert_eq(mrl->n_from, 1u);
	from = &mrl->from[0];
	cr_expect(from->has_http && from->has_tcp);
	cr_expect(from->http.has_rate && !from->http.has_disabled);
	cr_expect_eq(from->http.num, 5u);
	cr_expect_eq(from->http.status, 424u);
	cr_expect_eq(from->http.n_set, 1u);
	cr_expect(from->http.has_add);
	cr_expect_eq(from->http.n_add, 0u);
	cr_expect(from->tcp.has_disabled && !from->tcp.is_disabled);
	cr_expect_eq(from->tcp.interval_us, 51000u);
	store_free(st);
}

static const struct wrong legacy[] = {
	{ "as it should be", RL BOTH HTTP(""), "", "" },
	{ "as Kubernetes has it",
	    "apiVersion: kuma.io/v1alpha1\nkind: RateLimit\nmesh: shop\n"
	    "metadata: {name: l}\nspec: {sources: [{match: {kuma.io/service: "
	    "web}}], destinations: [{match: {kuma.io/service: pay}}], conf: "
	    "{http: {requests: 5, interval: 10s}}}\n",
	    "", "" },
	{ "nothing", RL, "conf destinations sources", "" },
	{ "empty selectors",
	    RL "sources: [{match: {}}]\ndestinations: [{match: {a: \"\"}}]\n"
	       "conf: {}\n",
	    "sources[0].match destinations[0].match[\"a\"]", NULL },
	{ "no number", RL BOTH "conf: {http: {interval: 1s}}\n",
	    "conf.http.requests", "" },
	{ "none at all", RL BOTH "conf: {http: {requests: 0, interval: 1s}}\n",
	    "conf.http.requests", "" },
	{ "no interval", RL BOTH "conf: {http: {requests: 1}}\n",
	    "conf.http.interval", "" },
	{ "short interval",
	    RL BOTH "conf: {http: {requests: 1, interval: 50ms}}\n",
	    "conf.http.interval", "" },
	{ "no duration", RL BOTH "conf: {http: {requests: 1, interval: 5 s}}\n",
	    "conf.http.interval", "" },
	{ "long interval",
	    RL BOTH "conf: {http: {requests: 1, interval: 1200h}}\n",
	    "conf.http.interval", "" },
	{ "no status", RL BOTH REPLY("status: 99"),
	    "conf.http.onRateLimit.status", "" },
	{ "no failure", RL BOTH REPLY("status: 200"), "",
	    "conf.http.onRateLimit.status" },
	{ "headers",
	    RL BOTH REPLY("headers: [{value: b}, {key: \"a b\", value: c}, "
			  "{key: Connection, value: close}, {key: "
			  "content_length, value: '1'}, {key: x, value: "
			  "\"a\\r\\nb\"}, {key: x, value: ''}]"),
	    "conf.http.onRateLimit.headers[0] "
	    "conf.http.onRateLimit.headers[1] "
	    "conf.http.onRateLimit.headers[2] "
	    "conf.http.onRateLimit.headers[3] "
	    "conf.http.onRateLimit.headers[4]",
	    "" },
	{ "shadow", RL "labels: {kuma.io/effect: shadow}\n" BOTH HTTP(""), "",
	    "labels[\"kuma.io/effect\"]" },
};

Test(rate_limit, what_legacy_may_not_say)
{
	expect_wrong(legacy, ARRAY_LEN(legacy));
}

#define AT "spec.from[0].default.local"

static const struct wrong newer[] = {
	{ "as it should be", FROM("{http: {" RATE "}}"), "", "" },
	{ "neither form", MRL "  targetRef: {kind: Mesh}\n", "spec", "" },
	{ "both forms", FROM("{http: {" RATE "}}") "  rules: [{default: {}}]\n",
	    "spec", "" },
	{ "rules", MRL "  rules: [{default: {}}]\n", "", "spec.rules" },
	{ "of a gateway",
	    MRL "  targetRef: {kind: MeshGateway, name: g}\n  to: [{}]\n", "",
	    "" },
	{ "of a Dataplane",
	    MRL "  targetRef: {kind: Dataplane}\n  rules: [{}]\n", "",
	    "spec.rules" },
	{ "no local", MRL "  from: [{targetRef: {kind: Mesh}, default: {}}]\n",
	    AT, NULL },
	{ "nothing local", FROM("{tcp: null}"), AT, "" },
	{ "callers",
	    MRL "  from: [{targetRef: {kind: MeshService, name: web}, "
		"default: {local: {tcp: {disabled: true}}}}]\n",
	    "", "" },
	{ "no callers",
	    MRL "  from: [{targetRef: {kind: MeshGateway, name: g}, "
		"default: {local: {tcp: {disabled: true}}}}]\n",
	    "spec.from[0].targetRef.kind", "" },
	{ "callers with a field mistyped",
	    MRL "  from: [{targetRef: {kind: MeshSubset, tag: {a: b}}, "
		"default: {local: {tcp: {disabled: true}}}}]\n",
	    "spec.from[0].targetRef.tag", "" },
	{ "a target with a field mistyped",
	    MRL "  targetRef: {kind: MeshSubset, tag: {a: b}}\n"
		"  from: [{targetRef: {kind: Mesh}, default: {local: {tcp: "
		"{disabled: true}}}}]\n",
	    "spec.targetRef.tag", "" },
	{ "empty http", FROM("{http: {x: 1}}"), AT ".http", NULL },
	{ "empty tcp", FROM("{tcp: {x: 1}}"), AT ".tcp", NULL },
	{ "zero", FROM("{http: {requestRate: {num: 0, interval: 1s}}}"),
	    AT ".http.requestRate.num", "" },
	{ "half a rate", FROM("{tcp: {connectionRate: {num: 1}}}"),
	    AT ".tcp.connectionRate.interval", "" },
	{ "other half", FROM("{tcp: {connectionRate: {interval: 1s}}}"),
	    AT ".tcp.connectionRate.num", "" },
	{ "short interval",
	    FROM("{tcp: {connectionRate: {num: 1, interval: 50ms}}}"),
	    AT ".tcp.connectionRate.interval", "" },
	{ "negative", FROM("{tcp: {connectionRate: {num: -1, interval: 1s}}}"),
	    AT ".tcp.connectionRate.num", "" },
	{ "status", FROM("{http: {onRateLimit: {status: 0}}}"),
	    AT ".http.onRateLimit.status", "" },
	{ "headers",
	    FROM("{http: {onRateLimit: {headers: {set: [{name: Host, value: "
		 "a}], add: [{name: x, value: a}, {name: te, value: b}]}}}}"),
	    AT ".http.onRateLimit.headers.add[1] " AT
	       ".http.onRateLimit.headers.set[0]",
	    "" },
	{ "shadow",
	    "type: MeshRateLimit\nmesh: shop\nname: l\nlabels: "
	    "{kuma.io/effect: shadow}\nspec: {from: [{targetRef: {kind: "
	    "Mesh}, default: {local: {tcp: {disabled: true}}}}]}\n",
	    "", "labels[\"kuma.io/effect\"]" },
};

Test(rate_limit, what_the_newer_kind_may_not_say)
{
	expect_wrong(newer, ARRAY_LEN(newer));
}

Test(rate_limit, messages_say_it_in_words)
{
	struct store *st =
	    load(FROM("{http: {requestRate: {num: 0, interval: 50ms}}}"));
	char *said = print_problems(st);

	cr_expect_not_null(
	    strstr(said, "f.yaml:5: " AT ".http.requestRate.num: "
			 "must be greater than zero"),
	    "%s", said);
	cr_expect_not_null(strstr(said, AT ".http.requestRate.interval: "
					   "must be greater than: 50ms"),
	    "%s", said);
	free(said);
	store_free(st);
}

/* A list that is too long is refused, and so is a document. */
Test(rate_limit, caps)
{
	struct text yaml = TEXT_EMPTY;
	struct store *st;
	char *errors;

	text_add_z(&yaml, RL BOTH "conf: {http: {requests: 5, interval: 1s, "
				  "onRateLimit: {headers: [");
	for (int i = 0; i < 17; i++)
		text_addf(
		    &yaml, "%s{key: x-%d, value: a}", i > 0 ? ", " : "", i);
	text_add_z(&yaml, "]}}}\n---\n" MRL "  from:\n");
	for (int i = 0; i < 257; i++)
		text_add_z(&yaml,
		    "  - {targetRef: {kind: Mesh}, default: {local: {tcp: "
		    "{disabled: true}}}}\n");
	st = load(yaml.p);
	errors = paths_of(st, PROBLEM_ERROR);
	cr_expect_str_eq(errors, "conf.http.onRateLimit.headers spec.from");
	free(errors);
	store_free(st);
	text_free(&yaml);
}

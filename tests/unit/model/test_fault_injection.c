/* SPDX-License-Identifier: Apache-2.0 */
/* FaultInjection and MeshFaultInjection: what is read, what is refused. */

#include "model/fault_injection.h"
#include "unit/model/model_load.h"

#define FI "type: FaultInjection\nmesh: shop\nname: f\n"
#define BOTH                                             \
	"sources: [{match: {kuma.io/service: web}}]\n"   \
	"destinations: [{match: {kuma.io/service: pay, " \
	"kuma.io/protocol: http}}]\n"
#define MFI "type: MeshFaultInjection\nmesh: shop\nname: f\nspec:\n"
#define FROM(http)                                \
	MFI "  from: [{targetRef: {kind: Mesh}, " \
	    "default: {http: " http "}}]\n"

Test(fault_injection, legacy_is_read)
{
	struct store *st =
	    load(FI BOTH "conf: {abort: {httpStatus: 503, percentage: 10}, "
			 "delay: {percentage: 50.5, value: 300ms}, "
			 "responseBandwidth: {percentage: \"20\", limit: 64 "
			 "kbps}}\n");
	const struct fault_injection *fi =
	    fault_injection_of(find(st, KIND_FAULT_INJECTION, "shop", "f"));

	cr_assert_not_null(fi);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect_eq(fi->fault.abort_status, 503u);
	cr_expect_eq(fi->fault.abort_chance, 100000u);
	cr_expect_eq(fi->fault.delay_us, 300000u);
	cr_expect_eq(fi->fault.delay_chance, 505000u);
	cr_expect_eq(fi->fault.bytes_per_s, 8000u);
	cr_expect_eq(fi->fault.bandwidth_chance, 200000u);
	store_free(st);
}

Test(fault_injection, the_from_form_is_read)
{
	struct store *st =
	    load(MFI "  targetRef: {kind: MeshExternalService, name: pay}\n"
		     "  from:\n"
		     "  - targetRef: {kind: MeshService, name: web}\n"
		     "    default: {http: [{abort: {httpStatus: 500, "
		     "percentage: \"2.5\"}}, {delay: {value: 5s, percentage: "
		     "5}}]}\n"
		     "  - targetRef: {kind: Mesh}\n"
		     "    default: {http: []}\n"
		     "  - targetRef: {kind: Mesh}\n"
		     "    default: {}\n");
	const struct mesh_fault_injection *mfi = mesh_fault_injection_of(
	    find(st, KIND_MESH_FAULT_INJECTION, "shop", "f"));

	cr_assert_not_null(mfi);
	cr_expect_eq(store_problems(st)->errors, 0u);
	cr_assert_eq(mfi->n_from, 3u);
	cr_assert_eq(mfi->from[0].n_faults, 2u);
	cr_expect_eq(mfi->from[0].faults[0].abort_chance, 25000u);
	cr_expect_not(mfi->from[0].faults[0].has_delay);
	cr_expect_eq(mfi->from[0].faults[1].delay_us, 5000000u);
	cr_expect(mfi->from[1].has_faults);
	cr_expect_eq(mfi->from[1].n_faults, 0u);
	cr_expect_not(mfi->from[2].has_faults);
	store_free(st);
}

#define CONF(what) FI BOTH "conf: {" what "}\n"

static const struct wrong legacy[] = {
	{ "as it should be", CONF("abort: {httpStatus: 503, percentage: 1}"),
	    "", "" },
	{ "nothing", FI, "conf destinations sources", "" },
	{ "no fault", CONF(""), "conf", NULL },
	{ "no protocol",
	    FI "sources: [{match: {kuma.io/service: web}}]\n"
	       "destinations: [{match: {kuma.io/service: pay}}]\n"
	       "conf: {abort: {httpStatus: 503, percentage: 1}}\n",
	    "destinations[0].match", "" },
	{ "without requests",
	    FI "sources: [{match: {kuma.io/service: web}}]\n"
	       "destinations: [{match: {kuma.io/service: pay, "
	       "kuma.io/protocol: tcp}}]\n"
	       "conf: {abort: {httpStatus: 503, percentage: 1}}\n",
	    "destinations[0].match", "" },
	{ "halves",
	    CONF("abort: {percentage: 1}, delay: {percentage: 1}, "
		 "responseBandwidth: {percentage: 1}"),
	    "conf.abort.httpStatus conf.delay.value "
	    "conf.responseBandwidth.limit",
	    "" },
	{ "other halves",
	    CONF("abort: {httpStatus: 503}, delay: {value: 1s}, "
		 "responseBandwidth: {limit: 1kbps}"),
	    "conf.abort.percentage conf.delay.percentage "
	    "conf.responseBandwidth.percentage",
	    "" },
	{ "shadow",
	    FI "labels: {kuma.io/effect: shadow}\n" BOTH
	       "conf: {abort: {httpStatus: 503, percentage: 1}}\n",
	    "", "labels[\"kuma.io/effect\"]" },
};

Test(fault_injection, what_legacy_may_not_say)
{
	expect_wrong(legacy, ARRAY_LEN(legacy));
}

#define AT "spec.from[0].default.http[0]"

static const struct wrong newer[] = {
	{ "as it should be", FROM("[{delay: {value: 0s, percentage: 0}}]"), "",
	    "" },
	{ "an item without a fault", FROM("[{}]"), "", "" },
	{ "neither form", MFI "  targetRef: {kind: Mesh}\n", "spec", "" },
	{ "callers that cannot be told",
	    MFI "  from: [{targetRef: {kind: Dataplane}, default: {}}]\n",
	    "spec.from[0].targetRef.kind", NULL },
	{ "low status", FROM("[{abort: {httpStatus: 99, percentage: 1}}]"),
	    AT ".abort.httpStatus", "" },
	{ "high status", FROM("[{abort: {httpStatus: 600, percentage: 1}}]"),
	    AT ".abort.httpStatus", "" },
	{ "no end", FROM("[{abort: {httpStatus: 100, percentage: 1}}]"), "",
	    AT ".abort.httpStatus" },
	{ "percentages",
	    FROM("[{abort: {httpStatus: 500, percentage: 101}, delay: {value: "
		 "1s, percentage: \"-1\"}, responseBandwidth: {limit: 1kbps, "
		 "percentage: many}}]"),
	    AT ".abort.percentage " AT ".delay.percentage " AT
	       ".responseBandwidth.percentage",
	    "" },
	{ "delays", FROM("[{delay: {value: -1s, percentage: 1}}]"),
	    AT ".delay.value", "" },
	{ "long delays", FROM("[{delay: {value: 1200h, percentage: 1}}]"),
	    AT ".delay.value", "" },
	{ "limits",
	    FROM("[{responseBandwidth: {limit: 64 bit, percentage: 1}}]"),
	    AT ".responseBandwidth.limit", "" },
	{ "of a gateway",
	    MFI "  targetRef: {kind: MeshGateway, name: g}\n  to: [{}]\n", "",
	    "" },
	{ "rules", MFI "  rules: [{}]\n", "", "spec.rules" },
};

Test(fault_injection, what_the_newer_kind_may_not_say)
{
	expect_wrong(newer, ARRAY_LEN(newer));
}

Test(fault_injection, caps)
{
	struct text yaml = TEXT_EMPTY;
	struct store *st;
	char *errors;

	text_add_z(&yaml, MFI "  from: [{targetRef: {kind: Mesh}, default: "
			      "{http: [{}");
	for (int i = 0; i < 32; i++)
		text_add_z(&yaml, ", {}");
	text_add_z(&yaml, "]}}]\n");
	st = load(yaml.p);
	errors = paths_of(st, PROBLEM_ERROR);
	cr_expect_str_eq(errors, "spec.from[0].default.http");
	free(errors);
	store_free(st);
	text_free(&yaml);
}

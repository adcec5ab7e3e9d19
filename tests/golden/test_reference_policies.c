/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers of Kuma's own case of a MeshCircuitBreaker, where it is at hand
 * (ZEGRESS_REFERENCE): what its plugin writes into Envoy's cluster stands in
 * the options that the same policy has in case 41.
 */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "at.h"
#include "base/xalloc.h"
#include "case.h"
#include "policy/service_option.h"

#define THRESHOLDS "circuitBreakers.thresholds.0."
#define OUTLIER "outlierDetection."

static const struct {
	const char *theirs;
	enum service_option ours;
} rows[] = {
	{ THRESHOLDS "maxConnections", SERVICE_OPTION_BREAKER_CONNECTIONS },
	{ THRESHOLDS "maxPendingRequests", SERVICE_OPTION_BREAKER_PENDING },
	{ THRESHOLDS "maxRequests", SERVICE_OPTION_BREAKER_REQUESTS },
	{ THRESHOLDS "maxRetries", SERVICE_OPTION_BREAKER_RETRIES },
	{ OUTLIER "consecutive5xx", SERVICE_OPTION_OUTLIER_5XX },
	{ OUTLIER "consecutiveGatewayFailure", SERVICE_OPTION_OUTLIER_GATEWAY },
	{ OUTLIER "consecutiveLocalOriginFailure",
	    SERVICE_OPTION_OUTLIER_LOCAL },
	{ OUTLIER "successRateMinimumHosts",
	    SERVICE_OPTION_OUTLIER_RATE_HOSTS },
	{ OUTLIER "successRateRequestVolume",
	    SERVICE_OPTION_OUTLIER_RATE_VOLUME },
	{ OUTLIER "successRateStdevFactor",
	    SERVICE_OPTION_OUTLIER_RATE_FACTOR },
	{ OUTLIER "failurePercentageMinimumHosts",
	    SERVICE_OPTION_OUTLIER_FAILURE_HOSTS },
	{ OUTLIER "failurePercentageRequestVolume",
	    SERVICE_OPTION_OUTLIER_FAILURE_VOLUME },
	{ OUTLIER "failurePercentageThreshold",
	    SERVICE_OPTION_OUTLIER_FAILURE_PERCENT },
	{ OUTLIER "maxEjectionPercent", SERVICE_OPTION_OUTLIER_MOST_PERCENT },
};

static void
compare(struct at cluster, const struct service_options *o)
{
	struct text text = TEXT_EMPTY;
	struct at value;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		value = at_walk(cluster, rows[i].theirs);
		text_clear(&text);
		service_option_print(rows[i].ours, o, &text);
		cr_expect_str_eq(at_text(value), text.p, "%s is %s, ours %s",
		    rows[i].theirs, at_text(value), text.p);
	}
	text_free(&text);
}

Test(reference, numbers_of_a_circuit_breaker)
{
	static const struct build_settings set = { .zone = STR("zone-1") };
	const char *reference = getenv("ZEGRESS_REFERENCE");
	struct problems pr = PROBLEMS_NONE;
	struct text bytes = TEXT_EMPTY;
	const struct service *partner;
	yaml_document_t doc;
	struct snapshot *s;
	struct store *st;
	struct at root;
	char *path;

	if (reference == NULL)
		cr_skip_test("ZEGRESS_REFERENCE names no folder");
	path = xasprintf("%s/kuma-cases/policies/meshcircuitbreaker."
			 "basic-meshexternalservice.egress_cluster.golden.yaml",
	    reference);
	cr_assert(read_whole(path, &bytes), "%s", path);
	cr_assert(at_parse(text_str(&bytes), &doc, &root), "%s", path);
	st = store_new();
	cr_assert(case_load(st, "golden/41-mesh-circuit-breaker"));
	s = snapshot_build(st, &set, NULL, NULL, &pr);
	partner = snapshot_find(s, STR("default/MES/partner"));
	cr_assert_not_null(partner);
	compare(at_walk(root, "resources.0.resource"), partner->options);
	snapshot_unref(s);
	store_free(st);
	yaml_document_delete(&doc);
	text_free(&bytes);
	problems_free(&pr);
	free(path);
}

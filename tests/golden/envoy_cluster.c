/* SPDX-License-Identifier: Apache-2.0 */
/* See envoy_cluster.h. */

#include "envoy_cluster.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lines.h"
#include "model/quantity.h"
#include "policy/service_option.h"

static const char *
or_else(struct at a, const char *standard)
{
	return a.node != NULL ? at_text(a) : standard;
}

static void
add_endpoints(struct at groups, struct str name, struct facts *out)
{
	struct at group, e, place, priority;
	struct lines l = LINES_NONE;
	size_t i, j;

	for (i = 0; (group = at_item(groups, i)).node != NULL; i++)
		for (j = 0;
		     (e = at_item(at_field(group, "lbEndpoints"), j)).node !=
		     NULL;
		     j++) {
			place = at_walk(e, "endpoint.address.socketAddress");
			priority = at_field(group, "priority");
			lines_add(
			    &l, xasprintf("%s:%s*%s%s%s",
				    at_text(at_field(place, "address")),
				    at_text(at_field(place, "portValue")),
				    or_else(at_field(e, "loadBalancingWeight"),
					"1"),
				    priority.node != NULL ? "@" : "",
				    at_text(priority)));
		}
	lines_sort(&l);
	if (l.n > 0)
		facts_add(out, name, "endpoints", lines_take(&l, ","));
}

/* Each name once: Kuma asks for it as a name and as an address. */
static void
add_names(struct at context, struct text *out)
{
	struct at names = at_field(context, "matchTypedSubjectAltNames"), m;
	struct lines l = LINES_NONE;

	for (size_t i = 0; (m = at_item(names, i)).node != NULL; i++) {
		m = at_field(m, "matcher");
		lines_add(&l, at_field(m, "exact").node != NULL
				  ? xstrdup(at_text(at_field(m, "exact")))
				  : xasprintf("prefix:%s",
					at_text(at_field(m, "prefix"))));
	}
	if (l.n == 0)
		lines_add(&l, xstrdup("any"));
	lines_sort(&l);
	lines_join(&l, "+", out);
}

/* TLSv1_2 is 1.2. */
static char *
version_of(struct at version)
{
	const char *s = at_text(version);

	return strncmp(s, "TLSv1_", 6) == 0 ? xasprintf("1.%s", s + 6)
					    : xstrdup("?");
}

static void
add_switches(struct at tls, struct text *out)
{
	struct at common = at_field(tls, "commonTlsContext");
	struct at params = at_field(common, "tlsParams");
	char *least, *most;

	if (at_field(common, "tlsCertificates").node != NULL)
		text_add_z(out, ",client-certificate");
	if (params.node != NULL) {
		least =
		    version_of(at_field(params, "tlsMinimumProtocolVersion"));
		most =
		    version_of(at_field(params, "tlsMaximumProtocolVersion"));
		text_addf(out, ",versions:%s-%s", least, most);
		free(least);
		free(most);
	}
	if (strcmp(at_text(at_field(tls, "allowRenegotiation")), "true") == 0)
		text_add_z(out, ",renegotiation");
}

static void
add_tls(struct at socket, struct str name, struct facts *out)
{
	struct at tls = at_field(socket, "typedConfig");
	struct at context = at_walk(tls, "commonTlsContext.validationContext");
	struct at ca = at_field(context, "trustedCa");
	struct text t = TEXT_EMPTY;

	if (tls.node == NULL)
		return;
	text_addf(&t, "sni:%s,ca:%s,names:", at_text(at_field(tls, "sni")),
	    ca.node == NULL                         ? "none"
	    : at_field(ca, "filename").node != NULL ? "system"
						    : "given");
	add_names(context, &t);
	add_switches(tls, &t);
	facts_add(out, name, "tls", text_take(&t));
}

enum form { FORM_PLAIN, FORM_MS, FORM_LOWER, FORM_PERCENT };

static const struct {
	const char *theirs;
	const char *ours;
	enum form form;
} rows[] = {
#define THRESHOLDS "circuitBreakers.thresholds.0."
	{ THRESHOLDS "maxConnections", "breaker.connections", FORM_PLAIN },
	{ THRESHOLDS "maxPendingRequests", "breaker.pending", FORM_PLAIN },
	{ THRESHOLDS "maxRequests", "breaker.requests", FORM_PLAIN },
	{ THRESHOLDS "maxRetries", "breaker.retries", FORM_PLAIN },
#undef THRESHOLDS
	{ "commonLbConfig.healthyPanicThreshold.value", "balance.panic",
	    FORM_PERCENT },
#define OUTLIER(theirs) "outlierDetection." theirs
	{ OUTLIER("consecutive5xx"), "outlier.consecutive_5xx", FORM_PLAIN },
	{ OUTLIER("consecutiveGatewayFailure"),
	    "outlier.consecutive_gateway_failure", FORM_PLAIN },
	{ OUTLIER("consecutiveLocalOriginFailure"),
	    "outlier.consecutive_local_origin_failure", FORM_PLAIN },
	{ OUTLIER("splitExternalLocalOriginErrors"),
	    "outlier.split_external_local_origin_errors", FORM_PLAIN },
	{ OUTLIER("successRateStdevFactor"),
	    "outlier.success_rate_stdev_factor", FORM_PLAIN },
	{ OUTLIER("successRateMinimumHosts"),
	    "outlier.success_rate_minimum_hosts", FORM_PLAIN },
	{ OUTLIER("successRateRequestVolume"),
	    "outlier.success_rate_request_volume", FORM_PLAIN },
	{ OUTLIER("failurePercentageThreshold"),
	    "outlier.failure_percentage_threshold", FORM_PLAIN },
	{ OUTLIER("failurePercentageMinimumHosts"),
	    "outlier.failure_percentage_minimum_hosts", FORM_PLAIN },
	{ OUTLIER("failurePercentageRequestVolume"),
	    "outlier.failure_percentage_request_volume", FORM_PLAIN },
	{ OUTLIER("interval"), "outlier.interval_ms", FORM_MS },
	{ OUTLIER("baseEjectionTime"), "outlier.base_ejection_ms", FORM_MS },
	{ OUTLIER("maxEjectionPercent"), "outlier.max_ejection_percent",
	    FORM_PLAIN },
#undef OUTLIER
#define CHECK(theirs) "healthChecks.0." theirs
	{ CHECK("interval"), "health.interval_ms", FORM_MS },
	{ CHECK("timeout"), "health.timeout_ms", FORM_MS },
	{ CHECK("unhealthyThreshold"), "health.unhealthy_threshold",
	    FORM_PLAIN },
	{ CHECK("healthyThreshold"), "health.healthy_threshold", FORM_PLAIN },
	{ CHECK("tcpHealthCheck.send.text"), "health.tcp_send", FORM_PLAIN },
	{ CHECK("tcpHealthCheck.receive.0.text"), "health.tcp_receive",
	    FORM_PLAIN },
	{ CHECK("httpHealthCheck.path"), "health.path", FORM_PLAIN },
#undef CHECK
	{ "lbPolicy", "balance.policy", FORM_LOWER },
	{ "leastRequestLbConfig.choiceCount", "balance.choices", FORM_PLAIN },
	{ "ringHashLbConfig.minimumRingSize", "balance.ring_least",
	    FORM_PLAIN },
	{ "ringHashLbConfig.maximumRingSize", "balance.table_size",
	    FORM_PLAIN },
	{ "maglevLbConfig.tableSize", "balance.table_size", FORM_PLAIN },
	{ "loadAssignment.policy.overprovisioningFactor",
	    "balance.overprovisioning", FORM_PLAIN },
};

static char *
put(struct at value, enum form form)
{
	char *text = xstrdup(at_text(value)), *p;
	uint64_t us = 0;

	switch (form) {
	case FORM_PLAIN:
		break;
	case FORM_LOWER:
		for (p = text; *p != '\0'; p++)
			*p = ascii_lower_char(*p);
		break;
	case FORM_PERCENT:
		strtok(text, ".");
		break;
	case FORM_MS:
		if (!parse_go_duration_us(str_of(text), &us))
			abort();
		free(text);
		text = xasprintf("%" PRIu64, us / 1000);
		break;
	}
	return text;
}

/* What is as it is without being said is not said of ours either. */
static bool
is_standard(const char *option, const char *value)
{
	for (size_t i = 0; i < SERVICE_OPTION_N; i++)
		if (strcmp(service_option_rows[i].name, option) == 0)
			return strcmp(service_option_rows[i].standard, value) ==
			       0;
	return false;
}

static void
add_option(const char *option, char *value, struct str name, struct facts *out)
{
	if (is_standard(option, value))
		free(value);
	else
		facts_add(out, name, option, value);
}

static void
add_options(struct at cluster, struct str name, struct facts *out)
{
	static const char *const checks[] = { "tcp", "http", "grpc" };
	struct at value;
	size_t i;
	char *path;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		value = at_walk(cluster, rows[i].theirs);
		if (value.node != NULL)
			add_option(
			    rows[i].ours, put(value, rows[i].form), name, out);
	}
	for (i = 0; i < ARRAY_LEN(checks); i++) {
		path = xasprintf("healthChecks.0.%sHealthCheck", checks[i]);
		if (at_walk(cluster, path).node != NULL)
			add_option(
			    "health.check", xstrdup(checks[i]), name, out);
		free(path);
	}
}

void
envoy_add_cluster(
    struct at cluster, struct at load, struct str name, struct facts *out)
{
	struct at matches = at_field(cluster, "transportSocketMatches"), one;
	bool is_eds = strcmp(at_text(at_field(cluster, "type")), "EDS") == 0;
	struct at factor = at_walk(load, "policy.overprovisioningFactor");

	add_endpoints(is_eds ? at_field(load, "endpoints")
			     : at_walk(cluster, "loadAssignment.endpoints"),
	    name, out);
	if (is_eds && factor.node != NULL)
		add_option("balance.overprovisioning", xstrdup(at_text(factor)),
		    name, out);
	add_tls(at_field(cluster, "transportSocket"), name, out);
	for (size_t i = 0; (one = at_item(matches, i)).node != NULL; i++)
		add_tls(at_field(one, "transportSocket"), name, out);
	add_options(cluster, name, out);
}

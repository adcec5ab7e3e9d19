/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policies about outgoing traffic: what each kind takes, and the field that is
 * named where it does not.
 */

#include "model/mesh_access_log.h"
#include "model/mesh_circuit_breaker.h"
#include "model/mesh_health_check.h"
#include "model/mesh_load_balancing_strategy.h"
#include "model/mesh_retry.h"
#include "model/mesh_timeout.h"
#include "model/outbound_policy.h"
#include "unit/model/model_load.h"

#define DOC(kind) "type: " kind "\nmesh: shop\nname: p\nspec:\n"
#define TO_OF(kind, target, text)              \
	DOC(kind)                              \
	"  to:\n  - targetRef: {" target "}\n" \
	"    default: {" text "}\n"
#define TO(kind, text) TO_OF(kind, "kind: Mesh", text)
#define AT "spec.to[0].default."

static const struct policy_value *
values(struct store *st, enum kind kind)
{
	const struct outbound_policy *p =
	    outbound_policy_of(find(st, kind, "shop", "p"));
	char *all = print_problems(st);

	cr_assert_not_null(p, "%s", all);
	cr_expect_eq(store_problems(st)->n, 0u, "%s", all);
	cr_assert_eq(p->items[OUTBOUND_TO].n, 1u);
	free(all);
	return p->items[OUTBOUND_TO].v[0].v;
}

#define expect_number(v, i, n)                                              \
	cr_expect((v)[i].is_given && (v)[i].number == (n), "%s is %d %llu", \
	    #i, (v)[i].is_given, (unsigned long long)(v)[i].number)

#define MCB(text) TO("MeshCircuitBreaker", text)
#define OUTLIER(text) MCB("outlierDetection: {" text "}")
#define DETECTORS(text) OUTLIER("detectors: {" text "}")
#define IN_OUTLIER AT "outlierDetection."

Test(outbound_policy, circuit_breaker_is_read)
{
	struct store *st = load(
	    MCB("connectionLimits: {maxConnections: 1, maxConnectionPools: 2, "
		"maxPendingRequests: 3, maxRetries: 4, maxRequests: 5}, "
		"outlierDetection: {disabled: true, interval: 10s, "
		"baseEjectionTime: 1m30s, maxEjectionPercent: 88, "
		"splitExternalAndLocalErrors: true, healthyPanicThreshold: "
		"\"30.2\", detectors: {totalFailures: {consecutive: 12}, "
		"gatewayFailures: {}, localOriginFailures: {consecutive: 3}, "
		"successRate: {minimumHosts: 33, requestVolume: 99, "
		"standardDeviationFactor: \"1.9\"}, failurePercentage: "
		"{minimumHosts: 32, requestVolume: 182, threshold: 80}}}"));
	const struct policy_value *v = values(st, KIND_MESH_CIRCUIT_BREAKER);

	expect_number(v, MCB_CONNECTIONS, 1);
	expect_number(v, MCB_POOLS, 2);
	expect_number(v, MCB_PENDING, 3);
	expect_number(v, MCB_RETRIES, 4);
	expect_number(v, MCB_REQUESTS, 5);
	expect_number(v, MCB_DISABLED, 1);
	expect_number(v, MCB_INTERVAL, 10000);
	expect_number(v, MCB_BASE_TIME, 90000);
	expect_number(v, MCB_MOST_PERCENT, 88);
	expect_number(v, MCB_SPLITS, 1);
	expect_number(v, MCB_PANIC, 30200);
	expect_number(v, MCB_TOTAL_N, 12);
	cr_expect(v[MCB_GATEWAY].is_given);
	cr_expect_not(v[MCB_GATEWAY_N].is_given);
	expect_number(v, MCB_LOCAL_N, 3);
	expect_number(v, MCB_RATE_HOSTS, 33);
	expect_number(v, MCB_RATE_VOLUME, 99);
	expect_number(v, MCB_RATE_FACTOR, 1900);
	expect_number(v, MCB_FAILURES_HOSTS, 32);
	expect_number(v, MCB_FAILURES_VOLUME, 182);
	expect_number(v, MCB_FAILURES_PERCENT, 80);
	store_free(st);
}

Test(outbound_policy, circuit_breakers_that_are_refused)
{
	static const struct wrong rows[] = {
		{ "good", MCB("connectionLimits: {maxRetries: 1}"), "", "" },
		{ "nothing", DOC("MeshCircuitBreaker") "  to: []\n", "spec",
		    NULL },
		{ "neither part", MCB(""), "spec.to[0].default", NULL },
		{ "no connections",
		    MCB("connectionLimits: {maxConnections: 0}"),
		    AT "connectionLimits.maxConnections", "" },
		{ "no requests", MCB("connectionLimits: {maxRequests: 0}"),
		    AT "connectionLimits.maxRequests", "" },
		{ "less than none", MCB("connectionLimits: {maxRetries: -1}"),
		    AT "connectionLimits.maxRetries", "" },
		{ "no detectors", OUTLIER("interval: 1s"),
		    IN_OUTLIER "detectors", "" },
		{ "empty detectors", DETECTORS(""), IN_OUTLIER "detectors",
		    "" },
		{ "no interval",
		    OUTLIER("interval: 0s, detectors: "
			    "{totalFailures: {}}"),
		    IN_OUTLIER "interval", "" },
		{ "a number as time",
		    OUTLIER("baseEjectionTime: 5, detectors: "
			    "{totalFailures: {}}"),
		    IN_OUTLIER "baseEjectionTime", "" },
		{ "over all",
		    OUTLIER("maxEjectionPercent: 101, detectors: "
			    "{totalFailures: {}}"),
		    IN_OUTLIER "maxEjectionPercent", "" },
		{ "panic over all",
		    OUTLIER("healthyPanicThreshold: \"100.1\", detectors: "
			    "{totalFailures: {}}"),
		    IN_OUTLIER "healthyPanicThreshold", "" },
		{ "panic is a word",
		    OUTLIER("healthyPanicThreshold: half, detectors: "
			    "{totalFailures: {}}"),
		    IN_OUTLIER "healthyPanicThreshold", "" },
		{ "none in a row",
		    DETECTORS("gatewayFailures: {consecutive: 0}"),
		    IN_OUTLIER "detectors.gatewayFailures.consecutive", "" },
		{ "no deviation",
		    DETECTORS("successRate: {standardDeviationFactor: 0}"),
		    IN_OUTLIER "detectors.successRate.standardDeviationFactor",
		    "" },
		{ "threshold over all",
		    DETECTORS("failurePercentage: {threshold: 101}"),
		    IN_OUTLIER "detectors.failurePercentage.threshold", "" },
		{ "to a route",
		    TO_OF("MeshCircuitBreaker", "kind: MeshHTTPRoute, name: r",
			"connectionLimits: {maxRetries: 1}"),
		    "spec.to[0].targetRef.kind", "" },
		{ "of an external service",
		    DOC("MeshCircuitBreaker") "  targetRef: {kind: "
					      "MeshExternalService, name: a}\n "
					      " to: [{targetRef: {kind: "
					      "Mesh}, default: "
					      "{connectionLimits: {maxRetries: "
					      "1}}}]\n",
		    "spec.targetRef.kind", "" },
		{ "from a service",
		    DOC("MeshCircuitBreaker") "  from: [{targetRef: {kind: "
					      "MeshService, name: a}, default: "
					      "{connectionLimits: "
					      "{maxRetries: 1}}}]\n",
		    "spec.from[0].targetRef.kind", "" },
		{ "from is checked too",
		    DOC("MeshCircuitBreaker") "  from: [{targetRef: {kind: "
					      "Mesh}, default: {}}]\n",
		    "spec.from[0].default", NULL },
		{ "rules and to",
		    MCB("connectionLimits: {maxRetries: 1}") "  rules: "
							     "[{default: "
							     "{connectionLimits"
							     ": {maxRetries: "
							     "1}}}]\n",
		    "spec", "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

#define MHC(text) TO("MeshHealthCheck", text)

Test(outbound_policy, health_check_is_read)
{
	struct store *st = load(
	    MHC("interval: 10s, timeout: 500ms, unhealthyThreshold: 3, "
		"healthyThreshold: 2, initialJitter: 1s, intervalJitter: 2s, "
		"intervalJitterPercent: 7, failTrafficOnPanic: true, "
		"eventLogPath: /tmp/l, alwaysLogHealthCheckFailures: false, "
		"noTrafficInterval: 9s, reuseConnection: true, "
		"tcp: {disabled: true, send: aGk=, receive: [eW8=, eW8=]}, "
		"http: {path: /h, requestHeadersToAdd: {set: []}, "
		"expectedStatuses: [200, 599]}, grpc: {serviceName: s, "
		"authority: a}"));
	const struct policy_value *v = values(st, KIND_MESH_HEALTH_CHECK);
	const unsigned *statuses = v[MHC_HTTP_STATUSES].list.items;

	expect_number(v, MHC_INTERVAL, 10000);
	expect_number(v, MHC_TIMEOUT, 500);
	expect_number(v, MHC_UNHEALTHY, 3);
	expect_number(v, MHC_HEALTHY, 2);
	expect_number(v, MHC_JITTER, 2000);
	expect_number(v, MHC_JITTER_PERCENT, 7);
	expect_number(v, MHC_TCP_DISABLED, 1);
	cr_assert_eq(v[MHC_TCP_RECEIVE].list.n, 2u);
	expect_str(v[MHC_HTTP_PATH].text, "/h");
	cr_expect(v[MHC_HTTP_HEADERS].is_given);
	cr_assert_eq(v[MHC_HTTP_STATUSES].list.n, 2u);
	cr_expect_eq(statuses[1], 599u);
	expect_str(v[MHC_GRPC_SERVICE].text, "s");
	expect_str(v[MHC_GRPC_AUTHORITY].text, "a");
	store_free(st);
}

Test(outbound_policy, health_checks_that_are_refused)
{
	static const struct wrong rows[] = {
		{ "good", MHC("tcp: {disabled: false}"), "", "" },
		{ "no kind of check", MHC("interval: 1s"), "spec.to[0].default",
		    "" },
		{ "no interval", MHC("interval: 0s, tcp: {disabled: false}"),
		    AT "interval", "" },
		{ "no timeout", MHC("timeout: 0s, tcp: {disabled: false}"),
		    AT "timeout", "" },
		{ "never unhealthy",
		    MHC("unhealthyThreshold: 0, tcp: {disabled: false}"),
		    AT "unhealthyThreshold", "" },
		{ "never healthy",
		    MHC("healthyThreshold: -3, tcp: {disabled: false}"),
		    AT "healthyThreshold", "" },
		{ "much jitter",
		    MHC("intervalJitterPercent: 101, tcp: {disabled: false}"),
		    AT "intervalJitterPercent", "" },
		{ "no jitter",
		    MHC("initialJitter: 0s, intervalJitter: 0s, tcp: "
			"{disabled: false}"),
		    AT "initialJitter " AT "intervalJitter", "" },
		{ "a log that is no path",
		    MHC("eventLogPath: '#x', tcp: {disabled: false}"),
		    AT "eventLogPath", "" },
		{ "no path", MHC("http: {path: ''}"), AT "http.path", "" },
		{ "a status of no answer",
		    MHC("http: {expectedStatuses: [99, 200, 600]}"),
		    AT "http.expectedStatuses[0] " AT
		       "http.expectedStatuses[2]",
		    "" },
		{ "from is unknown",
		    MHC("tcp: {disabled: false}") "  from: []\n", "",
		    "spec.from" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

#define MLBS(text) TO("MeshLoadBalancingStrategy", text)
#define CROSS(text) MLBS("localityAwareness: {crossZone: {" text "}}")
#define FAILOVER(text) CROSS("failover: [{" text "}]")
#define IN_CROSS AT "localityAwareness.crossZone."
#define HASH(text) MLBS("hashPolicies: [{" text "}]")

Test(outbound_policy, load_balancing_is_read)
{
	struct store *st = load(MLBS(
	    "localityAwareness: {disabled: false, localZone: {affinityTags: "
	    "[{key: k, weight: 3}]}, crossZone: {failover: [{from: {zones: "
	    "[a]}, to: {type: Only, zones: [b, c]}}, {to: {type: Any}}], "
	    "failoverThreshold: {percentage: \"70.5\"}}}, loadBalancer: "
	    "{type: RingHash, ringHash: {hashFunction: XXHash, minRingSize: "
	    "1, maxRingSize: 1000}}, hashPolicies: [{type: Header, header: "
	    "{name: x-user}, terminal: true}, {type: Connection, connection: "
	    "{sourceIP: true}}]"));
	const struct policy_value *v =
	    values(st, KIND_MESH_LOAD_BALANCING_STRATEGY);
	const struct mlbs_failover *f = v[MLBS_FAILOVER].list.items;
	const struct mlbs_hash *h = v[MLBS_HASH].list.items;

	cr_assert_eq(v[MLBS_FAILOVER].list.n, 2u);
	cr_assert_eq(f[0].n_from, 1u);
	expect_str(f[0].from[0], "a");
	cr_expect_eq(f[0].type, MLBS_ZONES_ONLY);
	cr_assert_eq(f[0].n_zones, 2u);
	expect_str(f[0].zones[1], "c");
	cr_expect_not(f[1].has_from);
	cr_expect_eq(f[1].type, MLBS_ZONES_ANY);
	expect_number(v, MLBS_THRESHOLD, 70500);
	expect_number(v, MLBS_TYPE, MLBS_RING);
	expect_number(v, MLBS_RING_MOST, 1000);
	cr_assert_eq(v[MLBS_HASH].list.n, 2u);
	cr_expect_eq(h[0].type, MLBS_HASH_HEADER);
	cr_expect(h[0].is_terminal);
	expect_str(h[0].name, "x-user");
	cr_expect(h[1].uses_source);
	store_free(st);
}

Test(outbound_policy, load_balancing_that_is_refused)
{
	static const struct wrong rows[] = {
		{ "good", MLBS("loadBalancer: {type: Random}"), "", "" },
		{ "a type that there is not",
		    MLBS("loadBalancer: {type: Best}"), AT "loadBalancer.type",
		    "" },
		{ "a bias below",
		    MLBS("loadBalancer: {type: LeastRequest, leastRequest: "
			 "{activeRequestBias: '-1'}}"),
		    AT "loadBalancer.leastRequest.activeRequestBias", "" },
		{ "no name of a tag",
		    MLBS("localityAwareness: {localZone: {affinityTags: "
			 "[{key: ''}]}}"),
		    AT "localityAwareness.localZone.affinityTags[0].key", "" },
		{ "a weight of nothing",
		    MLBS("localityAwareness: {localZone: {affinityTags: "
			 "[{key: a, weight: 0}]}}"),
		    AT "localityAwareness.localZone.affinityTags[0].weight",
		    "" },
		{ "some weights",
		    MLBS("localityAwareness: {localZone: {affinityTags: "
			 "[{key: a, weight: 1}, {key: b}]}}"),
		    AT "localityAwareness.localZone.affinityTags", "" },
		{ "from no zone",
		    FAILOVER("from: {zones: []}, to: {type: Any}"),
		    IN_CROSS "failover[0].from.zones", "" },
		{ "from a zone without name",
		    FAILOVER("from: {zones: ['']}, to: {type: Any}"),
		    IN_CROSS "failover[0].from.zones[0]", "" },
		{ "Any with zones", FAILOVER("to: {type: Any, zones: [a]}"),
		    IN_CROSS "failover[0].to.zones", "" },
		{ "None with zones", FAILOVER("to: {type: None, zones: [a]}"),
		    IN_CROSS "failover[0].to.zones", "" },
		{ "Only without", FAILOVER("to: {type: Only}"),
		    IN_CROSS "failover[0].to.zones", "" },
		{ "AnyExcept without",
		    FAILOVER("to: {type: AnyExcept, zones: []}"),
		    IN_CROSS "failover[0].to.zones", "" },
		{ "no type", FAILOVER("to: {zones: [a]}"),
		    IN_CROSS "failover[0].to.type", "" },
		{ "a threshold of nothing",
		    CROSS("failoverThreshold: {percentage: 0}"),
		    IN_CROSS "failoverThreshold.percentage", "" },
		{ "a threshold over all",
		    CROSS("failoverThreshold: {percentage: '100.1'}"),
		    IN_CROSS "failoverThreshold.percentage", "" },
		{ "hash of what", HASH("terminal: true"),
		    AT "hashPolicies[0].type", "" },
		{ "hash without header", HASH("type: Header"),
		    AT "hashPolicies[0].header", "" },
		{ "hash without cookie", HASH("type: Cookie"),
		    AT "hashPolicies[0].cookie", "" },
		{ "a path that is none",
		    HASH("type: Cookie, cookie: {name: a, path: x}"),
		    AT "hashPolicies[0].cookie.path", "" },
		{ "hash without query", HASH("type: QueryParameter"),
		    AT "hashPolicies[0].queryParameter", "" },
		{ "hash without state", HASH("type: FilterState"),
		    AT "hashPolicies[0].filterState", "" },
		{ "hash without connection", HASH("type: Connection"),
		    AT "hashPolicies[0].connection", "" },
		{ "hashes twice",
		    MLBS("loadBalancer: {type: Maglev, maglev: "
			 "{hashPolicies: []}}, hashPolicies: []"),
		    AT "loadBalancer.maglev.hashPolicies", "" },
		{ "a route has hashes only",
		    TO_OF("MeshLoadBalancingStrategy",
			"kind: MeshHTTPRoute, name: r",
			"loadBalancer: {type: Random}, localityAwareness: "
			"{disabled: true}"),
		    AT "loadBalancer " AT "localityAwareness", "" },
		{ "zones of a MeshService",
		    TO_OF("MeshLoadBalancingStrategy",
			"kind: MeshService, name: s, sectionName: http",
			"localityAwareness: {crossZone: {failover: []}}"),
		    AT "localityAwareness.crossZone", "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

#define MTO(text) TO("MeshTimeout", text)
#define OF_ROUTE "  targetRef: {kind: MeshHTTPRoute, name: r}\n"

Test(outbound_policy, timeout_is_read)
{
	struct store *st =
	    load(MTO("connectionTimeout: 1.5s, idleTimeout: 1h, http: "
		     "{requestTimeout: 0s, streamIdleTimeout: 10us, "
		     "maxStreamDuration: 2m, maxConnectionDuration: 3m, "
		     "requestHeadersTimeout: 500ms}"));
	const struct policy_value *v = values(st, KIND_MESH_TIMEOUT);

	expect_number(v, MT_CONNECTION, 1500);
	expect_number(v, MT_IDLE, 3600000);
	expect_number(v, MT_REQUEST, 0);
	expect_number(v, MT_STREAM_IDLE, 1);
	expect_number(v, MT_STREAM_LIFE, 120000);
	expect_number(v, MT_CONNECTION_LIFE, 180000);
	expect_number(v, MT_HEADERS, 500);
	store_free(st);
}

Test(outbound_policy, timeouts_that_are_refused)
{
	static const struct wrong rows[] = {
		{ "good", MTO("idleTimeout: 0s"), "", "" },
		{ "a target with a field mistyped",
		    TO_OF("MeshTimeout", "kind: Mesh, namee: s",
			"idleTimeout: 1s"),
		    "spec.to[0].targetRef.namee", "" },
		{ "none", MTO(""), "spec.to[0].default", NULL },
		{ "an empty section", MTO("http: {requestHeadersTimeout: 1s}"),
		    AT "http", "" },
		{ "no time to connect", MTO("connectionTimeout: 0s"),
		    AT "connectionTimeout", "" },
		{ "below none", MTO("http: {requestTimeout: -1s}"),
		    AT "http.requestTimeout", "" },
		{ "no unit", MTO("idleTimeout: '5'"), AT "idleTimeout", "" },
		{ "of a route",
		    DOC("MeshTimeout") OF_ROUTE
		    "  to: [{targetRef: {kind: Mesh}, default: "
		    "{connectionTimeout: 1s, idleTimeout: 1s, http: "
		    "{maxStreamDuration: 1s, maxConnectionDuration: 1s}}}]\n",
		    AT "connectionTimeout " AT "http.maxConnectionDuration " AT
		       "http.maxStreamDuration " AT "idleTimeout",
		    "" },
		{ "of a route to a service",
		    DOC("MeshTimeout") OF_ROUTE
		    "  to: [{targetRef: {kind: MeshService, name: s}, default: "
		    "{http: {requestTimeout: 1s}}}]\n",
		    "spec.to[0].targetRef.kind", "" },
		{ "no item", DOC("MeshTimeout") "  targetRef: {kind: Mesh}\n",
		    "spec", "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

#define MRE(text) TO("MeshRetry", text)

Test(outbound_policy, retry_is_read)
{
	struct store *st = load(MRE(
	    "tcp: {maxConnectAttempt: 5}, http: {numRetries: 3, "
	    "perTryTimeout: 2s, backOff: {baseInterval: 1s}, retryOn: [5xx, "
	    "HttpMethodGet, '429'], hostSelection: [{predicate: "
	    "OmitPreviousHosts}], hostSelectionMaxAttempts: 2}, grpc: "
	    "{retryOn: [Unavailable], rateLimitedBackOff: {resetHeaders: "
	    "[{name: a, format: Seconds}]}}"));
	const struct policy_value *v = values(st, KIND_MESH_RETRY);

	expect_number(v, MR_TCP_ATTEMPTS, 5);
	expect_number(v, MR_HTTP_RETRIES, 3);
	expect_number(v, MR_HTTP_PER_TRY, 2000);
	cr_expect_eq(v[MR_HTTP_RETRY_ON].list.n, 3u);
	cr_expect(v[MR_GRPC_LIMITED_HEADERS].is_given);
	store_free(st);
}

Test(outbound_policy, retries_that_are_refused)
{
	static const struct wrong rows[] = {
		{ "good", MRE("tcp: {maxConnectAttempt: 1}"), "", "" },
		{ "none", MRE(""), "spec.to[0].default", NULL },
		{ "empty parts", MRE("tcp: {}, http: {}, grpc: {}"),
		    AT "grpc " AT "http " AT "tcp", "" },
		{ "no attempt", MRE("tcp: {maxConnectAttempt: 0}"),
		    AT "tcp.maxConnectAttempt", "" },
		{ "an empty back-off", MRE("http: {backOff: {}}"),
		    AT "http.backOff", "" },
		{ "no headers of a limit",
		    MRE("grpc: {rateLimitedBackOff: {maxInterval: 0s}}"),
		    AT "grpc.rateLimitedBackOff.maxInterval " AT
		       "grpc.rateLimitedBackOff.resetHeaders",
		    "" },
		{ "a header without name",
		    MRE("http: {rateLimitedBackOff: {resetHeaders: [{format: "
			"Seconds}]}}"),
		    AT "http.rateLimitedBackOff.resetHeaders[0].name", "" },
		{ "what is unknown", MRE("http: {retryOn: [5xx, Maybe, '99']}"),
		    AT "http.retryOn[1] " AT "http.retryOn[2]", "" },
		{ "what is unknown of gRPC", MRE("grpc: {retryOn: [5xx]}"),
		    AT "grpc.retryOn[0]", "" },
		{ "hosts",
		    MRE("http: {hostSelection: [{predicate: "
			"OmitHostsWithTags}, {predicate: X}, {predicate: "
			"OmitPreviousPriorities, updateFrequency: 1}, "
			"{predicate: OmitPreviousPriorities, "
			"updateFrequency: 0}]}"),
		    AT "http.hostSelection[0].tags " AT
		       "http.hostSelection[1].predicate " AT
		       "http.hostSelection[3].predicate " AT
		       "http.hostSelection[3].updateFrequency",
		    "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

#define MAL(text) TO("MeshAccessLog", "backends: [{" text "}]")
#define IN_LOG AT "backends[0]."

Test(outbound_policy, access_log_is_read)
{
	struct store *st = load(
	    MAL("type: File, file: {path: /dev/stdout, format: {type: Json, "
		"json: [{key: a, value: '%RESPONSE_CODE%'}], "
		"omitEmptyValues: true}}"));
	const struct policy_value *v = values(st, KIND_MESH_ACCESS_LOG);
	const struct mal_backend *backend = v[MAL_BACKENDS].list.items;

	cr_assert_eq(v[MAL_BACKENDS].list.n, 1u);
	cr_expect_eq(backend->type, MAL_FILE);
	expect_str(backend->address, "/dev/stdout");
	cr_expect_eq(backend->format, MAL_FORMAT_JSON);
	cr_assert_eq(backend->n_fields, 1u);
	expect_str(backend->fields[0].value, "%RESPONSE_CODE%");
	cr_expect(backend->omits_empty);
	store_free(st);
}

Test(outbound_policy, access_logs_that_are_refused)
{
	static const struct wrong rows[] = {
		{ "good", MAL("type: Tcp, tcp: {address: 'logs:5000'}"), "",
		    "" },
		{ "no backends", TO("MeshAccessLog", ""), AT "backends", NULL },
		{ "no type", MAL("file: {path: /a}"), "", "" },
		{ "nothing", MAL("x: 1"), IN_LOG "type", IN_LOG "x" },
		{ "another type", MAL("type: Disk"), IN_LOG "type", "" },
		{ "no file", MAL("type: File"), IN_LOG "file", "" },
		{ "no path", MAL("type: File, file: {path: ''}"),
		    IN_LOG "file.path", "" },
		{ "no tcp", MAL("type: Tcp"), IN_LOG "tcp", "" },
		{ "no address", MAL("type: Tcp, tcp: {address: ''}"),
		    IN_LOG "tcp.address", "" },
		{ "no OpenTelemetry", MAL("type: OpenTelemetry"),
		    IN_LOG "openTelemetry", "" },
		{ "no backend of it",
		    MAL("type: OpenTelemetry, openTelemetry: {body: {}}"),
		    IN_LOG "openTelemetry.backendRef", "" },
		{ "a format of nothing",
		    MAL("type: File, file: {path: /a, format: {type: "
			"Plain}}"),
		    IN_LOG "file.format.plain", "" },
		{ "no JSON",
		    MAL("type: File, file: {path: /a, format: {type: "
			"Json}}"),
		    IN_LOG "file.format.json", "" },
		{ "JSON of nothing",
		    MAL("type: File, file: {path: /a, format: {type: Json, "
			"json: [{key: '', value: ''}]}}"),
		    IN_LOG "file.format.json[0].key " IN_LOG
			   "file.format.json[0].value",
		    "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

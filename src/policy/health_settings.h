/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_HEALTH_SETTINGS_H
#define POLICY_HEALTH_SETTINGS_H

/*
 * What a service says of the health of its endpoints and of how much may be
 * asked of them at a time: filled in by options of the `services` section, and
 * by policies.  Names and meaning follow Envoy.  Plain values; any thread.
 */

#include <stdbool.h>

#include "policy/str_list.h"

/* In the order of the words of their row. */
enum health_kind {
	HEALTH_NONE,
	HEALTH_TCP,  /* it takes connections */
	HEALTH_TLS,  /* and its handshake is as it should be */
	HEALTH_HTTP, /* and it answers with one of the statuses */
	HEALTH_GRPC  /* and grpc.health.v1 says SERVING */
};

/* Endpoints are checked also while nothing is asked of them. */
struct health_settings {
	enum health_kind kind;
	struct str path;
	struct str host;          /* empty: the endpoint's */
	struct str_list headers;  /* "x-probe: yes" */
	struct str_list statuses; /* "200", "200-299" */
	struct str grpc_service;  /* empty: the server as a whole */
	/* Of HEALTH_TCP, in base64: bytes to send, and those expected then. */
	struct str tcp_send;
	struct str_list tcp_receive;
	unsigned interval_ms;
	unsigned no_traffic_ms; /* until there was any; 0: interval_ms */
	unsigned first_jitter_ms;
	/* Of the interval, and in time, added by chance. */
	unsigned jitter_percent;
	unsigned jitter_ms;
	unsigned timeout_ms;
	unsigned unhealthy; /* checks in a row */
	unsigned healthy;
	bool logs_failures;  /* each, not only the one that decides */
	bool fails_in_panic; /* what is left out is not even the last resort */
};

/* Endpoints that answer badly are left out for a while.  0: not so. */
struct outlier_settings {
	unsigned consecutive_5xx;
	unsigned consecutive_gateway; /* 502, 503, 504 */
	unsigned consecutive_local;   /* no answer: connecting, resets, time */
	/* What is local counts as that only, not as a 5xx as well. */
	bool splits_local;
	/* Below mean - factor x standard deviation; thousandths. */
	unsigned success_rate_factor;
	unsigned success_rate_hosts;  /* with that many requests each */
	unsigned success_rate_volume; /* in an interval */
	unsigned failure_percent;
	unsigned failure_percent_hosts;
	unsigned failure_percent_volume;
	unsigned interval_ms;
	unsigned base_ms; /* times how often it was ejected lately */
	unsigned most_ms;
	unsigned most_percent; /* of the endpoints; but always one, unless 0 */
};

/* For the whole daemon.  0: see each. */
struct breaker_settings {
	unsigned connections;   /* limits.upstream_connections of each worker */
	unsigned pending;       /* limits.upstream_pending of each worker */
	unsigned requests;      /* any number */
	unsigned retries;       /* any number */
	unsigned retry_percent; /* of the active requests; 100: any number */
	unsigned retry_minimum; /* whatever that comes to */
};

static inline bool
outlier_is_on(const struct outlier_settings *s)
{
	return s->consecutive_5xx > 0 || s->consecutive_gateway > 0 ||
	       s->consecutive_local > 0 || s->success_rate_factor > 0 ||
	       s->failure_percent > 0;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_OUTLIER_H
#define UPSTREAM_OUTLIER_H

/*
 * Outlier detection, its arithmetic: results of endpoints in, ejections out.
 * Pure: time is an argument, and whoever calls guards what he gives.  Who
 * gives results, and what an ejection does, is in outlier_report.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "policy/health_settings.h"

enum outlier_result {
	OUTLIER_GOOD,    /* an answer; a connection of a tcp service */
	OUTLIER_REACHED, /* a connection on which requests are to follow */
	OUTLIER_ERROR,   /* a 5xx */
	OUTLIER_GATEWAY, /* a 502, 503 or 504 */
	OUTLIER_LOCAL    /* no answer, or no connection */
};

/* Why an endpoint is to be ejected. */
enum outlier_cause {
	OUTLIER_NONE,
	OUTLIER_CONSECUTIVE_5XX,
	OUTLIER_CONSECUTIVE_GATEWAY,
	OUTLIER_CONSECUTIVE_LOCAL,
	OUTLIER_SUCCESS_RATE,
	OUTLIER_FAILURE_PERCENT
};

/* What is known of one endpoint.  Zeroed memory: nothing. */
struct outlier_host {
	/* In a row. */
	unsigned errors;
	unsigned gateway_errors;
	unsigned local_errors;
	/* Of this interval. */
	unsigned good;
	unsigned bad;
	unsigned times;    /* ejections, less intervals without one since */
	uint64_t until_ms; /* of the last ejection; 0: there was none */
};

static inline bool
outlier_is_out(const struct outlier_host *h, uint64_t now_ms)
{
	return now_ms < h->until_ms;
}

/* One more result.  NONE: nothing follows from it by itself. */
enum outlier_cause outlier_note(const struct outlier_settings *s,
    struct outlier_host *h, enum outlier_result r);
/*
 * An interval that began at start_ms is over: causes[i] says what follows for
 * hosts[i].  The next one has begun.
 */
void outlier_interval(const struct outlier_settings *s,
    struct outlier_host *const *hosts, size_t n, uint64_t start_ms,
    uint64_t now_ms, enum outlier_cause *causes);
/* May one more of n be ejected, beside those that are? */
bool outlier_may_eject(const struct outlier_settings *s,
    struct outlier_host *const *hosts, size_t n, uint64_t now_ms);
void outlier_eject(
    const struct outlier_settings *s, struct outlier_host *h, uint64_t now_ms);
/* How long the times-th ejection is. */
uint64_t outlier_time_ms(const struct outlier_settings *s, unsigned times);

const char *outlier_cause_text(enum outlier_cause c);

#endif

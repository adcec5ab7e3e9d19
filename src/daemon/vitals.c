/* SPDX-License-Identifier: Apache-2.0 */
/* Uptime, memory, and how long our certificates last.  Main thread. */

#include "daemon/vitals.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "conn/caller_limits.h"
#include "daemon/config.h"
#include "daemon/publish.h"
#include "tls/identity_store.h"
#include "tls/tls_records.h"

#define LOOK_MS 1000
#define DAY_S 86400

struct vitals {
	struct stats_set *stats;
	const struct publisher *publisher;
	struct expiry *expiry;
	struct caller_limits *callers;
	struct timer timer;
	uint64_t start_ms;
	int statm; /* kept open: the sandbox and chroots do not matter then */
};

static uint64_t
resident_bytes(int statm)
{
	char buf[128];
	unsigned long pages = 0;
	ssize_t n;

	if (statm == -1)
		return 0;
	n = pread(statm, buf, sizeof(buf) - 1, 0);
	if (n <= 0)
		return 0;
	buf[n] = '\0';
	if (sscanf(buf, "%*u %lu", &pages) != 1)
		return 0;
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Of the earliest of our certificates and CAs; false: there is none. */
static bool
days_left(const struct tls_identities *t, uint64_t *days)
{
	int64_t first = INT64_MAX, left;
	struct tls_mesh_info m;
	size_t i;

	for (i = 0; i < tls_identities_count(t); i++) {
		tls_identities_info(t, i, &m);
		/* A minted one renews itself. */
		if (!m.is_minted && m.not_after_s < first)
			first = m.not_after_s;
		if (m.ca_not_after_s < first)
			first = m.ca_not_after_s;
	}
	left = first - clock_wall_s();
	*days = left > 0 ? (uint64_t)left / DAY_S : 0;
	return first != INT64_MAX;
}

static void
look_at_callers(struct vitals *v)
{
	static const enum stat_server at_limit[] = {
		[CALLER_CONNECTIONS] = STAT_CALLERS_AT_CONNECTIONS,
		[CALLER_REQUESTS] = STAT_CALLERS_AT_REQUESTS,
		[CALLER_RATE] = STAT_CALLERS_AT_RATE,
		[CALLER_BYTES] = STAT_CALLERS_AT_BYTES,
	};
	struct caller_counts c = caller_limits_look(v->callers);

	stat_set(v->stats, STAT_CALLERS, c.entries);
	stat_set(v->stats, STAT_CALLERS_SHARED, c.shared);
	for (size_t i = 0; i < CALLER_LIMIT_N; i++)
		stat_set(v->stats, at_limit[i], c.at_limit[i]);
}

static void
look(void *arg)
{
	struct vitals *v = arg;
	uint64_t days;

	stat_set(v->stats, STAT_UPTIME, vitals_uptime_s(v));
	stat_set(v->stats, STAT_MEMORY_HEAP, resident_bytes(v->statm));
	stat_set(
	    v->stats, STAT_TLS_OPENSSL, tls_engine_wires(TLS_ENGINE_OPENSSL));
	stat_set(v->stats, STAT_TLS_OWN, tls_engine_wires(TLS_ENGINE_OWN));
	stat_set(
	    v->stats, STAT_TLS_KERNEL, tls_engine_wires(TLS_ENGINE_KERNEL));
	stat_set(
	    v->stats, STAT_TLS_IPSEC_MB, tls_engine_wires(TLS_ENGINE_IPSEC_MB));
	if (days_left(publisher_identities(v->publisher), &days))
		stat_set(v->stats, STAT_CERT_DAYS, days);
	stat_set(v->stats, STAT_CONTROL_PLANE_CONNECTED,
	    publisher_feed_error(v->publisher) == NULL);
	look_at_callers(v);
	expiry_look(v->expiry, &publisher_config(v->publisher)->expiry_days,
	    clock_wall_s());
	timer_set(&v->timer, LOOK_MS);
}

struct vitals *
vitals_new(struct loop *l, struct stats_set *stats, const struct publisher *p,
    struct expiry *e, struct caller_limits *callers)
{
	struct vitals *v = xcalloc(1, sizeof(*v));

	v->stats = stats;
	v->publisher = p;
	v->expiry = e;
	v->callers = callers;
	v->start_ms = clock_ms();
	v->statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	timer_init(&v->timer, l, look, v);
	stat_set(stats, STAT_LIVE, 1);
	look(v);
	return v;
}

void
vitals_free(struct vitals *v)
{
	if (v == NULL)
		return;
	timer_stop(&v->timer);
	if (v->statm != -1)
		close(v->statm);
	free(v);
}

uint64_t
vitals_uptime_s(const struct vitals *v)
{
	return (clock_ms() - v->start_ms) / 1000;
}

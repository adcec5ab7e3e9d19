/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PROBE_STATE_H
#define UPSTREAM_PROBE_STATE_H

/*
 * What a check is made of: for probe.c, which tells its life, and
 * probe_talk.c, which asks.  Nobody else includes this.
 */

#include "net/dns.h"
#include "upstream/answers.h"
#include "upstream/back.h"
#include "upstream/cluster_state.h"
#include "upstream/health.h"

#define PROBE_WHY 256
#define PROBE_ANSWER_MOST 1024

/* Of one endpoint, from when it is known until it is gone. */
struct probe {
	TAILQ_ENTRY(probe) link;
	struct cluster *cluster;        /* which stops it before it goes */
	struct live_endpoint *endpoint; /* referenced */
	/*
	 * An endpoint that names SRV records has one for each of its targets,
	 * and one that only looks who they are.
	 */
	struct live_target *target; /* referenced; or NULL */
	bool is_scout;
	struct health_count count;
	struct timer timer; /* the next check, its limit, or its end */

	/* The check that is under way. */
	bool is_running;
	bool is_judged;
	bool is_good;
	struct dns_wait names; /* of a scout */
	struct reach *reach;
	struct back *back;
	struct stream *stream;
	uint16_t status;
	struct wire *wire; /* of a check by tcp that talks */
	struct cluster_guard guard;
	struct text body; /* what came: of gRPC, or by tcp */
	char why[PROBE_WHY];
};

/* The verdict, which takes effect soon.  why of what is bad is a format. */
void probe_judge(struct probe *p, bool is_good, const char *why, ...)
    PRINTF_LIKE(3, 4);

/* probe_bytes.c */
/* Does a check by tcp say or expect something? */
bool probe_has_bytes(const struct health_settings *s);
void probe_say_bytes(struct probe *p);
void probe_drop_bytes(struct probe *p);

/* probe_talk.c */
void probe_ask(struct probe *p);
/* Fine without one. */
void probe_hang_up(struct probe *p);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_REACH_STATE_H
#define UPSTREAM_REACH_STATE_H

/*
 * What a reach is made of: for reach.c (its steps), reach_fail.c (what a
 * failure leads to) and reach_life.c (how it begins and ends).  Nobody else
 * includes this.
 */

#include "net/dial.h"
#include "net/dns.h"
#include "upstream/answers.h"
#include "upstream/cluster_state.h"
#include "upstream/reach.h"

/* What a step says to the driver: see reach.c. */
enum next { GO, AGAIN, WAIT, END };

/* clang-format off */
#define STEPS(X)		\
	X(PICK,    pick)	\
	X(RESOLVE, resolve)	\
	X(DIAL,    dial)	\
	X(SECURE,  secure)
/* clang-format on */

enum step {
#define X(S, fn) S,
	STEPS(X)
#undef X
};

/* Of what the present step waits for. */
enum progress { TO_ASK, ASKED, ANSWERED, LATE };

struct reach {
	TAILQ_ENTRY(reach) link; /* of cluster.reaches */
	struct cluster *cluster;
	struct reach_want want;
	bool is_direct; /* counts as one who waits: not begun by a lease */
	void (*fn)(void *arg, struct reached *r);
	void *arg;

	enum step step;
	enum step retry;
	enum progress progress;
	bool is_starting; /* on the caller's stack */
	bool is_ended;
	struct timer timer;          /* of the attempt */
	uint64_t until_ms;           /* of the whole */
	uint64_t attempt_us;         /* when the attempt began */
	struct live_endpoint *at;    /* last of tried */
	struct live_endpoint *first; /* referenced; NULL: any */
	struct live_endpoints tried; /* referenced */

	struct dns_wait dns_wait;
	enum dns_status dns_status;
	struct refused_answer refused;
	struct outward *outward; /* referenced */
	struct answers answers;
	struct dial dialler;
	enum dial_status dialled;
	struct reached result;
};

/* reach.c */
void reach_run(struct reach *r);

/* reach_life.c */
/* The result is set: tell it, but never on the caller's stack. */
void reach_end(struct reach *r);
/* Let go of what hangs on the attempt. */
void reach_stop_attempt(struct reach *r);
uint64_t reach_left_ms(const struct reach *r);

/* reach_fail.c */
enum further { NEXT_ADDRESS, NEXT_ENDPOINT, NO_FURTHER };
/* The attempt failed, and what fmt says is why.  What comes next? */
enum next reach_fail(struct reach *r, enum reach_status s, enum further further,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
enum next reach_fail_name(struct reach *r, enum reach_status s);
enum next reach_fail_address(struct reach *r);
enum next reach_fail_dial(struct reach *r, enum reach_status s);
enum next reach_fail_connection(
    struct reach *r, enum reach_status s, const char *what);
enum next reach_fail_tls(struct reach *r);

#endif

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
#include "upstream/parent.h"
#include "upstream/reach.h"

/* What a step says to the driver: see reach.c. */
enum next { GO, AGAIN, WAIT, END };

/* clang-format off */
#define STEPS(X)			\
	X(PICK,    pick)		\
	X(TARGET,  name_target)		\
	X(RESOLVE, resolve)		\
	X(DIAL,    dial)		\
	X(PARENT,  reach_parent)	\
	X(GREET,   reach_greet)		\
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
	bool is_direct;  /* counts as one who waits: not begun by a lease */
	bool is_probe;   /* of one endpoint, and none of the traffic's */
	bool is_plain;   /* likewise, without TLS */
	bool is_counted; /* in the breakers */
	bool has_retry;  /* likewise, as more than one attempt */
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
	struct live_target *aim;  /* of SRV: where it goes; referenced */
	struct live_target *only; /* of a check: referenced, NULL: any */
	struct dial dialler;
	enum dial_status dialled;
	/* Behind a parent proxy: what it is asked for, and how far it is. */
	struct str target; /* the endpoint's host, or target_text */
	char target_text[ADDR_TEXT];
	struct addr target_addr; /* what target_text says; len 0: nothing */
	struct answers targets;  /* addresses that may be asked for instead */
	uint16_t target_port;
	struct parent_talk talk;
	struct text secret; /* talk.auth */
	struct reached result;
};

/* reach.c */
void reach_run(struct reach *r);

/* reach_parent.c */
enum next reach_parent(struct reach *r);
enum next reach_greet(struct reach *r);
/* What was said to a parent proxy may hold a password. */
void reach_forget_secret(struct reach *r);
bool reach_has_parent(const struct reach *r);
/* The next of the targets is the target; false: there is none left. */
bool reach_next_target(struct reach *r);
/* What the present step looks up or connects to. */
struct reach_place {
	struct str host;
	uint16_t port;
	bool is_address;
	bool is_endpoint; /* not the parent proxy */
	const struct addr_rules *rules;
	unsigned *turn; /* which of its addresses comes first next time */
};
struct reach_place reach_place(const struct reach *r);

/* reach_unix.c */
/* p NULL: it is reached by TCP. */
struct str reach_unix_path(const struct reach *r);
/* After the timer was set. */
enum next reach_dial_unix(struct reach *r, struct str path);

/* reach_life.c */
/* The result is set: tell it, but never on the caller's stack. */
void reach_end(struct reach *r);
/* Let go of what hangs on the attempt. */
void reach_stop_attempt(struct reach *r);
uint64_t reach_left_ms(const struct reach *r);
/* NULL: nowhere in particular. */
void reach_aim(struct reach *r, struct live_target *t);

/* reach_fail.c */
enum further { NEXT_ADDRESS, NEXT_TARGET, NEXT_ENDPOINT, NO_FURTHER };
/* The attempt failed, and what fmt says is why.  What comes next? */
enum next reach_fail(struct reach *r, enum reach_status s, enum further further,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
enum next reach_fail_name(struct reach *r, enum reach_status s);
enum next reach_fail_address(struct reach *r);
enum next reach_fail_dial(struct reach *r, enum reach_status s);
enum next reach_fail_connection(
    struct reach *r, enum reach_status s, const char *what);
enum next reach_fail_tls(struct reach *r);
/* Of an endpoint with targets: those that were tried in vain have failed. */
void reach_note_dialled(struct reach *r);

#endif

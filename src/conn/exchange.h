/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_EXCHANGE_H
#define CONN_EXCHANGE_H

/*
 * One HTTP request and its answer: exchange.c tells its life.  It couples two
 * streams and knows no version of HTTP.  A front owns it, which has read the
 * head.  A worker's thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conn/conn.h"
#include "conn/hash_by.h"
#include "conn/head_rules.h"
#include "conn/pace.h"
#include "conn/upgrade.h"
#include "http/stream.h"
#include "upstream/lease.h"

enum exchange_stage { X_ROUTE, X_DELAY, X_LEASE, X_CARRY, X_DRAIN, X_STAGE_N };

/* A request to go on with another protocol. */
enum tunnel {
	TUNNEL_NONE,
	TUNNEL_ASKED,   /* nothing moves until the server has answered */
	TUNNEL_OPEN,    /* bytes move both ways, each to its own end */
	TUNNEL_DECLINED /* an ordinary answer, to a request without a body */
};

/* What the log says of it, copied before edits change the head. */
struct exchange_words {
	struct arena arena;
	struct str method;
	struct str authority;
	struct str path;
	struct str request_id;
	struct str faults; /* made on purpose */
};

struct exchange;

/* What a front is to its exchanges. */
struct exchange_host {
	/* Something happened: run it.  From the loop. */
	void (*wake)(struct exchange *x);
	/* It has more to do, and others have their turn first: wake it soon. */
	void (*again)(struct exchange *x);
};

struct exchange {
	const struct exchange_host *host;
	struct conn *conn;
	struct stream *front;
	struct head *request;
	enum exchange_stage stage;
	enum outcome outcome;
	struct timer deadline;   /* without a byte */
	struct timer limit;      /* of the whole: the service's request_ms */
	struct timer hold;       /* a fault's delay, and then its bandwidth */
	struct service *service; /* = kept, once it is known */
	struct service *kept;    /* referenced, from one request to the next */
	struct verdict verdict;
	struct {
		uint16_t status; /* 0: as the outcome has it */
		const struct header_change *headers; /* the service's */
		size_t n_headers;
	} worded;              /* by a rule: of our answer */
	unsigned abort_status; /* a fault's; 0: none */
	struct str abort_rule;
	struct pace pace; /* of the answer's body */
	struct pin *pin;  /* the front's, for private connections; or NULL */
	struct lease lease;
	bool has_lease;          /* begun: waiting or held */
	bool is_leased;          /* the result is there */
	bool is_sent;            /* its head went to the server */
	struct cluster *cluster; /* referenced */
	enum tunnel tunnel;
	struct upgrade upgrade;
	bool request_done;
	bool response_begun; /* its final head went to the caller */
	bool response_done;
	bool body_was_pulled;
	bool is_stalled;         /* nothing moved for stream_idle_ms */
	bool is_long;            /* it took longer than request_ms */
	bool is_revoked;         /* a reload took the permission away */
	bool was_answered_early; /* the server did not get all of it */
	bool is_head;            /* the method is HEAD */
	bool is_grpc;            /* local replies speak gRPC */
	bool has_retry;          /* of the service's budget */
	bool keeps_front;        /* the caller's connection may serve another */
	bool is_counted;         /* among its caller's requests */
	uint64_t counted;        /* of its bytes, likewise */
	struct {
		uint64_t bytes_in;
		uint64_t bytes_out;
		bool is_told; /* the request */
	} used;               /* what the table of uses has of it */
	unsigned retries;
	bool wants_fresh; /* a pooled connection was stale */
	size_t drained;
	uint16_t status;
	uint64_t started_us;
	uint64_t first_byte_us;
	uint64_t last_byte_us;
	char grpc_status[12]; /* of the answer; for the log */
	/* Given to a caller that has none to go by; empty: none is given. */
	char cookie[HASH_COOKIE_TEXT];
	struct str authority; /* as it was asked for */
	char request_id[REQUEST_ID_TEXT];
	struct exchange_words words;
	char detail[512];
	struct exchange *next_spare;
};

/* The memory is reused from request to request of c. */
void exchange_init(
    struct exchange *x, struct conn *c, const struct exchange_host *host);
void exchange_fini(struct exchange *x);

/*
 * exchange_spare.c: an idle connection holds none.  One that was used before,
 * if there is one, as after exchange_init().
 */
struct exchange *exchange_take(
    struct conn *c, const struct exchange_host *host) MUST_CHECK;
/* Its request is over, or was never begun.  NULL is fine. */
void exchange_give(struct exchange *x);
void exchange_free_spares(struct conns *cs);
/* After a reload: spare ones keep no service that may be gone. */
void exchange_forget_services(struct conns *cs);

/* request stays valid until the front's next pull_head(). */
void exchange_begin(
    struct exchange *x, struct stream *front, struct head *request);
/* The head could not be read: answer by o alone.  END at once. */
void exchange_refuse(struct exchange *x, struct stream *front, enum outcome o,
    const char *detail);
/* WAIT, or END: it was counted and logged, see keeps_front. */
enum next exchange_run(struct exchange *x) MUST_CHECK;
/* From outside: it ends in the middle; counted and logged. */
void exchange_abort(struct exchange *x, enum outcome o);
/*
 * After a reload: what the newest rules would not let get as far as it is ends
 * in the next turn of the loop.
 */
void exchange_reauthorize(struct exchange *x);

/* conn_use.c: it is over. */
void exchange_note_use(struct exchange *x);
/* The same of one that goes on, once it is known where it leads. */
void exchange_note_use_so_far(struct exchange *x);

/* conn_log.c: the request's line. */
void exchange_log(struct exchange *x);

#endif

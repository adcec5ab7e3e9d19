/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_EXCHANGE_H
#define CONN_EXCHANGE_H

/*
 * One HTTP request and its answer: exchange.c tells its life.  It couples two
 * streams and knows no version of HTTP.  Embedded in a front, which has read
 * the head.  A worker's thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "conn/conn.h"
#include "conn/head_rules.h"
#include "http/stream.h"
#include "upstream/lease.h"

enum exchange_stage { X_ROUTE, X_LEASE, X_CARRY, X_DRAIN, X_STAGE_N };

/* What the log says of it, copied before edits change the head. */
struct exchange_words {
	struct arena arena;
	struct str method;
	struct str authority;
	struct str path;
	struct str request_id;
};

struct exchange {
	struct conn *conn;
	struct stream *front;
	struct head *request;
	enum exchange_stage stage;
	enum outcome outcome;
	struct timer deadline;
	struct service *service; /* its own reference */
	struct verdict verdict;
	struct lease lease;
	bool has_lease;          /* begun: waiting or held */
	bool is_leased;          /* the result is there */
	struct cluster *cluster; /* referenced */
	bool request_done;
	bool response_begun; /* its final head went to the caller */
	bool response_done;
	bool body_was_pulled;
	bool is_stalled;         /* nothing moved for stream_idle_ms */
	bool was_answered_early; /* the server did not get all of it */
	bool is_head;            /* the method is HEAD */
	bool says_close;         /* the local reply told the caller to go */
	bool keeps_front;        /* the caller's connection may serve another */
	unsigned retries;
	size_t drained;
	uint16_t status;
	uint64_t started_us;
	uint64_t first_byte_us;
	struct str authority; /* as it was asked for */
	char request_id[REQUEST_ID_TEXT];
	struct exchange_words words;
	char detail[512];
};

/* Once a connection; the memory is reused from request to request. */
void exchange_init(struct exchange *x, struct conn *c);
void exchange_fini(struct exchange *x);

/* request stays valid until the front's next pull_head(). */
void exchange_begin(
    struct exchange *x, struct stream *front, struct head *request);
/* The head could not be read: answer by o alone.  END at once. */
void exchange_refuse(struct exchange *x, struct stream *front, enum outcome o,
    const char *detail);
/* WAIT, or END: it was counted and logged, see keeps_front. */
enum next exchange_run(struct exchange *x) MUST_CHECK;
/* From outside: the connection ends in the middle of it. */
void exchange_abort(struct exchange *x, enum outcome o);

/* conn_log.c: the request's line. */
void exchange_log(struct exchange *x);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_EXCHANGE_STEP_H
#define CONN_EXCHANGE_STEP_H

/*
 * What the files that tell the life of an exchange share.  Nobody else includes
 * this.
 */

#include "base/clock.h"
#include "conn/exchange.h"

/* GO: the stage to enter is set. */
enum next exchange_enter(struct exchange *x, enum exchange_stage s);
/* END; detail is copied, NULL keeps what there is. */
enum next exchange_finish(
    struct exchange *x, enum outcome o, const char *detail);

/* exchange_answer.c */

/*
 * Answer for the service, by o's row; what is left of the request is thrown
 * away.  may_stay: the caller's connection is good for another request.
 */
enum next exchange_answer(
    struct exchange *x, enum outcome o, const char *detail, bool may_stay);
/* The same to a request of which nothing is known but that it is bad. */
void exchange_reply(struct exchange *x, enum outcome o, bool says_close);

/* exchange_route.c */

/* The first stage. */
enum next exchange_route(struct exchange *x);
/*
 * The rules changed while it waited, so that what the verdict allowed is no
 * more: perhaps the new ones allow something else.
 */
enum next exchange_ask_again(struct exchange *x);

/* The second, where a fault delays it. */
enum next exchange_delay(struct exchange *x);

/* exchange_traffic.c: GO, or it is answered, perhaps in another stage. */

/* Too many of this caller?  It counts from here on. */
enum next exchange_keep_caller(struct exchange *x);
/* What has gone counts; false: that was too much for the caller's day. */
bool exchange_count(struct exchange *x);
/* Then it is answered, or ends in the middle. */
enum next exchange_cut(struct exchange *x);
void exchange_uncount(struct exchange *x);
/* Too many of them all? */
enum next exchange_keep_rate(struct exchange *x);
/* What is to go wrong with it?  The delay's milliseconds. */
uint64_t exchange_draw_faults(struct exchange *x);
/* Once there is no delay any more. */
enum next exchange_make_fault(struct exchange *x);

/* exchange_lease.c */

enum next exchange_lease(struct exchange *x);
/* Nothing happens without one. */
void exchange_give_back(struct exchange *x, bool is_whole);

/* exchange.c: once more, if that can be, or the end of it. */
enum next exchange_server_failed(struct exchange *x);

/* exchange_fail.c: what it means that the server's stream failed. */

bool exchange_may_retry(const struct exchange *x);
/* The outcome; why is filled. */
enum outcome exchange_failure(const struct exchange *x, char *why, size_t cap);
/* Likewise of the caller's stream. */
enum outcome exchange_caller_failure(
    const struct exchange *x, char *why, size_t cap);
/* Before the release of what is not whole: the reset goes on to the other. */
void exchange_pass_reset(struct exchange *x);

/* What only the log asks for: 0 without one. */
static inline uint64_t
exchange_now_us(const struct exchange *x)
{
	return x->conn->all->env.log != NULL ? clock_us() : 0;
}

#endif

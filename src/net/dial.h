/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

/*
 * A TCP connection to the first of several addresses that answers (RFC 8305,
 * section 5): each gets a head start before the next one is tried beside it,
 * and one that fails is followed at once.  Each address is checked
 * (addr_refused) right before connect(2).
 */

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"
#include "net/families.h"
#include "net/loop.h"
#include "net/sock.h"
#include "net/wire.h"

/* So many at a time: the oldest makes room. */
#define DIAL_BESIDE 6

enum dial_status {
	DIAL_OK,
	DIAL_REFUSED_ADDRESS, /* no address was allowed */
	DIAL_NO_WAY,          /* our end could not be set up as it should be */
	DIAL_REFUSED,         /* ECONNREFUSED */
	DIAL_UNREACHABLE,     /* no route, host or network down */
	DIAL_RESET,
	DIAL_LATE, /* longer than timeout_ms */
	DIAL_NO_FDS,
	DIAL_FAILED
};

struct dial_plan {
	const struct addr *addrs; /* in the order to try; ports set; copied */
	size_t n;
	bool is_literal; /* of addr_refused() */
	/* Borrowed until the end; each may be NULL. */
	const struct addr_rules *rules;
	const struct sock_way *way;
	struct families *families;
	unsigned timeout_ms; /* for all together */
	unsigned delay_ms;   /* the head start; 0: DIAL_DELAY_MS */
};
#define DIAL_DELAY_MS 250

struct dial_try;

/* Zeroed memory is one that was stopped. */
struct dial {
	struct loop *loop;
	struct dial_plan plan; /* addrs are in tries */
	struct dial_try *tries;
	size_t next;
	size_t won;             /* index of the one that connected */
	struct timer pace;      /* the next one's turn */
	struct timer limit;     /* of all; and of telling the end */
	enum dial_status worst; /* of the tries so far */
	bool is_over;           /* fn is about to be called with worst */
	const char *why;        /* more about the last failure; NULL: nothing */
	void (*fn)(void *arg, enum dial_status s);
	void *arg;
};

/* Starts; fn is called once, never before this returns. */
void dial_start(struct dial *d, struct loop *l, const struct dial_plan *plan,
    void (*fn)(void *, enum dial_status), void *arg);
/* In fn, after DIAL_OK: the connection, and the address it goes to. */
struct wire *dial_take(struct dial *d, struct addr *to) MUST_CHECK;
/*
 * Until dial_stop(): address i of the plan was tried and has failed, or is the
 * one that connected; so there is no point in trying it again.
 */
bool dial_is_spent(const struct dial *d, size_t i);
/* How many were begun. */
size_t dial_tries(const struct dial *d);
/* "10.0.0.1:443: connection refused; [::1]:443: no answer in time" */
void dial_tell(const struct dial *d, struct text *out);
/* No call comes after this; fine at any time. */
void dial_stop(struct dial *d);

const char *dial_status_text(enum dial_status s);

#endif

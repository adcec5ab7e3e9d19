/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

/*
 * A TCP connection to the first of several addresses that answers; tried one
 * after the other, the next one when an attempt fails.  Each address is
 * checked (addr_refused) right before connect(2).
 */

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"
#include "net/loop.h"
#include "net/wire.h"

enum dial_status {
	DIAL_OK,
	DIAL_REFUSED_ADDRESS, /* no address was allowed */
	DIAL_REFUSED,         /* ECONNREFUSED */
	DIAL_UNREACHABLE,     /* no route, host or network down */
	DIAL_RESET,
	DIAL_LATE, /* longer than timeout_ms */
	DIAL_NO_FDS,
	DIAL_FAILED
};

struct dial {
	struct loop *loop;
	struct watch watch;
	struct timer timer;
	int fd;
	struct addr *addrs;
	size_t n_addrs;
	size_t next;
	const struct addr_rules *rules;
	bool is_literal;
	uint64_t started_us;
	uint64_t deadline_ms;
	enum dial_status worst; /* of the attempts so far */
	bool is_over;           /* fn is about to be called with worst */
	const char *refused_why;
	void (*fn)(void *arg, enum dial_status s);
	void *arg;
};

/*
 * Starts; fn is called once, never before this returns.  addrs (ports set) is
 * copied.  timeout_ms is for all attempts together.
 */
void dial_start(struct dial *d, struct loop *l, const struct addr *addrs,
    size_t n, bool is_literal, const struct addr_rules *rules,
    unsigned timeout_ms, void (*fn)(void *, enum dial_status), void *arg);
/* In fn, after DIAL_OK: the connection, and the address it goes to. */
struct wire *dial_take(struct dial *d, struct addr *to) MUST_CHECK;
/* No call comes after this; fine at any time. */
void dial_stop(struct dial *d);

#endif

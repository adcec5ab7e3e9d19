/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_FAREWELL_H
#define CONN_FAREWELL_H

/*
 * The last moments of a caller's connection: all is said, and it closes once
 * the caller has seen it, or does not take it any more.  Sessions send and
 * throw away; here is only the time.  A worker's thread.
 */

#include "conn/conn.h"

/* Embedded in a front; zeroed memory is fine to stop. */
struct farewell {
	struct conn *conn;
	const struct wire *wire;
	struct timer deadline;
	enum outcome last;   /* how the connection will have ended */
	uint64_t sent;       /* when it was last looked at */
	uint64_t stalled_ms; /* since then nothing was sent */
};

/* wire: c's client, in the hands of a session that lingers too. */
void farewell_start(struct farewell *f, struct conn *c, const struct wire *w,
    enum outcome last);
/* The session's word that the caller is through: ends the connection. */
void farewell_done(void *arg);
void farewell_stop(struct farewell *f);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_FRONT_H
#define CONN_FRONT_H

/*
 * The caller's side of an HTTP connection in CARRY, whatever version it
 * speaks: what conn.c knows of h1_front.c and h2_front.c.  A front owns the
 * client's wire and its exchanges.  A worker's thread.
 */

#include "conn/conn.h"
#include "http/stream.h"

struct front;

struct front_ops {
	/* WAIT, or END with the connection's outcome set. */
	enum next (*run)(struct front *f);
	/* End now when idle, else after what is under way. */
	void (*drain)(struct front *f);
	/*
	 * The rules changed: each request under way asks again, and ends
	 * (REVOKED) if it would be refused now.
	 */
	void (*reauthorize)(struct front *f);
	/* exchange_note_use_so_far() of each request under way. */
	void (*note_uses)(struct front *f);
	/* Closes the client's wire; what is under way is aborted. */
	void (*free)(struct front *f);
};

struct front {
	const struct front_ops *ops;
	struct conn *conn;
	enum http_version version;
	uint64_t requests; /* since it began */
	unsigned open;     /* of those, under way */
};

/*
 * Which version the caller speaks: by ALPN, or by its first bytes (RFC 9113,
 * section 3.4), which stay unread.  GO with *out set; WAIT; or END.
 */
enum next front_detect(struct conn *c, struct front **out) MUST_CHECK;

/* "1.1" or "2". */
const char *front_version_name(enum http_version v);

struct front *h1_front_new(struct conn *c) MUST_CHECK;
struct front *h2_front_new(struct conn *c) MUST_CHECK;

#endif

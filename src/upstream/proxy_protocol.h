/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PROXY_PROTOCOL_H
#define UPSTREAM_PROXY_PROTOCOL_H

/*
 * What a server is told of the caller before anything else: a header of the
 * PROXY protocol, version 2, made once a caller's connection.  Whoever was
 * introduced by one gets no connection that was introduced by another, so the
 * object itself is what pools compare.  Counted without atomics: own thread.
 */

#include <stdbool.h>

#include "base/str.h"
#include "net/addr.h"
#include "upstream/back.h"

/* Types of our own among the values (0xe0 to 0xef are free for it). */
#define PROXY_TLV_SPIFFE 0xe0

struct proxy_facts {
	struct addr from; /* the caller; len 0: unknown */
	struct addr to;   /* where it connected to */
	struct str sni;
	const char *tls_version; /* "TLSv1.3" */
	struct str spiffe;       /* of its verified certificate */
};

struct proxy_header {
	unsigned refs;
	struct text bytes;
	struct back_list backs; /* what was introduced by it, and is open */
	bool is_left;           /* the caller's connection is over */
};

/*
 * For connections of our own, as health checks make: command LOCAL, which has a
 * server take the connection itself for who calls.
 */
struct str proxy_header_local(void);

/* One reference, the caller's. */
struct proxy_header *proxy_header_new(const struct proxy_facts *f) MUST_CHECK;
/* NULL is fine for both. */
struct proxy_header *proxy_header_ref(struct proxy_header *h);
void proxy_header_unref(struct proxy_header *h);
/*
 * Instead, by the caller's connection: nobody will ask for what was introduced
 * by it any more, so what nobody uses is closed, now or when it comes to rest.
 */
void proxy_header_leave(struct proxy_header *h);

#endif

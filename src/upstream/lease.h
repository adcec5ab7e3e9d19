/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_LEASE_H
#define UPSTREAM_LEASE_H

/*
 * A stream to a service for one exchange: on an open connection of an endpoint
 * that the caller may use, if one has room, or on a new one.  Exchanges that
 * find neither wait in the cluster's bounded queue and are served in order.
 * Connections are shared by all callers of the service; only the endpoint's
 * permission decides who gets which.  Own thread.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http/stream.h"
#include "upstream/reach.h"

struct back;
struct dialing;

enum lease_state {
	LEASE_NONE,    /* not begun, or ended */
	LEASE_WAITING, /* in the cluster's queue */
	LEASE_TELLING, /* the result is there, fn is about to be called */
	LEASE_DONE     /* the result is told */
};

/* How an exchange went, as far as it tells of the endpoint. */
enum lease_result {
	LEASE_ANSWERED, /* with a status */
	LEASE_BROKE,    /* no answer: the connection or the stream ended */
	LEASE_LATE      /* no answer in time */
};

/* Embedded in the exchange. */
struct lease {
	enum lease_state state;
	bool must_be_fresh;
	bool is_counted;         /* as a request of the breaker */
	bool is_begun;           /* as a request in progress */
	struct cluster *cluster; /* referenced from start to end */
	struct reach_want want;
	void (*fn)(void *arg);
	void *arg;
	TAILQ_ENTRY(lease) link; /* of those that wait, or are to be told */
	uint64_t since_ms;
	struct live_endpoint *picked; /* while it waits; referenced */
	struct dialing *dialing;      /* what was begun for it while it waits */
	TAILQ_ENTRY(lease) in_dialing;
	struct back *back; /* while it is held */

	/* The result. */
	enum reach_status status;
	struct stream *stream;
	enum http_version version; /* of the connection, as stream->version */
	bool is_reused;            /* the connection was there before */
	/* The connection's, or of a failure: referenced, NULL if none was
	 * tried. */
	struct endpoint *endpoint;
	struct addr addr;
	bool has_tls;
	const struct tls_info *tls; /* the connection's */
	enum tls_failure tls_failure;
	uint64_t dns_us;
	uint64_t connect_us;
	char detail[512];
};

/*
 * True: the result is there.  False: fn(arg) will be called, never before
 * this returns.  must_be_fresh: no connection that was idle (a retry: its
 * server may have closed that too), and one that others use only when there is
 * no room for a new one.  Either way lease_end() has to follow, also after a
 * failure.
 */
bool lease_start(struct lease *l, struct cluster *c,
    const struct reach_want *want, bool must_be_fresh, void (*fn)(void *),
    void *arg) MUST_CHECK;
/*
 * Gives up waiting, or releases the stream and returns its room: to who waits
 * next, or to the pool; of HTTP/1.1 only if is_whole (or nothing was sent at
 * all).  The result is gone afterwards.  A second call does nothing.
 */
void lease_end(struct lease *l, bool is_whole);
/* status: of LEASE_ANSWERED.  Once, while the stream is held. */
void lease_report(struct lease *l, enum lease_result r, unsigned status);
/*
 * The server authenticates the connection, not the request (NTLM, Negotiate):
 * no other lease gets it from now on, unless by the pin of this one's want.
 */
void lease_make_private(struct lease *l);
/*
 * What TLS has to say about the connection that failed under the stream; NONE:
 * nothing.  why: until lease_end().
 */
enum tls_failure lease_tls_failure(const struct lease *l, struct str *why);
/*
 * A sentence about the connection that failed under the stream, if there is a
 * better one than stream_error_text(): of TLS, or of HTTP/2; else empty.
 * Until lease_end().
 */
struct str lease_failure_text(const struct lease *l);

#endif

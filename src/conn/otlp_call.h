/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_OTLP_CALL_H
#define CONN_OTLP_CALL_H

/*
 * Calls of LogsService/Export on one connection to a collector, by gRPC over
 * HTTP/2 without TLS, one at a time: so a slow collector has us wait, and
 * nothing else.  Own thread.
 */

#include "base/str.h"
#include "http/http_limits.h"
#include "net/wire.h"

struct otlp_call;

enum otlp_end {
	OTLP_TAKEN,   /* grpc-status 0 */
	OTLP_REFUSED, /* another; the connection may be used again */
	OTLP_BROKEN   /* the connection is of no more use */
};

struct otlp_call_env {
	struct str authority; /* these outlive the call */
	const struct http_limits *http;
	const struct h2_limits *h2;
	/*
	 * The end of each call, and OTLP_BROKEN also between calls; why is
	 * borrowed.  Never from inside another call here; it may free it.
	 */
	void (*fn)(void *arg, enum otlp_end end, const char *why);
	void *arg;
};

/* Takes the wire over. */
struct otlp_call *otlp_call_new(
    struct wire *w, const struct otlp_call_env *env) MUST_CHECK;
/* Closes the connection.  NULL is fine. */
void otlp_call_free(struct otlp_call *c);

/* Takes no call now; is over: nor will it ever. */
bool otlp_call_is_busy(const struct otlp_call *c);
bool otlp_call_is_over(const struct otlp_call *c);
/* The message is taken over; only while it is not busy. */
void otlp_call_send(struct otlp_call *c, struct text *message);

#endif

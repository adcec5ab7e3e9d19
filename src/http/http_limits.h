/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_HTTP_LIMITS_H
#define HTTP_HTTP_LIMITS_H

/*
 * What a peer may make us hold or do: of messages in either version of HTTP,
 * and of a connection of HTTP/2.  Filled by daemon/config; immutable.
 */

#include <stddef.h>

#include "http/h2_event.h"

struct http_limits {
	size_t head_bytes;    /* 61440; of HTTP/2: of names and values */
	size_t line_bytes;    /* one line of it, or one field; 0: no limit */
	size_t fields;        /* 100, at most HEAD_FIELDS_MAX */
	size_t trailer_bytes; /* 8192 */
};

struct h2_limits {
	unsigned streams;         /* that a peer may have open; 100 */
	size_t stream_window;     /* bytes held for a stream; 262144 */
	size_t connection_window; /* for all of a connection; 1048576 */
	unsigned head_ms;         /* of a field block begun; 15000 */
	unsigned ping_ms;         /* of silence until a PING; 0: none */
	unsigned ping_timeout_ms; /* for its answer; 20000 */
	/* What a peer may do in ten seconds; by enum h2_abuse. */
	unsigned abuse[H2_ABUSE_N];
};

#endif

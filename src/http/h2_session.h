/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_SESSION_H
#define HTTP_H2_SESSION_H

/*
 * HTTP/2 on one wire, in either role (RFC 9113), on libnghttp2, which nobody
 * else sees.  Its streams are what exchanges couple: see stream.h.  The
 * session owns the wire and its readiness.  Own thread.
 *
 * What a peer sends is held only within the windows, and windows are given
 * back only for what was pulled; what is pushed is taken only within the
 * peer's windows, and while the wire holds nothing unsent.  Frames of a turn
 * of the loop are written together.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/http_limits.h"
#include "http/stream.h"
#include "net/wire.h"

enum h2_role { H2_SERVER, H2_CLIENT };

enum h2_state {
	H2_OPEN,  /* new streams may come, or be opened */
	H2_GOING, /* GOAWAY was said by either side: streams end in order */
	H2_OVER   /* nothing moves any more; see h2_session_end() */
};

enum h2_end {
	H2_END_NONE,
	H2_END_CLOSED,   /* in order, no stream was open */
	H2_END_CUT,      /* the peer closed with streams open */
	H2_END_RESET,    /* the wire failed */
	H2_END_NOT_H2,   /* the peer speaks something else */
	H2_END_PROTOCOL, /* it broke RFC 9113: GOAWAY was sent */
	H2_END_ABUSE,    /* GOAWAY with ENHANCE_YOUR_CALM was sent */
	H2_END_SILENT,   /* no answer to our PING */
	H2_END_LATE      /* a field block, or the preface, took too long */
};

struct h2_session;

/*
 * None comes from inside a call of the owner, but count, which must not call
 * back.
 */
struct h2_events {
	/* Server role: a request's head is there; pull_head gives it. */
	void (*on_stream)(void *arg, struct stream *s);
	/* State or streams_left changed, or the last stream ended. */
	void (*on_change)(void *arg);
	/*
	 * No stream has been open for a while: what can be made again need not
	 * be kept.  May be NULL.
	 */
	void (*on_rest)(void *arg);
	/* May be NULL. */
	void (*count)(void *arg, enum h2_event e);
};

/*
 * Takes the wire over; bytes that it keeps are read from the loop.  limits
 * and events outlive the session.
 */
struct h2_session *h2_session_new(struct wire *w, enum h2_role role,
    const struct http_limits *http, const struct h2_limits *limits,
    const struct h2_events *events, void *arg) MUST_CHECK;
/*
 * Closes the wire; safe from inside its own callbacks.  Streams that are still
 * open must have been released.
 */
void h2_session_free(struct h2_session *s);
struct wire *h2_session_wire(const struct h2_session *s);

/*
 * Client role: a stream for one more request, while h2_session_streams_left()
 * is over 0.  Released by its ops.
 */
struct stream *h2_session_open(struct h2_session *s) MUST_CHECK;
/* By the peer's MAX_CONCURRENT_STREAMS and our own limit; 0 unless H2_OPEN. */
unsigned h2_session_streams_left(const struct h2_session *s);
/* Not yet released, or not yet closed on both sides. */
unsigned h2_session_streams(const struct h2_session *s);
/*
 * Client role: the server takes extended CONNECT (RFC 8441).  Known once its
 * SETTINGS came: until then h2_session_has_settings() is false.
 */
bool h2_session_takes_connect(const struct h2_session *s);
bool h2_session_has_settings(const struct h2_session *s);

enum h2_state h2_session_state(const struct h2_session *s);
/* Why H2_OVER, and a sentence for the log; both until it is freed. */
enum h2_end h2_session_end(const struct h2_session *s);
struct str h2_session_end_text(const struct h2_session *s);

/*
 * Say GOAWAY in order: streams that the peer has begun go on, on_change tells
 * when the last has ended.
 */
void h2_session_drain(struct h2_session *s);

/*
 * As h1_session_linger(): what is unsent goes out, our direction ends, what
 * still comes is thrown away (as many bytes as are cheap), then done is
 * called from the loop.
 */
void h2_session_linger(
    struct h2_session *s, void (*done)(void *arg), void *arg);

#endif

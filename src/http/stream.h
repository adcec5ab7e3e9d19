/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_STREAM_H
#define HTTP_STREAM_H

/*
 * One request and its response, seen from one side: what the exchange couples
 * two of, whatever version of HTTP each speaks.  The side that receives
 * messages pulls them; the other direction is pushed.  Fronts (towards the
 * caller) and backs (towards the server) implement the same operations and
 * never name each other.
 *
 * A body moves only when the other side can take it: pull no more than what
 * can be pushed.  on_ready comes, never from inside a call, whenever a pull
 * that gave PULL_WAIT or a push that was blocked may go on.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "http/head.h"
#include "net/wire.h"

enum http_version { HTTP_1_1, HTTP_2 };

enum pull {
	PULL_DATA,
	PULL_WAIT,
	PULL_END, /* of the message, in order; trailers, if any, are known */
	PULL_FAIL /* stream_error() says why */
};

enum stream_error {
	STREAM_OK,
	STREAM_IDLE_CLOSED,  /* closed in order before the first byte */
	STREAM_CLOSED_EARLY, /* closed before a response was begun */
	STREAM_CUT,          /* the message is incomplete */
	STREAM_RESET,
	STREAM_REFUSED, /* the server did not take the request: send it again */
	STREAM_BAD_MESSAGE,     /* strict parsing refused it */
	STREAM_NO_HOST,         /* a request without Host */
	STREAM_TOO_LARGE,       /* of the head: limits */
	STREAM_VERSION,         /* HTTP/1.0, 0.9, 3.7 … */
	STREAM_NOT_IMPLEMENTED, /* an unknown transfer coding */
	STREAM_PREFACE,         /* an HTTP/2 preface where HTTP/1 is spoken */
	STREAM_LOOKS_TLS,       /* a TLS ClientHello where HTTP is spoken */
	STREAM_WIRE             /* the wire failed */
};

/* What a back knows of its server: may a request ask for an upgrade? */
enum stream_upgrades {
	UPGRADES_TAKEN,
	UPGRADES_UNKNOWN, /* on_ready comes when it is known */
	UPGRADES_REFUSED  /* HTTP/2 without extended CONNECT (RFC 8441) */
};

struct stream;

struct stream_ops {
	/* A request (front) or the next response, 1xx too (back). */
	enum pull (*pull_head)(struct stream *s, struct head **out);
	/*
	 * At most credit bytes of the body, borrowed until the next pull on
	 * any stream of the loop.  With no credit only an end or a failure
	 * comes.  In a tunnel PULL_END may come with error set
	 * to STREAM_CUT: TLS ended without close_notify, which may be passed on
	 * as an end but is to be told.
	 */
	enum pull (*pull_body)(
	    struct stream *s, size_t credit, struct span *out);
	/* After PULL_END: the trailer fields, or NULL. */
	const struct head *(*trailers)(struct stream *s);
	/*
	 * is_end: no body follows.  A front sends 1xx first and as many as
	 * come; h->wants_close: say so, the connection ends after this.
	 */
	void (*push_head)(struct stream *s, const struct head *h, bool is_end);
	/* bytes are sent or copied before it returns. */
	void (*push_body)(struct stream *s, struct str bytes);
	/* trailers may be NULL. */
	void (*push_end)(struct stream *s, const struct head *trailers);
	/* What was pushed in this turn goes out; call once a turn. */
	void (*flush)(struct stream *s);
	/*
	 * Bytes that may be pushed now; 0: wait for on_ready.  0 for good when
	 * writing failed: on_ready comes, and a front has its error set; of a
	 * back, pull_head() tells, for it may have answered before.  In a
	 * tunnel both have.  After push_end() in a tunnel that has its
	 * connection for itself: 0 while not all of it is with the kernel, and
	 * a release would cut it.
	 */
	size_t (*can_push)(const struct stream *s);
	/*
	 * The exchange is through with it: whole (both messages ended in
	 * order) or not, in which case the peer sees a reset or a close.  The
	 * stream is not used afterwards.
	 */
	void (*release)(struct stream *s, bool is_whole);
};

struct stream {
	const struct stream_ops *ops;
	void (*on_ready)(void *arg);
	void *arg;
	enum http_version version;
	/*
	 * Others share the connection (HTTP/2): it outlives this stream however
	 * that ends, and nothing of it has to be read to its end.
	 */
	bool is_multiplexed;
	/*
	 * Set before anything of a body came: it is pulled slowly on purpose,
	 * and what it holds, at most its window, takes none of the room that
	 * others have on the connection.
	 */
	bool is_slow;
	enum stream_upgrades upgrades;
	uint32_t id; /* RFC 9113, section 5.1.1; 0 in HTTP/1 */
	/*
	 * RFC 9113, section 7.  With STREAM_RESET: what the peer said.  Set
	 * before a release that is not whole: what our reset will say; 0 lets
	 * the stream choose.
	 */
	uint32_t reset_code;
	enum stream_error error; /* also of a push: see can_push */
	uint64_t bytes_in;       /* of bodies */
	uint64_t bytes_out;
};

const char *stream_error_text(enum stream_error e);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PARENT_H
#define UPSTREAM_PARENT_H

/*
 * What is said to a parent proxy until it has opened a tunnel to the server:
 * CONNECT (RFC 9110, section 9.3.6) or SOCKS 5 (RFC 1928 and 1929).  Bytes in,
 * bytes out, and no socket: upstream/reach.c has that.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum parent_kind { PARENT_NONE, PARENT_HTTP, PARENT_SOCKS5 };

/* "http://proxy.example:3128", "socks5://[::1]:1080" */
struct parent {
	enum parent_kind kind;
	struct str host; /* without [] */
	uint16_t port;
	bool host_is_address;
};

/* Views of url.  False: *why is what is wrong with it, and what to do. */
bool parent_parse(
    struct str url, struct parent *out, const char **why) MUST_CHECK;

/* "user:password" in one line; what can be sent to a proxy of this kind. */
bool parent_auth_is_good(enum parent_kind kind, struct str auth) MUST_CHECK;

enum parent_stage {
	PARENT_SENT_CONNECT,
	PARENT_SENT_METHODS,
	PARENT_SENT_AUTH,
	PARENT_SENT_REQUEST,
	PARENT_IS_OVER
};

enum parent_failure {
	PARENT_AUTH,        /* it wants credentials, or others than ours */
	PARENT_DENIED,      /* it does not let us go there */
	PARENT_BROKEN,      /* what it says makes no sense */
	PARENT_REFUSED,     /* the server refused it */
	PARENT_UNREACHABLE, /* it finds no way to the server */
	PARENT_LATE,        /* the server did not answer it */
	PARENT_OTHER
};

enum parent_says { PARENT_MORE, PARENT_OPEN, PARENT_FAILED };

/* One talk: set what it is about, then parent_begin(). */
struct parent_talk {
	enum parent_kind kind;
	struct str auth; /* "user:password"; empty: we have none */
	struct str host; /* of the server: a name, or an address without [] */
	uint16_t port;

	enum parent_stage stage;
	enum parent_failure failure;
	bool blames_server; /* it says that the server failed it */
	char why[160];      /* of a failure */
};

/* The most that is read of an answer before the tunnel is open. */
#define PARENT_ANSWER_MOST 8192

/* What is to be sent first. */
void parent_begin(struct parent_talk *t, struct text *out);
/*
 * What came so far and was not used yet; what is to be sent next goes to out.
 * The first `used` bytes are done with, the others are to be given again, with
 * more behind them; after PARENT_OPEN they are the server's.
 */
enum parent_says parent_hear(struct parent_talk *t, struct str bytes,
    size_t *used, struct text *out) MUST_CHECK;

/* Private to parent*.c. */
void parent_http_begin(const struct parent_talk *t, struct text *out);
enum parent_says parent_http_hear(
    struct parent_talk *t, struct str bytes, size_t *used);
void parent_socks_begin(const struct parent_talk *t, struct text *out);
enum parent_says parent_socks_hear(
    struct parent_talk *t, struct str bytes, size_t *used, struct text *out);
enum parent_says parent_fail(struct parent_talk *t, enum parent_failure f,
    const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif

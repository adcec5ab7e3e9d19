/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_UPGRADE_H
#define CONN_UPGRADE_H

/*
 * A request to go on with another protocol, and the answer to it, told in the
 * version of HTTP that the other side speaks: Upgrade and 101 in HTTP/1.1 (RFC
 * 9110, section 7.8), extended CONNECT and 2xx in HTTP/2 (RFC 8441).  Of
 * WebSocket it does the opening handshake's part of a client or server where
 * the two sides differ (RFC 6455, section 4).  Whether a service offers a
 * protocol is not asked here, nor does a byte of the tunnel pass.  Pure but for
 * a random key.
 */

#include <stdbool.h>

#include "http/head.h"
#include "http/stream.h"

/* No protocol has a longer name. */
#define UPGRADE_TOKEN_MOST 64
/* 16 bytes in base64, and a NUL. */
#define UPGRADE_KEY_TEXT 25
/* Of SHA-1. */
#define UPGRADE_ACCEPT_TEXT 29

/*
 * One upgrade; it stays where it is.  Heads that were edited borrow from it: it
 * lives as long as both, and keeps nothing of theirs once it was agreed to.
 * All zero before the first upgrade_prepare() of a request.
 */
struct upgrade {
	bool is_begun;
	bool is_websocket;
	enum http_version from; /* the caller's */
	enum http_version to;   /* the server's */
	struct str token;       /* as the caller wrote it; of token_text */
	struct str method;
	char token_text[UPGRADE_TOKEN_MOST];
	char key[UPGRADE_KEY_TEXT];       /* what the server has to answer */
	char accept[UPGRADE_ACCEPT_TEXT]; /* how it has to */
	/* What a caller of HTTP/2 waits for, or empty: see upgrade_answer(). */
	char owed[UPGRADE_ACCEPT_TEXT];
};

enum upgrade_ask {
	UPGRADE_READY,
	UPGRADE_BAD,       /* 400: the caller asks against the rules */
	UPGRADE_IMPOSSIBLE /* not between these versions, or not at all */
};

/*
 * q has upgrade set.  Makes of it what the server's version wants, its body
 * BODY_TUNNEL; after anything but UPGRADE_READY q is as it was, or as the call
 * before left it.  Once it was READY it may be called again, also with another
 * `to`, when the request is sent again.
 */
enum upgrade_ask upgrade_prepare(struct upgrade *u, struct head *q,
    enum http_version from, enum http_version to) MUST_CHECK;

enum upgrade_answer {
	UPGRADE_AGREED,   /* what follows is the tunnel, both ways */
	UPGRADE_DECLINED, /* an ordinary answer; it goes its way unchanged */
	UPGRADE_BROKEN    /* the caller must not get it: 502 */
};

/*
 * a is the server's final answer, or 101.  Agreed, it is edited into what the
 * caller's version says, its body BODY_TUNNEL, without hop-by-hop fields.
 * HTTP/2 knows no key, but a sidecar that turns the handshake of an HTTP/1.1
 * client into an extended CONNECT may hand the key on, and leave it to us to
 * answer it: such a caller gets its Sec-WebSocket-Accept.
 * BROKEN: a 101 that agrees to something else (RFC 6455, section 4.1), or a 2xx
 * of HTTP/1.1 that a caller of HTTP/2 would take for one.
 */
enum upgrade_answer upgrade_answer(
    const struct upgrade *u, struct head *a) MUST_CHECK;

#endif

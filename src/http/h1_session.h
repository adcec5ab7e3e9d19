/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_SESSION_H
#define HTTP_H1_SESSION_H

/*
 * HTTP/1.1 on one wire, in either role: one message each way at a time, one
 * after the other.  Its stream is what an exchange couples.  The session owns
 * the wire.  Pipelined requests wait in the wire until the one before is
 * through.  After 101 the two directions are a tunnel: raw bytes until either
 * side ends its own, and no further message.  Own thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "http/h1_parse.h"
#include "http/stream.h"
#include "net/wire.h"

enum h1_role { H1_SERVER, H1_CLIENT };

struct h1_session;

/* Takes the wire over. */
struct h1_session *h1_session_new(struct wire *w, enum h1_role role,
    const struct http_limits *limits) MUST_CHECK;
/* Closes the wire; safe from inside its own callbacks. */
void h1_session_free(struct h1_session *s);
struct wire *h1_session_wire(const struct h1_session *s);

/*
 * The one stream.  Server: pull_head gives the next request.  Client: push a
 * request first.  To be got anew for each exchange; released by its ops.
 */
struct stream *h1_session_stream(struct h1_session *s);

/*
 * After the stream's release: may another exchange use the connection?  False
 * when a message was cut short, either side said close, bytes came that
 * nobody asked for, or it was a tunnel.
 */
bool h1_session_can_reuse(const struct h1_session *s);

/*
 * While idle (client role, in a pool): fn is called when the server closes or
 * sends what it should not; the session is then of no use.
 */
void h1_session_set_idle(
    struct h1_session *s, void (*fn)(void *arg), void *arg);

/*
 * Instead of h1_session_free() after a last answer: what is unsent goes out,
 * our direction ends, and what the peer still sends is thrown away, so that
 * the answer is not lost in a reset (RFC 9112, section 9.6).  done is called
 * from the loop when the peer is through; the owner limits the time, and
 * frees.
 */
void h1_session_linger(
    struct h1_session *s, void (*done)(void *arg), void *arg);

/* The server role will answer the current request with Connection: close. */
void h1_session_close_after(struct h1_session *s);
/*
 * Server role, while an answer is awaited: has the client gone?  Not known
 * while its body or a next request lies unread.
 */
bool h1_session_is_abandoned(struct h1_session *s);
/* Bytes of the next request have begun to come (server role). */
bool h1_session_has_input(const struct h1_session *s);

#endif

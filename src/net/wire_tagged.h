/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_WIRE_TAGGED_H
#define NET_WIRE_TAGGED_H

/*
 * The socket below a wire where a protocol in the kernel cuts its bytes into
 * pieces of several kinds, and tells and is told the kind in a control
 * message.  Pieces of the usual kind are bytes of the stream: wire_sock_write()
 * sends them.  For implementations of wire_ops.
 */

#include "net/wire.h"

/* Where the tag stands: a control message of one byte. */
struct wire_tagging {
	int level;
	int type_in;
	int type_out;
	uint8_t usual;
};

struct wire_piece {
	uint8_t tag;
	size_t len;
	/* Of IO_FAIL: what the protocol made of it; 0: the socket failed. */
	int refused;
};

/*
 * Bytes of one kind.  A piece that is not of the usual kind may be empty; it is
 * never given in parts if n is at least the longest one.  IO_FAIL with
 * out->refused: nothing more can be read, but it can be written still.
 */
enum io wire_sock_read_tagged(struct wire *w, const struct wire_tagging *g,
    uint8_t *p, size_t n, struct wire_piece *out) MUST_CHECK;

/* One piece at once or IO_AGAIN; nothing may be unsent. */
enum io wire_sock_send_tagged(struct wire *w, const struct wire_tagging *g,
    uint8_t tag, const uint8_t *p, size_t n) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H2_WALK_H
#define HTTP_H2_WALK_H

/*
 * A walk over received bytes from frame to frame (RFC 9113, section 4.1),
 * ahead of the library that understands them: it does not tell of frames that
 * it ignores, and a peer must not get those for nothing.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* RFC 9113, section 6, and RFC 9218, section 7.1. */
enum h2_frame_type {
	H2_FRAME_DATA,
	H2_FRAME_HEADERS,
	H2_FRAME_PRIORITY,
	H2_FRAME_RST_STREAM,
	H2_FRAME_SETTINGS,
	H2_FRAME_PUSH_PROMISE,
	H2_FRAME_PING,
	H2_FRAME_GOAWAY,
	H2_FRAME_WINDOW_UPDATE,
	H2_FRAME_CONTINUATION,
	H2_FRAME_OTHER
};

#define H2_FLAG_END_STREAM 0x1
#define H2_FLAG_ACK 0x1
#define H2_FLAG_END_HEADERS 0x4
#define H2_FLAG_PADDED 0x8

#define H2_FRAME_HEAD 9

struct h2_frame {
	enum h2_frame_type type;
	uint8_t flags;
	uint32_t stream;
	size_t len;
};

enum h2_walked {
	H2_WALK_MORE,  /* all was used */
	H2_WALK_FRAME, /* the head of one: walk->frame */
	H2_WALK_ALIEN  /* these are no frames */
};

struct h2_walk {
	bool has_preface; /* a client's: awaited, or none is */
	bool is_settled;  /* the first frame was SETTINGS, and is over */
	bool is_in_block; /* a field block was begun and not ended */
	bool ends_block;  /* the frame does */
	bool has_begun;   /* the first frame's head was seen */
	unsigned blocks;
	unsigned continuations; /* of this block */
	size_t before;          /* length of the frame before it */
	struct h2_frame frame;
	size_t left; /* of it */
	size_t have; /* of the next head, or of the preface */
	uint8_t head[H2_FRAME_HEAD];
};

void h2_walk_init(struct h2_walk *w, bool is_server);
/* What was used is cut off *in. */
enum h2_walked h2_walk_next(struct h2_walk *w, struct str *in) MUST_CHECK;

#endif

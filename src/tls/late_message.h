/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_LATE_MESSAGE_H
#define TLS_LATE_MESSAGE_H

/*
 * Cuts the handshake messages that come after the handshake out of their
 * records, without keeping more than the first bytes of one.  Pure.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

#define LATE_HEADER 4

/* Zeroed: between two messages. */
struct late_cut {
	uint8_t head[LATE_HEADER + 1]; /* with the first byte of its body */
	size_t have;                   /* of all that came of it */
};

struct late_message {
	uint8_t type;
	size_t len;    /* of the body */
	uint8_t first; /* byte of the body, if there is one */
};

enum late_status {
	LATE_DONE, /* one is whole, bytes begins behind it */
	LATE_MORE, /* all of bytes belongs to one that goes on */
};

enum late_status late_message_next(
    struct late_cut *c, struct str *bytes, struct late_message *out) MUST_CHECK;
/* As far as its header has come. */
size_t late_message_len(const struct late_cut *c);
/* Has one begun that is not whole? */
bool late_message_is_open(const struct late_cut *c);

#endif

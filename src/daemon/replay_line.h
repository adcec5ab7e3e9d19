/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_REPLAY_LINE_H
#define DAEMON_REPLAY_LINE_H

/*
 * What one line of our access log (JSON) says of a decision: who asked for
 * what, and how that was decided.  Logs come from anywhere, so every field may
 * be anything.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "policy/identity.h"

/* A longer line is not read. */
#define REPLAY_LINE_MOST ((size_t)1 << 20)

enum replay_read {
	REPLAY_DECIDED,
	REPLAY_UNDECIDED, /* of what ended before, or asks by request */
	REPLAY_UNREADABLE
};

struct replay_line {
	void *json; /* all texts live in it */
	struct str time;
	struct str mesh;
	struct str service;
	struct str sni;
	struct str identity;
	struct str rule;
	bool was_allowed;
	bool was_reported; /* only because of report mode */
	/* Without caller_uris: the identity, and the zone if it is known. */
	bool is_assumed;
	struct str uris[IDENTITY_URIS_MAX + 1];
	size_t n_uris;
	struct text zone_uri;
};

enum replay_read replay_line_read(
    struct str bytes, struct replay_line *out) MUST_CHECK;
/* After any replay_line_read(). */
void replay_line_free(struct replay_line *l);

#endif

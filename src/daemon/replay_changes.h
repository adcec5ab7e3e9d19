/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_REPLAY_CHANGES_H
#define DAEMON_REPLAY_CHANGES_H

/*
 * Decisions that would be others, added up by caller, service and rules; at
 * most so many kinds of them, whatever a log says.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define REPLAY_CHANGES_MOST 10000

/* How it was, how it would be. */
enum replay_change {
	REPLAY_TO_DENIED,
	REPLAY_TO_WOULD_DENY, /* allowed, then only because of report mode */
	REPLAY_TO_ALLOWED,
	REPLAY_TO_NO_ENDPOINT, /* allowed, then nobody would be asked */
	REPLAY_CHANGE_N
};

struct replay_changes;

struct replay_found {
	enum replay_change change;
	struct str time;
	struct str identity;
	struct str mesh;
	struct str service;
	struct str old_rule;
	struct str new_rule;
};

struct replay_changes *replay_changes_new(void) MUST_CHECK;
void replay_changes_free(struct replay_changes *c);
/* Texts are copied. */
void replay_changes_add(struct replay_changes *c, const struct replay_found *f);
/* Those of one direction together, the most frequent first. */
void replay_changes_print(struct replay_changes *c, struct text *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_LEDGER_H
#define ADMIN_LEDGER_H

/*
 * Who used what since when: what the workers noted, added up and kept in a
 * file.  The file is written whole every interval, to a temporary one that
 * takes its place, because it is bounded and small: whatever happens there is
 * an old or a new one, and at most an interval is lost.  Main thread.
 */

#include <stdint.h>

#include "base/str.h"
#include "conn/uses.h"
#include "net/loop.h"

struct ledger;

struct ledger_settings {
	const char *file;
	size_t entries;
	unsigned interval_s;
};

/* Reads what is in the file; what is wrong with it is logged. */
struct ledger *ledger_new(
    struct loop *l, const struct ledger_settings *set) MUST_CHECK;
/* Writes what is new.  NULL is fine. */
void ledger_free(struct ledger *g);
/* Adds u, and frees it. */
void ledger_take(struct ledger *g, struct uses *u);

/* Borrowed until the next ledger_take(). */
const struct uses *ledger_uses(const struct ledger *g);
/* When it was begun. */
int64_t ledger_since_s(const struct ledger *g);

#endif

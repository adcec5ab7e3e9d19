/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table by content.  It belongs to the thread, because what documents hold
 * may outlive the store that they came to; it is gone with its last entry.
 */

#include "model/shared_bytes.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

struct shared_bytes {
	UT_hash_handle hh;
	size_t holders;
	size_t len;
	char b[];
};

static _Thread_local struct shared_bytes *table;

struct str
shared_bytes_take(struct str bytes)
{
	struct shared_bytes *e;

	if (bytes.p == NULL)
		return STR_NONE;
	HASH_FIND(hh, table, bytes.p, bytes.len, e);
	if (e == NULL) {
		e = xcalloc(1, sizeof(*e) + bytes.len + 1);
		e->len = bytes.len;
		memcpy(e->b, bytes.p, bytes.len);
		HASH_ADD_KEYPTR(hh, table, e->b, e->len, e);
	}
	e->holders++;
	return (struct str){ .p = e->b, .len = e->len };
}

void
shared_bytes_drop(struct str taken)
{
	struct shared_bytes *e;

	if (taken.p == NULL)
		return;
	HASH_FIND(hh, table, taken.p, taken.len, e);
	if (e == NULL || --e->holders > 0)
		return;
	HASH_DEL(table, e);
	explicit_bzero(e->b, e->len);
	free(e);
}

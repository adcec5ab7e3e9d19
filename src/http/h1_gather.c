/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The gathering buffer of a thread.  It is thread-local rather than a
 * session's: it is empty whenever no push is going on, so that ten thousand
 * connections need one, and its memory stays in the cache.
 */

#include "http/h1_gather.h"

static _Thread_local struct h1_gather gather;

struct h1_gather *
h1_gather_for(struct wire *w)
{
	struct wire *other = gather.wire;

	if (other != NULL && other != w && h1_gather_flush(other) == IO_FAIL) {
		/* Its owner learns of it from the loop. */
		wire_kick(other);
	}
	gather.wire = w;
	return &gather;
}

enum io
h1_gather_flush(struct wire *w)
{
	struct str all = { gather.bytes, gather.len };

	if (gather.wire != w)
		return IO_DONE;
	gather.wire = NULL;
	gather.len = 0;
	return all.len > 0 ? wire_write(w, all) : IO_DONE;
}

enum io
h1_gather_send(struct wire *w, struct str more, struct str tail)
{
	struct str v[3];
	size_t n = 0;

	if (gather.wire == w && gather.len > 0)
		v[n++] = (struct str){ gather.bytes, gather.len };
	if (gather.wire == w)
		gather.len = 0;
	v[n++] = more;
	if (tail.len > 0)
		v[n++] = tail;
	return wire_writev(w, v, n);
}

void
h1_gather_forget(const struct wire *w)
{
	if (gather.wire != w)
		return;
	gather.wire = NULL;
	gather.len = 0;
}

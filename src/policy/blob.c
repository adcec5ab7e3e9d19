/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counted bytes.  Who holds equal blobs finds out in share.c.  Any thread may
 * take and drop references.
 */

#include "policy/blob.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

struct blob *
blob_new(struct str bytes)
{
	struct blob *b = xmalloc(sizeof(*b) + bytes.len + 1);

	ref_init(&b->ref);
	b->digest = digest_of(bytes);
	b->len = bytes.len;
	if (bytes.len > 0)
		memcpy(b->b, bytes.p, bytes.len);
	b->b[bytes.len] = '\0';
	return b;
}

struct blob *
blob_ref(struct blob *b)
{
	ref_up(&b->ref);
	return b;
}

void
blob_unref(struct blob *b)
{
	if (b == NULL || !ref_down(&b->ref))
		return;
	/* It may have been a private key. */
	explicit_bzero(b->b, b->len);
	free(b);
}

struct str
blob_str(const struct blob *b)
{
	if (b == NULL)
		return STR_NONE;
	return (struct str){ .p = b->b, .len = b->len };
}

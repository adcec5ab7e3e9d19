/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_BLOB_H
#define POLICY_BLOB_H

/*
 * Bytes (PEM, mostly) that many services name: one copy for equal content,
 * counted, wiped when the last user lets go.
 */

#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"

struct blob {
	struct ref ref;
	struct digest digest;
	size_t len;
	char b[]; /* terminated */
};

struct blob *blob_new(struct str bytes) MUST_CHECK;
struct blob *blob_ref(struct blob *b);
/* NULL is fine.  Any thread. */
void blob_unref(struct blob *b);
/* NULL gives the empty view. */
struct str blob_str(const struct blob *b);

#endif

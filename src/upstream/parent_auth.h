/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PARENT_AUTH_H
#define UPSTREAM_PARENT_AUTH_H

/*
 * The file with "user:password" for a parent proxy, as it is now: a changed
 * file counts from the next connection on, without a reload.  It is small and
 * local, and read again only when it has changed.  Own thread.
 */

#include <sys/stat.h>

#include "base/str.h"
#include "upstream/parent.h"

struct parent_auth {
	char *path; /* NULL: no credentials */
	struct stat seen;
	bool is_good;   /* what was seen could be used */
	struct text is; /* a secret: wiped when it goes */
};

/*
 * Adds them to out, a secret too; nothing if there are none to be given.
 * False: why says what is wrong with the file.
 */
bool parent_auth_get(struct parent_auth *a, enum parent_kind kind,
    struct text *out, struct text *why) MUST_CHECK;
void parent_auth_fini(struct parent_auth *a);

#endif

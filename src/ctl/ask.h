/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_ASK_H
#define CTL_ASK_H

/* One question to the daemon, over its control socket. */

#include "base/attr.h"
#include "base/str.h"

enum ask_status {
	ASK_OK,
	ASK_FAILED, /* the daemon says so */
	ASK_NOBODY, /* nobody listens; error is printed by the caller */
	ASK_BROKEN  /* the answer is incomplete; printed */
};

/*
 * What the daemon answers goes to standard output.  After ASK_NOBODY errno
 * says why.
 */
enum ask_status ask(const char *socket_path, const char *line) MUST_CHECK;
/* The same; what it answers is added to out. */
enum ask_status ask_text(
    const char *socket_path, struct str line, struct text *out) MUST_CHECK;

#endif

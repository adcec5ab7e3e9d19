/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_ASK_H
#define CTL_ASK_H

/* One question to the daemon, over its control socket. */

#include "base/attr.h"

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

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CONNECT_H
#define CTL_CONNECT_H

/* `zegressctl connect`: a small mesh caller. */

#include "base/attr.h"

/*
 * argv[0] is "connect"; the exit status.  The daemon of socket_path is asked
 * only if the arguments say so.
 */
int connect_main(const char *socket_path, int argc, char *argv[]) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CONNECT_H
#define CTL_CONNECT_H

/* `zegressctl connect`: a small mesh caller. */

#include "base/attr.h"

/* argv[0] is "connect"; the exit status. */
int connect_main(int argc, char *argv[]) MUST_CHECK;

#endif

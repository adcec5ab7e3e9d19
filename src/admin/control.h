/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_CONTROL_H
#define ADMIN_CONTROL_H

/*
 * The Unix socket of zegressctl.  One line in; out comes "ok LENGTH" or "fail
 * LENGTH", a line end, and that many bytes of text; then it is closed.  Root,
 * our own user and our own group may speak.  Main thread.
 */

#include "admin/source.h"
#include "net/loop.h"

struct control;

/* Takes over the listening descriptor; src is copied. */
struct control *control_new(
    struct loop *l, int listen_fd, const struct admin_source *src) MUST_CHECK;
/* NULL is fine. */
void control_free(struct control *c);

#endif

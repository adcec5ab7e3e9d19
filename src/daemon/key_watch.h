/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_KEY_WATCH_H
#define DAEMON_KEY_WATCH_H

/*
 * Notices that files of keys and certificates were changed, and says so once
 * all is quiet.  Main thread.
 */

#include "base/attr.h"

struct key_files;
struct key_watch;
struct loop;

/* Both stay the caller's.  fn: key_files_read() has something to read. */
struct key_watch *key_watch_new(struct loop *l, struct key_files *f,
    void (*fn)(void *arg), void *arg) MUST_CHECK;
/* NULL is fine. */
void key_watch_free(struct key_watch *w);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_KEY_WATCH_H
#define DAEMON_KEY_WATCH_H

/*
 * Notices that files of keys, certificates and revocation lists were changed,
 * and says so once all is quiet.  Main thread.
 */

#include "base/attr.h"

struct key_files;
struct key_watch;
struct loop;
struct tls_files;

/* All stay the caller's.  fn: both kinds of files are to be read again. */
struct key_watch *key_watch_new(struct loop *l, struct key_files *keys,
    struct tls_files *tls, void (*fn)(void *arg), void *arg) MUST_CHECK;
/* NULL is fine. */
void key_watch_free(struct key_watch *w);

#endif

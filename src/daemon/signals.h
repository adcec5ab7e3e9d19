/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

/* Signals as events of main's loop.  Blocked in every thread. */

#include "base/attr.h"
#include "net/loop.h"

struct signals;

enum wish {
	WISH_STOP,   /* SIGTERM, SIGINT */
	WISH_RELOAD, /* SIGHUP */
	WISH_REOPEN  /* SIGUSR1 */
};

/* Before any thread is started: they inherit what is blocked. */
void signals_block(void);
struct signals *signals_new(struct loop *l,
    void (*fn)(void *arg, enum wish wish), void *arg) MUST_CHECK;
/* NULL is fine. */
void signals_free(struct signals *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

/* Making sockets, with the options that we always want. */

#include <stdbool.h>

#include "base/str.h"
#include "net/addr.h"

/* -1 with errno.  Non-blocking, close-on-exec, SO_REUSEADDR. */
int sock_listen(const struct addr *a, bool reuse_port, int backlog);
/* Unix stream socket, bound with mode; a stale file is replaced. */
int sock_listen_unix(const char *path, unsigned mode, int backlog);
/* Next connection, non-blocking, TCP_NODELAY; -1 with errno. */
int sock_accept(int fd, struct addr *from);
/*
 * It failed for want of descriptors or memory: so it will at once again, and
 * who is told by the loop that somebody waits has to rest first.
 */
bool sock_is_short(int error);
/* A connect on its way (EINPROGRESS is success); -1 with errno. */
int sock_connect(const struct addr *a);
int sock_connect_unix(const char *path);
/* The outcome of a connect: 0 or an errno. */
int sock_error(int fd);
/* Sets both: RST instead of FIN on close. */
void sock_linger_reset(int fd);
/* Raise the soft limit of descriptors to the hard one; the result. */
unsigned long sock_raise_nofile(void);

#endif

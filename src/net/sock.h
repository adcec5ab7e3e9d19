/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_SOCK_H
#define NET_SOCK_H

/* Making sockets, with the options that we always want. */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "net/addr.h"

/*
 * -1 with errno.  Non-blocking, close-on-exec, SO_REUSEADDR, TCP_NODELAY for
 * all that it accepts.
 */
int sock_listen(const struct addr *a, bool reuse_port, int backlog);
/* Unix stream socket, bound with mode; a stale file is replaced. */
int sock_listen_unix(const char *path, unsigned mode, int backlog);
/* Of a listener that somebody else opened: what it accepts has it too. */
void sock_no_delay(int fd);
/* Next connection, non-blocking; -1 with errno. */
int sock_accept(int fd, struct addr *from);
/*
 * It failed for want of descriptors or memory: so it will at once again, and
 * who is told by the loop that somebody waits has to rest first.
 */
bool sock_is_short(int error);
/* How connections leave this host; zeroed: as the system likes. */
struct sock_way {
	struct addr from4; /* source addresses; len 0: any */
	struct addr from6;
	const char *interface; /* NULL: any (SO_BINDTODEVICE) */
	uint32_t mark;         /* 0: none (SO_MARK) */
	uint8_t dscp;          /* 0: none; 6 bits (RFC 2474) */
	unsigned keepalive_s;  /* of silence until the first probe; 0: off */
	unsigned keepalive_interval_s;
	unsigned keepalive_probes;
};
/*
 * A connect on its way (EINPROGRESS is success); -1 with errno.  what: the part
 * of way that could not be had; NULL: it was not that.  way may be NULL.
 */
int sock_connect(
    const struct addr *a, const struct sock_way *way, const char **what);
int sock_connect_unix(const char *path);
/* Paths of Unix sockets are shorter than this. */
#define SOCK_UNIX_MOST 108
/* The outcome of a connect: 0 or an errno. */
int sock_error(int fd);
/* Sets both: RST instead of FIN on close. */
void sock_linger_reset(int fd);
/* Raise the soft limit of descriptors to the hard one; the result. */
unsigned long sock_raise_nofile(void);

#endif

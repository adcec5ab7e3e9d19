/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_LISTENER_H
#define DAEMON_LISTENER_H

/*
 * The sockets that callers connect to.  Main opens them all, before it gives
 * up its rights: for each listener a group of one socket a worker, among which
 * the kernel shares connections out (SO_REUSEPORT).  A socket that systemd
 * hands over is one for all workers.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "conn/conns.h"
#include "net/addr.h"

struct config;
struct problems;

struct listener {
	struct addr addr; /* as bound: with its port */
	char name[ADDR_TEXT];
	bool is_ingress;
	bool is_handed_over;
	int *fds; /* one a worker, or one; -1: taken */
	size_t n_fds;
};

struct listeners {
	struct listener *v;
	size_t n;
	bool has_egress;
	/* Ours: what no service may lead to. */
	struct addr *own;
	size_t n_own;
};

/* False: pr says what could not be opened. */
bool listeners_open(struct listeners *ls, const struct config *c,
    size_t n_workers, struct problems *pr) MUST_CHECK;
/* The descriptor for a worker, which is the caller's from here on. */
int listener_take(struct listener *l, size_t worker) MUST_CHECK;
/* Closes what was not taken. */
void listeners_close(struct listeners *ls);
/* The address that a socket is bound to. */
bool listener_bound(int fd, struct addr *out) MUST_CHECK;
/* a, or every address of this host when it is the wildcard. */
void listeners_add_own(struct listeners *ls, const struct addr *a);

/* One worker's share of a listener.  Its thread. */
struct acceptor;

/* Takes fd over; info and conns outlive the acceptor. */
struct acceptor *acceptor_new(struct loop *l, int fd,
    const struct listener_info *info, struct conns *cs) MUST_CHECK;
/* Takes what has connected already, then closes. */
void acceptor_stop(struct acceptor *a);
void acceptor_free(struct acceptor *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCENARIO_FAKE_NET_H
#define SCENARIO_FAKE_NET_H

/*
 * The outside world of a story.  It takes the place of net/sock.c and
 * net/dns_ask.c, which are the only ways out: all other files of net/ are the
 * real ones, above real sockets of this host that nobody else sees.  One a
 * process, since those files know no context.
 */

#include <stdbool.h>
#include <stddef.h>

#include "net/addr.h"

enum fake_server {
	SERVER_UNKNOWN, /* the story says nothing of it */
	SERVER_ACCEPTS,
	SERVER_REFUSES,
	SERVER_IGNORES, /* a SYN gets no answer */
	SERVER_UNREACHABLE,
	SERVER_ABORTS /* accepts, and resets at once */
};

enum fake_answer {
	ANSWER_ADDRESSES,
	ANSWER_UNKNOWN, /* no such name */
	ANSWER_FAILS,
	ANSWER_SILENT /* nobody answers, until the resolver gives up */
};

#define FAKE_ADDRS 4

struct fake_name {
	char name[128];
	enum fake_answer answer;
	struct addr addrs[FAKE_ADDRS];
	size_t n_addrs;
	unsigned ttl_s;
};

/* on_accept gets the server's end of each connection that is accepted. */
void fake_net_init(
    void (*on_accept)(void *arg, const struct addr *at, int fd), void *arg);
void fake_net_fini(void);
void fake_net_server(const struct addr *at, enum fake_server how);
void fake_net_name(const struct fake_name *n);

/* The oldest dial, or query, that was not taken yet; false: there is none. */
bool fake_net_take_dial(struct addr *at);
bool fake_net_take_query(char name[128]);
/* Queries for it so far, those for A and for AAAA each. */
unsigned fake_net_asked(const char *name);

/* Both ends of a new TCP connection, non-blocking. */
void fake_net_pair(int fd[2]);

#endif

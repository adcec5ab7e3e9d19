/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_TWO_HOSTS_H
#define SUPPORT_TWO_HOSTS_H

/*
 * Two hosts on two wires, as network namespaces of the calling thread: "here",
 * where it is afterwards, and "outside", which is the only way to anywhere.
 * What is made in a namespace, sockets and processes, stays in it.
 *
 *	here			outside
 *	wire0 10.9.0.2, .3	10.9.0.1	first way to 192.0.2.1
 *	      2001:db8:9::2, ::3	2001:db8:9::1	way to 2001:db8:c::1
 *	wire1 10.8.0.2, .3	10.8.0.1	second way to 192.0.2.1
 *
 * Outside drops all IPv6 that is for none of its own addresses.  For good: a
 * test has its own process.
 */

#include <stdbool.h>

struct two_hosts {
	int here; /* namespaces */
	int outside;
};

/* False: not on this machine, and why is the reason. */
bool two_hosts_start(struct two_hosts *h, char why[256]);
/* Where the thread goes on. */
void two_hosts_go_out(const struct two_hosts *h);
void two_hosts_go_in(const struct two_hosts *h);
/* A command of the shell where the thread is; false: it failed. */
bool two_hosts_run(const char *command);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PARENT_PROXY_H
#define SUPPORT_PARENT_PROXY_H

/*
 * A forward proxy for tests: CONNECT or SOCKS 5, a thread a connection,
 * blocking.  Every name that it is given is 127.0.0.1.  It does what it is told
 * to do wrong, and remembers what it was asked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parent_proxy_options {
	bool is_socks;
	const char *auth; /* "user:password" that it wants; NULL: none */
	/* Said in place of an answer to CONNECT, or to a request; then FIN. */
	const void *says;
	size_t n_says;
	bool is_silent; /* reads, and never answers */
	/* Has no IPv6 (SOCKS): says so, or hangs. */
	bool refuses_ipv6;
	bool hangs_on_ipv6;
};

struct parent_proxy_seen {
	unsigned connections;
	unsigned tunnels;
	char target[320]; /* of the last one: "name:port" */
	char form[16];    /* of SOCKS: "name", "ipv4" or "ipv6" */
	char auth[520];   /* "user:password"; empty: none came */
	char head[2048];  /* of the last CONNECT */
};

struct parent_proxy;

struct parent_proxy *parent_proxy_start(const struct parent_proxy_options *o);
uint16_t parent_proxy_port(const struct parent_proxy *p);
void parent_proxy_get(struct parent_proxy *p, struct parent_proxy_seen *out);
void parent_proxy_stop(struct parent_proxy *p);

#endif

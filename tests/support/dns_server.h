/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_DNS_SERVER_H
#define SUPPORT_DNS_SERVER_H

/*
 * A small name server in a thread of its own, over UDP and TCP on one free
 * port of 127.0.0.1.  It knows the names that it was told, answers A and AAAA
 * for them, and NXDOMAIN for all others.  Every function is safe from any
 * thread; it follows the real clock, whatever clock_fake() says.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct dns_server;

struct dns_server_srv {
	uint16_t priority;
	uint16_t weight;
	uint16_t port;
	const char *target;
};

struct dns_server_answer {
	const char *const *a;    /* addresses, the last one NULL; or NULL */
	const char *const *aaaa; /* likewise */
	const struct dns_server_srv *srv; /* the last one without target */
	const char *cname;                /* the name is an alias of this one */
	uint32_t ttl_s;
	unsigned rcode;
	unsigned delay_ms;
	bool drop_a; /* say nothing */
	bool drop_aaaa;
	bool truncate;       /* over UDP: TC, and nothing else */
	bool other_question; /* the answer is about another name */
	bool cut_short;      /* the last byte of the last record is missing */
};

struct dns_server *dns_server_start(void) MUST_CHECK;
/* "127.0.0.1:port"; lives as long as s. */
const char *dns_server_address(const struct dns_server *s);
/* Add name, or change what is said of it; all is copied. */
void dns_server_set(
    struct dns_server *s, const char *name, const struct dns_server_answer *a);
void dns_server_forget(struct dns_server *s, const char *name);
/* Queries for it so far, answered or not; also for names not known. */
unsigned dns_server_count(struct dns_server *s, const char *name);
/* Ids and ports of the last queries over UDP, at most max; how many. */
struct dns_server_seen {
	uint16_t id;
	uint16_t port;
};
size_t dns_server_seen(
    struct dns_server *s, struct dns_server_seen *v, size_t max);
/* Queries that came over TCP. */
unsigned dns_server_count_tcp(struct dns_server *s);
void dns_server_stop(struct dns_server *s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_PARSE_H
#define NET_DNS_PARSE_H

/* Names and messages of DNS (RFC 1035), as far as addresses need them.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/dns.h"

enum {
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SRV = 33
};

/* Addresses of one name; more are left out. */
#define DNS_ADDRS_MOST 32
/* Targets of one SRV name; likewise. */
#define DNS_TARGETS_MOST 16

/* A name as text: 253 characters and a NUL (RFC 1035 section 2.3.4). */
#define DNS_NAME_TEXT 254

/* One SRV record (RFC 2782). */
struct dns_target {
	char name[DNS_NAME_TEXT];
	uint16_t port;
	uint16_t priority; /* lower first */
	uint16_t weight;
};

/*
 * The one form in which we keep a name: lower case, without a final dot.
 * False when no query could be made of it.
 */
bool dns_name_fold(struct str name, char out[DNS_NAME_TEXT]) MUST_CHECK;

/*
 * As dns_parse() in dns.h, for the answer to a question for SRV; targets holds
 * max.  DNS_NO_ADDRESS: there are none, or the service is said not to be there.
 */
enum dns_status dns_parse_srv(const uint8_t *p, size_t n,
    struct dns_target *targets, size_t max, size_t *n_targets, uint32_t *ttl_s);

/* Is the message an answer to this question? name is folded. */
bool dns_answers(const uint8_t *p, size_t n, const char *name, uint16_t type);

#endif

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

enum { DNS_TYPE_A = 1, DNS_TYPE_CNAME = 5, DNS_TYPE_AAAA = 28 };

/* Addresses of one name; more are left out. */
#define DNS_ADDRS_MOST 32

/* A name as text: 253 characters and a NUL (RFC 1035 section 2.3.4). */
#define DNS_NAME_TEXT 254

/*
 * The one form in which we keep a name: lower case, without a final dot.
 * False when no query could be made of it.
 */
bool dns_name_fold(struct str name, char out[DNS_NAME_TEXT]) MUST_CHECK;

/* Is the message an answer to this question? name is folded. */
bool dns_answers(const uint8_t *p, size_t n, const char *name, uint16_t type);

#endif

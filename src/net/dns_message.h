/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_MESSAGE_H
#define NET_DNS_MESSAGE_H

/*
 * The frame of a DNS message: names, records, and the chain of aliases from
 * the name that was asked for.  For dns_parse.c.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/reader.h"

#define DNS_NAME_BYTES 255
#define DNS_CLASS_IN 1

struct dns_msg {
	const uint8_t *p;
	size_t n;
};

/* Labels with their lengths, in lower case, with the root at the end. */
struct dns_name {
	uint8_t b[DNS_NAME_BYTES];
	size_t len;
};

struct dns_record {
	struct dns_name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_s;
	struct reader data;
};

struct dns_message {
	struct dns_name name; /* of the question; then where aliases lead */
	uint16_t type;
	uint16_t rcode;
	uint16_t n_answers;
	uint16_t n_authorities;
	struct reader records; /* behind the question */
};

bool dns_name_add(struct dns_name *name, struct str label) MUST_CHECK;
bool dns_name_eq(const struct dns_name *a, const struct dns_name *b);
/* r is within m, and is left behind the name.  False: malformed. */
bool dns_name_read(const struct dns_msg *m, struct reader *r,
    struct dns_name *name) MUST_CHECK;
bool dns_record_read(const struct dns_msg *m, struct reader *r,
    struct dns_record *out) MUST_CHECK;
/* False: no answer, or malformed. */
bool dns_message_read(
    const struct dns_msg *m, struct dns_message *out) MUST_CHECK;
/*
 * Follow the aliases of a->name to the end; *ttl_s is lowered to theirs.
 * False: malformed, or too many.
 */
bool dns_message_follow(
    const struct dns_msg *m, struct dns_message *a, uint32_t *ttl_s) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, records and chains of aliases.  Every byte is read through the
 * cursor; pointers inside names may only lead backwards, and the length of a
 * name bounds how often.
 */

#include "net/dns_message.h"

#include <string.h>

#include "net/dns_parse.h"

/* Longer chains are refused, as resolvers do. */
#define CHAIN_MOST 16

#define FLAG_QR 0x8000
#define FLAG_OPCODE 0x7800
#define FLAG_RCODE 0x000f

bool
dns_name_add(struct dns_name *name, struct str label)
{
	size_t i;

	if (name->len + 1 + label.len > sizeof(name->b))
		return false;
	name->b[name->len++] = (uint8_t)label.len;
	for (i = 0; i < label.len; i++)
		name->b[name->len++] = (uint8_t)ascii_lower_char(label.p[i]);
	return true;
}

/* Go on reading where a pointer leads: to something before *start. */
static bool
follow(const struct dns_msg *m, size_t to, size_t *start, struct reader *r)
{
	if (to >= *start)
		return false;
	*start = to;
	reader_init(r, m->p + to, m->n - to);
	return true;
}

bool
dns_name_read(const struct dns_msg *m, struct reader *r, struct dns_name *name)
{
	struct reader at = *r, *from = r;
	size_t start = (size_t)(r->p - m->p);
	uint8_t len;

	name->len = 0;
	for (;;) {
		len = reader_u8(from);
		if (len >= 0xc0) {
			size_t to = (size_t)(len & 0x3f) << 8 | reader_u8(from);

			if (reader_is_bad(from) || !follow(m, to, &start, &at))
				break;
			from = &at;
			continue;
		}
		/* 0x40 and 0x80 are no lengths (RFC 1035 section 4.1.4). */
		if (len >= 0x40 ||
		    !dns_name_add(name, reader_bytes(from, len)) ||
		    reader_is_bad(from))
			break;
		if (len == 0)
			return true;
	}
	reader_fail(r);
	return false;
}

bool
dns_name_eq(const struct dns_name *a, const struct dns_name *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

bool
dns_record_read(
    const struct dns_msg *m, struct reader *r, struct dns_record *out)
{
	if (!dns_name_read(m, r, &out->owner))
		return false;
	out->type = reader_u16(r);
	out->class = reader_u16(r);
	out->ttl_s = reader_u32(r);
	out->data = reader_sub(r, reader_u16(r));
	/* RFC 2181 section 8: the top bit set means zero. */
	if (out->ttl_s > INT32_MAX)
		out->ttl_s = 0;
	return !reader_is_bad(r);
}

bool
dns_message_read(const struct dns_msg *m, struct dns_message *out)
{
	struct reader r;
	uint16_t flags, questions, class;

	reader_init(&r, m->p, m->n);
	reader_skip(&r, 2);
	flags = reader_u16(&r);
	questions = reader_u16(&r);
	out->n_answers = reader_u16(&r);
	out->n_authorities = reader_u16(&r);
	reader_skip(&r, 2);
	if (reader_is_bad(&r) || (flags & FLAG_QR) == 0 ||
	    (flags & FLAG_OPCODE) != 0 || questions != 1 ||
	    !dns_name_read(m, &r, &out->name))
		return false;
	out->rcode = flags & FLAG_RCODE;
	out->type = reader_u16(&r);
	class = reader_u16(&r);
	out->records = r;
	return !reader_is_bad(&r) && class == DNS_CLASS_IN;
}

/* False: malformed.  *is_more: an alias of a->name was found, and followed. */
static bool
follow_alias(const struct dns_msg *m, struct dns_message *a, uint32_t *ttl_s,
    bool *is_more)
{
	struct reader r = a->records;
	struct dns_record rec;
	struct dns_name target;
	unsigned i;

	*is_more = false;
	for (i = 0; i < a->n_answers; i++) {
		if (!dns_record_read(m, &r, &rec))
			return false;
		if (rec.type != DNS_TYPE_CNAME || rec.class != DNS_CLASS_IN ||
		    !dns_name_eq(&rec.owner, &a->name))
			continue;
		if (!dns_name_read(m, &rec.data, &target) ||
		    reader_left(&rec.data) != 0)
			return false;
		a->name = target;
		if (rec.ttl_s < *ttl_s)
			*ttl_s = rec.ttl_s;
		*is_more = true;
		return true;
	}
	return true;
}

bool
dns_message_follow(
    const struct dns_msg *m, struct dns_message *a, uint32_t *ttl_s)
{
	bool is_more = true;
	unsigned links;

	for (links = 0; is_more; links++)
		if (links > CHAIN_MOST || !follow_alias(m, a, ttl_s, &is_more))
			return false;
	return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer from a name server says: the chain of CNAMEs from the name
 * that was asked for, and the addresses at its end.  Every byte is read
 * through the cursor; pointers inside names may only lead backwards, and the
 * length of a name bounds how often.  Records of other types or classes, and
 * the sections for authority and additional data, play no part.
 */

#include "net/dns_parse.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/reader.h"

#define HEADER_BYTES 12
#define NAME_BYTES 255
#define CLASS_IN 1
/* Longer chains are refused, as resolvers do. */
#define CHAIN_MOST 16

#define FLAG_QR 0x8000
#define FLAG_OPCODE 0x7800
#define FLAG_RCODE 0x000f

enum { RCODE_OK = 0, RCODE_NO_NAME = 3 };

struct msg {
	const uint8_t *p;
	size_t n;
};

/* Labels with their lengths, in lower case, with the root at the end. */
struct name {
	uint8_t b[NAME_BYTES];
	size_t len;
};

struct record {
	struct name owner;
	uint16_t type;
	uint16_t class;
	uint32_t ttl_s;
	struct reader data;
};

struct answer {
	struct name name;
	uint16_t type;
	uint16_t rcode;
	uint16_t n_records;
	struct reader records;
};

static bool
add_label(struct name *name, struct str label)
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
follow(const struct msg *m, size_t to, size_t *start, struct reader *r)
{
	if (to >= *start)
		return false;
	*start = to;
	reader_init(r, m->p + to, m->n - to);
	return true;
}

/* r is within m, and is left behind the name. */
static bool
read_name(const struct msg *m, struct reader *r, struct name *name)
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
		if (len >= 0x40 || !add_label(name, reader_bytes(from, len)) ||
		    reader_is_bad(from))
			break;
		if (len == 0)
			return true;
	}
	reader_fail(r);
	return false;
}

static bool
name_eq(const struct name *a, const struct name *b)
{
	return a->len == b->len && memcmp(a->b, b->b, a->len) == 0;
}

static bool
read_record(const struct msg *m, struct reader *r, struct record *out)
{
	if (!read_name(m, r, &out->owner))
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

static bool
read_answer(const struct msg *m, struct answer *out)
{
	struct reader r;
	uint16_t flags, questions, class;

	reader_init(&r, m->p, m->n);
	reader_skip(&r, 2);
	flags = reader_u16(&r);
	questions = reader_u16(&r);
	out->n_records = reader_u16(&r);
	reader_skip(&r, 4);
	if (reader_is_bad(&r) || (flags & FLAG_QR) == 0 ||
	    (flags & FLAG_OPCODE) != 0 || questions != 1 ||
	    !read_name(m, &r, &out->name))
		return false;
	out->rcode = flags & FLAG_RCODE;
	out->type = reader_u16(&r);
	class = reader_u16(&r);
	out->records = r;
	return !reader_is_bad(&r) && class == CLASS_IN;
}

/* False: malformed.  *is_more: an alias of a->name was found, and followed. */
static bool
follow_alias(
    const struct msg *m, struct answer *a, uint32_t *ttl_s, bool *is_more)
{
	struct reader r = a->records;
	struct record rec;
	struct name target;
	unsigned i;

	*is_more = false;
	for (i = 0; i < a->n_records; i++) {
		if (!read_record(m, &r, &rec))
			return false;
		if (rec.type != DNS_TYPE_CNAME || rec.class != CLASS_IN ||
		    !name_eq(&rec.owner, &a->name))
			continue;
		if (!read_name(m, &rec.data, &target) ||
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

static bool
get_address(struct record *rec, struct addr *out)
{
	struct str bytes = reader_bytes(&rec->data, reader_left(&rec->data));

	*out = (struct addr){ .len = 0 };
	if (rec->type == DNS_TYPE_A && bytes.len == 4) {
		out->len = sizeof(out->u.in);
		out->u.in.sin_family = AF_INET;
		memcpy(&out->u.in.sin_addr, bytes.p, 4);
	} else if (rec->type == DNS_TYPE_AAAA && bytes.len == 16) {
		out->len = sizeof(out->u.in6);
		out->u.in6.sin6_family = AF_INET6;
		memcpy(&out->u.in6.sin6_addr, bytes.p, 16);
	}
	return out->len != 0;
}

/* False: malformed. */
static bool
collect(const struct msg *m, const struct answer *a, struct addr *addrs,
    size_t max, size_t *n_addrs, uint32_t *ttl_s)
{
	struct reader r = a->records;
	struct record rec;
	struct addr addr;
	unsigned i;

	for (i = 0; i < a->n_records; i++) {
		if (!read_record(m, &r, &rec))
			return false;
		if (rec.type != a->type || rec.class != CLASS_IN ||
		    !name_eq(&rec.owner, &a->name))
			continue;
		if (!get_address(&rec, &addr))
			return false;
		if (*n_addrs < max)
			addrs[(*n_addrs)++] = addr;
		if (rec.ttl_s < *ttl_s)
			*ttl_s = rec.ttl_s;
	}
	return true;
}

enum dns_status
dns_parse(const uint8_t *p, size_t n, struct addr *addrs, size_t max,
    size_t *n_addrs, uint32_t *ttl_s)
{
	const struct msg m = { .p = p, .n = n };
	uint32_t ttl = UINT32_MAX;
	struct answer a;
	bool is_more = true;
	unsigned links;

	*n_addrs = 0;
	*ttl_s = 0;
	if (!read_answer(&m, &a) ||
	    (a.type != DNS_TYPE_A && a.type != DNS_TYPE_AAAA))
		return DNS_FAILED;
	if (a.rcode == RCODE_NO_NAME)
		return DNS_NO_NAME;
	if (a.rcode != RCODE_OK)
		return DNS_FAILED;
	for (links = 0; is_more; links++)
		if (links > CHAIN_MOST || !follow_alias(&m, &a, &ttl, &is_more))
			return DNS_FAILED;
	if (!collect(&m, &a, addrs, max, n_addrs, &ttl)) {
		*n_addrs = 0;
		return DNS_FAILED;
	}
	if (*n_addrs == 0)
		return DNS_NO_ADDRESS;
	*ttl_s = ttl;
	return DNS_OK;
}

/* Letters, digits, '-' and, as people do use it, '_'. */
static bool
is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

bool
dns_name_fold(struct str name, char out[DNS_NAME_TEXT])
{
	size_t i, label = 0;

	if (str_ends(name, STR(".")))
		name.len--;
	if (name.len == 0 || name.len >= DNS_NAME_TEXT)
		return false;
	for (i = 0; i < name.len; i++) {
		char c = ascii_lower_char(name.p[i]);

		label = c == '.' ? 0 : label + 1;
		if (label > 63 || (c == '.' && (i == 0 || out[i - 1] == '.')) ||
		    (c != '.' && !is_name_char(c)))
			return false;
		out[i] = c;
	}
	out[i] = '\0';
	return label > 0;
}

static bool
to_wire(const char *text, struct name *out)
{
	struct str left = str_of(text);

	out->len = 0;
	while (left.p != NULL)
		if (!add_label(out, str_cut(&left, '.')))
			return false;
	return add_label(out, STR(""));
}

bool
dns_answers(const uint8_t *p, size_t n, const char *name, uint16_t type)
{
	const struct msg m = { .p = p, .n = n };
	struct answer a;
	struct name asked;

	return read_answer(&m, &a) && a.type == type && to_wire(name, &asked) &&
	       name_eq(&a.name, &asked);
}

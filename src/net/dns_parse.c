/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer from a name server says: the addresses or targets at the end
 * of the chain of aliases, or for how long there is nothing.  Records of other
 * types, classes or names, and additional data, play no part.
 */

#include "net/dns_parse.h"

#include <arpa/inet.h>
#include <string.h>

#include "net/dns_message.h"

enum { RCODE_OK = 0, RCODE_NO_NAME = 3 };

static bool
get_address(struct dns_record *rec, struct addr *out)
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

static bool
is_answer(const struct dns_message *a, const struct dns_record *rec)
{
	return rec->type == a->type && rec->class == DNS_CLASS_IN &&
	       dns_name_eq(&rec->owner, &a->name);
}

/* Where records go to. */
struct taker {
	/* False: malformed. */
	bool (*take)(
	    struct taker *t, const struct dns_msg *m, struct dns_record *rec);
	struct addr *addrs;
	struct dns_target *targets;
	size_t max;
	size_t n;
};

static bool
take_address(struct taker *t, const struct dns_msg *m, struct dns_record *rec)
{
	struct addr addr;

	(void)m;
	if (!get_address(rec, &addr))
		return false;
	if (t->n < t->max)
		t->addrs[t->n++] = addr;
	return true;
}

/* As text; false when no query could be made of it. */
static bool
print_name(const struct dns_name *name, char out[DNS_NAME_TEXT])
{
	char text[DNS_NAME_BYTES];
	size_t i = 0, n = 0;

	while (i < name->len && name->b[i] != 0) {
		/* A dot inside of a label would be taken for the end of it. */
		if (memchr(name->b + i + 1, '.', name->b[i]) != NULL)
			return false;
		if (n > 0)
			text[n++] = '.';
		memcpy(text + n, name->b + i + 1, name->b[i]);
		n += name->b[i];
		i += 1u + name->b[i];
	}
	return dns_name_fold((struct str){ .p = text, .len = n }, out);
}

/* RFC 2782.  A target that is the root says that there is no such service. */
static bool
take_target(struct taker *t, const struct dns_msg *m, struct dns_record *rec)
{
	struct dns_target target;
	struct dns_name name;

	target.priority = reader_u16(&rec->data);
	target.weight = reader_u16(&rec->data);
	target.port = reader_u16(&rec->data);
	if (!dns_name_read(m, &rec->data, &name) ||
	    reader_left(&rec->data) != 0)
		return false;
	if (t->n < t->max && target.port > 0 && print_name(&name, target.name))
		t->targets[t->n++] = target;
	return true;
}

/* False: malformed. */
static bool
collect(const struct dns_msg *m, const struct dns_message *a, struct taker *t,
    uint32_t *ttl_s)
{
	struct reader r = a->records;
	struct dns_record rec;
	unsigned i;

	for (i = 0; i < a->n_answers; i++) {
		if (!dns_record_read(m, &r, &rec))
			return false;
		if (!is_answer(a, &rec))
			continue;
		if (!t->take(t, m, &rec))
			return false;
		if (rec.ttl_s < *ttl_s)
			*ttl_s = rec.ttl_s;
	}
	return true;
}

/* Its last number, once both names are passed (RFC 1035 section 3.3.13). */
static uint32_t
soa_minimum(const struct dns_msg *m, struct dns_record *rec)
{
	struct dns_name name;
	uint32_t minimum;

	if (!dns_name_read(m, &rec->data, &name) ||
	    !dns_name_read(m, &rec->data, &name))
		return 0;
	reader_skip(&rec->data, 16);
	minimum = reader_u32(&rec->data);
	if (reader_is_bad(&rec->data) || reader_left(&rec->data) != 0)
		return 0;
	if (minimum > rec->ttl_s)
		minimum = rec->ttl_s;
	return minimum > 0 ? minimum : 1;
}

/* How long there is nothing (RFC 2308 section 5); 0: nobody says. */
static uint32_t
negative_ttl_s(const struct dns_msg *m, const struct dns_message *a)
{
	struct reader r = a->records;
	struct dns_record rec;
	unsigned i;

	for (i = 0; i < a->n_answers + a->n_authorities; i++) {
		if (!dns_record_read(m, &r, &rec))
			return 0;
		if (i >= a->n_answers && rec.type == DNS_TYPE_SOA &&
		    rec.class == DNS_CLASS_IN)
			return soa_minimum(m, &rec);
	}
	return 0;
}

static enum dns_status
parse(const struct dns_msg *m, struct dns_message *a, struct taker *t,
    uint32_t *ttl_s)
{
	uint32_t ttl = UINT32_MAX;

	if (a->rcode == RCODE_NO_NAME) {
		*ttl_s = negative_ttl_s(m, a);
		return DNS_NO_NAME;
	}
	if (a->rcode != RCODE_OK || !dns_message_follow(m, a, &ttl) ||
	    !collect(m, a, t, &ttl)) {
		t->n = 0;
		return DNS_FAILED;
	}
	*ttl_s = t->n > 0 ? ttl : negative_ttl_s(m, a);
	return t->n > 0 ? DNS_OK : DNS_NO_ADDRESS;
}

enum dns_status
dns_parse(const uint8_t *p, size_t n, struct addr *addrs, size_t max,
    size_t *n_addrs, uint32_t *ttl_s)
{
	struct taker t = { .take = take_address, .addrs = addrs, .max = max };
	const struct dns_msg m = { .p = p, .n = n };
	enum dns_status status = DNS_FAILED;
	struct dns_message a;

	*ttl_s = 0;
	if (dns_message_read(&m, &a) &&
	    (a.type == DNS_TYPE_A || a.type == DNS_TYPE_AAAA))
		status = parse(&m, &a, &t, ttl_s);
	*n_addrs = t.n;
	return status;
}

enum dns_status
dns_parse_srv(const uint8_t *p, size_t n, struct dns_target *targets,
    size_t max, size_t *n_targets, uint32_t *ttl_s)
{
	struct taker t = {
		.take = take_target,
		.targets = targets,
		.max = max,
	};
	const struct dns_msg m = { .p = p, .n = n };
	enum dns_status status = DNS_FAILED;
	struct dns_message a;

	*ttl_s = 0;
	if (dns_message_read(&m, &a) && a.type == DNS_TYPE_SRV)
		status = parse(&m, &a, &t, ttl_s);
	*n_targets = t.n;
	return status;
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
to_wire(const char *text, struct dns_name *out)
{
	struct str left = str_of(text);

	out->len = 0;
	while (left.p != NULL)
		if (!dns_name_add(out, str_cut(&left, '.')))
			return false;
	return dns_name_add(out, STR(""));
}

bool
dns_answers(const uint8_t *p, size_t n, const char *name, uint16_t type)
{
	const struct dns_msg m = { .p = p, .n = n };
	struct dns_message a;
	struct dns_name asked;

	return dns_message_read(&m, &a) && a.type == type &&
	       to_wire(name, &asked) && dns_name_eq(&a.name, &asked);
}

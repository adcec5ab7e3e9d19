/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a service's list names and that is there goes into the hash, in the
 * order of the list.  Each value is hashed by itself, so that no two can run
 * into each other.  A worker's thread.
 */

#include "conn/hash_by.h"

#include "base/siphash.h"
#include "http/head.h"
#include "policy/hash_key.h"
#include "upstream/reach.h"

/* Names of servers and cookies are short. */
#define HOST_MOST 256

struct sum {
	uint64_t hash;
	bool has_any;
};

static void
add(struct sum *sum, const void *p, size_t n)
{
	/* Not secret: other egresses are to come to the same result. */
	static const uint64_t key[2] = { UINT64_C(0x7a65677265737332),
		UINT64_C(0x6861736862793031) };

	sum->hash = (sum->hash << 1 | sum->hash >> 63) ^ siphash24(key, p, n);
	sum->has_any = true;
}

static void
add_str(struct sum *sum, struct str s)
{
	if (s.len > 0)
		add(sum, s.p, s.len);
}

/*
 * Its port is another one for each connection; and whether a listener has IPv6
 * makes no difference to an IPv4 address.
 */
static void
add_source(struct sum *sum, const struct addr *from)
{
	const struct str mapped = STR("::ffff:");
	char text[ADDR_TEXT];
	struct str s;

	addr_print_host(from, text);
	s = str_of(text);
	add_str(sum, str_starts(s, mapped) ? str_from(s, mapped.len) : s);
}

static void
add_header(struct sum *sum, const struct head *q, struct str name)
{
	const struct field *f;
	size_t i;

	for (i = 0; i < q->n_fields; i++) {
		f = &q->fields[i];
		if (!f->is_removed && str_eq_nocase(f->name, name))
			add_str(sum, f->value);
	}
}

/* The first of that name (RFC 6265, section 5.4). */
static struct str
find_in_cookies(struct str cookies, struct str name)
{
	struct str pair;

	while (cookies.p != NULL) {
		pair = str_trim(str_cut(&cookies, ';'));
		if (str_eq(str_cut(&pair, '='), name) && pair.p != NULL)
			return pair;
	}
	return STR_NONE;
}

static void
add_cookie(struct sum *sum, const struct head *q, struct str name)
{
	struct str value;
	size_t i;

	for (i = 0; i < q->n_fields; i++) {
		if (q->fields[i].is_removed ||
		    !str_eq_nocase(q->fields[i].name, STR("cookie")))
			continue;
		value = find_in_cookies(q->fields[i].value, name);
		if (value.p == NULL)
			continue;
		add_str(sum, value);
		return;
	}
}

static void
add_path(struct sum *sum, struct str path)
{
	add_str(sum, str_cut(&path, '?'));
}

static void
add_host(struct sum *sum, struct str host)
{
	char folded[HOST_MOST];

	if (host.len > sizeof(folded))
		host.len = sizeof(folded);
	if (host.len == 0)
		return;
	memcpy(folded, host.p, host.len);
	ascii_lower(folded, host.len);
	add(sum, folded, host.len);
}

static void
add_key(struct sum *sum, const struct hash_key *k, const struct hash_source *s)
{
	if (s->request == NULL && hash_key_is_of_request(k))
		return;
	switch (k->of) {
	case HASH_OF_CALLER:
		if (s->caller != NULL)
			add_str(sum, s->caller->spiffe);
		break;
	case HASH_OF_SOURCE:
		add_source(sum, s->from);
		break;
	case HASH_OF_HEADER:
		add_header(sum, s->request, k->name);
		break;
	case HASH_OF_COOKIE:
		add_cookie(sum, s->request, k->name);
		break;
	case HASH_OF_PATH:
		add_path(sum, s->request->path);
		break;
	case HASH_OF_HOST:
		add_host(sum, s->host);
		break;
	}
}

static bool
is_wanted(const struct service_options *o)
{
	return o->balance_policy == BALANCE_RING_HASH ||
	       o->balance_policy == BALANCE_MAGLEV;
}

void
hash_by(const struct service_options *o, const struct hash_source *s,
    struct reach_want *want)
{
	struct sum sum = { .has_any = false };
	struct hash_key k;
	size_t i;

	if (!is_wanted(o))
		return;
	for (i = 0; i < o->balance_hash.n; i++)
		if (hash_key_parse(o->balance_hash.v[i], &k))
			add_key(&sum, &k, s);
	want->hash = sum.hash;
	want->has_hash = sum.has_any;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that a service's list names and that is there goes into the hash, in the
 * order of the list.  Each value is hashed by itself, so that no two can run
 * into each other.  A worker's thread.
 */

#include "conn/hash_by.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/rng.h"
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

/* False: there is none. */
static bool
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
		return value.len > 0;
	}
	return false;
}

/* The first of those that can be given. */
static const struct hash_key *
find_given(const struct service_options *o, struct hash_key *room)
{
	size_t i;

	for (i = 0; i < o->balance_hash.n; i++)
		if (hash_key_parse(o->balance_hash.v[i], room) &&
		    room->is_given)
			return room;
	return NULL;
}

static void
give_cookie(struct sum *sum, char *cookie)
{
	if (cookie[0] == '\0')
		(void)snprintf(
		    cookie, HASH_COOKIE_TEXT, "%016" PRIx64, rng_u64());
	add_str(sum, str_of(cookie));
}

static void
find_cookie(
    struct sum *sum, const struct hash_key *k, const struct hash_source *s)
{
	if (!add_cookie(sum, s->request, k->name) && k->is_given)
		give_cookie(sum, s->cookie);
}

/* The first of that name, as it stands there. */
static void
add_query(struct sum *sum, struct str path, struct str name)
{
	struct str pair;

	(void)str_cut(&path, '?');
	while (path.p != NULL) {
		pair = str_cut(&path, '&');
		if (!str_eq(str_cut(&pair, '='), name))
			continue;
		add_str(sum, pair);
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
		find_cookie(sum, k, s);
		break;
	case HASH_OF_QUERY:
		add_query(sum, s->request->path, k->name);
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
	bool has_given = false;
	struct hash_key k;
	size_t i;

	if (!is_wanted(o))
		return;
	for (i = 0; i < o->balance_hash.n; i++) {
		if (!hash_key_parse(o->balance_hash.v[i], &k))
			continue;
		/* An answer gives one. */
		k.is_given &= !has_given;
		has_given |= k.is_given;
		add_key(&sum, &k, s);
		if (k.is_terminal && sum.has_any)
			break;
	}
	want->hash = sum.hash;
	want->has_hash = sum.has_any;
}

/* RFC 6265, section 4.1.  Scripts have no use for it. */
struct str
hash_by_set_cookie(
    const struct service_options *o, const char *cookie, struct arena *a)
{
	struct hash_key room;
	const struct hash_key *k = find_given(o, &room);
	struct text t = TEXT_EMPTY;
	struct str out;

	if (k == NULL)
		return STR_NONE;
	text_addf(&t, "%.*s=%s", STR_ARG(k->name), cookie);
	if (k->ttl_s > 0)
		text_addf(&t, "; Max-Age=%u", k->ttl_s);
	if (k->path.len > 0)
		text_addf(&t, "; Path=%.*s", STR_ARG(k->path));
	text_add(&t, STR("; HttpOnly"));
	out = arena_str(a, text_str(&t));
	text_free(&t);
	return out;
}

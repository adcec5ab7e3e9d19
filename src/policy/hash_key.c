/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for what an endpoint is chosen by.  What a request says under them is
 * in conn/hash_by.c.  Any thread.
 */

#include "policy/hash_key.h"

/* A day more than ten years. */
#define TTL_MOST 315446400

static bool is_token(struct str s);
static bool is_parameter(struct str s);

static const struct {
	const char *word;
	bool (*is_name)(struct str name); /* NULL: it has none */
	bool is_of_request;
} words[] = {
	[HASH_OF_CALLER] = { "caller", NULL, false },
	[HASH_OF_SOURCE] = { "source", NULL, false },
	[HASH_OF_HEADER] = { "header", is_token, true },
	[HASH_OF_COOKIE] = { "cookie", is_token, true },
	[HASH_OF_QUERY] = { "query", is_parameter, true },
	[HASH_OF_PATH] = { "path", NULL, true },
	[HASH_OF_HOST] = { "host", NULL, true },
};

static bool
is_alphanumeric(char c)
{
	c = ascii_lower_char(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool
has_only(struct str s, struct str others)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_alphanumeric(s.p[i]) &&
		    memchr(others.p, s.p[i], others.len) == NULL)
			return false;
	return s.len > 0;
}

/* RFC 9110, section 5.6.2: names of fields, and of cookies (RFC 6265). */
static bool
is_token(struct str s)
{
	return has_only(s, STR("!#$%&'*+-.^_`|~"));
}

/* As it stands in a query (RFC 3986, section 3.4), before '='. */
static bool
is_parameter(struct str s)
{
	return has_only(s, STR("-._~!$'()*+,;:@/?%[]"));
}

/* What cannot end the attribute Path of a cookie. */
static bool
is_path(struct str s)
{
	return has_only(s, STR("-._~!$&'()*+,=:@/%")) && s.p[0] == '/';
}

static bool
parse_extra(struct str s, struct hash_key *k)
{
	struct str value = s, word = str_cut(&value, '=');
	uint64_t ttl;

	if (str_eq(s, STR("terminal")))
		return k->is_terminal = true;
	if (k->of != HASH_OF_COOKIE)
		return false;
	if (str_eq(word, STR("path"))) {
		k->path = value;
		return is_path(value);
	}
	if (!str_eq(word, STR("ttl")) || !str_to_u64(value, TTL_MOST, &ttl))
		return false;
	k->ttl_s = (unsigned)ttl;
	return k->is_given = true;
}

static bool
parse_kind(struct str name, struct hash_key *k)
{
	struct str word = str_cut(&name, ':');
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_eq(word, str_of(words[i].word)))
			continue;
		*k = (struct hash_key){ .of = (enum hash_of)i, .name = name };
		return words[i].is_name != NULL ? words[i].is_name(name)
						: name.p == NULL;
	}
	return false;
}

bool
hash_key_parse(struct str text, struct hash_key *out)
{
	struct str kind = str_cut(&text, ' ');

	if (!parse_kind(kind, out))
		return false;
	while (text.p != NULL)
		if (!parse_extra(str_cut(&text, ' '), out))
			return false;
	/* A path is of one that is given. */
	return out->path.len == 0 || out->is_given;
}

bool
hash_key_is_of_request(const struct hash_key *k)
{
	return words[k->of].is_of_request;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words for what an endpoint is chosen by.  What a request says under them is
 * in conn/hash_by.c.  Any thread.
 */

#include "policy/hash_key.h"

static const struct {
	const char *word;
	bool has_name;
	bool is_of_request;
} words[] = {
	[HASH_OF_CALLER] = { "caller", false, false },
	[HASH_OF_SOURCE] = { "source", false, false },
	[HASH_OF_HEADER] = { "header", true, true },
	[HASH_OF_COOKIE] = { "cookie", true, true },
	[HASH_OF_PATH] = { "path", false, true },
	[HASH_OF_HOST] = { "host", false, true },
};

/* RFC 9110, section 5.6.2: names of fields, and of cookies (RFC 6265). */
static bool
is_token(struct str s)
{
	size_t i;
	char c;

	for (i = 0; i < s.len; i++) {
		c = ascii_lower_char(s.p[i]);
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    memchr("!#$%&'*+-.^_`|~", c, 15) == NULL)
			return false;
	}
	return s.len > 0;
}

bool
hash_key_parse(struct str text, struct hash_key *out)
{
	struct str name = text, word = str_cut(&name, ':');
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_eq(word, str_of(words[i].word)))
			continue;
		*out = (struct hash_key){ .of = (enum hash_of)i, .name = name };
		return words[i].has_name ? is_token(name) : name.p == NULL;
	}
	return false;
}

bool
hash_key_is_of_request(const struct hash_key *k)
{
	return words[k->of].is_of_request;
}

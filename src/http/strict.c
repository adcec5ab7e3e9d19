/* SPDX-License-Identifier: Apache-2.0 */
/* See strict.h.  No state; any thread. */

#include "http/strict.h"

#include "http/h1_scan.h"

static bool
is_hex(char c)
{
	return h1_is_digit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static bool
consists_of(struct str s, enum h1_class class)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!h1_is(s.p[i], class))
			return false;
	return true;
}

/* "[...]" up to its end; what is inside is for the server to judge. */
static bool
cut_literal(struct str *s)
{
	ptrdiff_t end = str_index(*s, ']');
	ptrdiff_t i;

	if (end < 3)
		return false;
	for (i = 1; i < end; i++)
		if (!is_hex(s->p[i]) && s->p[i] != ':' && s->p[i] != '.')
			return false;
	*s = str_from(*s, (size_t)end + 1);
	return true;
}

/* None at all is fine. */
static bool
is_port(struct str s)
{
	uint64_t n;

	return s.len == 0 || (s.len <= 5 && str_to_u64(s, UINT16_MAX, &n));
}

bool
strict_is_authority(struct str s)
{
	struct str host;

	if (!consists_of(s, H1_HOST_CHAR))
		return false;
	if (str_starts(s, STR("["))) {
		if (!cut_literal(&s))
			return false;
		if (s.len == 0)
			return true;
		if (s.p[0] != ':')
			return false;
		s = str_from(s, 1);
	} else {
		host = str_cut(&s, ':');
		if (host.len == 0 || str_index(host, '[') != -1 ||
		    str_index(host, ']') != -1)
			return false;
	}
	return is_port(s);
}

bool
strict_is_disguise(struct str name)
{
	if (name.len != STR("content_length").len &&
	    name.len != STR("transfer_encoding").len)
		return false;
	return str_eq_nocase(name, STR("content_length")) ||
	       str_eq_nocase(name, STR("transfer_encoding"));
}

bool
strict_is_name(struct str name)
{
	return name.len > 0 && consists_of(name, H1_TCHAR) &&
	       !strict_is_disguise(name);
}

bool
strict_is_value(struct str s)
{
	return s.len == 0 || h1_skip_value(s.p, s.p + s.len) == s.p + s.len;
}

bool
strict_is_target(struct str s)
{
	return s.len == 0 || h1_skip_target(s.p, s.p + s.len) == s.p + s.len;
}

bool
strict_is_method(const struct head *h)
{
	static const struct str exact[] = { STR("CONNECT"), STR("HEAD"),
		STR("TRACE") };
	size_t i;

	for (i = 0; i < ARRAY_LEN(exact); i++)
		if (str_eq_nocase(h->method, exact[i]) &&
		    !str_eq(h->method, exact[i]))
			return false;
	if (h->method.len == 0 || !consists_of(h->method, H1_TCHAR) ||
	    str_eq(h->method, STR("PRI")))
		return false;
	return !str_eq(h->method, STR("TRACE")) || !head_has_body(h);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers send here decides where connections go, so a name is read by
 * one narrow rule: letters, digits, hyphens inside labels, and underscores,
 * which some owners of buckets have.  The suffix was checked to end in a label
 * that is no number, so that no address can be under it.  Any thread.
 */

#include "policy/wildcard.h"

#define LABEL_MAX 63 /* RFC 1035, section 2.3.4 */

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_inner(char c)
{
	c = ascii_lower_char(c);
	return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
}

static bool
is_label(struct str s)
{
	size_t i;

	if (s.len == 0 || s.len > LABEL_MAX || !is_inner(s.p[0]) ||
	    !is_inner(s.p[s.len - 1]))
		return false;
	for (i = 0; i < s.len; i++)
		if (!is_inner(s.p[i]) && s.p[i] != '-')
			return false;
	return true;
}

/* Number of labels; 0: it is no name. */
static size_t
count_labels(struct str name)
{
	struct str rest = name;
	size_t n = 0;

	if (name.len == 0 || name.len > WILDCARD_NAME_MAX)
		return 0;
	while (rest.p != NULL) {
		if (!is_label(str_cut(&rest, '.')))
			return 0;
		n++;
	}
	return n;
}

static bool
is_number(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_digit(s.p[i]))
			return false;
	return true;
}

static struct str
last_label(struct str name)
{
	size_t i = name.len;

	while (i > 0 && name.p[i - 1] != '.')
		i--;
	return str_from(name, i);
}

bool
wildcard_is_valid(struct str pattern)
{
	struct str name = str_from(pattern, 2);

	return str_starts(pattern, STR("*.")) && count_labels(name) >= 2 &&
	       !is_number(last_label(name)) && name.len < WILDCARD_NAME_MAX - 1;
}

/* name has something before the dot with which the suffix begins. */
static bool
is_under(struct str pattern, struct str name)
{
	struct str suffix = str_from(pattern, 1);

	return name.len > suffix.len &&
	       str_eq_nocase(str_from(name, name.len - suffix.len), suffix);
}

enum wildcard_fit
wildcard_name(
    struct str pattern, struct str name, char out[WILDCARD_NAME_MAX + 1])
{
	out[0] = '\0';
	if (name.len == 0)
		return WILDCARD_NO_NAME;
	if (count_labels(name) == 0)
		return WILDCARD_BAD_NAME;
	if (pattern.len == 0 || !is_under(pattern, name))
		return WILDCARD_OUTSIDE;
	memcpy(out, name.p, name.len);
	out[name.len] = '\0';
	ascii_lower(out, name.len);
	return WILDCARD_FITS;
}

enum wildcard_fit
wildcard_authority(struct str pattern, struct str authority, uint16_t port,
    char out[WILDCARD_NAME_MAX + 1])
{
	char digits[U64_TEXT];
	struct str rest = authority, name = str_cut(&rest, ':');
	enum wildcard_fit f = wildcard_name(pattern, name, out);

	if (f != WILDCARD_FITS || rest.p == NULL ||
	    str_eq(rest, str_of_u64(port, digits)))
		return f;
	out[0] = '\0';
	return WILDCARD_OTHER_PORT;
}

const char *
wildcard_fit_text(enum wildcard_fit f)
{
	switch (f) {
	case WILDCARD_FITS:
		return "the name is under the service's wildcard";
	case WILDCARD_NO_NAME:
		return "no name was asked for";
	case WILDCARD_BAD_NAME:
		return "what was asked for is no plain name of DNS";
	case WILDCARD_OUTSIDE:
		return "the name is not under the service's wildcard";
	case WILDCARD_OTHER_PORT:
		return "the port is not that of the service";
	}
	return "?";
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small grammars of single values.  Where Kuma and an RFC differ, Kuma's
 * is kept, so that what it accepted is accepted here.  Pure, any thread.
 */

#include "model/scalar.h"

#include <arpa/inet.h>
#include <ctype.h>

#define WORDS(...)                \
	(const char *const[])     \
	{                         \
		__VA_ARGS__, NULL \
	}

static bool
is_one_of(struct str s, const char *const *words)
{
	for (; *words != NULL; words++) {
		if (str_eq(s, str_of(*words)))
			return true;
	}
	return false;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_letter(char c)
{
	c = ascii_lower_char(c);
	return c >= 'a' && c <= 'z';
}

static size_t
digits(struct str s, size_t i)
{
	size_t from = i;

	while (i < s.len && is_digit(s.p[i]))
		i++;
	return i - from;
}

static bool
is_based_number(struct str s)
{
	size_t i;

	if (s.len < 3 || s.p[0] != '0' || (s.p[1] != 'x' && s.p[1] != 'o'))
		return false;
	for (i = 2; i < s.len; i++) {
		if (s.p[1] == 'x' ? !isxdigit((unsigned char)s.p[i])
				  : s.p[i] < '0' || s.p[i] > '7')
			return false;
	}
	return true;
}

/* [-+]? ( . digits | digits ( . digits? )? ) ( [eE] [-+]? digits )? */
static bool
is_decimal_number(struct str s)
{
	size_t i = 0, before, after = 0, power;

	if (i < s.len && (s.p[i] == '-' || s.p[i] == '+'))
		i++;
	i += before = digits(s, i);
	if (i < s.len && s.p[i] == '.') {
		i++;
		i += after = digits(s, i);
	}
	if (before + after == 0)
		return false;
	if (i < s.len && (s.p[i] == 'e' || s.p[i] == 'E')) {
		i++;
		if (i < s.len && (s.p[i] == '-' || s.p[i] == '+'))
			i++;
		i += power = digits(s, i);
		if (power == 0)
			return false;
	}
	return i == s.len;
}

static bool
is_special_number(struct str s)
{
	if (s.len > 0 && (s.p[0] == '-' || s.p[0] == '+'))
		s = str_from(s, 1);
	return is_one_of(
	    s, WORDS(".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN"));
}

enum node_kind
scalar_kind(struct str s)
{
	if (s.len == 0 || is_one_of(s, WORDS("~", "null", "Null", "NULL")))
		return NODE_NULL;
	if (is_one_of(
		s, WORDS("true", "True", "TRUE", "false", "False", "FALSE")))
		return NODE_BOOL;
	if (is_based_number(s) || is_decimal_number(s) || is_special_number(s))
		return NODE_NUMBER;
	return NODE_TEXT;
}

bool
scalar_to_bool(struct str s, bool *out)
{
	*out = is_one_of(s, WORDS("true", "True", "TRUE", "yes", "Yes", "YES",
				"on", "On", "ON", "y", "Y"));
	return *out || is_one_of(s, WORDS("false", "False", "FALSE", "no", "No",
					"NO", "off", "Off", "OFF", "n", "N"));
}

/* The family of an address, or 0; b has room for either. */
static int
address_family(struct str s, unsigned char b[16])
{
	char z[INET6_ADDRSTRLEN + 1];

	if (s.len == 0 || s.len >= sizeof(z))
		return 0;
	memcpy(z, s.p, s.len);
	z[s.len] = '\0';
	if (strlen(z) != s.len)
		return 0;
	if (inet_pton(AF_INET, z, b) == 1)
		return AF_INET;
	return inet_pton(AF_INET6, z, b) == 1 ? AF_INET6 : 0;
}

bool
is_ip_address(struct str s)
{
	unsigned char b[16];

	return address_family(s, b) != 0;
}

bool
is_loopback_address(struct str s)
{
	unsigned char b[16];
	int family = address_family(s, b);

	return family == AF_INET ? b[0] == 127
				 : family == AF_INET6 &&
				       memcmp(b, &in6addr_loopback, 16) == 0;
}

bool
is_any_address(struct str s)
{
	static const unsigned char zeros[16];
	unsigned char b[16];
	int family = address_family(s, b);

	return family != 0 && memcmp(b, zeros, family == AF_INET ? 4 : 16) == 0;
}

/* A letter, digit or _ first; 63 at most, - inside and at the end too. */
static bool
is_label(struct str s)
{
	size_t i;

	if (s.len == 0 || s.len > 63 || s.p[0] == '-')
		return false;
	for (i = 0; i < s.len; i++) {
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && s.p[i] != '_' &&
		    s.p[i] != '-')
			return false;
	}
	return true;
}

bool
is_dns_name(struct str s)
{
	struct str label;

	if (str_ends(s, STR(".")))
		s.len--;
	if (s.len == 0 || s.len > 253 || is_ip_address(s))
		return false;
	while (s.p != NULL) {
		label = str_cut(&s, '.');
		if (!is_label(label))
			return false;
	}
	return true;
}

/* Letters (of which kinds), digits, and the marks listed. */
static bool
consists_of(struct str s, bool upper_too, const char *marks)
{
	size_t i;
	char c;

	for (i = 0; i < s.len; i++) {
		c = s.p[i];
		if ((c >= 'a' && c <= 'z') || is_digit(c) ||
		    (upper_too && c >= 'A' && c <= 'Z'))
			continue;
		if (c == '\0' || strchr(marks, c) == NULL)
			return false;
	}
	return s.len > 0;
}

bool
is_plain_name(struct str s)
{
	return consists_of(s, false, "-._");
}

bool
is_tag_key(struct str s)
{
	return consists_of(s, true, ".-_:/");
}

bool
is_tag_value(struct str s)
{
	return consists_of(s, true, ".-_:");
}

bool
is_protocol(struct str s)
{
	static const char *const known[] = { "tcp", "http", "http2", "grpc",
		"kafka", "tls", "mysql" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++) {
		if (str_eq_nocase(s, str_of(known[i])))
			return true;
	}
	return false;
}

bool
is_field_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) &&
		    (s.p[i] == '\0' ||
			strchr("!#$%&'*+-.^_`|~", s.p[i]) == NULL))
			return false;
	return s.len > 0;
}

bool
is_field_value(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.p[i] >= 0 && s.p[i] < ' ' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return false;
	return s.len == str_trim(s).len;
}

static bool
is_spelt(struct str name, struct str known)
{
	for (size_t i = 0; i < name.len && i < known.len; i++)
		if (ascii_lower_char(name.p[i] == '_' ? '-' : name.p[i]) !=
		    known.p[i])
			return false;
	return name.len == known.len;
}

bool
is_connection_field(struct str name)
{
	static const char *const known[] = { "connection", "content-length",
		"host", "keep-alive", "proxy-connection", "te", "trailer",
		"transfer-encoding", "upgrade" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (is_spelt(name, str_of(known[i])))
			return true;
	return false;
}

bool
split_host_port(struct str s, struct str *host, struct str *port)
{
	ptrdiff_t end;

	*host = *port = STR_NONE;
	if (str_starts(s, STR("["))) {
		end = str_index(s, ']');
		if (end < 0 || (size_t)end + 1 >= s.len || s.p[end + 1] != ':')
			return false;
		*host = str_first(str_from(s, 1), (size_t)end - 1);
		*port = str_from(s, (size_t)end + 2);
		return str_index(*port, ':') < 0;
	}
	end = str_index(s, ':');
	if (end < 0 || str_index(str_from(s, (size_t)end + 1), ':') >= 0)
		return false;
	*host = str_first(s, (size_t)end);
	*port = str_from(s, (size_t)end + 1);
	return true;
}

static bool
unit_ms(struct str unit, uint64_t *ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = {
		{ "ms", 1 },
		{ "s", 1000 },
		{ "m", 60 * 1000 },
		{ "h", 3600 * 1000 },
		{ "d", 24ull * 3600 * 1000 },
		{ "w", 7 * 24ull * 3600 * 1000 },
		{ "y", 365 * 24ull * 3600 * 1000 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(units); i++) {
		if (str_eq(unit, str_of(units[i].name))) {
			*ms = units[i].ms;
			return true;
		}
	}
	return false;
}

bool
parse_duration_ms(struct str s, uint64_t *ms)
{
	uint64_t number, unit, sum = 0;
	size_t n, i;

	if (str_eq(s, STR("0"))) {
		*ms = 0;
		return true;
	}
	for (i = 0; i < s.len; i += n) {
		n = digits(s, i);
		if (!str_to_u64(
			str_first(str_from(s, i), n), UINT32_MAX, &number))
			return false;
		i += n;
		for (n = 0; i + n < s.len && is_letter(s.p[i + n]);)
			n++;
		if (!unit_ms(str_first(str_from(s, i), n), &unit))
			return false;
		/* 2^32 years in ms fit in 2^67: checked, not assumed. */
		if (__builtin_mul_overflow(number, unit, &unit) ||
		    __builtin_add_overflow(sum, unit, &sum))
			return false;
	}
	*ms = sum;
	return s.len > 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See quantity.h. */

#include "model/quantity.h"

#include "model/bind.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/*
 * digits [ "." digits ] at the front, times scale, which is a power of ten; s
 * is what is left.  False: there is no number, or it is too big.
 */
static bool
cut_decimal(struct str *s, uint64_t scale, uint64_t *out)
{
	uint64_t sum = 0, part;
	size_t i = 0, n = 0;

	for (; i < s->len && is_digit(s->p[i]); i++, n++)
		if (__builtin_mul_overflow(sum, 10u, &sum) ||
		    __builtin_add_overflow(sum, s->p[i] - '0', &sum))
			return false;
	if (__builtin_mul_overflow(sum, scale, &sum))
		return false;
	if (i < s->len && s->p[i] == '.')
		for (i++; i < s->len && is_digit(s->p[i]); i++, n++) {
			scale /= 10;
			part = (uint64_t)(s->p[i] - '0') * scale;
			if (__builtin_add_overflow(sum, part, &sum))
				return false;
		}
	*s = str_from(*s, i);
	*out = sum;
	return n > 0;
}

/* The longest name first where one begins another. */
static const struct {
	struct str name;
	uint64_t nanoseconds;
} units[] = {
	{ STR("ns"), 1 },
	{ STR("us"), 1000 },
	{ STR("\xc2\xb5s"), 1000 },
	{ STR("\xce\xbcs"), 1000 },
	{ STR("ms"), 1000 * 1000 },
	{ STR("s"), 1000 * 1000 * 1000 },
	{ STR("m"), 60ull * 1000 * 1000 * 1000 },
	{ STR("h"), 3600ull * 1000 * 1000 * 1000 },
};

static bool
cut_unit(struct str *s, uint64_t *nanoseconds)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_starts(*s, units[i].name)) {
			*nanoseconds = units[i].nanoseconds;
			*s = str_from(*s, units[i].name.len);
			return true;
		}
	return false;
}

bool
parse_duration_us(struct str s, uint64_t *us)
{
	uint64_t thousandths, unit, sum = 0;

	*us = 0;
	if (str_eq(s, STR("0")))
		return true;
	if (s.len == 0)
		return false;
	while (s.len > 0) {
		/* Nine digits behind the point are all that a second has. */
		if (!cut_decimal(&s, 1000000000, &thousandths) ||
		    !cut_unit(&s, &unit))
			return false;
		/* 10^-9 of a unit is 10^-18 s times nanoseconds of it. */
		unit = (uint64_t)((unsigned __int128)thousandths * unit /
				  1000000000u / 1000u);
		if (__builtin_add_overflow(sum, unit, &sum))
			return false;
	}
	*us = sum;
	return true;
}

bool
parse_percentage(struct str s, unsigned *millionths)
{
	uint64_t v;

	if (!cut_decimal(&s, 10000, &v) || s.len > 0 || v > 1000000)
		return false;
	*millionths = (unsigned)v;
	return true;
}

bool
parse_bandwidth(struct str s, uint64_t *bytes_per_s)
{
	static const struct {
		struct str name;
		uint64_t bits;
	} of[] = {
		{ STR("kbps"), 1000 },
		{ STR("mbps"), 1000 * 1000 },
		{ STR("gbps"), 1000 * 1000 * 1000 },
	};
	size_t i = 0;
	uint64_t n;

	while (i < s.len && is_digit(s.p[i]))
		i++;
	if (!str_to_u64(str_first(s, i), UINT32_MAX, &n) || n == 0)
		return false;
	s = str_from(s, i);
	if (str_starts(s, STR(" ")))
		s = str_from(s, 1);
	for (i = 0; i < ARRAY_LEN(of); i++)
		if (str_eq_nocase(s, of[i].name)) {
			*bytes_per_s = n * of[i].bits / 8;
			return true;
		}
	return false;
}

void
read_duration(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	if (bind_expect(b, n, NODE_TEXT, at) &&
	    !parse_duration_us(n->text, field))
		bind_error(b, n->line, at,
		    "must be a duration in h, m, s, ms, as 1.5s or 300ms");
}

void
read_percentage(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	if (n->kind != NODE_NUMBER && !bind_expect(b, n, NODE_TEXT, at))
		return;
	if (!parse_percentage(n->text, field))
		bind_error(b, n->line, at,
		    "must be a number or a decimal text in the range [0, 100], "
		    "as \"12.5\"");
}

void
read_bandwidth(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	if (bind_expect(b, n, NODE_TEXT, at) &&
	    !parse_bandwidth(n->text, field))
		bind_error(b, n->line, at,
		    "must be a whole number over 0 with a unit of kbps, Mbps "
		    "or Gbps, as \"64 kbps\"");
}

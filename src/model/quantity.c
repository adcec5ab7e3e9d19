/* SPDX-License-Identifier: Apache-2.0 */
/* See quantity.h. */

#include "model/quantity.h"

#include "model/bind.h"

/* More than a policy can mean, and far from where arithmetic ends. */
#define MOST_THOUSANDTHS (1ull << 53)

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static size_t
count_digits(struct str s)
{
	size_t n = 0;

	while (n < s.len && is_digit(s.p[n]))
		n++;
	return n;
}

/*
 * digits [ "." digits ] at the front, times scale; what is less than one is cut
 * off, digit by digit.  s is what is left.  False: there is no number, or it is
 * too big.
 */
static bool
cut_decimal(struct str *s, uint64_t scale, uint64_t *out)
{
	uint64_t sum = 0, part;
	size_t whole = count_digits(*s), n = whole;

	if (whole > 0 && !str_to_u64(str_first(*s, whole), UINT64_MAX, &sum))
		return false;
	if (__builtin_mul_overflow(sum, scale, &sum))
		return false;
	*s = str_from(*s, whole);
	if (str_starts(*s, STR(".")))
		for (*s = str_from(*s, 1); s->len > 0 && is_digit(s->p[0]);
		     *s = str_from(*s, 1), n++) {
			scale /= 10;
			part = (uint64_t)(s->p[0] - '0') * scale;
			if (__builtin_add_overflow(sum, part, &sum))
				return false;
		}
	*out = sum;
	return n > 0;
}

/* The longest name first where one begins another. */
static const struct {
	struct str name;
	uint64_t ns;
} units[] = {
	{ STR("ns"), 1 },
	{ STR("us"), 1000 },
	{ STR("\xc2\xb5s"), 1000 }, /* the sign for micro */
	{ STR("\xce\xbcs"), 1000 }, /* the Greek letter */
	{ STR("ms"), 1000 * 1000 },
	{ STR("s"), 1000 * 1000 * 1000 },
	{ STR("m"), 60ull * 1000 * 1000 * 1000 },
	{ STR("h"), 3600ull * 1000 * 1000 * 1000 },
};

/* 0: none. */
static uint64_t
cut_unit(struct str *s)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (str_starts(*s, units[i].name)) {
			*s = str_from(*s, units[i].name.len);
			return units[i].ns;
		}
	return 0;
}

/* One number and its unit. */
static bool
cut_term(struct str *s, uint64_t *ns)
{
	struct str number = *s;
	uint64_t unit;

	while (s->len > 0 && (is_digit(s->p[0]) || s->p[0] == '.'))
		*s = str_from(*s, 1);
	number.len -= s->len;
	unit = cut_unit(s);
	return unit > 0 && cut_decimal(&number, unit, ns) && number.len == 0;
}

/* As time.ParseDuration of Go, with its bound; nothing is below zero. */
static bool
parse_duration_ns(struct str s, uint64_t *ns)
{
	uint64_t term, sum = 0;

	if (str_starts(s, STR("+")))
		s = str_from(s, 1);
	*ns = 0;
	if (str_eq(s, STR("0")))
		return true;
	if (s.len == 0)
		return false;
	while (s.len > 0)
		if (!cut_term(&s, &term) ||
		    __builtin_add_overflow(sum, term, &sum) || sum > INT64_MAX)
			return false;
	*ns = sum;
	return true;
}

bool
parse_go_duration_us(struct str s, uint64_t *us)
{
	uint64_t ns;

	if (!parse_duration_ns(s, &ns))
		return false;
	*us = ns / 1000;
	return true;
}

bool
parse_go_duration_ms(struct str s, uint64_t *ms)
{
	uint64_t ns;

	if (!parse_duration_ns(s, &ns))
		return false;
	*ms = ns / 1000000 + (ns > 0 && ns < 1000000 ? 1 : 0);
	return true;
}

bool
parse_decimal(struct str s, uint64_t *thousandths)
{
	return cut_decimal(&s, 1000, thousandths) && s.len == 0 &&
	       *thousandths <= MOST_THOUSANDTHS;
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
	size_t i = count_digits(s);
	uint64_t n;

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
	    !parse_go_duration_us(n->text, field))
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

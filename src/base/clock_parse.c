/* SPDX-License-Identifier: Apache-2.0 */
/* Times as people write them.  Any thread. */

#include "base/clock.h"

#define DAY_S 86400

/* A reader of what is left of the text. */
struct cursor {
	struct str left;
	bool is_bad;
};

static int
digits(struct cursor *c, size_t n)
{
	uint64_t value = 0;

	if (c->left.len < n || !str_to_u64(str_first(c->left, n), 9999, &value))
		c->is_bad = true;
	c->left = str_from(c->left, n);
	return (int)value;
}

static bool
skip(struct cursor *c, char what)
{
	if (c->left.len == 0 || ascii_lower_char(*c->left.p) != what)
		return false;
	c->left = str_from(c->left, 1);
	return true;
}

static void
expect(struct cursor *c, char what)
{
	if (!skip(c, what))
		c->is_bad = true;
}

/* Days since 1970, of the calendar that has always been in force. */
static int64_t
days_of(int year, int month, int day)
{
	static const int before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243,
		273, 304, 334 };
	int64_t y = month > 2 ? year : year - 1;

	return (int64_t)year * 365 + y / 4 - y / 100 + y / 400 +
	       before[month - 1] + day - 719528;
}

static int
month_length(int year, int month)
{
	static const int lengths[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31,
		30, 31 };
	bool is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return lengths[month - 1] + (month == 2 && is_leap);
}

static int64_t
read_date(struct cursor *c, bool has_marks)
{
	int year, month, day;

	year = digits(c, 4);
	if (has_marks)
		expect(c, '-');
	month = digits(c, 2);
	if (has_marks)
		expect(c, '-');
	day = digits(c, 2);
	if (c->is_bad || year < 1 || month < 1 || month > 12 || day < 1 ||
	    day > month_length(year, month)) {
		c->is_bad = true;
		return 0;
	}
	return days_of(year, month, day) * DAY_S;
}

/* A leap second is taken for the one before it, as the kernel does. */
static int64_t
read_time(struct cursor *c, bool has_marks)
{
	int hour, minute, second;

	hour = digits(c, 2);
	if (has_marks)
		expect(c, ':');
	minute = digits(c, 2);
	if (has_marks)
		expect(c, ':');
	second = digits(c, 2);
	if (hour > 23 || minute > 59 || second > 60)
		c->is_bad = true;
	return hour * 3600 + minute * 60 + (second == 60 ? 59 : second);
}

static void
skip_fraction(struct cursor *c)
{
	if (!skip(c, '.'))
		return;
	(void)digits(c, 1);
	while (c->left.len > 0 && *c->left.p >= '0' && *c->left.p <= '9')
		c->left = str_from(c->left, 1);
}

static int64_t
read_offset(struct cursor *c)
{
	int64_t s;
	int sign;

	if (skip(c, 'z'))
		return 0;
	sign = skip(c, '-') ? -1 : 1;
	if (sign > 0)
		expect(c, '+');
	s = digits(c, 2) * 3600;
	expect(c, ':');
	s += digits(c, 2) * 60;
	if (s >= DAY_S)
		c->is_bad = true;
	return sign * s;
}

bool
clock_parse(struct str text, int64_t *wall_s)
{
	struct cursor c = { .left = text };
	bool has_marks = str_index(text, ':') != -1;
	int64_t s;

	s = read_date(&c, has_marks);
	expect(&c, 't');
	s += read_time(&c, has_marks);
	if (has_marks) {
		skip_fraction(&c);
		s -= read_offset(&c);
	} else {
		expect(&c, 'z');
	}
	*wall_s = s;
	return !c.is_bad && c.left.len == 0;
}

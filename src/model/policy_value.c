/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of the values of policies.  What goes together with what is checked
 * by the kinds.  Main thread.
 */

#include "model/policy_value.h"

#include "base/arena.h"
#include "model/bind.h"

/* More than a policy can mean, and far from where arithmetic ends. */
#define MOST_NUMBER (1ull << 53)

VALUE_READER(value_read_bool)
{
	struct policy_value *v = field;
	bool is_true = false;

	if (!bind_bool(b, n, at, &is_true))
		return;
	v->is_given = true;
	v->number = is_true ? 1 : 0;
}

VALUE_READER(value_read_text)
{
	struct policy_value *v = field;

	v->is_given = bind_str(b, n, at, &v->text);
}

VALUE_READER(value_read_name)
{
	struct policy_value *v = field;

	value_read_text(b, n, at, field);
	if (v->is_given && v->text.len == 0)
		bind_error(b, n->line, at, "must be defined");
}

VALUE_READER(value_read_path)
{
	struct policy_value *v = field;

	value_read_text(b, n, at, field);
	if (v->is_given && !str_starts(v->text, STR("/")))
		bind_error(b, n->line, at, "has to be a valid path");
}

static bool
read_count(struct binder *b, const struct node *n, const struct path *at,
    uint64_t most, struct policy_value *v)
{
	if (!bind_expect(b, n, NODE_NUMBER, at))
		return false;
	v->is_given = true;
	if (str_to_u64(n->text, most, &v->number))
		return true;
	bind_error(b, n->line, at, "must be in the range [0, %llu]",
	    (unsigned long long)most);
	return false;
}

VALUE_READER(value_read_count)
{
	read_count(b, n, at, UINT32_MAX, field);
}

VALUE_READER(value_read_above_zero)
{
	struct policy_value *v = field;

	if (read_count(b, n, at, UINT32_MAX, v) && v->number == 0)
		bind_error(b, n->line, at, "must be greater than 0");
}

VALUE_READER(value_read_percent)
{
	struct policy_value *v = field;

	if (read_count(b, n, at, UINT32_MAX, v) && v->number > 100)
		bind_error(b, n->line, at, "must be in the range [0, 100]");
}

static size_t
digits(struct str s)
{
	size_t n = 0;

	while (n < s.len && s.p[n] >= '0' && s.p[n] <= '9')
		n++;
	return n;
}

/* The number before the unit, or all of it, times scale. */
static bool
cut_decimal(struct str *s, uint64_t scale, uint64_t *out)
{
	size_t whole = digits(*s), part = 0, i;
	uint64_t sum = 0, unit = scale;

	if (whole > 0 && !str_to_u64(str_first(*s, whole), MOST_NUMBER, &sum))
		return false;
	if (__builtin_mul_overflow(sum, scale, &sum))
		return false;
	*s = str_from(*s, whole);
	if (str_starts(*s, STR("."))) {
		*s = str_from(*s, 1);
		part = digits(*s);
		for (i = 0; i < part; i++) {
			unit /= 10;
			sum += (uint64_t)(s->p[i] - '0') * unit;
		}
		*s = str_from(*s, part);
	}
	*out = sum;
	return whole + part > 0;
}

bool
parse_decimal(struct str s, uint64_t *thousandths)
{
	return cut_decimal(&s, 1000, thousandths) && s.len == 0 &&
	       *thousandths <= MOST_NUMBER;
}

/* Of units of ns. */
static uint64_t
cut_unit(struct str *s)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "\xc2\xb5s", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "m", 60 * 1000000000ull },
		{ "h", 3600 * 1000000000ull },
	};
	struct str name;
	size_t i;

	for (i = 0; i < ARRAY_LEN(units); i++) {
		name = str_of(units[i].name);
		if (!str_starts(*s, name))
			continue;
		*s = str_from(*s, name.len);
		return units[i].ns;
	}
	return 0;
}

/* One number and its unit, in ns. */
static bool
cut_term(struct str *s, uint64_t *ns)
{
	struct str number = *s;
	uint64_t unit;

	while (s->len > 0 && (digits(*s) > 0 || s->p[0] == '.'))
		*s = str_from(*s, 1);
	number.len -= s->len;
	unit = cut_unit(s);
	return unit > 0 && cut_decimal(&number, unit, ns) && number.len == 0;
}

bool
parse_go_duration_ms(struct str s, uint64_t *ms)
{
	uint64_t ns, sum = 0;

	if (str_eq(s, STR("0"))) {
		*ms = 0;
		return true;
	}
	if (s.len == 0)
		return false;
	while (s.len > 0)
		if (!cut_term(&s, &ns) || __builtin_add_overflow(sum, ns, &sum))
			return false;
	*ms = sum / 1000000 + (sum > 0 && sum < 1000000 ? 1 : 0);
	return true;
}

static bool
read_time(struct binder *b, const struct node *n, const struct path *at,
    struct policy_value *v)
{
	if (!bind_expect(b, n, NODE_TEXT, at))
		return false;
	v->is_given = true;
	if (parse_go_duration_ms(n->text, &v->number))
		return true;
	bind_error(b, n->line, at,
	    "is not a duration; write it as 10s or 1m30s, not negative");
	return false;
}

VALUE_READER(value_read_time)
{
	read_time(b, n, at, field);
}

VALUE_READER(value_read_time_above_zero)
{
	struct policy_value *v = field;

	if (read_time(b, n, at, v) && v->number == 0)
		bind_error(b, n->line, at, "must be greater than 0");
}

static bool
read_decimal(struct binder *b, const struct node *n, const struct path *at,
    struct policy_value *v)
{
	if (n->kind != NODE_NUMBER && !bind_expect(b, n, NODE_TEXT, at))
		return false;
	v->is_given = true;
	if (parse_decimal(n->text, &v->number))
		return true;
	bind_error(b, n->line, at,
	    "must be a number that is not negative, as 30 or \"30.5\"");
	return false;
}

VALUE_READER(value_read_decimal)
{
	read_decimal(b, n, at, field);
}

VALUE_READER(value_read_decimal_above_zero)
{
	struct policy_value *v = field;

	if (read_decimal(b, n, at, v) && v->number == 0)
		bind_error(b, n->line, at, "must be greater than 0");
}

VALUE_READER(value_read_decimal_percent)
{
	struct policy_value *v = field;

	if (read_decimal(b, n, at, v) && v->number > 100000)
		bind_error(b, n->line, at, "must be in the range [0.0, 100.0]");
}

VALUE_READER(value_read_decimal_percent_above_zero)
{
	struct policy_value *v = field;

	if (!read_decimal(b, n, at, v))
		return;
	if (v->number > 100000)
		bind_error(b, n->line, at, "must be in the range [0.0, 100.0]");
	else if (v->number == 0)
		bind_error(b, n->line, at, "must be greater than 0");
}

VALUE_READER(value_read_statuses)
{
	struct policy_value *v = field;
	const struct node_entry *e;
	struct policy_value one = { .is_given = false };
	unsigned *items;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_LIST, at))
		return;
	items = arena_alloc(b->arena, (n->n + 1) * sizeof(*items));
	for (e = n->first; e != NULL; e = e->next, i++) {
		if (read_count(
			b, e->value, PATH_ITEM(at, i), UINT32_MAX, &one) &&
		    (one.number < 100 || one.number > 599))
			bind_error(b, e->line, PATH_ITEM(at, i),
			    "must be in the range [100, 599]");
		else
			items[i] = (unsigned)one.number;
	}
	v->is_given = true;
	v->list.items = items;
	v->list.n = n->n;
}

VALUE_READER(value_read_texts)
{
	struct policy_value *v = field;
	const struct node_entry *e;
	struct str *items;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_LIST, at))
		return;
	items = arena_alloc(b->arena, (n->n + 1) * sizeof(*items));
	for (e = n->first; e != NULL; e = e->next, i++)
		bind_str(b, e->value, PATH_ITEM(at, i), &items[i]);
	v->is_given = true;
	v->list.items = items;
	v->list.n = n->n;
}

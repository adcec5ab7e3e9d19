/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers of the values of policies.  What goes together with what is checked
 * by the kinds.  Main thread.
 */

#include "model/policy_value.h"

#include "base/arena.h"
#include "model/bind.h"
#include "model/quantity.h"

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

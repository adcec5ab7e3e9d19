/* SPDX-License-Identifier: Apache-2.0 */
/* See policy_options.h. */

#include "policy/policy_options.h"

#include "policy/compile.h"
#include "policy/compile_policies.h"
#include "policy/service_option.h"

static void *
take(struct policy_options *p, const struct policy_conf *conf, size_t i,
    enum service_option o)
{
	p->given[o] = true;
	p->from[o] = conf->from[i];
	return (char *)&p->options + service_option_rows[o].offset;
}

/* Once an item of a policy. */
static uint64_t
fit(struct compile *c, const struct policy_conf *conf, size_t i,
    enum service_option o, uint64_t number)
{
	const struct service_option_row *row = &service_option_rows[o];
	uint64_t fitting = number;
	struct policy_use *use = conf->from[i];

	if (row->type != SERVICE_VALUE_UINT)
		return number;
	if (number < row->least)
		fitting = row->least;
	if (number > row->most)
		fitting = row->most;
	if (fitting != number && (use->told & 1u << i) == 0) {
		use->told |= 1u << i;
		problem_add(c->pr, PROBLEM_WARNING, use->r->file,
		    use->item->line, "spec.to",
		    "%s of %llu is out of range, %llu is used", row->name,
		    (unsigned long long)number, (unsigned long long)fitting);
	}
	return fitting;
}

void
give_number(struct policy_options *p, struct compile *c,
    const struct policy_conf *conf, size_t i, enum service_option o,
    uint64_t number)
{
	void *to = take(p, conf, i, o);

	if (service_option_rows[o].type == SERVICE_VALUE_BOOL)
		*(bool *)to = number != 0;
	else
		*(unsigned *)to = (unsigned)fit(c, conf, i, o, number);
}

void
give_value(struct policy_options *p, struct compile *c,
    const struct policy_conf *conf, size_t i, enum service_option o)
{
	if (conf->v[i].is_given)
		give_number(p, c, conf, i, o, conf->v[i].number);
}

void
give_str(struct policy_options *p, const struct policy_conf *conf, size_t i,
    enum service_option o, struct str text)
{
	*(struct str *)take(p, conf, i, o) = text;
}

void
give_strs(struct policy_options *p, const struct policy_conf *conf, size_t i,
    enum service_option o, struct str_list list)
{
	*(struct str_list *)take(p, conf, i, o) = list;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_POLICY_VALUE_H
#define MODEL_POLICY_VALUE_H

/*
 * One value that a policy may give or leave out, and the readers that rows of
 * bind.h take for each type, which tell at once what Kuma would not accept.
 * Main thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct binder;
struct node;
struct path;

struct policy_value {
	bool is_given;
	/* A count, ms, percent, thousandths of a decimal, 1 of a bool, … */
	uint64_t number;
	union {
		struct str text;
		struct {
			const void *items; /* of the kind's own struct */
			size_t n;
		} list;
	};
};

#define VALUE_READER(name)                                \
	void name(struct binder *b, const struct node *n, \
	    const struct path *at, void *field)

VALUE_READER(value_read_bool);
VALUE_READER(value_read_text);
VALUE_READER(value_read_name); /* a text that is not empty */
VALUE_READER(value_read_path);
VALUE_READER(value_read_count);
VALUE_READER(value_read_above_zero);
VALUE_READER(value_read_percent);
/* A duration as Go writes it, in ms; what is not 0 is 1 ms at least. */
VALUE_READER(value_read_time);
VALUE_READER(value_read_time_above_zero);
/* A number, or a text that holds one: 30, "30.2".  In thousandths. */
VALUE_READER(value_read_decimal);
VALUE_READER(value_read_decimal_above_zero);
VALUE_READER(value_read_decimal_percent);
VALUE_READER(value_read_decimal_percent_above_zero);
/* Statuses of HTTP as numbers, each an unsigned. */
VALUE_READER(value_read_statuses);
/* Texts, each a struct str. */
VALUE_READER(value_read_texts);

#endif

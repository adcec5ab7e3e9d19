/* SPDX-License-Identifier: Apache-2.0 */
/* See grant_command.h. */

#include "admin/grant_command.h"

#include "base/clock.h"

#define MOST_S 1000000000

static struct str
next_word(struct str *line)
{
	*line = str_trim(*line);
	return str_cut(line, ' ');
}

static uint64_t
unit_s(char unit)
{
	switch (unit) {
	case 's':
		return 1;
	case 'm':
		return 60;
	case 'h':
		return 3600;
	case 'd':
		return 86400;
	default:
		return 0;
	}
}

/* As "90s", "2h30m" or "7d". */
static bool
parse_for(struct str text, int64_t *s)
{
	uint64_t sum = 0, n, unit;
	size_t digits;

	if (text.len == 0)
		return false;
	while (text.len > 0) {
		for (digits = 0; digits < text.len && text.p[digits] >= '0' &&
				 text.p[digits] <= '9';
		     digits++)
			;
		unit = digits < text.len ? unit_s(text.p[digits]) : 0;
		if (unit == 0 ||
		    !str_to_u64(str_first(text, digits), MOST_S, &n))
			return false;
		sum += n * unit;
		if (sum > MOST_S)
			return false;
		text = str_from(text, digits + 1);
	}
	*s = (int64_t)sum;
	return sum > 0;
}

/* False: no value for this option. */
static bool
take_option(
    struct str option, struct str *line, struct grant_wish *w, uint64_t *revoke)
{
	if (str_eq(option, STR("--for")))
		return parse_for(next_word(line), &w->for_s);
	if (str_eq(option, STR("--until")))
		return clock_parse(next_word(line), &w->until_s);
	if (str_eq(option, STR("--revoke")))
		return str_to_u64(next_word(line), UINT64_MAX, revoke) &&
		       *revoke > 0;
	if (str_eq(option, STR("--mesh"))) {
		w->mesh = next_word(line);
		return w->mesh.len > 0;
	}
	if (!str_eq(option, STR("--reason")))
		return false;
	w->reason = str_trim(*line);
	*line = STR_NONE;
	return w->reason.len > 0;
}

static bool
is_complete(const struct grant_wish *w)
{
	return w->caller.len > 0 && w->service.len > 0 && w->reason.len > 0 &&
	       (w->for_s > 0) != (w->until_s > 0);
}

bool
grant_parse(
    struct str args, struct grant_wish *w, uint64_t *revoke, struct text *out)
{
	struct str word;

	*w = (struct grant_wish){ .for_s = 0 };
	*revoke = 0;
	while ((word = next_word(&args)).len > 0) {
		if (str_starts(word, STR("--"))) {
			if (take_option(word, &args, w, revoke))
				continue;
			text_addf(out,
			    "grant: %.*s: no such option, or no value for it\n",
			    STR_ARG(word));
			return false;
		}
		if (w->service.len > 0) {
			text_addf(out, "grant: what is %.*s?\n", STR_ARG(word));
			return false;
		}
		*(w->caller.len == 0 ? &w->caller : &w->service) = word;
	}
	if (*revoke > 0 || is_complete(w))
		return true;
	text_add_z(out,
	    "grant: --for 2h (or --until TIME), --reason TEXT, a caller and a "
	    "service are wanted; or --revoke ID\n");
	return false;
}

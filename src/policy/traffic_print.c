/* SPDX-License-Identifier: Apache-2.0 */
/* See traffic_print.h.  Any thread. */

#include "policy/traffic_print.h"

#include <inttypes.h>
#include <stdio.h>

#include "policy/traffic.h"

static void
print_callers(
    struct text *out, const char *what, const struct principal *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		text_addf(out, "    %s", what);
		principal_print(&v[i], out);
		text_add_char(out, '\n');
	}
}

static const char *
unit_name(enum rate_of of)
{
	switch (of) {
	case RATE_OF_REQUESTS:
		return "requests";
	case RATE_OF_CONNECTIONS:
		return "connections";
	}
	return "?";
}

static void
print_rate(struct text *out, const struct rate_rule *r)
{
	text_addf(out, "  rate %" PRIu64 " %s in %u ms", r->num,
	    unit_name(r->of), r->interval_ms);
	if (r->of == RATE_OF_REQUESTS)
		text_addf(out, ", else %u", r->status);
	for (size_t i = 0; i < r->n_headers; i++)
		text_addf(out, "%s%s %.*s: %.*s", i == 0 ? " with " : ", ",
		    r->headers[i].is_added ? "added" : "set",
		    STR_ARG(r->headers[i].name), STR_ARG(r->headers[i].value));
	text_addf(out, " (%.*s)\n", STR_ARG(r->origin));
	print_callers(out, "", r->callers, r->n_callers);
	print_callers(out, "but not ", r->except, r->n_except);
}

/* 12.5% */
static void
print_chance(struct text *out, unsigned chance)
{
	unsigned rest = chance % 10000;
	char digits[8];
	size_t n;

	text_addf(out, " of %u", chance / 10000);
	if (rest > 0) {
		n = (size_t)snprintf(digits, sizeof(digits), ".%04u", rest);
		while (digits[n - 1] == '0')
			n--;
		text_add(out, (struct str){ .p = digits, .len = n });
	}
	text_add_char(out, '%');
}

static void
print_fault(struct text *out, const struct fault_rule *r)
{
	text_add_z(out, "  fault");
	if (r->abort_status > 0) {
		text_addf(out, " abort %u", r->abort_status);
		print_chance(out, r->abort_chance);
	}
	if (r->delay_ms > 0) {
		text_addf(out, " delay %u ms", r->delay_ms);
		print_chance(out, r->delay_chance);
	}
	if (r->bytes_per_s > 0) {
		text_addf(
		    out, " bandwidth %" PRIu64 " bytes/s", r->bytes_per_s);
		print_chance(out, r->bandwidth_chance);
	}
	text_addf(out, " (%.*s)\n", STR_ARG(r->origin));
	print_callers(out, "", r->callers, r->n_callers);
	print_callers(out, "but not ", r->except, r->n_except);
}

void
traffic_print(const struct traffic_policy *t, struct text *out)
{
	for (size_t i = 0; t != NULL && i < t->n_rates; i++)
		print_rate(out, &t->rates[i]);
	for (size_t i = 0; t != NULL && i < t->n_faults; i++)
		print_fault(out, &t->faults[i]);
}

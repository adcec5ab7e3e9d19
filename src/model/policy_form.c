/* SPDX-License-Identifier: Apache-2.0 */
/* See policy_form.h. */

#include "model/policy_form.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void
policy_complain(struct problems *pr, const char *why, const char *fmt, ...)
{
	va_list ap;
	char *path;

	va_start(ap, fmt);
	if (vasprintf(&path, fmt, ap) == -1)
		abort();
	va_end(ap);
	problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "%s", why);
	free(path);
}

void
policy_shadow_check(const struct resource *r, struct problems *pr)
{
	if (str_eq(tags_get(&r->labels, STR("kuma.io/effect")), STR("shadow")))
		problem_add(pr, PROBLEM_WARNING, NULL, 0,
		    "labels[\"kuma.io/effect\"]",
		    "shadow: the document is checked and has no effect; "
		    "remove the label to put it in force");
}

void
policy_form_check(const struct policy_form *form,
    const struct target_ref *target, const struct resource *r,
    struct problems *pr)
{
	policy_shadow_check(r, pr);
	if (target->line > 0)
		target_check(target, POLICY_TOP_KINDS, "spec.targetRef", pr);
	if (form->n_from + form->has_to + form->has_rules == 0)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "spec",
		    "one of from, to and rules must be set");
	else if (form->n_from > 0 && form->has_rules)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "spec",
		    "from and rules exclude each other; leave one");
	else if (form->has_rules)
		problem_add(pr, PROBLEM_WARNING, NULL, 0, "spec.rules",
		    "acts in sidecars, not at an egress; use from");
	if (form->n_from > POLICY_ITEMS_MAX)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "spec.from",
		    "must not have more than %d items", POLICY_ITEMS_MAX);
}

const struct bind policy_selector_bind[] = {
	{ .key = "match", .type = BIND_TAGS, .offset = 0 },
	{ .type = BIND_END },
};

void
policy_selectors_check(const struct tags *v, size_t n, size_t most,
    const char *name, struct problems *pr)
{
	char path[64];

	if (n == 0)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, name,
		    "must have at least one element");
	if (most > 0 && n > most) {
		problem_add(pr, PROBLEM_ERROR, NULL, 0, name,
		    "must not have more than %zu elements", most);
		n = most;
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s[%zu].match", name, i);
		tags_check(&v[i], TAGS_SELECTOR, path, pr);
	}
}

bool
is_http_status(unsigned status)
{
	return status >= 100 && status <= 599;
}

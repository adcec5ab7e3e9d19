/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of services: what they give, and what the table cannot check, part by
 * part.  Main thread.
 */

#include "daemon/config_services.h"

#include <libconfig.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "daemon/service_reading.h"

/* name has dots where it is in groups. */
static const config_setting_t *
find_setting(const config_setting_t *s, struct str name)
{
	char *member;

	while (s != NULL && name.p != NULL) {
		member = str_dup(str_cut(&name, '.'));
		s = config_setting_is_group(s)
			? config_setting_get_member(s, member)
			: NULL;
		free(member);
	}
	return s;
}

const config_setting_t *
service_reading_find(const struct service_reading *r, enum service_option o)
{
	return find_setting(r->setting, str_of(service_option_rows[o].name));
}

void
service_reading_tell(const struct service_reading *r, enum problem_level level,
    enum service_option o, const char *fmt, ...)
{
	const config_setting_t *s = service_reading_find(r, o);
	char *path = xasprintf("services.%s", service_option_rows[o].name);
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	if (s == NULL)
		s = r->setting;
	problem_add(r->pr, level, config_setting_source_file(s),
	    config_setting_source_line(s), path, "%s", what);
	free(path);
}

static void
note_given(const struct service_reading *r, struct service_entry *e)
{
	size_t i;

	for (i = 0; i < SERVICE_OPTION_N; i++)
		e->given[i] = service_reading_find(r, i) != NULL;
}

void
config_service_entry(const config_setting_t *s, struct arena *a,
    struct service_entry *e, struct problems *pr)
{
	struct service_reading r = { .setting = s, .arena = a, .pr = pr };
	struct service_options *o = &e->options;

	note_given(&r, e);
	config_check_requests(&r, o);
	config_check_outward(&r, o);
	config_check_keys(&r, o);
	config_check_tls(&r, o);
	config_check_wildcard(&r, e);
	config_check_parent(&r, o);
	config_check_balance(&r, o);
	config_check_health(&r, o);
	service_options_derive(o);
	if (service_entry_gives_nothing(e))
		problem_add(pr, PROBLEM_WARNING, e->file, e->line, "services",
		    "sets no option: add one, or take it out");
}

static bool
has_same_match(const struct service_entry *a, const struct service_entry *b)
{
	return str_eq(a->mesh, b->mesh) && str_eq(a->service, b->service);
}

void
config_check_services(
    const struct service_entry *v, size_t n, struct problems *pr)
{
	size_t i, j;
	unsigned o;

	for (i = 0; i < n; i++)
		for (j = 0; j < i; j++) {
			if (!has_same_match(&v[i], &v[j]))
				continue;
			for (o = 0; o < SERVICE_OPTION_N; o++)
				if (v[i].given[o] && v[j].given[o])
					problem_add(pr, PROBLEM_WARNING,
					    v[i].file, v[i].line, "services",
					    "%s has no effect, since %s:%u "
					    "sets it for the same match: "
					    "take one out",
					    service_option_rows[o].name,
					    v[j].file, v[j].line);
		}
}

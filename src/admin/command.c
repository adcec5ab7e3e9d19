/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of control.tbl.h.  A line is words with blanks between them;
 * there is no quoting, for no name has blanks; a text is all that follows.
 */

#include "admin/command.h"

#include "admin/config_dump.h"
#include "admin/explain.h"
#include "admin/grant_command.h"
#include "admin/ledger_print.h"
#include "admin/status.h"

#define LINES 1000
#define LINES_MOST 1000000

#define COMMAND(name, fn, args, help) \
	static bool fn(const struct admin_source *, struct str, struct text *);
#include "admin/control.tbl.h"

static const struct {
	const char *name;
	bool (*run)(
	    const struct admin_source *, struct str args, struct text *);
	const char *args;
	const char *help;
} commands[] = {
#define COMMAND(name, fn, args, help) { name, fn, args, help },
#include "admin/control.tbl.h"
};

static struct str
next_word(struct str *line)
{
	*line = str_trim(*line);
	return str_cut(line, ' ');
}

static bool
run_status(const struct admin_source *src, struct str args, struct text *out)
{
	struct admin_state s;

	(void)args;
	src->state(src->arg, &s);
	status_print(&s, out);
	return true;
}

static bool
run_services(const struct admin_source *src, struct str args, struct text *out)
{
	struct admin_state s;
	struct str name = next_word(&args);
	bool is_verbose = str_eq(name, STR("-v"));

	if (is_verbose)
		name = next_word(&args);
	src->state(src->arg, &s);
	return services_print(&s, name, is_verbose, out);
}

/* False: it is given, and no number. */
static bool
read_most(struct str word, const char *command, uint64_t *max, struct text *out)
{
	*max = LINES;
	if (word.len == 0 || str_to_u64(word, LINES_MOST, max))
		return true;
	text_addf(
	    out, "%s: a number up to %d is wanted\n", command, LINES_MOST);
	return false;
}

static bool
run_conns(const struct admin_source *src, struct str args, struct text *out)
{
	uint64_t max;

	return read_most(next_word(&args), "conns", &max, out) &&
	       src->collect(src->arg, PART_CONNS, max, out);
}

static bool
run_callers(const struct admin_source *src, struct str args, struct text *out)
{
	uint64_t max;

	return read_most(next_word(&args), "callers", &max, out) &&
	       src->collect(src->arg, PART_CALLERS, max, out);
}

static bool
run_dns(const struct admin_source *src, struct str args, struct text *out)
{
	struct str word = next_word(&args);
	uint64_t max;

	if (str_eq(word, STR("flush")))
		return src->flush_dns(src->arg, next_word(&args), out);
	return read_most(word, "dns", &max, out) &&
	       src->collect(src->arg, PART_DNS, max, out);
}

static bool
run_clusters(const struct admin_source *src, struct str args, struct text *out)
{
	(void)args;
	return src->collect(src->arg, PART_CLUSTERS, SIZE_MAX, out);
}

static bool
run_check(const struct admin_source *src, struct str args, struct text *out)
{
	struct admin_state s;

	(void)args;
	src->state(src->arg, &s);
	return check_print(&s, out);
}

static bool
run_dump(const struct admin_source *src, struct str args, struct text *out)
{
	struct admin_state s;

	(void)args;
	src->state(src->arg, &s);
	config_dump(&s, out);
	return true;
}

static bool
run_reload(const struct admin_source *src, struct str args, struct text *out)
{
	struct admin_state s;

	(void)args;
	if (!src->reload(src->arg, out))
		return false;
	src->state(src->arg, &s);
	return check_print(&s, out);
}

static bool
run_drain(const struct admin_source *src, struct str args, struct text *out)
{
	(void)args;
	src->drain(src->arg);
	text_add_z(out, "draining\n");
	return true;
}

static bool
run_explain(const struct admin_source *src, struct str args, struct text *out)
{
	struct str caller = next_word(&args), service = next_word(&args);
	struct admin_state s;

	if (service.len == 0) {
		text_add_z(out, "explain: a caller and a service are wanted\n");
		return false;
	}
	src->state(src->arg, &s);
	return explain_print(&s, caller, service, next_word(&args), out);
}

static bool
run_grant(const struct admin_source *src, struct str args, struct text *out)
{
	struct grant_wish wish;
	uint64_t revoke;

	if (!grant_parse(args, &wish, &revoke, out))
		return false;
	wish.uid = src->uid;
	return revoke > 0 ? src->revoke_grant(src->arg, revoke, src->uid, out)
			  : src->grant(src->arg, &wish, out);
}

static bool
run_grants(const struct admin_source *src, struct str args, struct text *out)
{
	(void)args;
	src->list_grants(src->arg, out);
	return true;
}

static bool
run_ledger(const struct admin_source *src, struct str args, struct text *out)
{
	struct admin_state s;

	src->state(src->arg, &s);
	return ledger_print(&s, args, out);
}

static bool
run_help(const struct admin_source *src, struct str args, struct text *out)
{
	size_t i;

	(void)src;
	(void)args;
	for (i = 0; i < ARRAY_LEN(commands); i++)
		text_addf(out, "%-9s%-12s %s\n", commands[i].name,
		    commands[i].args, commands[i].help);
	return true;
}

bool
command_run(const struct admin_source *src, struct str line, struct text *out)
{
	struct str name = next_word(&line);
	size_t i;

	for (i = 0; i < ARRAY_LEN(commands); i++)
		if (str_eq(name, str_of(commands[i].name)))
			return commands[i].run(src, line, out);
	text_addf(
	    out, "there is no command %.*s; help lists them\n", STR_ARG(name));
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prints the tables of the sources for the manual (mdoc) and the sample of the
 * configuration.  Run at build time; not installed.
 */

#include <stdio.h>
#include <string.h>

#include "base/stats.h"
#include "conn/outcome.h"
#include "daemon/paths.h"
#include "http/head.h"

struct option_row {
	const char *name;
	const char *type;
	const char *fallback;
	const char *words; /* unit, or the words of a choice */
	bool is_reloadable;
	const char *help;
};

static const struct option_row options[] = {
#define OPTION(name, type, member, fallback, words, least, most, reload, help) \
	{ name, #type, fallback, words, reload, help },
#define LISTENER_OPTION OPTION
#define IDENTITY_OPTION OPTION
#define SERVICE_OPTION OPTION
#define GRANT_OPTION OPTION
#include "daemon/config.tbl.h"
};

struct named_row {
	const char *name;
	const char *help;
};

static const struct named_row log_fields[] = {
#define LOG_FIELD(id, name, help) { name, help },
#include "conn/access_log.tbl.h"
};

static const struct named_row mesh_log_operators[] = {
#define MESH_LOG_OP(id, name, help) { name, help },
#include "policy/mesh_log.tbl.h"
};

struct command_row {
	const char *name;
	const char *args;
	const char *help;
};

static const struct command_row control_commands[] = {
#define COMMAND(name, run, args, help) { name, args, help },
#include "admin/control.tbl.h"
};

/* A line of text that roff takes for nothing else. */
static void
put_text(const char *s)
{
	if (*s == '.' || *s == '\'')
		(void)fputs("\\&", stdout);
	for (char before = ' '; *s != '\0'; before = *s++) {
		if (*s == '\\')
			(void)fputs("\\e", stdout);
		else if (*s == ' ' && strchr(".!?", before) != NULL &&
			 s[1] >= 'A' && s[1] <= 'Z')
			(void)putchar('\n'); /* new sentence, new line */
		else
			(void)putchar(*s);
	}
	(void)putchar('\n');
}

static const char *
last_name(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL ? dot + 1 : name;
}

static size_t
group_len(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL ? (size_t)(dot - name) : 0;
}

static bool
is_choice(const struct option_row *o)
{
	return strcmp(o->type, "CHOICE") == 0 || strcmp(o->type, "ONE_OF") == 0;
}

/* "a", "b" or "c"; an empty first word stands for not giving any. */
static void
print_words(const char *words)
{
	size_t n;

	for (words += *words == '|'; *words != '\0'; words += n) {
		n = strcspn(words, "|");
		printf("\\(dq%.*s\\(dq", (int)n, words);
		if (words[n] != '|')
			continue;
		n++;
		(void)fputs(
		    strchr(words + n, '|') != NULL ? ", " : " or ", stdout);
	}
}

static void
print_value(const struct option_row *o)
{
	static const struct named_row types[] = { { "TEXT", "text" },
		{ "TEXTS", "list of texts" }, { "UINT", "number" },
		{ "SIZE", "number" }, { "BOOL", "true or false" },
		{ "STR", "text" }, { "STRS", "list of texts" },
		{ "NETWORKS", "list of networks" } };

	if (is_choice(o)) {
		print_words(o->words);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, o->type) == 0)
			printf("%s", types[i].help);
	if (o->words != NULL)
		printf(", %s", o->words);
}

static bool
is_of(const struct option_row *o, const char *group)
{
	size_t n = strlen(group);

	return strncmp(o->name, group, n) == 0 && o->name[n] == '.';
}

static void
print_those(bool of_services)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option_row *o = &options[i];

		if (is_of(o, "services") != of_services)
			continue;
		printf(".It Cm %s", o->name);
		printf("\n");
		printf("(");
		print_value(o);
		if (*o->fallback != '\0')
			printf("; default %s", o->fallback);
		printf("%s)\n", o->is_reloadable ? "; SIGHUP changes it" : "");
		put_text(o->help);
	}
}

static void
print_options(void)
{
	print_those(false);
}

/* They stand in a section of their own. */
static void
print_services(void)
{
	print_those(true);
}

static void
print_metrics(void)
{
	const struct stat_row *rows;
	size_t n = stats_rows(&rows);
	static const char *const labels[SCOPE_N] = { "",
		"envoy_listener_address", "envoy_cluster_name", "outcome",
		"resolver", "kind and name", "envoy_cluster_name and name",
		"envoy_cluster_name and rule" };
	static const char *const types[] = { [STAT_COUNTER] = "counter",
		[STAT_GAUGE] = "gauge",
		[STAT_GAUGE_MAX] = "gauge",
		[STAT_HISTOGRAM] = "histogram" };

	for (size_t i = 0; i < n; i++) {
		const char *label = labels[rows[i].scope];

		if (i > 0 && strcmp(rows[i].name, rows[i - 1].name) == 0)
			continue;
		printf(".It Li %s\n(%s%s%s)\n", rows[i].name,
		    types[rows[i].type], *label != '\0' ? ", by " : "", label);
		put_text(rows[i].help);
		if (*rows[i].advice != '\0')
			put_text(rows[i].advice);
	}
}

static void
print_outcomes(void)
{
	for (unsigned o = 0; o < OUT_N; o++) {
		const struct outcome_row *row = outcome_row(o);

		printf(".It Li %s\n", row->word);
		put_text(row->text);
		if (row->status != 0)
			printf("HTTP: %u.\n", row->status);
	}
}

static void
print_named(const struct named_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf(".It Li %s\n", rows[i].name);
		put_text(rows[i].help);
	}
}

static void
print_commands(void)
{
	for (size_t i = 0; i < ARRAY_LEN(control_commands); i++) {
		const struct command_row *c = &control_commands[i];

		printf(".It Cm %s", c->name);
		if (*c->args != '\0')
			printf(" Ar %s", c->args);
		printf("\n");
		put_text(c->help);
	}
}

/* The sample: every option, with its default, commented out. */

static void
put_comment(const char *indent, const char *s)
{
	size_t at = 0, word;

	printf("%s#", indent);
	for (; *s != '\0'; s += word) {
		s += strspn(s, " ");
		word = strcspn(s, " ");
		if (at > 0 && at + word > 70) {
			printf("\n%s#", indent);
			at = 0;
		}
		printf(" %.*s", (int)word, s);
		at += word + 1;
	}
	printf("\n");
}

static void
put_setting(bool is_inside, const struct option_row *o)
{
	bool is_text = strcmp(o->type, "TEXT") == 0 || is_choice(o);
	bool is_list =
	    strcmp(o->type, "TEXTS") == 0 || strcmp(o->type, "NETWORKS") == 0;

	put_comment(is_inside ? "\t" : "", o->help);
	printf("#%s%s = ", is_inside ? "\t" : "", last_name(o->name));
	if (is_list)
		printf("[ ];\n");
	else
		printf(is_text ? "\"%s\";\n" : "%s;\n", o->fallback);
}

/* Entries of these say nothing by default: they are shown by hand. */
static bool
is_shown(const struct option_row *o)
{
	return !is_of(o, "identity") && !is_of(o, "services") &&
	       !is_of(o, "grants");
}

static bool
is_same_group(const struct option_row *a, const struct option_row *b)
{
	size_t n = group_len(a->name);

	return group_len(b->name) == n && strncmp(a->name, b->name, n) == 0;
}

static void
print_sample(void)
{
	static const struct option_row none = { .name = "" };
	const struct option_row *before = &none;
	const char *end = "";

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct option_row *o = &options[i];
		size_t n = group_len(o->name);
		bool is_entry = is_of(o, "listeners");

		if (!is_shown(o))
			continue;
		if (!is_same_group(before, o)) {
			(void)fputs(end, stdout);
			end = n == 0 ? "" : is_entry ? "} );\n" : "};\n";
			if (n > 0)
				printf("\n%.*s = %s{\n", (int)n, o->name,
				    is_entry ? "( " : "");
		}
		if (n == 0)
			printf("\n");
		put_setting(n > 0, o);
		before = o;
	}
	(void)fputs(end, stdout);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *word;
		void (*print)(void);
	} tables[] = {
		{ "options", print_options },
		{ "services", print_services },
		{ "metrics", print_metrics },
		{ "outcomes", print_outcomes },
		{ "commands", print_commands },
		{ "sample", print_sample },
	};

	if (argc == 2 && strcmp(argv[1], "log-fields") == 0) {
		print_named(log_fields, ARRAY_LEN(log_fields));
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "mesh-log-operators") == 0) {
		print_named(mesh_log_operators, ARRAY_LEN(mesh_log_operators));
		return 0;
	}
	for (size_t i = 0; argc == 2 && i < ARRAY_LEN(tables); i++)
		if (strcmp(argv[1], tables[i].word) == 0) {
			tables[i].print();
			return 0;
		}
	(void)fprintf(stderr, "usage: tables "
			      "options|services|metrics|outcomes|log-fields|"
			      "mesh-log-operators|commands|sample\n");
	return 2;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of the access log as somebody reads them: JSON that a parser takes,
 * whatever a peer put into it, templates, rotation, several writers.
 */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "conn/access_log.h"

static char dir[64], path[96];
static struct loop *loop;

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/zegress-log.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/access", dir);
	loop = loop_new();
}

static void
teardown(void)
{
	char other[112];

	loop_free(loop);
	(void)snprintf(other, sizeof(other), "%s.1", path);
	(void)unlink(path);
	(void)unlink(other);
	(void)rmdir(dir);
}

TestSuite(access_log, .init = setup, .fini = teardown);

static struct access_log_file *
open_log(const char *format)
{
	struct text why = TEXT_EMPTY;
	struct access_log_file *f = access_log_open(path, format, &why);

	cr_assert_not_null(f, "%s", why.p);
	return f;
}

/* The file, or NULL; to free(). */
static char *
read_file(const char *name)
{
	struct text t = TEXT_EMPTY;
	FILE *f = fopen(name, "rb");
	size_t n;

	if (f == NULL)
		return NULL;
	text_add_z(&t, "");
	while ((n = fread(text_reserve(&t, 4096), 1, 4096, f)) > 0)
		t.len += n;
	text_add_char(&t, '\0');
	(void)fclose(f);
	return text_take(&t);
}

static void
set_text(struct log_entry *e, enum log_field f, struct str s)
{
	e->text[f] = s;
}

static void
set_number(struct log_entry *e, enum log_field f, uint64_t n)
{
	e->number[f] = n;
	e->has_number[f] = true;
}

static char *
one_line(const char *format, const struct log_entry *e)
{
	struct access_log_file *f = open_log(format);
	struct access_log *a = access_log_new(f, loop);

	access_log_write(a, e);
	access_log_free(a);
	access_log_close(f);
	return read_file(path);
}

Test(access_log, json_leaves_out_what_is_not_set)
{
	struct log_entry e = { 0 };
	char *line;

	set_text(&e, LOG_KIND, STR("connection"));
	set_text(&e, LOG_SNI, STR("es-tcp{mesh=default}"));
	set_number(&e, LOG_BYTES_IN, 0);
	set_number(&e, LOG_BYTES_OUT, 18446744073709551615ULL);
	line = one_line("json", &e);
	cr_expect_str_eq(line,
	    "{\"kind\":\"connection\",\"sni\":\"es-tcp{mesh=default}\","
	    "\"bytes_in\":0,\"bytes_out\":18446744073709551615}\n");
	free(line);
}

Test(access_log, an_empty_entry_is_an_object)
{
	struct log_entry e = { 0 };
	char *line = one_line("json", &e);

	cr_expect_str_eq(line, "{}\n");
	free(line);
}

/* Every byte that a peer can send comes back as itself, and alone. */
Test(access_log, json_of_every_byte)
{
	struct log_entry e = { 0 };
	json_error_t why;
	json_t *o;
	char *line;

	for (unsigned c = 0; c < 256; c++) {
		char raw[3] = { 'a', (char)c, 'z' };
		/* U+00cc, as UTF-8. */
		unsigned char want[5] = { 'a' };
		size_t n = 1;

		if (c >= 0x80)
			want[n++] = (unsigned char)(0xc0 | c >> 6);
		want[n++] = (unsigned char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
		want[n++] = 'z';
		(void)unlink(path);
		set_text(&e, LOG_PATH, (struct str){ raw, sizeof(raw) });
		line = one_line("json", &e);
		for (const char *p = line; *p != '\0' && p[1] != '\0'; p++)
			cr_expect(*p >= ' ' && *p <= '~', "byte %u", c);
		o = json_loads(line, JSON_ALLOW_NUL, &why);
		cr_assert_not_null(o, "byte %u: %s: %s", c, why.text, line);
		cr_expect_eq(json_string_length(json_object_get(o, "path")), n);
		cr_expect_arr_eq(json_string_value(json_object_get(o, "path")),
		    want, n, "byte %u: %s", c, line);
		json_decref(o);
		free(line);
	}
}

/* Wherever it stands, and however long the value is. */
Test(access_log, json_of_a_byte_at_every_place)
{
	static const char odd[] = { '"', '\\', '\n', 0x7f };
	struct log_entry e = { 0 };
	char raw[50];
	json_t *o;
	char *line;

	for (size_t i = 0; i < sizeof(raw) * sizeof(raw); i++) {
		size_t len = i / sizeof(raw) + 1, at = i % sizeof(raw);

		if (at >= len)
			continue;
		memset(raw, 'x', sizeof(raw));
		raw[at] = odd[i % sizeof(odd)];
		(void)unlink(path);
		set_text(&e, LOG_PATH, (struct str){ raw, len });
		line = one_line("json", &e);
		o = json_loads(line, 0, NULL);
		cr_assert_not_null(o, "%zu at %zu: %s", len, at, line);
		cr_expect_eq(
		    json_string_length(json_object_get(o, "path")), len);
		cr_expect_arr_eq(json_string_value(json_object_get(o, "path")),
		    raw, len, "%zu at %zu: %s", len, at, line);
		json_decref(o);
		free(line);
	}
}

Test(access_log, every_field_has_a_name_of_its_own)
{
	struct log_entry e = { 0 };
	json_error_t why;
	char *line;
	json_t *o;

	for (int i = 0; i < LOG_FIELD_N; i++)
		set_text(&e, (enum log_field)i, STR("x"));
	line = one_line("json", &e);
	o = json_loads(line, JSON_REJECT_DUPLICATES, &why);
	cr_assert_not_null(o, "%s", why.text);
	cr_expect_eq(json_object_size(o), LOG_FIELD_N);
	json_decref(o);
	free(line);
}

Test(access_log, template)
{
	static const struct {
		const char *format;
		const char *line;
	} rows[] = {
		{ "%{source} %{outcome}", "10.0.0.1:5 ok\n" },
		{ "%{status}", "403\n" },
		{ "[%{mesh}]", "[-]\n" },
		{ "%{path}", "/a\\u0009\\\"b\\\\\n" },
		{ "100% sure, {plain}", "100% sure, {plain}\n" },
		{ "%{outcome}%{outcome}", "okok\n" },
		{ "", "\n" },
		{ "%%{outcome}", "%ok\n" },
	};
	struct log_entry e = { 0 };
	char *line;

	set_text(&e, LOG_SOURCE, STR("10.0.0.1:5"));
	set_text(&e, LOG_OUTCOME, STR("ok"));
	set_text(&e, LOG_PATH, STR("/a\t\"b\\"));
	set_number(&e, LOG_STATUS, 403);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		(void)unlink(path);
		line = one_line(rows[i].format, &e);
		cr_expect_str_eq(line, rows[i].line, "\"%s\" gives \"%s\"",
		    rows[i].format, line);
		free(line);
	}
}

static void
expect_refused(const char *where, const char *format, const char *says)
{
	struct text why = TEXT_EMPTY;
	struct access_log_file *f = access_log_open(where, format, &why);

	cr_expect_null(f, "\"%s\" is taken", format);
	cr_expect(why.p != NULL && strstr(why.p, says) != NULL,
	    "\"%s\": it says \"%s\"", format, why.p);
	text_free(&why);
	access_log_close(f);
}

Test(access_log, what_makes_no_sense_is_refused)
{
	expect_refused(path, "%{sauce}", "no field is named \"sauce\"");
	expect_refused(path, "%{}", "no field is named \"\"");
	expect_refused(path, "%{source} %{status", "without its }");
	expect_refused("/proc/none/such", "json", "/proc/none/such: ");
	cr_expect_neq(access(path, F_OK), 0, "a bad template makes no file");
}

Test(access_log, lines_of_a_turn_leave_together_at_its_end)
{
	struct access_log_file *f = open_log("%{outcome}");
	struct access_log *a = access_log_new(f, loop);
	struct log_entry e = { 0 };
	char *all;

	set_text(&e, LOG_OUTCOME, STR("ok"));
	access_log_write(a, &e);
	access_log_write(a, &e);
	all = read_file(path);
	cr_expect_str_eq(all, "");
	free(all);
	loop_turn(loop);
	all = read_file(path);
	cr_expect_str_eq(all, "ok\nok\n");
	free(all);
	access_log_write(a, &e);
	/* Its turn has not ended: what is left must not be lost. */
	access_log_free(a);
	loop_turn(loop);
	all = read_file(path);
	cr_expect_str_eq(all, "ok\nok\nok\n");
	free(all);
	access_log_close(f);
}

Test(access_log, rotation)
{
	struct access_log_file *f = open_log("%{outcome}");
	struct access_log *a = access_log_new(f, loop);
	struct log_entry e = { 0 };
	char other[112], *all;

	(void)snprintf(other, sizeof(other), "%s.1", path);
	set_text(&e, LOG_OUTCOME, STR("one"));
	access_log_write(a, &e);
	loop_turn(loop);
	cr_assert_eq(rename(path, other), 0);
	set_text(&e, LOG_OUTCOME, STR("two"));
	access_log_write(a, &e);
	loop_turn(loop);
	cr_expect_neq(access(path, F_OK), 0, "nothing was reopened");
	cr_expect(access_log_reopen(f));
	set_text(&e, LOG_OUTCOME, STR("three"));
	access_log_write(a, &e);
	access_log_free(a);
	access_log_close(f);
	all = read_file(other);
	cr_expect_str_eq(all, "one\ntwo\n");
	free(all);
	all = read_file(path);
	cr_expect_str_eq(all, "three\n");
	free(all);
}

Test(access_log, a_file_that_cannot_be_reopened_stays_in_use)
{
	char sub[80], file[96], *all;
	struct text why = TEXT_EMPTY;
	struct access_log_file *f;
	struct log_entry e = { 0 };
	struct access_log *a;
	char moved[96];

	(void)snprintf(sub, sizeof(sub), "%s/sub", dir);
	(void)snprintf(file, sizeof(file), "%s/log", sub);
	(void)snprintf(moved, sizeof(moved), "%s/log", dir);
	cr_assert_eq(mkdir(sub, 0700), 0);
	f = access_log_open(file, "%{outcome}", &why);
	cr_assert_not_null(f);
	cr_assert_eq(rename(file, moved), 0);
	cr_assert_eq(rmdir(sub), 0);
	cr_expect_not(access_log_reopen(f));
	a = access_log_new(f, loop);
	set_text(&e, LOG_OUTCOME, STR("still here"));
	access_log_write(a, &e);
	access_log_free(a);
	access_log_close(f);
	all = read_file(moved);
	cr_expect_str_eq(all, "still here\n");
	free(all);
	(void)unlink(moved);
}

Test(access_log, standard_output_needs_no_reopening)
{
	struct text why = TEXT_EMPTY;
	struct access_log_file *f = access_log_open("stdout", "json", &why);

	cr_assert_not_null(f);
	cr_expect(access_log_reopen(f));
	access_log_close(f);
	cr_expect_eq(fcntl(STDOUT_FILENO, F_GETFD) & ~FD_CLOEXEC, 0,
	    "it is not ours to close");
}

#define WORKERS 4
#define LINES 2000

struct writer {
	struct access_log_file *file;
	unsigned lines_a_turn;
};

static void *
write_many(void *arg)
{
	const struct writer *w = arg;
	struct loop *l = loop_new();
	struct access_log *a = access_log_new(w->file, l);
	struct log_entry e = { 0 };
	char fill[300];

	memset(fill, 'f', sizeof(fill));
	set_text(&e, LOG_OUTCOME, STR("ok"));
	for (unsigned i = 0; i < LINES; i++) {
		/* Lines of many lengths, so that a split one would show. */
		set_text(&e, LOG_DETAIL, (struct str){ fill, i % 300 });
		set_number(&e, LOG_REQUESTS, i);
		access_log_write(a, &e);
		if (i % w->lines_a_turn == 0)
			loop_turn(l);
	}
	access_log_free(a);
	loop_free(l);
	return NULL;
}

static void
write_from_all(struct access_log_file *f, unsigned lines_a_turn)
{
	struct writer w = { f, lines_a_turn };
	pthread_t threads[WORKERS];

	for (size_t i = 0; i < WORKERS; i++)
		cr_assert_eq(
		    pthread_create(&threads[i], NULL, write_many, &w), 0);
	for (size_t i = 0; i < WORKERS; i++)
		(void)pthread_join(threads[i], NULL);
	access_log_close(f);
}

static void
expect_whole_lines(char *all)
{
	unsigned seen[LINES] = { 0 }, lines = 0;
	json_error_t why;
	char *at, *end;
	json_t *o;

	for (at = all; *at != '\0'; at = end + 1, lines++) {
		end = strchr(at, '\n');
		cr_assert_not_null(end);
		*end = '\0';
		o = json_loads(at, 0, &why);
		cr_assert_not_null(o, "%s: %s", why.text, at);
		seen[json_integer_value(json_object_get(o, "requests"))]++;
		json_decref(o);
	}
	cr_expect_eq(lines, WORKERS * LINES);
	for (size_t i = 0; i < LINES; i++)
		cr_expect_eq(seen[i], WORKERS, "line %zu: %u", i, seen[i]);
}

Test(access_log, several_workers_write_whole_lines)
{
	char *all;

	write_from_all(open_log("json"), 7);
	all = read_file(path);
	expect_whole_lines(all);
	free(all);
}

static void *
read_pipe(void *arg)
{
	char **all = arg;

	*all = read_file(path);
	return NULL;
}

/* As a container's standard output is: more than PIPE_BUF may be torn. */
Test(access_log, several_workers_share_a_pipe)
{
	pthread_t reader;
	char *all = NULL;

	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(pthread_create(&reader, NULL, read_pipe, &all), 0);
	write_from_all(open_log("json"), 500);
	(void)pthread_join(reader, NULL);
	cr_assert_not_null(all);
	expect_whole_lines(all);
	free(all);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* base/log.h: one line a write, levels, journald's prefix, escapes, limits. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

/* Standard error is a pipe while a line is written; out gets what came. */
static size_t
catch_line(char *out, size_t size, enum log_level level, const char *object,
    const char *message)
{
	int saved = dup(STDERR_FILENO), ends[2];
	ssize_t n;

	cr_assert_eq(pipe(ends), 0);
	cr_assert_neq(dup2(ends[1], STDERR_FILENO), -1);
	log_at(level, object, "%s", message);
	cr_assert_neq(dup2(saved, STDERR_FILENO), -1);
	close(saved);
	close(ends[1]);
	n = read(ends[0], out, size - 1);
	close(ends[0]);
	cr_assert_neq(n, -1);
	out[n] = '\0';
	return (size_t)n;
}

Test(log, line_with_time_and_level)
{
	char out[256];

	unsetenv("JOURNAL_STREAM");
	clock_fake(0, 1767225599987);
	catch_line(out, sizeof(out), LOG_WARN, "mesh default", "no CA");
	cr_expect_str_eq(
	    out, "2025-12-31T23:59:59.987Z warning: mesh default: no CA\n");
	catch_line(out, sizeof(out), LOG_ERROR, NULL, "bare");
	cr_expect_str_eq(out, "2025-12-31T23:59:59.987Z error: bare\n");
}

Test(log, journald_gets_priorities)
{
	char out[256];

	setenv("JOURNAL_STREAM", "8:1", 1);
	log_set_level(LOG_DEBUG);
	catch_line(out, sizeof(out), LOG_ERROR, "x", "m");
	cr_expect_str_eq(out, "<3>x: m\n");
	catch_line(out, sizeof(out), LOG_WARN, "x", "m");
	cr_expect_str_eq(out, "<4>x: m\n");
	catch_line(out, sizeof(out), LOG_INFO, "x", "m");
	cr_expect_str_eq(out, "<6>x: m\n");
	catch_line(out, sizeof(out), LOG_DEBUG, "x", "m");
	cr_expect_str_eq(out, "<7>x: m\n");
}

Test(log, level_decides)
{
	char out[256];

	cr_expect_eq(log_get_level(), LOG_INFO);
	cr_expect_eq(catch_line(out, sizeof(out), LOG_DEBUG, "x", "m"), 0);
	cr_expect_gt(catch_line(out, sizeof(out), LOG_INFO, "x", "m"), 0);
	log_set_level(LOG_ERROR);
	cr_expect_eq(catch_line(out, sizeof(out), LOG_WARN, "x", "m"), 0);
	cr_expect_gt(catch_line(out, sizeof(out), LOG_ERROR, "x", "m"), 0);
}

Test(log, control_bytes_are_escaped)
{
	static const struct {
		const char *in;
		const char *out;
	} rows[] = {
		{ "a\nforged: line", "a\\x0aforged: line" },
		{ "\x1b[31m", "\\x1b[31m" },
		{ "\x7f\t", "\\x7f\\x09" },
		{ "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
		    "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\xc2\x9b"
		  "2J",
		    "\\xc2\\x9b2J" },
		{ "\xc3", "\\xc3" },
		{ "\xff\x80", "\\xff\\x80" },
	};
	char out[256], want[256];
	size_t i;

	setenv("JOURNAL_STREAM", "8:1", 1);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		catch_line(out, sizeof(out), LOG_WARN, NULL, rows[i].in);
		snprintf(want, sizeof(want), "<4>%s\n", rows[i].out);
		cr_expect_str_eq(out, want, "row %zu: %s", i, out);
		catch_line(out, sizeof(out), LOG_WARN, rows[i].in, "m");
		snprintf(want, sizeof(want), "<4>%s: m\n", rows[i].out);
		cr_expect_str_eq(out, want, "object %zu: %s", i, out);
	}
}

Test(log, long_lines_are_cut_and_still_end)
{
	char out[20000], in[10000];
	size_t n;

	memset(in, 'x', sizeof(in) - 1);
	in[sizeof(in) - 1] = '\0';
	n = catch_line(out, sizeof(out), LOG_WARN, "x", in);
	cr_expect_leq(n, 4096);
	cr_expect_gt(n, 4000);
	cr_expect_eq(out[n - 1], '\n');
	memset(in, 1, sizeof(in) - 1);
	n = catch_line(out, sizeof(out), LOG_WARN, "x", in);
	cr_expect_leq(n, 4096);
	cr_expect_eq(out[n - 1], '\n');
	cr_expect_eq(memcmp(out + n - 5, "\\x01", 4), 0, "no half escape");
}

Test(log_limit, tells_how_many_were_kept_back)
{
	struct log_limit l = { .said = 0 };
	unsigned kept = 99;

	cr_expect(log_limit_take(&l, 5000, 1000, 2, &kept));
	cr_expect_eq(kept, 0);
	cr_expect(log_limit_take(&l, 5001, 1000, 2, &kept));
	cr_expect_not(log_limit_take(&l, 5002, 1000, 2, &kept));
	cr_expect_not(log_limit_take(&l, 5999, 1000, 2, &kept));
	cr_expect(log_limit_take(&l, 6000, 1000, 2, &kept));
	cr_expect_eq(kept, 2);
	cr_expect(log_limit_take(&l, 6001, 1000, 2, &kept));
	cr_expect_eq(kept, 0, "told once");
	cr_expect_not(log_limit_take(&l, 6002, 1000, 2, &kept));
}

Test(log_limit, the_first_line_starts_the_interval)
{
	struct log_limit l = { .said = 0 };
	unsigned kept;

	cr_expect(log_limit_take(&l, 999, 1000, 1, &kept));
	cr_expect_not(log_limit_take(&l, 1500, 1000, 1, &kept));
	cr_expect(log_limit_take(&l, 1999, 1000, 1, &kept));
}

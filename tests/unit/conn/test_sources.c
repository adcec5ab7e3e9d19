/* SPDX-License-Identifier: Apache-2.0 */
/* What one source address may have open, and how often it is spoken of. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "conn/sources.h"

static struct sources *s;

static void
setup(void)
{
	s = sources_new();
}

static void
teardown(void)
{
	sources_free(s);
}

TestSuite(sources, .init = setup, .fini = teardown);

static struct addr
host(const char *text, uint16_t port)
{
	struct addr a;

	cr_assert(addr_parse(str_of(text), port, &a), "%s", text);
	return a;
}

static struct source *
enter(const char *text, size_t max_relays, size_t max_dials)
{
	struct addr a = host(text, 1234);

	return source_enter(s, &a, max_relays, max_dials);
}

Test(sources, relays_are_limited)
{
	struct source *a = enter("10.0.0.1", 2, 10);
	struct source *b = enter("10.0.0.1", 2, 10);

	cr_assert_not_null(a);
	cr_assert_not_null(b);
	cr_expect_null(enter("10.0.0.1", 2, 10));
	source_leave(s, a, true);
	cr_expect_not_null(enter("10.0.0.1", 2, 10), "one has left");
	cr_expect_null(enter("10.0.0.1", 2, 10));
}

Test(sources, dials_are_limited_until_they_are_over)
{
	struct source *a = enter("10.0.0.1", 10, 1);

	cr_assert_not_null(a);
	cr_expect_null(enter("10.0.0.1", 10, 1));
	source_dialled(a);
	cr_expect_not_null(enter("10.0.0.1", 10, 1));
	cr_expect_null(enter("10.0.0.1", 10, 1));
}

Test(sources, a_dial_that_never_was_is_given_back)
{
	struct source *a = enter("10.0.0.1", 10, 2);
	struct source *b = enter("10.0.0.1", 10, 2);

	cr_assert_eq(a, b, "one source, one entry");
	source_leave(s, a, true);
	cr_expect_not_null(enter("10.0.0.1", 10, 2));
	cr_expect_null(enter("10.0.0.1", 10, 2));
}

/* Leaving after the dial must not take another's dial away. */
Test(sources, leaving_after_the_dial_counts_no_dial)
{
	struct source *a = enter("10.0.0.1", 10, 2);

	source_dialled(a);
	cr_assert_not_null(enter("10.0.0.1", 10, 2));
	source_leave(s, a, false);
	cr_expect_not_null(enter("10.0.0.1", 10, 2));
	cr_expect_null(enter("10.0.0.1", 10, 2), "two are still dialling");
}

Test(sources, refusal_counts_nothing)
{
	struct source *a = enter("10.0.0.1", 1, 1);

	for (int i = 0; i < 5; i++)
		cr_expect_null(enter("10.0.0.1", 1, 1));
	source_leave(s, a, true);
	cr_expect_not_null(enter("10.0.0.1", 1, 1));
}

Test(sources, a_limit_of_nothing_lets_nobody_in)
{
	cr_expect_null(enter("10.0.0.1", 0, 5));
	cr_expect_null(enter("10.0.0.1", 5, 0));
	cr_expect_not_null(enter("10.0.0.1", 5, 5));
}

Test(sources, hosts_are_told_apart_and_ports_are_not)
{
	struct addr same = host("10.0.0.1", 4321);
	struct addr mapped = host("::ffff:10.0.0.1", 1);

	cr_assert_not_null(enter("10.0.0.1", 1, 1));
	cr_expect_null(source_enter(s, &same, 1, 1), "another port");
	cr_expect_null(source_enter(s, &mapped, 1, 1), "v4-mapped");
	cr_expect_not_null(enter("10.0.0.2", 1, 1));
	cr_expect_not_null(enter("2001:db8::1", 1, 1));
	cr_expect_not_null(enter("2001:db8::2", 1, 1));
	cr_expect_null(enter("2001:db8::2", 1, 1));
}

static bool
may_log(const char *text, uint64_t now_ms, unsigned *kept_back)
{
	struct addr a = host(text, 99);

	return sources_may_log(s, &a, now_ms, kept_back);
}

Test(sources, one_line_a_second)
{
	unsigned kept = 99;

	cr_expect(may_log("10.0.0.1", 5000, &kept));
	cr_expect_eq(kept, 0);
	cr_expect_not(may_log("10.0.0.1", 5000, &kept));
	cr_expect_not(may_log("10.0.0.1", 5500, &kept));
	cr_expect_not(may_log("10.0.0.1", 5999, &kept));
	cr_expect(may_log("10.0.0.1", 6000, &kept));
	cr_expect_eq(kept, 3, "%u kept back", kept);
	cr_expect_not(may_log("10.0.0.1", 6001, &kept));
	cr_expect(may_log("10.0.0.1", 9000, &kept));
	cr_expect_eq(kept, 1);
}

Test(sources, the_first_millisecond_counts_too)
{
	unsigned kept = 99;

	cr_expect(may_log("10.0.0.1", 0, &kept));
	cr_expect_not(may_log("10.0.0.1", 0, &kept));
	cr_expect_not(may_log("10.0.0.1", 999, &kept));
	cr_expect(may_log("10.0.0.1", 1001, &kept));
	cr_expect_eq(kept, 2);
}

/* A flood from one source does not hide the others. */
Test(sources, sources_are_spoken_of_apart)
{
	unsigned kept, spoken = 0;
	char text[32];

	for (int i = 0; i < 100; i++) {
		(void)snprintf(text, sizeof(text), "10.0.%d.1", i);
		spoken += may_log(text, 7000, &kept);
	}
	cr_expect_gt(spoken, 80, "%u of 100 share a slot", 100 - spoken);
	cr_expect(may_log("10.0.0.1", 8000, &kept));
}

/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/replay_changes.h: adding up, within bounds, and printing. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "daemon/replay_changes.h"

static void
add(struct replay_changes *c, enum replay_change change, const char *who,
    const char *time)
{
	const struct replay_found f = {
		.change = change,
		.time = str_of(time),
		.identity = str_of(who),
		.mesh = STR("m"),
		.service = STR("es"),
		.old_rule = STR("a.yaml:1 TrafficPermission/a"),
		.new_rule = STR("no rule matches"),
	};

	replay_changes_add(c, &f);
}

Test(replay_changes, are_grouped_and_sorted)
{
	struct replay_changes *c = replay_changes_new();
	struct text out = TEXT_EMPTY;

	add(c, REPLAY_TO_ALLOWED, "late", "2026-01-05");
	add(c, REPLAY_TO_DENIED, "once", "2026-01-01");
	add(c, REPLAY_TO_DENIED, "twice", "2026-01-03");
	add(c, REPLAY_TO_DENIED, "twice", "2026-01-02");
	replay_changes_print(c, &out);
	cr_expect_str_eq(out.p, "allowed -> denied\n"
				"  twice for m/es\n"
				"    was: a.yaml:1 TrafficPermission/a\n"
				"    now: no rule matches\n"
				"    2 times, from 2026-01-02 to 2026-01-03\n"
				"  once for m/es\n"
				"    was: a.yaml:1 TrafficPermission/a\n"
				"    now: no rule matches\n"
				"    1 times, from 2026-01-01 to 2026-01-01\n"
				"denied -> allowed\n"
				"  late for m/es\n"
				"    was: a.yaml:1 TrafficPermission/a\n"
				"    now: no rule matches\n"
				"    1 times, from 2026-01-05 to 2026-01-05\n");
	text_free(&out);
	replay_changes_free(c);
}

Test(replay_changes, are_bounded)
{
	struct replay_changes *c = replay_changes_new();
	struct text out = TEXT_EMPTY;
	char who[32];

	for (unsigned i = 0; i < REPLAY_CHANGES_MOST + 7; i++) {
		(void)snprintf(who, sizeof(who), "caller-%u", i);
		add(c, REPLAY_TO_DENIED, who, "2026-01-01");
	}
	replay_changes_print(c, &out);
	cr_expect(strstr(out.p, "allowed -> denied: 7 more") != NULL);
	text_free(&out);
	replay_changes_free(c);
}

/* Nothing of a log reaches a terminal but printable ASCII. */
Test(replay_changes, are_plain)
{
	struct replay_changes *c = replay_changes_new();
	struct text out = TEXT_EMPTY;

	add(c, REPLAY_TO_DENIED, "\033[2Ja\nb\xc2\x9b", "\033");
	replay_changes_print(c, &out);
	cr_expect(strstr(out.p, "  ?[2Ja?b?? for m/es\n") != NULL);
	cr_expect(strchr(out.p, '\033') == NULL);
	text_free(&out);
	replay_changes_free(c);
}

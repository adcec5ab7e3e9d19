/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/replay_line.h: what lines of access logs say of decisions. */

#include <criterion/criterion.h>

#include "base/xalloc.h"
#include "daemon/replay_line.h"

#define WHO "\"identity\":\"spiffe://m/web\",\"sni\":\"es{mesh=m}\""
#define LINE(more) "{\"kind\":\"connection\"," more "}"

static const struct {
	const char *line;
	enum replay_read read;
	bool was_allowed, was_reported, is_assumed;
	size_t n_uris;
} rows[] = {
	{ LINE(WHO ",\"rule\":\"a\",\"outcome\":\"ok\""), REPLAY_DECIDED, true,
	    false, true, 1 },
	{ LINE(WHO ",\"rule\":\"a\",\"outcome\":\"denied\""), REPLAY_DECIDED,
	    false, false, true, 1 },
	{ LINE(WHO ",\"rule\":\"a\",\"outcome\":\"revoked\""), REPLAY_DECIDED,
	    false, false, true, 1 },
	{ LINE(WHO ",\"rule\":\"a\",\"outcome\":\"no_endpoint_of_subset\""),
	    REPLAY_DECIDED, false, false, true, 1 },
	/* Denied because the service was gone. */
	{ LINE(WHO ",\"outcome\":\"denied\""), REPLAY_DECIDED, false, false,
	    true, 1 },
	{ LINE(WHO ",\"rule\":\"a\",\"would_deny\":\"b\",\"outcome\":\"ok\""),
	    REPLAY_DECIDED, true, true, true, 1 },
	{ LINE(WHO ",\"rule\":\"a\",\"outcome\":\"ok\",\"caller_zone\":\"z\""),
	    REPLAY_DECIDED, true, false, true, 2 },
	{ LINE(WHO ",\"rule\":\"a\",\"outcome\":\"ok\",\"caller_uris\":"
		   "\"kuma://a/b kuma://c/d spiffe://m/web\""),
	    REPLAY_DECIDED, true, false, false, 3 },
	/* Another field may be anything. */
	{ LINE(
	      WHO ",\"rule\":\"a\",\"outcome\":\"ok\",\"new\":[{}],\"mesh\":1"),
	    REPLAY_DECIDED, true, false, true, 1 },
	/* A connection whose requests ask; a relay; what made no sense. */
	{ LINE(WHO ",\"outcome\":\"ok\""), REPLAY_UNDECIDED, true, false, false,
	    0 },
	{ LINE("\"sni\":\"es{mesh=m}\",\"outcome\":\"ok\""), REPLAY_UNDECIDED,
	    true, false, false, 0 },
	{ LINE("\"outcome\":\"no_sni\""), REPLAY_UNDECIDED, true, false, false,
	    0 },
	{ "", REPLAY_UNREADABLE, false, false, false, 0 },
	{ "{}", REPLAY_UNREADABLE, false, false, false, 0 },
	{ "[]", REPLAY_UNREADABLE, false, false, false, 0 },
	{ "7", REPLAY_UNREADABLE, false, false, false, 0 },
	{ "{\"kind\":\"connection\"", REPLAY_UNREADABLE, false, false, false,
	    0 },
	{ LINE("\"outcome\":\"ok\"") " x", REPLAY_UNREADABLE, false, false,
	    false, 0 },
	{ LINE("\"outcome\":\"ok\",\"outcome\":\"denied\""), REPLAY_UNREADABLE,
	    false, false, false, 0 },
};

Test(replay_line, reads)
{
	struct replay_line l;
	enum replay_read got;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		got = replay_line_read(str_of(rows[i].line), &l);
		cr_expect_eq(got, rows[i].read, "%s: %d", rows[i].line, got);
		cr_expect_eq(
		    l.was_allowed, rows[i].was_allowed, "%s", rows[i].line);
		cr_expect_eq(
		    l.was_reported, rows[i].was_reported, "%s", rows[i].line);
		cr_expect_eq(
		    l.is_assumed, rows[i].is_assumed, "%s", rows[i].line);
		cr_expect_eq(l.n_uris, rows[i].n_uris, "%s", rows[i].line);
		replay_line_free(&l);
	}
}

Test(replay_line, supposes_the_zone_of_older_lines)
{
	struct replay_line l;

	cr_assert_eq(
	    replay_line_read(STR(LINE(WHO ",\"rule\":\"a\",\"outcome\":\"ok\","
					  "\"caller_zone\":\"zone-1\"")),
		&l),
	    REPLAY_DECIDED);
	cr_expect(str_eq(l.uris[0], STR("spiffe://m/web")));
	cr_expect(str_eq(l.uris[1], STR("kuma://kuma.io/zone/zone-1")));
	replay_line_free(&l);
}

/* More than a certificate may have: never beyond the room for them. */
Test(replay_line, has_room_for_some_uris)
{
	struct text t = TEXT_EMPTY;
	struct replay_line l;

	text_add_z(&t, "{\"kind\":\"request\"," WHO
		       ",\"rule\":\"a\",\"outcome\":\"ok\",\"caller_uris\":\"");
	for (unsigned i = 0; i < 1000; i++)
		text_add_z(&t, "a ");
	text_add_z(&t, "b\"}");
	cr_assert_eq(replay_line_read(text_str(&t), &l), REPLAY_DECIDED);
	cr_expect_eq(l.n_uris, IDENTITY_URIS_MAX + 1);
	replay_line_free(&l);
	text_free(&t);
}

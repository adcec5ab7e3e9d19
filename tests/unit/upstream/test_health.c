/* SPDX-License-Identifier: Apache-2.0 */
/* What is decided about active checks. */

#include <criterion/criterion.h>
#include <string.h>

#include "upstream/health.h"

/* g and b in, what is thought of it afterwards out: g, b. */
Test(health, thresholds)
{
	static const struct {
		const char *what;
		unsigned unhealthy, healthy;
		const char *results;
		const char *states;
	} rows[] = {
		{ "the first one decides", 5, 5, "b", "b" },
		{ "either way", 5, 5, "g", "g" },
		{ "so many in a row", 3, 2, "gbbbgg", "gggbbg" },
		{ "a good one between begins anew", 3, 1, "gbbgbbb",
		    "ggggggb" },
		{ "a bad one between too", 1, 3, "bggbggg", "bbbbbbg" },
		{ "at once", 1, 1, "gbgb", "gbgb" },
	};
	struct health_count c;
	char got[16];
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct health_settings set = {
			.unhealthy = rows[i].unhealthy,
			.healthy = rows[i].healthy,
		};

		c = (struct health_count){ .state = PROBED_UNKNOWN };
		memset(got, 0, sizeof(got));
		for (j = 0; j < strlen(rows[i].results); j++) {
			enum probed before = c.state;
			bool is_new =
			    health_note(&set, &c, rows[i].results[j] == 'g');

			cr_expect_eq(is_new, c.state != before);
			got[j] = c.state == PROBED_GOOD ? 'g' : 'b';
		}
		cr_expect_str_eq(
		    got, rows[i].states, "%s: %s", rows[i].what, got);
	}
}

Test(health, until_there_is_traffic)
{
	const struct health_settings set = { .interval_ms = 1000,
		.no_traffic_ms = 60000,
		.jitter_percent = 10,
		.jitter_ms = 7 };

	cr_expect_eq(health_delay_ms(&set, false, 0), 60000);
	cr_expect_eq(health_delay_ms(&set, true, 0), 1000);
	cr_expect_eq(health_delay_ms(&set, true, 107), 1107, "both jitters");
	cr_expect_eq(health_delay_ms(&set, true, 108), 1000);
}

Test(health, fields_of_a_check)
{
	static const struct {
		const char *text;
		const char *name; /* NULL: refused */
		const char *value;
	} rows[] = {
		{ "x-probe: yes", "x-probe", "yes" },
		{ "X-A:b: c", "X-A", "b: c" },
		{ "x-empty:", "x-empty", "" },
		{ "User-Agent: probe", "User-Agent", "probe" },
		{ "x-probe", NULL, NULL },
		{ ": v", NULL, NULL },
		{ ":path: /", NULL, NULL },
		{ "a b: c", NULL, NULL },
		{ "x: a\r\ny: b", NULL, NULL },
		{ "Host: x", NULL, NULL },
		{ "content-Length: 1", NULL, NULL },
		{ "transfer-encoding: chunked", NULL, NULL },
		{ "connection: close", NULL, NULL },
	};
	struct str name, value;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_good =
		    health_header_parse(str_of(rows[i].text), &name, &value);

		cr_assert_eq(is_good, rows[i].name != NULL, "%s", rows[i].text);
		if (is_good)
			cr_expect(str_eq(name, str_of(rows[i].name)) &&
				      str_eq(value, str_of(rows[i].value)),
			    "%s", rows[i].text);
	}
}

/* "PI", "NG" and a NUL byte are expected. */
Test(health, bytes_come_in_their_order)
{
	const struct str expected[] = { STR("UEk="), STR("Tkc="), STR("AA==") };
	const struct {
		struct str bytes;
		bool is_good;
	} rows[] = {
		{ STR("PING\0"), true },
		{ STR("--PI..NG..\0."), true },
		{ STR("NGPI\0"), false },
		{ STR("PING"), false },
		{ STR("PI\0NG"), false },
		{ STR(""), false },
	};
	const struct health_settings set = { .kind = HEALTH_TCP,
		.tcp_receive = { expected, ARRAY_LEN(expected) } };
	const struct health_settings none = { .kind = HEALTH_TCP };
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(health_receives(&set, rows[i].bytes),
		    rows[i].is_good, "row %zu", i);
	cr_expect(health_receives(&none, STR("")));
}

Test(health, jitter_is_added)
{
	const struct health_settings set = { .interval_ms = 1000,
		.jitter_percent = 10 };
	const struct health_settings none = { .interval_ms = 1000 };

	cr_expect_eq(health_delay_ms(&set, false, 0), 1000);
	cr_expect_eq(health_delay_ms(&set, false, 100), 1100);
	cr_expect_eq(health_delay_ms(&set, false, 101), 1000);
	cr_expect_eq(health_delay_ms(&none, true, 12345), 1000);
}

Test(health, statuses)
{
	static const struct {
		const char *text;
		bool is_good;
		unsigned from, to;
	} rows[] = {
		{ "200", true, 200, 200 },
		{ "200-299", true, 200, 299 },
		{ "100-599", true, 100, 599 },
		{ "299-200", false, 0, 0 },
		{ "99", false, 0, 0 },
		{ "600", false, 0, 0 },
		{ "200-", false, 0, 0 },
		{ "-200", false, 0, 0 },
		{ "", false, 0, 0 },
		{ "2xx", false, 0, 0 },
	};
	const struct str list[] = { STR("200"), STR("300-302") };
	const struct health_settings set = { .statuses = { list, 2 } };
	unsigned from, to;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		from = to = 0;
		cr_expect_eq(
		    health_status_parse(str_of(rows[i].text), &from, &to),
		    rows[i].is_good, "%s", rows[i].text);
		if (rows[i].is_good)
			cr_expect(from == rows[i].from && to == rows[i].to);
	}
	cr_expect(health_expects(&set, 200));
	cr_expect(health_expects(&set, 301));
	cr_expect_not(health_expects(&set, 201));
	cr_expect_not(health_expects(&set, 303));
}

#define BYTES(literal)                         \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

Test(health, answers_of_grpc)
{
	static const struct {
		const char *what;
		struct str body;
		bool serves;
	} rows[] = {
		{ "SERVING", BYTES("\0\0\0\0\2\x08\1"), true },
		{ "NOT_SERVING", BYTES("\0\0\0\0\2\x08\2"), false },
		{ "UNKNOWN, which is not sent", BYTES("\0\0\0\0\0"), false },
		{ "compressed", BYTES("\1\0\0\0\2\x08\1"), false },
		{ "cut", BYTES("\0\0\0\0\2\x08"), false },
		{ "cut before", BYTES("\0\0\0"), false },
		{ "more than it says", BYTES("\0\0\0\0\2\x08\1\0"), false },
		{ "nothing", BYTES(""), false },
		{ "what we do not know is passed over",
		    BYTES("\0\0\0\0\x0b\x12\2ab\x1d\1\1\1\1\x08\1"), true },
		{ "a length that lies", BYTES("\0\0\0\0\4\x08\1\x12\x7f"),
		    false },
		{ "a number without an end",
		    BYTES("\0\0\0\0\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff"
			  "\xff\xff\1"),
		    false },
		{ "a group, which there are none of",
		    BYTES("\0\0\0\0\3\x08\1\x0b"), false },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(health_grpc_serves(rows[i].body), rows[i].serves,
		    "%s", rows[i].what);
}

Test(health, questions_of_grpc)
{
	char room[HEALTH_GRPC_QUESTION], longest[HEALTH_GRPC_NAME_MOST + 2];
	struct str q;

	q = health_grpc_question(STR_NONE, room);
	cr_expect(str_eq(q, (struct str)BYTES("\0\0\0\0\0")));
	q = health_grpc_question(STR("a.B"), room);
	cr_expect(str_eq(q, (struct str)BYTES("\0\0\0\0\5\x0a\3a.B")));
	memset(longest, 'x', sizeof(longest));
	q = health_grpc_question(
	    (struct str){ longest, HEALTH_GRPC_NAME_MOST }, room);
	cr_expect_eq(q.len, sizeof(room));
	q = health_grpc_question(
	    (struct str){ longest, HEALTH_GRPC_NAME_MOST + 1 }, room);
	cr_expect_eq(q.len, 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Upgrade and TE of HTTP/1.1: how they are read, and how they are written. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "http/h1_write.h"
#include "unit/http/parse_rig.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define NAMED "Connection: Upgrade\r\n"

/* clang-format off */
static const struct {
	const char *what;
	struct str in;
	const char *upgrade;
} upgrades[] = {
	{ "one", STR(GET NAMED "Upgrade: websocket\r\n\r\n"), "websocket" },
	{ "in any order", STR(GET "Upgrade: websocket\r\n" NAMED "\r\n"), "websocket" },
	{ "in any case, as it was written", STR(GET "UPGRADE: WebSocket\r\nconnection: UPGRADE\r\n\r\n"), "WebSocket" },
	{ "named among others", STR(GET "Connection: keep-alive , upgrade,x\r\nUpgrade: a\r\n\r\n"), "a" },
	{ "named in another field", STR(GET "Connection: x\r\n" NAMED "Upgrade: a\r\n\r\n"), "a" },
	{ "with a version", STR(GET NAMED "Upgrade: SPDY/3.1\r\n\r\n"), "SPDY/3.1" },
	{ "behind a body's length", STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" NAMED "Upgrade: a\r\n\r\n"), "a" },
	{ "not named", STR(GET "Upgrade: websocket\r\n\r\n"), "" },
	{ "only something like it is named", STR(GET "Connection: upgrades, up grade\r\nUpgrade: a\r\n\r\n"), "" },
	{ "two protocols", STR(GET NAMED "Upgrade: websocket, h2c\r\n\r\n"), "" },
	{ "two fields", STR(GET NAMED "Upgrade: websocket\r\nUpgrade: websocket\r\n\r\n"), "" },
	{ "two fields, one of them odd", STR(GET NAMED "Upgrade: websocket\r\nUpgrade: ,\r\n\r\n"), "" },
	{ "nothing in it", STR(GET NAMED "Upgrade: \r\n\r\n"), "" },
	{ "two words", STR(GET NAMED "Upgrade: web socket\r\n\r\n"), "" },
	{ "a name and no version", STR(GET NAMED "Upgrade: a/\r\n\r\n"), "" },
	{ "a version and no name", STR(GET NAMED "Upgrade: /1\r\n\r\n"), "" },
	{ "two versions", STR(GET NAMED "Upgrade: a/1/2\r\n\r\n"), "" },
	{ "a parameter", STR(GET NAMED "Upgrade: a;q=1\r\n\r\n"), "" },
	{ "bytes over 0x7f", STR(GET NAMED "Upgrade: \xc3\xa4\r\n\r\n"), "" },
	{ "none", STR(GET NAMED "\r\n"), "" },
};
/* clang-format on */

Test(h1_upgrade, of_requests)
{
	struct reading *r = xmalloc(sizeof(*r));
	bool has_field;

	for (size_t i = 0; i < ARRAY_LEN(upgrades); i++) {
		const char *what = upgrades[i].what;

		cr_assert_eq(parse_whole(r, PARSE_REQUEST, upgrades[i].in,
				 &parse_limits),
		    H1_OK, "%s", what);
		cr_expect(str_eq(r->h.upgrade, str_of(upgrades[i].upgrade)),
		    "%s", what);
		parse_expect_same_in_pieces(
		    r, PARSE_REQUEST, &parse_limits, what);
		/* So that whoever cannot carry it may say so. */
		has_field = head_get(&r->h, FIELD_UPGRADE).p != NULL;
		cr_expect_eq(has_field, strcmp(what, "none") != 0, "%s", what);
		head_remove_hop_by_hop(&r->h);
		cr_expect_null(head_get(&r->h, FIELD_UPGRADE).p, "%s", what);
		cr_expect(str_eq(r->h.upgrade, str_of(upgrades[i].upgrade)),
		    "%s", what);
	}
	free(r);
}

#define SWITCH "HTTP/1.1 101 x\r\n"

/* clang-format off */
static const struct {
	const char *what;
	struct str in;
	const char *upgrade;
} answers[] = {
	{ "101", STR(SWITCH NAMED "Upgrade: websocket\r\n\r\n"), "websocket" },
	{ "101 that names nothing", STR(SWITCH "Upgrade: websocket\r\n\r\n"), "" },
	{ "101 without a protocol", STR(SWITCH NAMED "\r\n"), "" },
	{ "101 to two protocols", STR(SWITCH NAMED "Upgrade: a, b\r\n\r\n"), "" },
	{ "what could be asked for", STR("HTTP/1.1 426 x\r\n" NAMED "Upgrade: a\r\nContent-Length: 0\r\n\r\n"), "" },
	{ "an interim answer", STR("HTTP/1.1 103 x\r\n" NAMED "Upgrade: a\r\n\r\n"), "" },
	{ "200", STR("HTTP/1.1 200 x\r\n" NAMED "Upgrade: a\r\nContent-Length: 0\r\n\r\n"), "" },
};
/* clang-format on */

Test(h1_upgrade, of_responses)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		cr_assert_eq(parse_whole(r, PARSE_RESPONSE, answers[i].in,
				 &parse_limits),
		    H1_OK, "%s", answers[i].what);
		cr_expect(str_eq(r->h.upgrade, str_of(answers[i].upgrade)),
		    "%s", answers[i].what);
	}
	free(r);
}

Test(h1_upgrade, a_switch_has_no_body)
{
	static const char *const bodies[] = { "Content-Length: 1\r\n",
		"Transfer-Encoding: chunked\r\n" };
	struct reading *r = xmalloc(sizeof(*r));
	struct text t = TEXT_EMPTY;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		text_clear(&t);
		text_addf(&t, SWITCH NAMED "Upgrade: a\r\n%s\r\n", bodies[i]);
		cr_expect_eq(
		    parse_whole(r, PARSE_RESPONSE, text_str(&t), &parse_limits),
		    H1_BAD, "%s", bodies[i]);
	}
	text_free(&t);
	free(r);
}

/* clang-format off */
static const struct {
	struct str in;
	bool takes;
} tes[] = {
	{ STR(GET "TE: trailers\r\n\r\n"), true },
	{ STR(GET "TE: Trailers\r\nConnection: te\r\n\r\n"), true },
	{ STR(GET "TE: gzip;q=0.5 , trailers\r\n\r\n"), true },
	{ STR(GET "TE: deflate\r\nTE: trailers\r\n\r\n"), true },
	{ STR(GET "TE: trailers;q=0\r\n\r\n"), false },
	{ STR(GET "TE: trailers;q=1\r\n\r\n"), false },
	{ STR(GET "TE: trailers x\r\n\r\n"), false },
	{ STR(GET "TE: \"trailers\"\r\n\r\n"), false },
	{ STR(GET "TE: xtrailers, trailer\r\n\r\n"), false },
	{ STR(GET "TE: \r\n\r\n"), false },
	{ STR(GET "X-TE: trailers\r\n\r\n"), false },
	{ STR(GET "\r\n"), false },
};
/* clang-format on */

Test(h1_upgrade, who_takes_trailers)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(tes); i++) {
		cr_assert_eq(
		    parse_whole(r, PARSE_REQUEST, tes[i].in, &parse_limits),
		    H1_OK, "%s", tes[i].in.p);
		cr_expect_eq(
		    r->h.takes_trailers, tes[i].takes, "%s", tes[i].in.p);
		head_remove_hop_by_hop(&r->h);
		cr_expect_eq(r->h.takes_trailers, tes[i].takes);
	}
	free(r);
}

static void
expect_written(const struct head *h, bool says_close, const char *want)
{
	char out[512];
	size_t n = h1_write_head(h, says_close, out, sizeof(out));

	cr_expect(str_eq((struct str){ out, n }, str_of(want)),
	    "'%.*s', not '%s'", (int)n, out, want);
}

/* clang-format off */
static const struct {
	const char *upgrade;
	bool takes_trailers;
	bool says_close;
	const char *want;
} written[] = {
	{ "", false, false, GET "\r\n" },
	{ "", false, true, GET "Connection: close\r\n\r\n" },
	{ "a", false, false, GET "Connection: Upgrade\r\nUpgrade: a\r\n\r\n" },
	{ "", true, false, GET "Connection: TE\r\nTE: trailers\r\n\r\n" },
	{ "", true, true, GET "Connection: close, TE\r\nTE: trailers\r\n\r\n" },
	{ "b/2", true, false, GET "Connection: Upgrade, TE\r\nUpgrade: b/2\r\nTE: trailers\r\n\r\n" },
};
/* clang-format on */

Test(h1_upgrade, is_said_again)
{
	struct head h;

	for (size_t i = 0; i < ARRAY_LEN(written); i++) {
		head_init(&h);
		h.is_request = true;
		h.method = STR("GET");
		h.path = STR("/");
		h.authority = STR("a");
		h.upgrade = str_of(written[i].upgrade);
		h.body = h.upgrade.len > 0 ? BODY_TUNNEL : BODY_NONE;
		h.takes_trailers = written[i].takes_trailers;
		expect_written(&h, written[i].says_close, written[i].want);
	}
}

Test(h1_upgrade, is_said_again_by_an_answer)
{
	struct head h;

	head_init(&h);
	h.status = 101;
	h.reason = STR("Switching Protocols");
	h.upgrade = STR("websocket");
	h.body = BODY_TUNNEL;
	h.takes_trailers = true;
	expect_written(&h, false,
	    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n"
	    "Upgrade: websocket\r\n\r\n");
	h.status = 200;
	h.reason = STR("OK");
	h.body = BODY_NONE;
	expect_written(
	    &h, false, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

/* Not even when nobody removed them. */
Test(h1_upgrade, fields_of_a_connection_are_never_copied)
{
	struct reading *r = xmalloc(sizeof(*r));

	cr_assert_eq(
	    parse_whole(r, PARSE_REQUEST,
		STR(GET "A: 1\r\nConnection: close, Upgrade\r\nB: 2\r\n"
			"Upgrade: a\r\nKeep-Alive: 1\r\nTE: gzip\r\n"
			"Proxy-Connection: x\r\nC: 3\r\n\r\n"),
		&parse_limits),
	    H1_OK);
	r->h.upgrade = STR_NONE;
	expect_written(&r->h, false, GET "A: 1\r\nB: 2\r\nC: 3\r\n\r\n");
	r->h.has_lines = false;
	expect_written(&r->h, false, GET "A: 1\r\nB: 2\r\nC: 3\r\n\r\n");
	free(r);
}

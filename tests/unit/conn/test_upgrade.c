/* SPDX-License-Identifier: Apache-2.0 */
/* conn/upgrade.h: upgrades told in another version of HTTP. */

#include "conn/upgrade.h"

#include <criterion/criterion.h>

/* RFC 6455, section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

#define FIELDS 8

/* One upgrade and its two heads. */
struct rig {
	struct upgrade u;
	struct head q;
	struct head a;
	struct field q_fields[FIELDS];
	struct field a_fields[FIELDS];
};

static void
add(struct head *h, const char *name, const char *value)
{
	cr_assert_lt(h->n_fields, FIELDS);
	h->fields[h->n_fields++] =
	    (struct field){ .id = field_id_of(str_of(name)),
		    .name = str_of(name),
		    .value = str_of(value) };
}

static void
init(struct rig *r)
{
	*r = (struct rig){ .u = { .is_begun = false } };
	head_init(&r->q);
	r->q.is_request = true;
	r->q.path = STR("/chat");
	r->q.authority = STR("a");
	r->q.fields = r->q_fields;
	head_init(&r->a);
	r->a.fields = r->a_fields;
}

static void
ask_h1(struct rig *r, const char *token, const char *key)
{
	init(r);
	r->q.method = STR("GET");
	r->q.upgrade = str_of(token);
	add(&r->q, "Connection", "Upgrade");
	add(&r->q, "Upgrade", token);
	if (key != NULL)
		add(&r->q, "Sec-WebSocket-Key", key);
	add(&r->q, "Sec-WebSocket-Version", "13");
	add(&r->q, "Sec-WebSocket-Protocol", "x");
	head_remove_hop_by_hop(&r->q);
}

static void
ask_h2(struct rig *r, const char *token)
{
	init(r);
	r->q.method = STR("CONNECT");
	r->q.scheme = STR("https");
	r->q.upgrade = str_of(token);
	r->q.body = BODY_STREAMED;
}

static void
answer(struct rig *r, unsigned status, const char *token, const char *accept)
{
	r->a.status = (uint16_t)status;
	r->a.reason = STR("x");
	r->a.upgrade = str_of(token);
	r->a.body = status == 101 ? BODY_NONE : BODY_STREAMED;
	if (accept != NULL)
		add(&r->a, "Sec-WebSocket-Accept", accept);
	add(&r->a, "Sec-WebSocket-Protocol", "x");
	add(&r->a, "Keep-Alive", "1");
}

/* All that is left of a name: "a|b". */
static void
expect_all(const struct head *h, const char *name, const char *want)
{
	const struct field *const lists[] = { h->fields, h->added };
	const size_t n[] = { h->n_fields, h->n_added };
	struct text got = TEXT_EMPTY;

	for (size_t l = 0; l < 2; l++) {
		for (size_t i = 0; i < n[l]; i++) {
			if (lists[l][i].is_removed ||
			    !str_eq_nocase(lists[l][i].name, str_of(name)))
				continue;
			text_add_z(&got, got.len > 0 ? "|" : "");
			text_add(&got, lists[l][i].value);
		}
	}
	cr_expect(str_eq(text_str(&got), str_of(want)), "%s: '%.*s', not '%s'",
	    name, STR_ARG(text_str(&got)), want);
	text_free(&got);
}

static void
expect_request(const struct rig *r, const char *method, const char *token)
{
	cr_expect(str_eq(r->q.method, str_of(method)));
	cr_expect(str_eq(r->q.upgrade, str_of(token)));
	cr_expect_eq(r->q.body, BODY_TUNNEL);
	cr_expect_not(r->q.has_length);
	cr_expect(str_eq(r->q.path, STR("/chat")));
}

static void
expect_agreed(struct rig *r, unsigned status, const char *token)
{
	cr_expect_eq(upgrade_answer(&r->u, &r->a), UPGRADE_AGREED);
	cr_expect_eq(r->a.status, status);
	cr_expect(str_eq(r->a.upgrade, str_of(token)));
	cr_expect_eq(r->a.body, BODY_TUNNEL);
	cr_expect_not(r->a.has_length);
	expect_all(&r->a, "keep-alive", "");
	expect_all(&r->a, "content-length", "");
	expect_all(&r->a, "sec-websocket-protocol", "x");
}

#define READY(r, from, to) \
	cr_assert_eq(upgrade_prepare(&(r)->u, &(r)->q, from, to), UPGRADE_READY)

Test(upgrade, h1_to_h1)
{
	struct rig r;

	ask_h1(&r, "WebSocket", KEY);
	r.q.has_length = true; /* of nothing */
	READY(&r, HTTP_1_1, HTTP_1_1);
	expect_request(&r, "GET", "WebSocket");
	expect_all(&r.q, "sec-websocket-key", KEY);
	expect_all(&r.q, "sec-websocket-version", "13");
	answer(&r, 101, "websocket", ACCEPT);
	expect_agreed(&r, 101, "WebSocket");
	expect_all(&r.a, "sec-websocket-accept", ACCEPT);
}

Test(upgrade, h1_to_h2)
{
	struct rig r;

	ask_h1(&r, "WebSocket", KEY);
	READY(&r, HTTP_1_1, HTTP_2);
	expect_request(&r, "CONNECT", "websocket");
	expect_all(&r.q, "sec-websocket-key", "");
	expect_all(&r.q, "sec-websocket-version", "13");
	expect_all(&r.q, "sec-websocket-protocol", "x");
	answer(&r, 200, "", NULL);
	add(&r.a, "content-length", "3");
	r.a.has_length = true;
	expect_agreed(&r, 101, "WebSocket");
	expect_all(&r.a, "sec-websocket-accept", ACCEPT);
	cr_expect(str_eq(r.a.reason, STR("Switching Protocols")));
}

/* What RFC 8441 does not want there is not believed. */
Test(upgrade, an_accept_of_h2_is_ours)
{
	struct rig r;

	ask_h1(&r, "websocket", KEY);
	READY(&r, HTTP_1_1, HTTP_2);
	answer(&r, 204, "", "AAAA");
	expect_agreed(&r, 101, "websocket");
	expect_all(&r.a, "sec-websocket-accept", ACCEPT);
}

Test(upgrade, h2_to_h1)
{
	struct text key = TEXT_EMPTY;
	struct str text;
	struct rig r;

	ask_h2(&r, "websocket");
	add(&r.q, "sec-websocket-key", "of no meaning");
	READY(&r, HTTP_2, HTTP_1_1);
	expect_request(&r, "GET", "websocket");
	expect_all(&r.q, "sec-websocket-version", "13");
	expect_all(&r.q, "sec-websocket-key", r.u.key);
	text = str_of(r.u.key);
	cr_assert_eq(text.len, 24);
	cr_expect(base64_decode(text, &key));
	cr_expect_eq(key.len, 16);
	text_free(&key);
	answer(&r, 101, "WEBSOCKET", r.u.accept);
	expect_agreed(&r, 200, "");
	expect_all(&r.a, "sec-websocket-accept", "");
}

Test(upgrade, a_version_that_was_said_stays)
{
	struct rig r;

	ask_h2(&r, "websocket");
	add(&r.q, "sec-websocket-version", "8");
	READY(&r, HTTP_2, HTTP_1_1);
	expect_all(&r.q, "sec-websocket-version", "8");
}

Test(upgrade, no_two_requests_have_one_key)
{
	struct rig a, b;

	ask_h2(&a, "websocket");
	ask_h2(&b, "websocket");
	READY(&a, HTTP_2, HTTP_1_1);
	READY(&b, HTTP_2, HTTP_1_1);
	cr_expect_str_neq(a.u.key, b.u.key);
	cr_expect_str_neq(a.u.accept, b.u.accept);
}

Test(upgrade, h2_to_h2)
{
	struct rig r;

	ask_h2(&r, "websocket");
	READY(&r, HTTP_2, HTTP_2);
	expect_request(&r, "CONNECT", "websocket");
	expect_all(&r.q, "sec-websocket-version", "");
	answer(&r, 200, "", NULL);
	expect_agreed(&r, 200, "");
	expect_all(&r.a, "sec-websocket-accept", "");
}

/* As a sidecar asks that translates the handshake of an HTTP/1.1 client. */
Test(upgrade, a_key_of_h2_is_answered)
{
	static const enum http_version to[] = { HTTP_1_1, HTTP_2 };
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(to); i++) {
		ask_h2(&r, "websocket");
		add(&r.q, "sec-websocket-key", KEY);
		READY(&r, HTTP_2, to[i]);
		cr_expect_str_neq(r.u.key, to[i] == HTTP_1_1 ? KEY : "");
		if (to[i] == HTTP_1_1)
			answer(&r, 101, "websocket", r.u.accept);
		else
			answer(&r, 200, "", NULL);
		expect_agreed(&r, 200, "");
		expect_all(&r.a, "sec-websocket-accept", ACCEPT);
	}
}

Test(upgrade, other_protocols_between_equals)
{
	struct rig r;

	ask_h1(&r, "SPDY/3.1", NULL);
	r.q.method = STR("POST");
	READY(&r, HTTP_1_1, HTTP_1_1);
	expect_request(&r, "POST", "SPDY/3.1");
	expect_all(&r.q, "sec-websocket-key", "");
	answer(&r, 101, "spdy/3.1", NULL);
	expect_agreed(&r, 101, "SPDY/3.1");
	expect_all(&r.a, "sec-websocket-accept", "");

	ask_h2(&r, "connect-udp");
	READY(&r, HTTP_2, HTTP_2);
	expect_request(&r, "CONNECT", "connect-udp");
}

static const struct {
	const char *token;
	enum http_version from;
	enum http_version to;
} impossible[] = {
	{ "SPDY/3.1", HTTP_1_1, HTTP_2 },
	{ "connect-udp", HTTP_2, HTTP_1_1 },
	/* Requests that nobody would look at. */
	{ "h2c", HTTP_1_1, HTTP_1_1 },
	{ "H2", HTTP_1_1, HTTP_1_1 },
	{ "HTTP/2.0", HTTP_1_1, HTTP_1_1 },
	{ "h2c", HTTP_2, HTTP_2 },
};

Test(upgrade, what_is_not_possible)
{
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(impossible); i++) {
		enum body_kind body = BODY_NONE;

		if (impossible[i].from == HTTP_1_1)
			ask_h1(&r, impossible[i].token, KEY);
		else
			ask_h2(&r, impossible[i].token);
		body = r.q.body;
		cr_expect_eq(upgrade_prepare(&r.u, &r.q, impossible[i].from,
				 impossible[i].to),
		    UPGRADE_IMPOSSIBLE, "%s", impossible[i].token);
		cr_expect_eq(r.q.body, body, "it is as it was");
	}
}

static const struct {
	const char *what;
	const char *key;
	const char *second; /* key */
} bad_keys[] = {
	{ "none", NULL, NULL },
	{ "empty", "", NULL },
	{ "two", KEY, KEY },
	{ "of 15 bytes", "AAAAAAAAAAAAAAAAAAAA", NULL },
	{ "of 17 bytes", "AAAAAAAAAAAAAAAAAAAAAAA=", NULL },
	{ "of 18 bytes", "AAAAAAAAAAAAAAAAAAAAAAAA", NULL },
	{ "without padding", "dGhlIHNhbXBsZSBub25jZQ", NULL },
	{ "with loose bits", "dGhlIHNhbXBsZSBub25jZR==", NULL },
	{ "with a letter of another alphabet",
	    "dGhlIHNhbXBsZSBub25j_Q==", NULL },
	{ "with something behind it", KEY " ", NULL },
};

Test(upgrade, keys_that_are_none)
{
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(bad_keys); i++) {
		for (unsigned to = 0; to < 2; to++) {
			ask_h1(&r, "websocket", bad_keys[i].key);
			if (bad_keys[i].second != NULL)
				add(&r.q, "sec-websocket-key",
				    bad_keys[i].second);
			cr_expect_eq(upgrade_prepare(&r.u, &r.q, HTTP_1_1,
					 to == 0 ? HTTP_1_1 : HTTP_2),
			    UPGRADE_BAD, "%s", bad_keys[i].what);
			expect_all(&r.q, "sec-websocket-protocol", "x");
			cr_expect(str_eq(r.q.method, STR("GET")));
		}
	}
}

Test(upgrade, requests_that_ask_against_the_rules)
{
	struct rig r;

	ask_h1(&r, "websocket", KEY);
	r.q.method = STR("POST");
	cr_expect_eq(upgrade_prepare(&r.u, &r.q, HTTP_1_1, HTTP_1_1),
	    UPGRADE_BAD, "not GET");
	ask_h1(&r, "websocket", KEY);
	r.q.body = BODY_LENGTH;
	r.q.content_length = 1;
	cr_expect_eq(upgrade_prepare(&r.u, &r.q, HTTP_1_1, HTTP_1_1),
	    UPGRADE_BAD, "a body");
	ask_h1(&r, "spdy/3.1", NULL);
	r.q.body = BODY_STREAMED;
	cr_expect_eq(upgrade_prepare(&r.u, &r.q, HTTP_1_1, HTTP_1_1),
	    UPGRADE_BAD, "chunks");
	ask_h1(&r, "a", NULL);
	r.q.method = STR("CONNECT");
	cr_expect_eq(upgrade_prepare(&r.u, &r.q, HTTP_1_1, HTTP_1_1),
	    UPGRADE_BAD, "CONNECT");
	ask_h2(&r, "websocket");
	r.q.method = STR("GET");
	cr_expect_eq(upgrade_prepare(&r.u, &r.q, HTTP_2, HTTP_2), UPGRADE_BAD,
	    "no extended CONNECT");
}

/* A length of nothing, or a caller who marked it before, is fine. */
Test(upgrade, no_body_however_it_is_said)
{
	struct rig r;

	ask_h1(&r, "websocket", KEY);
	r.q.body = BODY_LENGTH;
	r.q.has_length = true;
	READY(&r, HTTP_1_1, HTTP_1_1);
	ask_h1(&r, "websocket", KEY);
	r.q.body = BODY_TUNNEL;
	READY(&r, HTTP_1_1, HTTP_1_1);
}

/* The first connection broke; the next one is of another version. */
Test(upgrade, sent_again_in_another_version)
{
	char first[UPGRADE_KEY_TEXT];
	struct rig r;

	ask_h1(&r, "websocket", KEY);
	READY(&r, HTTP_1_1, HTTP_1_1);
	READY(&r, HTTP_1_1, HTTP_2);
	expect_request(&r, "CONNECT", "websocket");
	expect_all(&r.q, "sec-websocket-key", "");
	READY(&r, HTTP_1_1, HTTP_1_1);
	expect_request(&r, "GET", "websocket");
	expect_all(&r.q, "sec-websocket-key", KEY);
	answer(&r, 101, "websocket", ACCEPT);
	expect_agreed(&r, 101, "websocket");

	ask_h2(&r, "websocket");
	READY(&r, HTTP_2, HTTP_1_1);
	memcpy(first, r.u.key, sizeof(first));
	READY(&r, HTTP_2, HTTP_1_1);
	cr_expect_str_neq(r.u.key, first);
	expect_all(&r.q, "sec-websocket-key", r.u.key);
	READY(&r, HTTP_2, HTTP_2);
	expect_request(&r, "CONNECT", "websocket");
	expect_all(&r.q, "sec-websocket-key", "");

	ask_h1(&r, "a", NULL);
	READY(&r, HTTP_1_1, HTTP_1_1);
	cr_expect_eq(
	    upgrade_prepare(&r.u, &r.q, HTTP_1_1, HTTP_2), UPGRADE_IMPOSSIBLE);
}

/* clang-format off */
static const struct {
	const char *what;
	enum http_version from;
	enum http_version to;
	unsigned status;
	const char *token;
	const char *accept;
	enum upgrade_answer want;
} answers[] = {
	{ "another protocol", HTTP_1_1, HTTP_1_1, 101, "h2c", ACCEPT, UPGRADE_BROKEN },
	{ "no protocol", HTTP_1_1, HTTP_1_1, 101, "", ACCEPT, UPGRADE_BROKEN },
	{ "no accept", HTTP_1_1, HTTP_1_1, 101, "websocket", NULL, UPGRADE_BROKEN },
	{ "the accept of another key", HTTP_1_1, HTTP_1_1, 101, "websocket", "t3pPLMBiTxaQ9kYGzzhZRbK+xOo=", UPGRADE_BROKEN },
	{ "an accept in another case", HTTP_1_1, HTTP_1_1, 101, "websocket", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo=", UPGRADE_BROKEN },
	{ "a cut accept", HTTP_1_1, HTTP_1_1, 101, "websocket", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo", UPGRADE_BROKEN },
	{ "a server that does not know it", HTTP_1_1, HTTP_1_1, 200, "", NULL, UPGRADE_DECLINED },
	{ "a redirection", HTTP_1_1, HTTP_1_1, 302, "", NULL, UPGRADE_DECLINED },
	{ "another version", HTTP_1_1, HTTP_1_1, 426, "", NULL, UPGRADE_DECLINED },
	{ "no stream for it", HTTP_1_1, HTTP_2, 404, "", NULL, UPGRADE_DECLINED },
	{ "a redirection of h2", HTTP_1_1, HTTP_2, 302, "", NULL, UPGRADE_DECLINED },
	{ "101 in h2", HTTP_1_1, HTTP_2, 101, "websocket", ACCEPT, UPGRADE_BROKEN },
	{ "h2 to h2, declined", HTTP_2, HTTP_2, 501, "", NULL, UPGRADE_DECLINED },
	{ "h2 to h1, declined", HTTP_2, HTTP_1_1, 403, "", NULL, UPGRADE_DECLINED },
	{ "h2 to h1, the accept of another key", HTTP_2, HTTP_1_1, 101, "websocket", ACCEPT, UPGRADE_BROKEN },
	{ "what a caller of h2 would take for a tunnel", HTTP_2, HTTP_1_1, 200, "", NULL, UPGRADE_BROKEN },
};
/* clang-format on */

Test(upgrade, answers_that_do_not_agree)
{
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		const char *what = answers[i].what;

		if (answers[i].from == HTTP_1_1)
			ask_h1(&r, "websocket", KEY);
		else
			ask_h2(&r, "websocket");
		READY(&r, answers[i].from, answers[i].to);
		answer(
		    &r, answers[i].status, answers[i].token, answers[i].accept);
		cr_expect_eq(
		    upgrade_answer(&r.u, &r.a), answers[i].want, "%s", what);
		cr_expect_eq(r.a.status, answers[i].status, "%s", what);
		cr_expect_neq(r.a.body, BODY_TUNNEL, "%s", what);
		expect_all(&r.a, "keep-alive", "1");
	}
}

Test(upgrade, two_accepts_are_none)
{
	struct rig r;

	ask_h1(&r, "websocket", KEY);
	READY(&r, HTTP_1_1, HTTP_1_1);
	answer(&r, 101, "websocket", ACCEPT);
	add(&r.a, "sec-websocket-accept", ACCEPT);
	cr_expect_eq(upgrade_answer(&r.u, &r.a), UPGRADE_BROKEN);
}

Test(upgrade, of_other_protocols_only_the_name_is_compared)
{
	struct rig r;

	ask_h1(&r, "a/1", NULL);
	READY(&r, HTTP_1_1, HTTP_1_1);
	answer(&r, 101, "a/2", NULL);
	cr_expect_eq(upgrade_answer(&r.u, &r.a), UPGRADE_BROKEN);
}

Test(upgrade, keeps_nothing_of_the_request)
{
	char token[] = "WebSocket", key[] = KEY;
	struct rig r;

	ask_h1(&r, token, key);
	READY(&r, HTTP_1_1, HTTP_1_1);
	memset(token, 'x', strlen(token));
	memset(key, 'x', strlen(key));
	answer(&r, 101, "websocket", ACCEPT);
	expect_agreed(&r, 101, "WebSocket");
}

Test(upgrade, names_that_are_too_long)
{
	char name[UPGRADE_TOKEN_MOST + 2];
	struct rig r;

	memset(name, 'a', sizeof(name));
	name[UPGRADE_TOKEN_MOST] = '\0';
	ask_h1(&r, name, NULL);
	READY(&r, HTTP_1_1, HTTP_1_1);
	expect_request(&r, "GET", name);
	name[UPGRADE_TOKEN_MOST] = 'a';
	name[UPGRADE_TOKEN_MOST + 1] = '\0';
	ask_h1(&r, name, NULL);
	cr_expect_eq(upgrade_prepare(&r.u, &r.q, HTTP_1_1, HTTP_1_1),
	    UPGRADE_IMPOSSIBLE);
}

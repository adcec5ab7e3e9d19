/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talks with parent proxies, byte by byte: upstream/parent.h.
 */

#include <criterion/criterion.h>

#include "upstream/parent.h"

Test(parent, urls)
{
	static const struct {
		const char *url;
		enum parent_kind kind; /* NONE: refused */
		const char *host;
		unsigned port;
	} rows[] = {
		{ "http://proxy.example:3128", PARENT_HTTP, "proxy.example",
		    3128 },
		{ "http://proxy.example:3128/", PARENT_HTTP, "proxy.example",
		    3128 },
		{ "http://10.0.0.1:80", PARENT_HTTP, "10.0.0.1", 80 },
		{ "socks5://[::1]:1080", PARENT_SOCKS5, "::1", 1080 },
		{ "socks5://a_b:65535", PARENT_SOCKS5, "a_b", 65535 },
		{ "", PARENT_NONE, "", 0 },
		{ "proxy.example:3128", PARENT_NONE, "", 0 },
		{ "https://proxy.example:3128", PARENT_NONE, "", 0 },
		{ "http://proxy.example", PARENT_NONE, "", 0 },
		{ "http://proxy.example:", PARENT_NONE, "", 0 },
		{ "http://proxy.example:0", PARENT_NONE, "", 0 },
		{ "http://proxy.example:65536", PARENT_NONE, "", 0 },
		{ "http://proxy.example:3128/x", PARENT_NONE, "", 0 },
		{ "http://:3128", PARENT_NONE, "", 0 },
		{ "http://a b:3128", PARENT_NONE, "", 0 },
		{ "http://a\r\nb:3128", PARENT_NONE, "", 0 },
		{ "http://::1:3128", PARENT_NONE, "", 0 },
		{ "http://[::1]3128", PARENT_NONE, "", 0 },
		{ "http://[::1:3128", PARENT_NONE, "", 0 },
		{ "http://[a]:3128", PARENT_NONE, "", 0 },
		{ "http://[10.0.0.1]:3128", PARENT_NONE, "", 0 },
		{ "http://me:secret@proxy.example:3128", PARENT_NONE, "", 0 },
		{ "socks5://me@proxy.example:1080", PARENT_NONE, "", 0 },
	};
	struct parent p;
	const char *why;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		why = NULL;
		if (!parent_parse(str_of(rows[i].url), &p, &why)) {
			cr_expect_eq(rows[i].kind, PARENT_NONE, "%s: %s",
			    rows[i].url, why);
			cr_expect_not_null(why, "%s", rows[i].url);
			continue;
		}
		cr_expect_eq(p.kind, rows[i].kind, "%s", rows[i].url);
		cr_expect(str_eq(p.host, str_of(rows[i].host)), "%s: %.*s",
		    rows[i].url, STR_ARG(p.host));
		cr_expect_eq(p.port, rows[i].port, "%s", rows[i].url);
	}
}

Test(parent, credentials)
{
	static const struct {
		const char *auth;
		bool http, socks;
	} rows[] = {
		{ "me:secret", true, true },
		{ "me:se:cret", true, true },
		{ "me:", true, false },
		{ ":secret", false, false },
		{ "me", false, false },
		{ "", false, false },
		{ "me:a\nb", false, false },
		{ "me:a\x7f", false, false },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(
		    parent_auth_is_good(PARENT_HTTP, str_of(rows[i].auth)),
		    rows[i].http, "%s", rows[i].auth);
		cr_expect_eq(
		    parent_auth_is_good(PARENT_SOCKS5, str_of(rows[i].auth)),
		    rows[i].socks, "%s", rows[i].auth);
	}
}

/*
 * Gives the bytes in steps of so many, as a socket does; what is not used comes
 * again.  rest: what is left for the server.
 */
static enum parent_says
hear(struct parent_talk *t, struct str all, size_t step, struct text *sent,
    struct str *rest)
{
	enum parent_says says = PARENT_MORE;
	size_t from = 0, to = 0, used;

	while (says == PARENT_MORE && to < all.len) {
		to = to + step < all.len ? to + step : all.len;
		says = parent_hear(
		    t, str_first(str_from(all, from), to - from), &used, sent);
		cr_assert_leq(used, to - from);
		from += used;
	}
	*rest = str_from(all, from);
	return says;
}

static void
begin_connect(struct parent_talk *t, const char *host, const char *auth,
    struct text *sent)
{
	*t = (struct parent_talk){
		.kind = PARENT_HTTP,
		.host = str_of(host),
		.port = 443,
		.auth = str_of(auth),
	};
	parent_begin(t, sent);
}

Test(parent, what_connect_says)
{
	static const struct {
		const char *host, *auth, *want;
	} rows[] = {
		{ "bank.example", NULL,
		    "CONNECT bank.example:443 HTTP/1.1\r\n"
		    "Host: bank.example:443\r\n\r\n" },
		{ "2001:db8::1", NULL,
		    "CONNECT [2001:db8::1]:443 HTTP/1.1\r\n"
		    "Host: [2001:db8::1]:443\r\n\r\n" },
		{ "a", "me:secret",
		    "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n"
		    "Proxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n" },
	};
	struct parent_talk t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct text sent = TEXT_EMPTY;

		begin_connect(&t, rows[i].host, rows[i].auth, &sent);
		cr_expect_str_eq(sent.p, rows[i].want);
		text_free(&sent);
	}
}

#define OPEN "HTTP/1.1 200 OK\r\n\r\n"

static const struct {
	const char *what, *answer;
	enum parent_says says;
	enum parent_failure failure; /* if it failed */
	const char *left;            /* of the server's, if it is open */
} answers[] = {
	{ "plain", OPEN, PARENT_OPEN, 0, "" },
	{ "the server's bytes", OPEN "hi\r\n", PARENT_OPEN, 0, "hi\r\n" },
	{ "no reason", "HTTP/1.1 200\r\n\r\n", PARENT_OPEN, 0, "" },
	{ "HTTP/1.0", "HTTP/1.0 200 ok\r\nX: y\r\n\r\n", PARENT_OPEN, 0, "" },
	{ "any 2xx", "HTTP/1.1 299 ok\r\n\r\n", PARENT_OPEN, 0, "" },
	{ "lengths mean nothing",
	    "HTTP/1.1 200 ok\r\nContent-Length: 5\r\nTransfer-Encoding: "
	    "chunked\r\n\r\nhello",
	    PARENT_OPEN, 0, "hello" },
	{ "first another", "HTTP/1.1 100 go on\r\n\r\n" OPEN "x", PARENT_OPEN,
	    0, "x" },
	{ "half a head", "HTTP/1.1 200 OK\r\nVia: x\r\n", PARENT_MORE, 0, "" },
	{ "half a word", "HTT", PARENT_MORE, 0, "" },
	{ "407", "HTTP/1.1 407 who?\r\n\r\n", PARENT_FAILED, PARENT_AUTH, "" },
	{ "403", "HTTP/1.1 403 no\r\n\r\n", PARENT_FAILED, PARENT_DENIED, "" },
	{ "405", "HTTP/1.1 405 no\r\n\r\n", PARENT_FAILED, PARENT_DENIED, "" },
	{ "504", "HTTP/1.1 504 slow\r\n\r\n", PARENT_FAILED, PARENT_LATE, "" },
	{ "502", "HTTP/1.1 502 bad\r\n\r\n", PARENT_FAILED, PARENT_OTHER, "" },
	{ "a redirection", "HTTP/1.1 302 x\r\nLocation: y\r\n\r\n",
	    PARENT_FAILED, PARENT_OTHER, "" },
	{ "another protocol", "HTTP/1.1 101 x\r\n\r\n", PARENT_FAILED,
	    PARENT_OTHER, "" },
	{ "SSH", "SSH-2.0-x\r\n", PARENT_FAILED, PARENT_BROKEN, "" },
	{ "TLS", "\x15\x03\x01", PARENT_FAILED, PARENT_BROKEN, "" },
	{ "HTTP/2", "HTTP/2 200 OK\r\n\r\n", PARENT_FAILED, PARENT_BROKEN, "" },
	{ "HTTP/1.2", "HTTP/1.2 200 OK\r\n\r\n", PARENT_FAILED, PARENT_BROKEN,
	    "" },
	{ "lower case", "http/1.1 200 OK\r\n\r\n", PARENT_FAILED, PARENT_BROKEN,
	    "" },
	{ "a status of four", "HTTP/1.1 2000 OK\r\n\r\n", PARENT_FAILED,
	    PARENT_BROKEN, "" },
	{ "a status of two", "HTTP/1.1 20 OK\r\n\r\n", PARENT_FAILED,
	    PARENT_BROKEN, "" },
	{ "a sign", "HTTP/1.1 +20 OK\r\n\r\n", PARENT_FAILED, PARENT_BROKEN,
	    "" },
	{ "a low status", "HTTP/1.1 099 OK\r\n\r\n", PARENT_FAILED,
	    PARENT_BROKEN, "" },
	{ "a high status", "HTTP/1.1 600 OK\r\n\r\n", PARENT_FAILED,
	    PARENT_BROKEN, "" },
	{ "two spaces", "HTTP/1.1  200 OK\r\n\r\n", PARENT_FAILED,
	    PARENT_BROKEN, "" },
	{ "line feeds alone", "HTTP/1.1 200 OK\n\n", PARENT_FAILED,
	    PARENT_BROKEN, "" },
	{ "an end of line feeds", "HTTP/1.1 200 OK\r\n\n", PARENT_FAILED,
	    PARENT_BROKEN, "" },
	{ "a carriage return inside", "HTTP/1.1 200 O\rK\r\n\r\n",
	    PARENT_FAILED, PARENT_BROKEN, "" },
	{ "a folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n",
	    PARENT_FAILED, PARENT_BROKEN, "" },
	{ "a field without a colon", "HTTP/1.1 200 OK\r\nA\r\n\r\n",
	    PARENT_FAILED, PARENT_BROKEN, "" },
	{ "a field without a name", "HTTP/1.1 200 OK\r\n: a\r\n\r\n",
	    PARENT_FAILED, PARENT_BROKEN, "" },
	{ "a space before the colon", "HTTP/1.1 200 OK\r\nA : a\r\n\r\n",
	    PARENT_FAILED, PARENT_BROKEN, "" },
};

Test(parent, answers_to_connect)
{
	size_t i, step;

	for (i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct str all = str_of(answers[i].answer), rest;

		for (step = 1; step <= all.len; step++) {
			struct text sent = TEXT_EMPTY;
			struct parent_talk t;
			enum parent_says says;

			begin_connect(&t, "a", NULL, &sent);
			says = hear(&t, all, step, &sent, &rest);
			text_free(&sent);
			cr_assert_eq(says, answers[i].says, "%s, by %zu: %s",
			    answers[i].what, step, t.why);
			if (says == PARENT_FAILED)
				cr_expect_eq(t.failure, answers[i].failure,
				    "%s: %s", answers[i].what, t.why);
			if (says == PARENT_OPEN)
				cr_expect(str_eq(rest, str_of(answers[i].left)),
				    "%s, by %zu: %.*s", answers[i].what, step,
				    STR_ARG(rest));
		}
	}
}

/* Neither one field without an end, nor many, nor heads without an end. */
Test(parent, an_answer_without_an_end)
{
	static const char *const rows[][2] = {
		{ "HTTP/1.1 200 OK\r\nA: ", "aaaaaaaaaaaaaaa" },
		{ "HTTP/1.1 200 OK\r\n", "A: b\r\n" },
		{ "", "HTTP/1.1 100 again\r\n\r\n" },
	};
	struct text all = TEXT_EMPTY, sent = TEXT_EMPTY;
	struct parent_talk t;
	struct str rest;
	size_t i;

	for (i = 0; i < 3; i++) {
		text_clear(&all);
		text_add_z(&all, rows[i][0]);
		while (all.len < (size_t)2 * PARENT_ANSWER_MOST)
			text_add_z(&all, rows[i][1]);
		begin_connect(&t, "a", NULL, &sent);
		cr_expect_eq(hear(&t, text_str(&all), 100, &sent, &rest),
		    PARENT_FAILED, "%zu", i);
		cr_expect_eq(t.failure, PARENT_BROKEN);
	}
	text_free(&all);
	text_free(&sent);
}

/* What the other side says goes to the log. */
Test(parent, words_of_others_are_cleaned)
{
	struct text sent = TEXT_EMPTY;
	struct parent_talk t;
	struct str rest;

	begin_connect(&t, "a", "me:secret", &sent);
	cr_expect_eq(hear(&t, STR("HTTP/1.1 403 \x1b[2J\xff no\r\n\r\n"), 50,
			 &sent, &rest),
	    PARENT_FAILED);
	text_free(&sent);
	cr_expect_null(strchr(t.why, 0x1b), "%s", t.why);
}

#define BYTES(s)                               \
	{                                      \
		.p = (s), .len = sizeof(s) - 1 \
	}
#define REPLY "\5\0\0\1\1\2\3\4\0\1"

Test(parent, talks_with_socks)
{
	static const struct {
		const char *what, *host, *auth;
		struct str answer, sent;
		enum parent_says says;
		enum parent_failure failure;
		const char *left;
	} rows[] = {
		{ "a name", "ab", NULL, BYTES("\5\0" REPLY "hi"),
		    BYTES("\5\1\0\5\1\0\3\2ab\1\xbb"), PARENT_OPEN, 0, "hi" },
		{ "IPv4", "1.2.3.4", NULL, BYTES("\5\0" REPLY),
		    BYTES("\5\1\0\5\1\0\1\1\2\3\4\1\xbb"), PARENT_OPEN, 0, "" },
		{ "IPv6", "::1", NULL, BYTES("\5\0" REPLY),
		    BYTES("\5\1\0\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\1"
			  "\xbb"),
		    PARENT_OPEN, 0, "" },
		{ "a reply with a name", "a", NULL,
		    BYTES("\5\0\5\0\0\3\3xyz\0\1!"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_OPEN, 0, "!" },
		{ "a reply with IPv6", "a", NULL,
		    BYTES("\5\0\5\0\0\4"
			  "0123456789abcdef\0\1"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_OPEN, 0, "" },
		{ "credentials", "a", "me:x:y", BYTES("\5\2\1\0" REPLY),
		    BYTES("\5\2\0\2\1\2me\3x:y\5\1\0\3\1a\1\xbb"), PARENT_OPEN,
		    0, "" },
		{ "credentials that it does not want", "a", "me:x",
		    BYTES("\5\0" REPLY), BYTES("\5\2\0\2\5\1\0\3\1a\1\xbb"),
		    PARENT_OPEN, 0, "" },
		{ "half a reply", "a", NULL, BYTES("\5\0\5\0\0\1\1\2\3\4\0"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_MORE, 0, "" },
		{ "no method", "a", NULL, BYTES("\5\xff"), BYTES("\5\1\0"),
		    PARENT_FAILED, PARENT_AUTH, "" },
		{ "a method that was not offered", "a", NULL, BYTES("\5\2"),
		    BYTES("\5\1\0"), PARENT_FAILED, PARENT_BROKEN, "" },
		{ "GSSAPI", "a", "me:x", BYTES("\5\1"), BYTES("\5\2\0\2"),
		    PARENT_FAILED, PARENT_BROKEN, "" },
		{ "wrong credentials", "a", "me:x", BYTES("\5\2\1\1"),
		    BYTES("\5\2\0\2\1\2me\1x"), PARENT_FAILED, PARENT_AUTH,
		    "" },
		{ "SOCKS 4", "a", NULL, BYTES("\4"), BYTES("\5\1\0"),
		    PARENT_FAILED, PARENT_BROKEN, "" },
		{ "HTTP", "a", NULL, BYTES("HTTP/1.1 400"), BYTES("\5\1\0"),
		    PARENT_FAILED, PARENT_BROKEN, "" },
		{ "another version of credentials", "a", "me:x",
		    BYTES("\5\2\5\0"), BYTES("\5\2\0\2\1\2me\1x"),
		    PARENT_FAILED, PARENT_BROKEN, "" },
		{ "another version of the reply", "a", NULL, BYTES("\5\0\4\0"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_BROKEN, "" },
		{ "a reserved byte", "a", NULL, BYTES("\5\0\5\0\1\1"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_BROKEN, "" },
		{ "a form that there is not", "a", NULL, BYTES("\5\0\5\0\0\2"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_BROKEN, "" },
		{ "general failure", "a", NULL, BYTES("\5\0\5\1"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_OTHER, "" },
		{ "not allowed", "a", NULL, BYTES("\5\0\5\2"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_DENIED, "" },
		{ "no network", "a", NULL, BYTES("\5\0\5\3"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_UNREACHABLE, "" },
		{ "refused", "a", NULL, BYTES("\5\0\5\5"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_REFUSED, "" },
		{ "another failure", "a", NULL, BYTES("\5\0\5\x63"),
		    BYTES("\5\1\0\5\1\0\3\1a\1\xbb"), PARENT_FAILED,
		    PARENT_OTHER, "" },
	};
	size_t i, step;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (step = 1; step <= rows[i].answer.len; step++) {
			struct text sent = TEXT_EMPTY;
			struct parent_talk t = {
				.kind = PARENT_SOCKS5,
				.host = str_of(rows[i].host),
				.port = 443,
				.auth = str_of(rows[i].auth),
			};
			enum parent_says says;
			struct str rest;

			parent_begin(&t, &sent);
			says = hear(&t, rows[i].answer, step, &sent, &rest);
			cr_assert_eq(says, rows[i].says, "%s, by %zu: %s",
			    rows[i].what, step, t.why);
			cr_expect(str_eq(text_str(&sent), rows[i].sent),
			    "%s, by %zu", rows[i].what, step);
			if (says == PARENT_FAILED)
				cr_expect_eq(t.failure, rows[i].failure,
				    "%s: %s", rows[i].what, t.why);
			if (says == PARENT_OPEN)
				cr_expect(str_eq(rest, str_of(rows[i].left)),
				    "%s, by %zu", rows[i].what, step);
			text_free(&sent);
		}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See grammar.h.  Each part of a message has words that belong there and odd
 * ones; one in ODDS is odd, so that most messages have one oddity or none.
 */

#include "differential/grammar.h"

#include <assert.h>

#define ODDS 400

struct words {
	const struct str *good;
	size_t n_good;
	const struct str *odd;
	size_t n_odd;
};

#define WORDS(name)                                             \
	static const struct words name##_words = { good_##name, \
		ARRAY_LEN(good_##name), odd_##name, ARRAY_LEN(odd_##name) }

/* clang-format off */
#define W(text) STR(text)

static const struct str good_line_end[] = { W("\r\n") };
static const struct str odd_line_end[] = { W("\n"), W("\r"), W("\r\r\n"), W("\n\r"), W(""), W("\r\n "), W("\r\n\t"), W(" \r\n"), W("\t\r\n"), W("\0\r\n"), W("\r\n\r\n"), W("\x0b\r\n"), W("\r\nX\r\n") };
WORDS(line_end);

static const struct str good_space[] = { W(" ") };
static const struct str odd_space[] = { W("  "), W("\t"), W("\x0b"), W("\x0c"), W("\r"), W("\n"), W(""), W(" \t"), W("\xa0") };
WORDS(space);

static const struct str good_method[] = { W("GET"), W("GET"), W("POST"), W("POST"), W("PUT"), W("HEAD"), W("DELETE"), W("OPTIONS"), W("PATCH"), W("M-SEARCH"), W("PROPFIND"), W("SOURCE"), W("MKCALENDAR"), W("UNSUBSCRIBE") };
static const struct str odd_method[] = { W("get"), W("Head"), W("CONNECT"), W("connect"), W("TRACE"), W("PRI"), W("FOO"), W("GET!"), W("GE\tT"), W("G@T"), W(""), W(" GET"), W("\0GET"), W("X-Y: Z\r\nGET"), W("GETGETGETGET"), W("HTTP/1.1"), W("\"GET\"") };
WORDS(method);

static const struct str good_target[] = { W("/"), W("/"), W("/a/b?c=d&e"), W("/%2e%2e/%00?%"), W("//b/c"), W("/a/../b;c=d"), W("/?a=http://b/"), W("/x"), W("/y?"), W("http://a/b?c"), W("HTTP://A"), W("/\"<>[]\\^`{|}~"), W("/0123456789abcdef0123456789abcdef?x") };
static const struct str odd_target[] = { W("*"), W(""), W("a"), W("?a"), W("/a b"), W("/a#b"), W("/\0"), W("/\x80\xff"), W("/\t"), W("/\r"), W("/\n"), W("/\x7f"), W("http://b/"), W("http://u@a/"), W("http://a:80/"), W("http:///"), W("https://a"), W("http://a?b"), W("ftp://a/"), W("a:80"), W("\\a"), W("http://[::1]/"), W("/ HTTP/1.1 /"), W("http://a%41/") };
WORDS(target);

static const struct str good_version[] = { W("HTTP/1.1") };
static const struct str odd_version[] = { W("HTTP/1.0"), W("HTTP/1.2"), W("HTTP/2.0"), W("HTTP/0.9"), W("http/1.1"), W("HTTP/1.10"), W("HTTP/01.1"), W("HTTP/1,1"), W("HTTP/1.1x"), W("HTTP/ 1.1"), W("HTTP/+1.1"), W("HTTPS/1.1"), W("ICE/1.0"), W("RTSP/1.0"), W("") };
WORDS(version);

static const struct str good_host[] = { W("a"), W("a"), W("a"), W("a:80"), W("A.example"), W("[::1]:443"), W("127.0.0.1") };
static const struct str odd_host[] = { W(""), W("a, b"), W("a,b"), W("u@a"), W("a/b"), W("a b"), W("a:"), W("a:x"), W("a:99999"), W("a%41"), W("[::1"), W("a\\b"), W("a?b"), W("a#b"), W("\xc3\xa4") };
WORDS(host);

static const struct str good_name[] = { W("X-A"), W("X-A"), W("Accept"), W("Cookie"), W("User-Agent"), W("Content-Type"), W("x_y"), W("X-Forwarded-For"), W("X-Request-Id"), W("X-Forwarded-Proto"), W("x-forwarded-client-cert"), W("x-kuma-tags"), W("Keep-Alive"), W("Proxy-Connection"), W("Proxy-Authorization"), W("TE"), W("Trailer"), W("Expect"), W("HTTP2-Settings"), W("!#$%&'*+-.^_`|~09azAZ"), W("Content-Lengths"), W("Hosts"), W("X-Content-Length"), W("Upgrad"), W("Via"), W("Server") };
static const struct str odd_name[] = { W("Transfer-Encodings"), W("Content-Length"), W("Transfer-Encoding"), W("Host"), W("Upgrade"), W("Content_Length"), W("Transfer_Encoding"), W("X "), W("X\t"), W(" X"), W(""), W("X\0"), W("X\r"), W("X\n"), W("\"X\""), W("X/Y"), W("X\x80"), W("(X)"), W("Content-Length "), W("Transfer-Encoding\x0b") };
WORDS(name);

static const struct str good_colon[] = { W(": "), W(": "), W(":"), W(":\t"), W(": \t ") };
static const struct str odd_colon[] = { W(" : "), W("\t:"), W("::"), W(""), W(":\r\n "), W(":\n"), W(":\0"), W(":\x0b"), W("="), W(" ") };
WORDS(colon);

/* Where tabs are odd. */
static const struct str good_framing_colon[] = { W(": "), W(": "), W(":"), W(":   ") };
static const struct str odd_framing_colon[] = { W(":\t"), W(": \t "), W(" : "), W("\t:"), W("::"), W(":\r\n "), W(":\n"), W(":\x0b"), W(":\0"), W(":\xa0"), W("\0:") };
WORDS(framing_colon);

static const struct str good_value[] = { W(""), W("a"), W("b, c"), W("close"), W("keep-alive"), W("chunked"), W("trailers"), W("100-continue"), W("a\tb"), W("\x80\xff"), W("\"q\\\"\""), W("x: y"), W("a  b"), W("0"), W("5"), W("websocket"), W("0123456789abcdef0123456789abcdef0123456789") };
static const struct str odd_value[] = { W("a\0"), W("a\rb"), W("a\nb"), W("a\r\n b"), W("\x7f"), W("\x01"), W("a\r\nContent-Length: 5"), W("a\nTransfer-Encoding: chunked"), W("\x0b") };
WORDS(value);

static const struct str good_connection[] = { W("keep-alive"), W("Keep-Alive, X-A"), W("x_y"), W("TE"), W("upgrade"), W("cookie, accept"), W(",,X-A,"), W("Content-Length"), W("Transfer-Encoding, Host"), W("X-Request-Id"), W("") };
static const struct str odd_connection[] = { W("close"), W("keep-alive, close"), W("Close , x"), W("close\tx"), W("clos e"), W("close;x"), W("\"close\""), W("close x") };
WORDS(connection);

static const struct str good_coding[] = { W("chunked"), W("chunked"), W("chunked"), W("Chunked"), W("CHUNKED  ") };
static const struct str odd_coding[] = { W("chunked\t"), W("chunked, chunked"), W("identity"), W("gzip, chunked"), W("chunked, gzip"), W("chunked,"), W(",chunked"), W("\x0b""chunked"), W("chunked\0"), W("xchunked"), W("chunkedx"), W("chunked;a"), W("\"chunked\""), W(""), W("chun\rked"), W("chunked x"), W("x chunked"), W("chunked\x0c"), W("cow"), W("chunked\r\n , identity") };
WORDS(coding);

/* Before and after the number. */
static const struct str good_before[] = { W(""), W(""), W(""), W("0"), W("00") };
static const struct str odd_before[] = { W("+"), W("-"), W("0x"), W(" "), W("\t"), W("1, "), W("\x0b"), W("0000000000000000000000"), W("18446744073709551616"), W("\""), W("1_") };
WORDS(before);
static const struct str good_after[] = { W("") };
static const struct str odd_after[] = { W(", 5"), W(",5"), W(" 5"), W("x"), W(".0"), W("e1"), W("\0"), W("\x0c"), W(";"), W(","), W("\""), W("_0") };
WORDS(after);

static const struct str good_extension[] = { W(""), W(""), W(""), W(";a"), W(";a=b"), W(";a=\"b;\\\" c\""), W(";a;b=c;d") };
static const struct str odd_extension[] = { W(" "), W("\t"), W(" ;a"), W("; a"), W(";"), W(";a="), W(";a\rb"), W(";a\nb"), W(";a=\"\r\n\""), W(";\0"), W("\0"), W(",5"), W("x"), W(";a=\"b"), W("; a = b "), W(";\x80") };
WORDS(extension);

static const struct str good_trailer[] = { W("x-sum"), W("grpc-status"), W("X-T"), W("Authorization"), W("Trailer") };
static const struct str odd_trailer[] = { W("Connection"), W("Keep-Alive"), W("Content-Length"), W("Transfer-Encoding"), W("Host"), W("content_length"), W("X "), W(" X"), W(""), W("GET / HTTP/1.1\r\nHost"), W("X\r") };
WORDS(trailer);

static const struct str good_status[] = { W("200"), W("200"), W("404"), W("204"), W("304"), W("206"), W("500"), W("599") };
static const struct str odd_status[] = { W("100"), W("101"), W("103"), W("099"), W("20"), W("2000"), W("600"), W("+20"), W("020"), W(""), W("2 0"), W("2x0"), W("999") };
WORDS(status);

static const struct str good_reason[] = { W(" OK"), W(" "), W(""), W(" Not Found \t x"), W(" \x80\xff"), W("  a") };
static const struct str odd_reason[] = { W("OK"), W("\tOK"), W(" \0"), W(" O\rK"), W(" O\nK"), W(" \x7f") };
WORDS(reason);

static const struct str good_answer_version[] = { W("HTTP/1.1"), W("HTTP/1.1"), W("HTTP/1.1"), W("HTTP/1.0") };
static const struct str odd_answer_version[] = { W("HTTP/1.2"), W("HTTP/2.0"), W("HTTP/0.9"), W("http/1.1"), W("ICY"), W("HTTP/1.10"), W(" HTTP/1.1"), W("\r\nHTTP/1.1"), W("\nHTTP/1.1") };
WORDS(answer_version);

static const struct str cargo[] = { W("x"), W("0\r\n\r\n"), W("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), W("HTTP/1.1 200 OK\r\n\r\n"), W("\r\n"), W("\n"), W("\0"), W("5\r\n"), W("0123456789abcdef"), W("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"), W("\xff\xfe") };
/* clang-format on */

static struct str
draw(struct dice *d, const struct words *w)
{
	if (dice_one_in(d, ODDS))
		return w->odd[dice_below(d, w->n_odd)];
	return w->good[dice_below(d, w->n_good)];
}

static void
put(struct dice *d, struct text *out, const struct words *w)
{
	text_add(out, draw(d, w));
}

/* A name now and then in another case. */
static void
put_name(struct dice *d, struct text *out, const char *name)
{
	size_t from = out->len;

	text_add_z(out, name);
	if (!dice_one_in(d, 4))
		return;
	for (size_t i = from; i < out->len; i++) {
		if (out->p[i] >= 'A' && out->p[i] <= 'Z')
			out->p[i] = (char)(out->p[i] + 0x20);
		else if (out->p[i] >= 'a' && out->p[i] <= 'z' &&
			 dice_one_in(d, 2))
			out->p[i] = (char)(out->p[i] - 0x20);
	}
}

static void
put_field(struct dice *d, struct text *out, const char *name,
    const struct words *value)
{
	put_name(d, out, name);
	put(d, out, &framing_colon_words);
	put(d, out, value);
	put(d, out, &line_end_words);
}

static void
put_some_field(struct dice *d, struct text *out)
{
	if (dice_one_in(d, 6)) {
		put_field(d, out, "Connection", &connection_words);
		return;
	}
	put(d, out, &name_words);
	put(d, out, &colon_words);
	put(d, out, &value_words);
	put(d, out, &line_end_words);
}

static void
put_upgrade(struct dice *d, struct text *out)
{
	static const char *const protocols[] = { "websocket", "h2c", "TLS/1.0",
		"websocket, h2c", "" };

	text_add_z(out, "Connection: Upgrade");
	put(d, out, &line_end_words);
	text_add_z(out, "Upgrade: ");
	text_add_z(out, protocols[dice_below(d, ARRAY_LEN(protocols))]);
	put(d, out, &line_end_words);
}

static void
put_fields(struct dice *d, struct text *out)
{
	for (size_t n = dice_below(d, 5); n > 0; n--)
		put_some_field(d, out);
	if (dice_one_in(d, 40))
		put_upgrade(d, out);
}

static void
make_cargo(struct dice *d, struct text *out)
{
	for (size_t n = dice_below(d, 5); n > 0; n--)
		text_add(out, cargo[dice_below(d, ARRAY_LEN(cargo))]);
}

static void
put_length(struct dice *d, struct text *out, size_t n)
{
	put_name(d, out, "Content-Length");
	put(d, out, &framing_colon_words);
	put(d, out, &before_words);
	/* One off is as good a length, of another message. */
	text_add_u64(out, dice_one_in(d, 50) ? n + 1 : n);
	put(d, out, &after_words);
	put(d, out, &line_end_words);
}

static void
put_chunk(struct dice *d, struct text *out, struct str data)
{
	put(d, out, &before_words);
	text_addf(out, dice_one_in(d, 2) ? "%zx" : "%zX", data.len);
	put(d, out, &extension_words);
	put(d, out, &line_end_words);
	text_add(out, data);
	if (data.len > 0)
		put(d, out, &line_end_words);
}

static void
put_chunks(struct dice *d, struct text *out, struct str data)
{
	size_t n;

	while (data.len > 0) {
		n = 1 + dice_below(d, data.len);
		put_chunk(d, out, str_first(data, n));
		data = str_from(data, n);
	}
	put_chunk(d, out, STR_NONE);
	for (n = dice_one_in(d, 4) ? dice_below(d, 4) : 0; n > 0; n--) {
		put(d, out, &trailer_words);
		put(d, out, &colon_words);
		put(d, out, &value_words);
		put(d, out, &line_end_words);
	}
	put(d, out, &line_end_words);
}

/* The framing fields, the empty line and the body. */
static void
put_rest(struct dice *d, struct text *out, bool may_be_none)
{
	size_t kind = dice_below(d, may_be_none ? 3 : 2);
	bool has_both = dice_one_in(d, ODDS);
	struct text data = TEXT_EMPTY;

	make_cargo(d, &data);
	if (kind == 0 || has_both)
		put_field(d, out, "Transfer-Encoding", &coding_words);
	if (kind == 1 || has_both)
		put_length(d, out, data.len);
	if (dice_one_in(d, 3))
		put_fields(d, out);
	put(d, out, &line_end_words);
	if (kind == 0)
		put_chunks(d, out, text_str(&data));
	else if (kind == 1)
		text_add(out, text_str(&data));
	text_free(&data);
}

static void
put_hosts(struct dice *d, struct text *out)
{
	size_t n = dice_one_in(d, ODDS) ? dice_below(d, 3) : 1;

	for (; n > 0; n--)
		put_field(d, out, "Host", &host_words);
}

static void
put_request(struct dice *d, struct text *out)
{
	if (dice_one_in(d, 20))
		put(d, out, &line_end_words);
	put(d, out, &method_words);
	put(d, out, &space_words);
	put(d, out, &target_words);
	put(d, out, &space_words);
	put(d, out, &version_words);
	put(d, out, &line_end_words);
	if (dice_one_in(d, 2))
		put_fields(d, out);
	put_hosts(d, out);
	put_fields(d, out);
	put_rest(d, out, true);
}

void
grammar_requests(struct dice *d, struct text *out)
{
	for (size_t n = 1 + dice_below(d, 3); n > 0; n--)
		put_request(d, out);
}

static void
put_status_line(struct dice *d, struct text *out, const char *fixed)
{
	put(d, out, &answer_version_words);
	put(d, out, &space_words);
	if (fixed != NULL)
		text_add_z(out, fixed);
	else
		put(d, out, &status_words);
	put(d, out, &reason_words);
	put(d, out, &line_end_words);
}

void
grammar_answer(struct dice *d, struct text *out)
{
	size_t n = dice_one_in(d, 5) ? 1 + dice_below(d, 3) : 0;

	for (; n > 0; n--) {
		put_status_line(d, out, dice_one_in(d, 2) ? "100" : "103");
		put_fields(d, out);
		put(d, out, &line_end_words);
	}
	put_status_line(d, out, NULL);
	put_fields(d, out);
	if (dice_one_in(d, 4)) {
		put(d, out, &line_end_words);
		make_cargo(d, out);
	} else {
		put_rest(d, out, dice_one_in(d, 4));
	}
}

static void
insert(struct text *t, size_t at, struct str s)
{
	struct text rest = TEXT_EMPTY;

	text_add(&rest, str_from(text_str(t), at));
	t->len = at;
	text_add(t, s);
	text_add(t, text_str(&rest));
	text_free(&rest);
}

static void
cut_out(struct text *t, size_t at, size_t n)
{
	struct text rest = TEXT_EMPTY;

	text_add(&rest, str_from(text_str(t), at + n));
	t->len = at;
	text_add(t, text_str(&rest));
	text_free(&rest);
}

/* The line that at is in, its end included. */
static struct str
line_at(const struct text *t, size_t at)
{
	size_t from = at, to = at;

	while (from > 0 && t->p[from - 1] != '\n')
		from--;
	while (to < t->len && t->p[to] != '\n')
		to++;
	return str_first(str_from(text_str(t), from), to + 1 - from);
}

static void
repeat_line(struct text *t, size_t from, size_t to)
{
	struct text line = TEXT_EMPTY;
	struct str target = line_at(t, to);

	text_add(&line, line_at(t, from));
	insert(t, (size_t)(target.p - t->p), text_str(&line));
	text_free(&line);
}

/* Bytes that mean something to somebody. */
static const char bytes[] =
    "\r\n\0 \t\x0b\x0c:;,=\"\\/#?@%+-_0159afAFxX.*()[]{}"
    "\x7f\x80\xff\x1f";

void
grammar_mutate(struct dice *d, struct text *t)
{
	for (size_t n = 1 + dice_below(d, 3); n > 0 && t->len > 0; n--) {
		size_t at = dice_below(d, t->len);
		char c = bytes[dice_below(d, sizeof(bytes) - 1)];

		switch (dice_below(d, 5)) {
		case 0:
			t->p[at] = c;
			break;
		case 1:
			insert(t, at, (struct str){ &c, 1 });
			break;
		case 2:
			cut_out(t, at, 1 + dice_below(d, 3));
			break;
		case 3:
			repeat_line(t, at, dice_below(d, t->len));
			break;
		case 4:
			cut_out(t, at, line_at(t, at).len);
			break;
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http/strict.h, and that the writer asks it: what came by HTTP/2 or was put
 * together by ourselves must not become two messages, or another one.
 */

#include "http/strict.h"

#include <criterion/criterion.h>

#include "http/h1_write.h"

/* clang-format off */
static const struct {
	struct str s;
	bool is_fine;
} authorities[] = {
	{ STR("a"), true }, { STR("a.example:8080"), true }, { STR("a:"), true },
	{ STR("a_b-c"), true }, { STR("127.0.0.1:65535"), true },
	{ STR("[::1]"), true }, { STR("[2001:db8::1]:443"), true },
	{ STR("a;b=c"), true },
	{ STR(""), false }, { STR(":80"), false }, { STR("a:65536"), false },
	{ STR("a:000080"), false }, { STR("a:+80"), false },
	{ STR("a:80:80"), false }, { STR("a,b"), false }, { STR("a%41"), false },
	{ STR("u@a"), false }, { STR("a/b"), false }, { STR("a?b"), false },
	{ STR("a b"), false }, { STR("a\r\nX: y"), false }, { STR("a\0"), false },
	{ STR("[::1"), false }, { STR("[]"), false }, { STR("[::1]x"), false },
	{ STR("[x]"), false }, { STR("a[b]"), false }, { STR("\xc3\xa4"), false },
};

static const struct {
	struct str s;
	bool is_fine;
} names[] = {
	{ STR("x"), true }, { STR("X_Y"), true }, { STR("content-lengths"), true },
	{ STR("content-length"), true },
	{ STR(""), false }, { STR("x "), false }, { STR("x:"), false },
	{ STR(":path"), false }, { STR("x\r"), false }, { STR("x\n"), false },
	{ STR("x\0"), false }, { STR("\xc3\xa4"), false },
	{ STR("Content_Length"), false }, { STR("transfer_encoding"), false },
};
/* clang-format on */

Test(strict, authorities)
{
	for (size_t i = 0; i < ARRAY_LEN(authorities); i++)
		cr_expect_eq(strict_is_authority(authorities[i].s),
		    authorities[i].is_fine, "'%.*s'",
		    STR_ARG(authorities[i].s));
}

Test(strict, names)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		cr_expect_eq(strict_is_name(names[i].s), names[i].is_fine,
		    "'%.*s'", STR_ARG(names[i].s));
}

static struct head
request(struct str method)
{
	struct head h;

	head_init(&h);
	h.is_request = true;
	h.method = method;
	h.path = STR("/");
	h.authority = STR("a");
	return h;
}

Test(strict, methods)
{
	static const struct {
		struct str s;
		bool is_fine;
	} rows[] = { { STR("GET"), true }, { STR("get"), true },
		{ STR("HEAD"), true }, { STR("Head"), false },
		{ STR("CONNECT"), true }, { STR("connect"), false },
		{ STR("PRI"), false }, { STR(""), false },
		{ STR("GET /"), false }, { STR("G\r\nT"), false } };
	struct head h;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		h = request(rows[i].s);
		cr_expect_eq(strict_is_method(&h), rows[i].is_fine, "'%.*s'",
		    STR_ARG(rows[i].s));
	}
	h = request(STR("TRACE"));
	cr_expect(strict_is_method(&h));
	h.body = BODY_LENGTH;
	cr_expect(strict_is_method(&h), "nothing follows it");
	h.content_length = 1;
	cr_expect_not(strict_is_method(&h));
	h.body = BODY_STREAMED;
	cr_expect_not(strict_is_method(&h));
}

static size_t
write_it(const struct head *h)
{
	char out[1024];

	return h1_write_head(h, false, out, sizeof(out));
}

Test(strict, a_request_is_written_only_if_it_stays_one)
{
	static const struct str bad[] = { STR("a\r\n\r\nGET / HTTP/1.1"),
		STR("a\n"), STR("a\r"), STR("a\0b"), STR("\x7f") };
	struct field f = {
		.id = FIELD_OTHER, .name = STR("x"), .value = STR("y")
	};
	struct head good = request(STR("GET")), h;

	good.fields = &f;
	good.n_fields = 1;
	cr_expect_gt(write_it(&good), 0);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		h = good;
		h.method = bad[i];
		cr_expect_eq(write_it(&h), 0, "method %zu", i);
		h = good;
		h.path = bad[i];
		cr_expect_eq(write_it(&h), 0, "path %zu", i);
		h = good;
		h.authority = bad[i];
		cr_expect_eq(write_it(&h), 0, "authority %zu", i);
		h = good;
		h.upgrade = bad[i];
		cr_expect_eq(write_it(&h), 0, "upgrade %zu", i);
		f.name = bad[i];
		cr_expect_eq(write_it(&good), 0, "name %zu", i);
		f.name = STR("x");
		f.value = bad[i];
		cr_expect_eq(write_it(&good), 0, "value %zu", i);
		f.value = STR("y");
		h = good;
		head_add(&h, STR("z"), bad[i]);
		cr_expect_eq(write_it(&h), 0, "added value %zu", i);
	}
	h = good;
	h.path = STR("/a b");
	cr_expect_eq(write_it(&h), 0, "a space in the path");
	h.path = STR("/a#b");
	cr_expect_eq(write_it(&h), 0, "a fragment");
	/* What is not written does no harm. */
	f.name = STR("x\n");
	f.is_removed = true;
	cr_expect_gt(write_it(&good), 0);
}

Test(strict, an_answer_is_written_only_if_it_stays_one)
{
	struct field f = {
		.id = FIELD_OTHER, .name = STR("x"), .value = STR("y\r\nz: 1")
	};
	struct head h;

	head_init(&h);
	h.status = 200;
	h.reason = STR("OK");
	cr_expect_gt(write_it(&h), 0);
	h.reason = STR("OK\r\nx: y");
	cr_expect_eq(write_it(&h), 0);
	h.reason = STR_NONE;
	h.fields = &f;
	h.n_fields = 1;
	cr_expect_eq(write_it(&h), 0);
}

Test(strict, trailers_that_are_none_are_left_out)
{
	struct field f[] = { { .id = FIELD_OTHER,
				 .name = STR("x"),
				 .value = STR("y\r\n\r\nGET / HTTP/1.1") },
		{ .id = FIELD_OTHER, .name = STR("x\n"), .value = STR("y") },
		{ .id = FIELD_OTHER, .name = STR("z"), .value = STR("1") } };
	struct head h;
	char out[256];
	size_t n;

	head_init(&h);
	h.fields = f;
	h.n_fields = ARRAY_LEN(f);
	n = h1_write_end(&h, out, sizeof(out));
	cr_expect(str_eq((struct str){ out, n }, STR("0\r\nz: 1\r\n\r\n")),
	    "'%.*s'", (int)n, out);
}

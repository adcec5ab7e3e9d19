/* SPDX-License-Identifier: Apache-2.0 */
/* base/str.h: views, numbers, growing text, base64. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/str.h"

static void
expect_text(const struct text *t, const char *want)
{
	cr_expect(str_eq(text_str(t), str_of(want)), "got '%s', not '%s'",
	    t->p == NULL ? "" : t->p, want);
}

Test(str, null_is_the_empty_view)
{
	cr_expect_null(str_of(NULL).p);
	cr_expect_eq(str_of(NULL).len, 0);
	cr_expect(str_eq(STR_NONE, STR("")));
	cr_expect(str_eq(STR(""), STR_NONE));
	cr_expect_not(str_eq(STR_NONE, STR("a")));
	cr_expect_eq(str_cmp(STR_NONE, STR_NONE), 0);
	cr_expect(str_starts(STR("a"), STR_NONE));
	cr_expect(str_ends(STR_NONE, STR_NONE));
	cr_expect_eq(str_index(STR_NONE, 'a'), -1);
}

Test(str, compares_bytes_and_not_strings)
{
	struct str nul_a = STR("a\0b"), nul_b = STR("a\0c");

	cr_expect_not(str_eq(nul_a, nul_b));
	cr_expect_lt(str_cmp(nul_a, nul_b), 0);
	cr_expect_gt(str_cmp(STR("\xff"), STR("a")), 0);
	cr_expect_lt(str_cmp(STR("ab"), STR("abc")), 0);
	cr_expect_gt(str_cmp(STR("abc"), STR("ab")), 0);
	cr_expect_eq(str_cmp(STR("abc"), STR("abc")), 0);
}

Test(str, case_folds_ascii_letters_only)
{
	cr_expect(str_eq_nocase(STR("Content-LENGTH"), STR("cONTENT-length")));
	cr_expect_not(str_eq_nocase(STR("a["), STR("a{")));
	cr_expect_not(str_eq_nocase(STR("\xc4"), STR("\xe4")));
	cr_expect_not(str_eq_nocase(STR("ab"), STR("a")));
}

Test(str, lowers_in_place)
{
	char s[] = "AZ@[\xc4mixed";

	ascii_lower(s, sizeof(s) - 1);
	cr_expect_str_eq(s, "az@[\xc4mixed");
}

Test(str, prefix_and_suffix)
{
	cr_expect(str_starts(STR("spiffe://m"), STR("spiffe://")));
	cr_expect_not(str_starts(STR("spiffe:"), STR("spiffe://")));
	cr_expect(str_ends(STR("a.yaml"), STR(".yaml")));
	cr_expect_not(str_ends(STR("yaml"), STR(".yaml")));
}

Test(str, from_and_first_are_clamped)
{
	struct str s = STR("abc");

	cr_expect(str_eq(str_from(s, 1), STR("bc")));
	cr_expect(str_eq(str_from(s, 3), STR("")));
	cr_expect(str_eq(str_from(s, SIZE_MAX), STR("")));
	cr_expect(str_eq(str_first(s, 2), STR("ab")));
	cr_expect(str_eq(str_first(s, SIZE_MAX), STR("abc")));
	cr_expect_null(str_from(STR_NONE, 4).p);
}

Test(str, trims_both_ends)
{
	cr_expect(str_eq(str_trim(STR(" \t a b\r\n")), STR("a b")));
	cr_expect(str_eq(str_trim(STR(" \t\r\n")), STR("")));
	cr_expect(str_eq(str_trim(STR("\va")), STR("\va")));
}

Test(str, cut_gives_every_piece_then_null)
{
	struct str s = STR("a,,b");

	cr_expect(str_eq(str_cut(&s, ','), STR("a")));
	cr_expect(str_eq(str_cut(&s, ','), STR("")));
	cr_expect(str_eq(str_cut(&s, ','), STR("b")));
	cr_expect_null(s.p);
	s = STR("a,");
	cr_expect(str_eq(str_cut(&s, ','), STR("a")));
	cr_expect_not_null(s.p, "an empty last piece is still a piece");
	cr_expect(str_eq(str_cut(&s, ','), STR("")));
	cr_expect_null(s.p);
}

Test(str, dup_is_terminated)
{
	char *s = str_dup(str_first(STR("abcdef"), 3));

	cr_expect_str_eq(s, "abc");
	free(s);
	s = str_dup(STR_NONE);
	cr_expect_str_eq(s, "");
	free(s);
}

Test(str, to_u64)
{
	static const struct {
		const char *in;
		uint64_t max;
		bool is_ok;
		uint64_t out;
	} rows[] = {
		{ "0", 9, true, 0 },
		{ "007", 9, true, 7 },
		{ "65535", 65535, true, 65535 },
		{ "65536", 65535, false, 0 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999", UINT64_MAX, false, 0 },
		{ "", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 },
		{ "1a", 99, false, 0 },
		{ "0x1", 99, false, 0 },
	};
	uint64_t n;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		n = 4711;
		cr_expect_eq(str_to_u64(str_of(rows[i].in), rows[i].max, &n),
		    rows[i].is_ok, "'%s'", rows[i].in);
		cr_expect_eq(
		    n, rows[i].is_ok ? rows[i].out : 4711, "'%s'", rows[i].in);
	}
}

/* Values from the reference of the hash's authors. */
Test(str, fnv1a64)
{
	cr_expect_eq(str_fnv1a64(STR("")), UINT64_C(0xcbf29ce484222325));
	cr_expect_eq(str_fnv1a64(STR("a")), UINT64_C(0xaf63dc4c8601ec8c));
	cr_expect_eq(str_fnv1a64(STR("foobar")), UINT64_C(0x85944171f73967e8));
}

Test(text, grows_and_stays_terminated)
{
	struct text t = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < 1000; i++) {
		text_add_char(&t, (char)('a' + i % 26));
		cr_assert_eq(t.p[t.len], '\0');
		cr_assert_leq(t.len, t.cap);
	}
	cr_expect_eq(t.len, 1000);
	cr_expect_eq(t.p[999], 'a' + 999 % 26);
	text_clear(&t);
	expect_text(&t, "");
	cr_expect_str_eq(t.p, "");
	text_free(&t);
	cr_expect_null(t.p);
}

Test(text, adds_all_kinds)
{
	struct text t = TEXT_EMPTY;

	text_add(&t, STR("a"));
	text_add(&t, STR_NONE);
	text_add_z(&t, "bc");
	text_add_z(&t, NULL);
	text_add_u64(&t, 0);
	text_add_char(&t, ' ');
	text_add_u64(&t, UINT64_MAX);
	text_addf(&t, " %d%%", 5);
	expect_text(&t, "abc0 18446744073709551615 5%");
	text_free(&t);
}

Test(text, addf_of_any_length)
{
	char word[301];
	struct text t = TEXT_EMPTY;
	size_t n;

	for (n = 0; n < sizeof(word); n++) {
		memset(word, 'x', n);
		word[n] = '\0';
		text_free(&t);
		text_addf(&t, "<%s>", word);
		cr_assert_eq(t.len, n + 2);
		cr_assert_eq(t.p[n + 1], '>');
		cr_assert_eq(t.p[n + 2], '\0');
	}
	text_free(&t);
}

Test(text, reserved_room_can_be_filled)
{
	struct text t = TEXT_EMPTY;
	char *to;

	text_add(&t, STR("ab"));
	to = text_reserve(&t, 100);
	cr_expect_eq(t.len, 2);
	memset(to, 'z', 100);
	t.len += 100;
	cr_expect_eq(t.p[102], '\0', "filled to the end, it is terminated");
	cr_expect_eq(t.p[2], 'z');
	text_free(&t);
}

Test(text, take_is_never_null)
{
	struct text t = TEXT_EMPTY;
	char *p = text_take(&t);

	cr_expect_str_eq(p, "");
	free(p);
	text_add(&t, STR("kept"));
	p = text_take(&t);
	cr_expect_str_eq(p, "kept");
	cr_expect_null(t.p);
	cr_expect_eq(t.len, 0);
	free(p);
}

/* RFC 4648, section 10. */
Test(base64, test_vectors)
{
	static const struct {
		const char *plain;
		const char *coded;
	} rows[] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "fooba", "Zm9vYmE=" },
		{ "foobar", "Zm9vYmFy" },
	};
	struct text t = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		text_clear(&t);
		base64_encode(str_of(rows[i].plain), &t);
		expect_text(&t, rows[i].coded);
		text_clear(&t);
		cr_expect(base64_decode(str_of(rows[i].coded), &t), "'%s'",
		    rows[i].coded);
		expect_text(&t, rows[i].plain);
	}
	text_free(&t);
}

Test(base64, every_byte_comes_back)
{
	struct text coded = TEXT_EMPTY, plain = TEXT_EMPTY;
	char bytes[256];
	size_t i;

	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)i;
	for (i = 0; i <= sizeof(bytes); i++) {
		struct str in = { .p = bytes, .len = i };

		text_clear(&coded);
		text_clear(&plain);
		base64_encode(in, &coded);
		cr_assert(base64_decode(text_str(&coded), &plain));
		cr_assert(str_eq(text_str(&plain), in), "%zu bytes", i);
	}
	text_free(&coded);
	text_free(&plain);
}

Test(base64, lines_are_joined)
{
	struct text t = TEXT_EMPTY;

	cr_expect(base64_decode(STR("Zm9v\r\nYm\nFy\n"), &t));
	expect_text(&t, "foobar");
	text_free(&t);
}

Test(base64, refuses_what_is_not_base64)
{
	static const char *const rows[] = { "Z", "Zg", "Zg=", "Zm8", "Zm9vY",
		"Zg===", "=", "====", "Zg==Zg==", "Zm9v=", "Zm9-", "Zm_v",
		"Zm 9v", "Zh==", "Zm9=", "\x80\x80\x80\x80" };
	struct text t = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(
		    base64_decode(str_of(rows[i]), &t), "'%s'", rows[i]);
	text_free(&t);
}

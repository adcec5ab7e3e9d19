/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy/wildcard.h: every way to ask for another name than one sees, and
 * policy/endpoint_named.h: what an endpoint for a name keeps and what not.
 */

#include <criterion/criterion.h>

#include "base/xalloc.h"
#include "policy/endpoint_named.h"
#include "policy/fingerprint.h"
#include "policy/service_seal.h"
#include "policy/tls_spec_seal.h"
#include "policy/wildcard.h"

#define S3 "*.s3.amazonaws.com"
#define L63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"
#define L61 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"

Test(wildcard, what_an_operator_may_write)
{
	static const struct {
		const char *pattern;
		bool is_valid;
	} rows[] = {
		{ S3, true },
		{ "*.S3.Amazonaws.Com", true },
		{ "*.blob.core.windows.net", true },
		{ "*.xn--bcher-kva.example", true },
		{ "*.under_score.example", true },
		{ "", false },
		{ "*", false },
		{ "*.", false },
		{ "*.com", false },
		{ "s3.amazonaws.com", false },
		{ ".s3.amazonaws.com", false },
		{ "*s3.amazonaws.com", false },
		{ "*-x.amazonaws.com", false },
		{ "a.*.amazonaws.com", false },
		{ "*.*.amazonaws.com", false },
		{ "**.amazonaws.com", false },
		{ "*..amazonaws.com", false },
		{ "*.amazonaws.com.", false },
		{ "*.amazonaws..com", false },
		{ "*.-a.com", false },
		{ "*.a-.com", false },
		{ "*.0.0.1", false },
		{ "*.127.0.0.1", false },
		{ "*.s3.amazonaws.com:443", false },
		{ "*.s3.amazonaws.com/", false },
		{ "*.b\xc3\xbc"
		  "cher.example",
		    false },
		{ "*." L63 "." L63 "." L63 "." L61, false },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(wildcard_is_valid(str_of(rows[i].pattern)),
		    rows[i].is_valid, "%s", rows[i].pattern);
}

struct row {
	struct str asked;
	enum wildcard_fit fit;
	const char *name;
};

#define ROW(text, f, n)                    \
	{                                  \
		STR(text), WILDCARD_##f, n \
	}

static const struct row rows[] = {
	ROW("bucket.s3.amazonaws.com", FITS, "bucket.s3.amazonaws.com"),
	ROW("BucKet.S3.AMAZONAWS.com", FITS, "bucket.s3.amazonaws.com"),
	ROW("my.own.bucket.s3.amazonaws.com", FITS,
	    "my.own.bucket.s3.amazonaws.com"),
	ROW("a_b.s3.amazonaws.com", FITS, "a_b.s3.amazonaws.com"),
	ROW("xn--bcher-kva.s3.amazonaws.com", FITS,
	    "xn--bcher-kva.s3.amazonaws.com"),
	ROW("1.s3.amazonaws.com", FITS, "1.s3.amazonaws.com"),
	ROW("s3.amazonaws.com.s3.amazonaws.com", FITS,
	    "s3.amazonaws.com.s3.amazonaws.com"),
	ROW(L63 ".s3.amazonaws.com", FITS, L63 ".s3.amazonaws.com"),
	/* The suffix itself, and names that only look as if. */
	ROW("s3.amazonaws.com", OUTSIDE, ""),
	ROW("evil-s3.amazonaws.com", OUTSIDE, ""),
	ROW("evils3.amazonaws.com", OUTSIDE, ""),
	ROW("bucket.s3.amazonaws.com.evil.example", OUTSIDE, ""),
	ROW("bucket.s3-amazonaws.com", OUTSIDE, ""),
	ROW("bucket.s3.amazonaws.co", OUTSIDE, ""),
	ROW("amazonaws.com", OUTSIDE, ""),
	ROW("com", OUTSIDE, ""),
	ROW("localhost", OUTSIDE, ""),
	/* Empty labels, and dots at either end. */
	ROW("", NO_NAME, ""),
	ROW(".", BAD_NAME, ""),
	ROW(".s3.amazonaws.com", BAD_NAME, ""),
	ROW("..s3.amazonaws.com", BAD_NAME, ""),
	ROW("a..s3.amazonaws.com", BAD_NAME, ""),
	ROW("bucket.s3.amazonaws.com.", BAD_NAME, ""),
	ROW("bucket.s3.amazonaws.com..", BAD_NAME, ""),
	/* Addresses. */
	ROW("127.0.0.1", OUTSIDE, ""),
	ROW("2130706433", OUTSIDE, ""),
	ROW("0x7f.1", OUTSIDE, ""),
	/* Bytes that are no part of a name. */
	ROW("*.s3.amazonaws.com", BAD_NAME, ""),
	ROW("-a.s3.amazonaws.com", BAD_NAME, ""),
	ROW("a-.s3.amazonaws.com", BAD_NAME, ""),
	ROW("b\xc3\xbc"
	    "cher.s3.amazonaws.com",
	    BAD_NAME, ""),
	ROW("bucket\xe3\x80\x82s3.amazonaws.com", BAD_NAME, ""),
	ROW("bucket.s3\xef\xbc\x8e"
	    "amazonaws.com",
	    BAD_NAME, ""),
	ROW("bucket.s\xe2\x84\xaa.amazonaws.com", BAD_NAME, ""),
	ROW("evil.example\0.s3.amazonaws.com", BAD_NAME, ""),
	ROW("evil.example#.s3.amazonaws.com", BAD_NAME, ""),
	ROW("evil.example/.s3.amazonaws.com", BAD_NAME, ""),
	ROW("evil.example\\.s3.amazonaws.com", BAD_NAME, ""),
	ROW("evil.example?.s3.amazonaws.com", BAD_NAME, ""),
	ROW("evil.example%00.s3.amazonaws.com", BAD_NAME, ""),
	ROW("evil.example .s3.amazonaws.com", BAD_NAME, ""),
	ROW(" bucket.s3.amazonaws.com", BAD_NAME, ""),
	ROW("bucket.s3.amazonaws.com ", BAD_NAME, ""),
	ROW("bucket.s3.amazonaws.com\r", BAD_NAME, ""),
	ROW("bucket.s3.amazonaws.com\n", BAD_NAME, ""),
	ROW("bucket.s3.amazonaws.com\0", BAD_NAME, ""),
	ROW("user@bucket.s3.amazonaws.com", BAD_NAME, ""),
	ROW("a,b.s3.amazonaws.com", BAD_NAME, ""),
	/* Lengths. */
	ROW(L63 "x.s3.amazonaws.com", BAD_NAME, ""),
	ROW(L63 "." L63 "." L63 "." L63 ".s3.amazonaws.com", BAD_NAME, ""),
};

Test(wildcard, names)
{
	char out[WILDCARD_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(wildcard_name(STR(S3), rows[i].asked, out),
		    rows[i].fit, "row %zu: %.*s", i, STR_ARG(rows[i].asked));
		cr_expect_str_eq(out, rows[i].name, "row %zu", i);
	}
}

/* The longest that there can be, and one more. */
Test(wildcard, the_longest_name)
{
	static const char longest[] =
	    L63 "." L63 "." L63 "."
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefgh"
		".s3.amazonaws.com";
	char out[WILDCARD_NAME_MAX + 1];

	cr_assert_eq(sizeof(longest) - 1, WILDCARD_NAME_MAX);
	cr_expect_eq(wildcard_name(STR(S3), STR(longest), out), WILDCARD_FITS);
	cr_expect_str_eq(out, longest);
	cr_expect_eq(wildcard_name(STR(S3),
			 STR(L63 "." L63 "." L63 "."
				 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghi"
				 ".s3.amazonaws.com"),
			 out),
	    WILDCARD_BAD_NAME);
}

/* Without a wildcard there is nothing that fits. */
Test(wildcard, no_pattern)
{
	char out[WILDCARD_NAME_MAX + 1];

	cr_expect_eq(
	    wildcard_name(STR_NONE, STR("a.example"), out), WILDCARD_OUTSIDE);
	cr_expect_str_eq(out, "");
}

#define B "b.s3.amazonaws.com"

Test(wildcard, authorities)
{
	static const struct row some[] = {
		ROW(B, FITS, B),
		ROW("B.s3.Amazonaws.com:443", FITS, B),
		ROW(B ":80", OTHER_PORT, ""),
		ROW(B ":4430", OTHER_PORT, ""),
		ROW(B ":0443", OTHER_PORT, ""),
		ROW(B ":+443", OTHER_PORT, ""),
		ROW(B ":443 ", OTHER_PORT, ""),
		ROW(B ":", OTHER_PORT, ""),
		ROW(B ":443:443", OTHER_PORT, ""),
		ROW(B ":65979", OTHER_PORT, ""),
		ROW(B ":x", OTHER_PORT, ""),
		ROW("evil-s3.amazonaws.com:443", OUTSIDE, ""),
		ROW("evil.example:443@" B, OUTSIDE, ""),
		ROW("evil.example@" B ":443", BAD_NAME, ""),
		ROW(B ":443@evil.example", OTHER_PORT, ""),
		ROW("[::1]", BAD_NAME, ""),
		ROW("[::1]:443", BAD_NAME, ""),
		ROW("[::ffff:127.0.0.1]." B, BAD_NAME, ""),
		ROW("127.0.0.1:443", OUTSIDE, ""),
		ROW("::1", NO_NAME, ""),
		ROW(":443", NO_NAME, ""),
		ROW("", NO_NAME, ""),
		ROW(B ".:443", BAD_NAME, ""),
		ROW("https://" B, OUTSIDE, ""),
	};
	char out[WILDCARD_NAME_MAX + 1];
	size_t i;

	for (i = 0; i < ARRAY_LEN(some); i++) {
		cr_expect_eq(
		    wildcard_authority(STR(S3), some[i].asked, 443, out),
		    some[i].fit, "row %zu: %.*s", i, STR_ARG(some[i].asked));
		cr_expect_str_eq(out, some[i].name, "row %zu", i);
	}
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (str_index(rows[i].asked, ':') != -1)
			continue;
		cr_expect_eq(
		    wildcard_authority(STR(S3), rows[i].asked, 443, out),
		    rows[i].fit, "%.*s", STR_ARG(rows[i].asked));
	}
}

static struct endpoint *
make_resource(bool verifies_names, struct fingerprint *f)
{
	struct tls_name names[] = {
		{ .match = TLS_NAME_EXACT, .value = STR("s3.amazonaws.com") },
		{ .match = TLS_NAME_PREFIX, .value = STR("spiffe://") },
	};
	struct tls_spec spec = {
		.sni = STR("s3.amazonaws.com"),
		.verify_chain = true,
		.use_system_ca = true,
		.verify_names = verifies_names,
		.names = names,
		.n_names = verifies_names ? 2 : 0,
		.min_version = 0x0303,
		.max_version = 0x0304,
		.alpn = STR("h2"),
	};
	struct endpoint draft = {
		.key = STR("s3"),
		.origin = STR("f:1 ExternalService/s3"),
		.host = STR("192.0.2.1"),
		.host_is_address = true,
		.port = 443,
		.zone = STR("z"),
		.weight = 7,
		.priority = 2,
	};
	struct digest d = tls_spec_digest(&spec, f);

	draft.tls = tls_spec_new(&spec, &d);
	return endpoint_seal(&draft, NULL, f);
}

Test(endpoint_named, is_the_resource_but_for_the_name)
{
	struct fingerprint f;
	struct endpoint *r, *a, *again, *b;
	struct digest d;

	fingerprint_init(&f);
	r = make_resource(true, &f);
	a = endpoint_named(r, STR("a.s3.amazonaws.com"), &f);
	again = endpoint_named(r, STR("a.s3.amazonaws.com"), &f);
	b = endpoint_named(r, STR("b.s3.amazonaws.com"), &f);
	cr_expect(str_eq(a->key, STR("s3@a.s3.amazonaws.com")));
	cr_expect(str_eq(endpoint_named_resource(a->key), r->key),
	    "permission is by the resource");
	cr_expect(str_eq(endpoint_named_resource(STR("a@b@c")), STR("a@b")));
	cr_expect(str_eq(endpoint_named_resource(STR("a")), STR("a")));
	cr_expect(str_eq(a->host, STR("a.s3.amazonaws.com")));
	cr_expect_not(a->host_is_address, "no consent to an address");
	cr_expect_eq(a->port, 443);
	cr_expect(str_eq(a->zone, STR("z")));
	cr_expect_eq(a->weight, 7);
	cr_expect_eq(a->priority, 2);
	cr_assert_not_null(a->tls);
	cr_expect(str_eq(a->tls->sni, STR("a.s3.amazonaws.com")));
	cr_expect(a->tls->verify_chain && a->tls->use_system_ca);
	cr_assert_eq(a->tls->n_names, 1);
	cr_expect_eq(a->tls->names[0].match, TLS_NAME_EXACT);
	cr_expect(str_eq(a->tls->names[0].value, STR("a.s3.amazonaws.com")));
	cr_expect(str_eq(a->tls->alpn, STR("h2")));
	/* Equal ones share a context and serve for each other; others never. */
	d = endpoint_named_digest(r, STR("a.s3.amazonaws.com"), &f);
	cr_expect(digest_eq(&a->digest, &d));
	cr_expect(digest_eq(&a->digest, &again->digest));
	cr_expect(digest_eq(&a->tls->digest, &again->tls->digest));
	cr_expect_not(digest_eq(&a->digest, &b->digest));
	cr_expect_not(digest_eq(&a->digest, &r->digest));
	cr_expect_not(digest_eq(&a->tls->digest, &b->tls->digest));
	cr_expect_not(digest_eq(&a->tls->digest, &r->tls->digest));
	endpoint_unref(r);
	endpoint_unref(a);
	endpoint_unref(again);
	endpoint_unref(b);
	fingerprint_fini(&f);
}

Test(endpoint_named, checks_no_name_where_the_resource_does_not)
{
	struct fingerprint f;
	struct endpoint *r, *a;

	fingerprint_init(&f);
	r = make_resource(false, &f);
	a = endpoint_named(r, STR("a.s3.amazonaws.com"), &f);
	cr_expect(str_eq(a->tls->sni, STR("a.s3.amazonaws.com")));
	cr_expect_not(a->tls->verify_names);
	cr_expect_eq(a->tls->n_names, 0);
	endpoint_unref(r);
	endpoint_unref(a);
	fingerprint_fini(&f);
}

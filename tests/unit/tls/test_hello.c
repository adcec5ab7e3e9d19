/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ClientHellos: real ones, as OpenSSL writes them, cut in every way, and odd
 * ones, built by hand.
 */

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include "base/attr.h"
#include "tls/hello.h"

struct real {
	const char *sni;  /* NULL: none */
	const char *alpn; /* as on the wire; NULL: none */
	int max_version;
};

/* What OpenSSL's client says first. */
static void
make_real(const struct real *r, struct text *out)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl;
	BIO *b = BIO_new(BIO_s_mem());
	char *p;
	long n;

	SSL_CTX_set_security_level(ctx, 0);
	SSL_CTX_set_cipher_list(ctx, "ALL:@SECLEVEL=0");
	SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
	SSL_CTX_set_max_proto_version(ctx, r->max_version);
	ssl = SSL_new(ctx);
	if (r->sni != NULL)
		SSL_set_tlsext_host_name(ssl, r->sni);
	if (r->alpn != NULL)
		SSL_set_alpn_protos(ssl, (const unsigned char *)r->alpn,
		    (unsigned)strlen(r->alpn));
	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), b);
	SSL_set_connect_state(ssl);
	(void)SSL_do_handshake(ssl);
	n = BIO_get_mem_data(b, &p);
	cr_assert_gt(n, 0);
	text_add(out, (struct str){ .p = p, .len = (size_t)n });
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}

/* The same message in records of n bytes. */
static void
split(struct str one, size_t n, struct text *out)
{
	struct str body = str_from(one, 5), part;

	while (body.len > 0) {
		part = str_first(body, n);
		text_add(out, STR("\x16\x03\x01"));
		text_add_char(out, (char)(part.len >> 8));
		text_add_char(out, (char)(part.len & 0xff));
		text_add(out, part);
		body = str_from(body, part.len);
	}
}

static const struct {
	struct real r;
	uint16_t version;
	size_t n_alpn;
	bool kuma, h2, http11;
} reals[] = {
	{ { "es-tls{mesh=default}", "\4kuma", TLS1_2_VERSION }, 0x0303, 1, true,
	    false, false },
	{ { "aa6700a9e84b4c1a3.mes-tls.443.default.mes", NULL, TLS1_3_VERSION },
	    0x0304, 0, false, false, false },
	{ { "Example.COM", "\2h2\10http/1.1", TLS1_3_VERSION }, 0x0304, 2,
	    false, true, true },
	{ { NULL, NULL, TLS1_3_VERSION }, 0x0304, 0, false, false, false },
	{ { NULL, "\1x", TLS1_2_VERSION }, 0x0303, 1, false, false, false },
	{ { "old", NULL, TLS1_VERSION }, 0x0301, 0, false, false, false },
};

static void
expect_real(size_t i, struct str bytes, const char *how)
{
	const char *sni = reals[i].r.sni != NULL ? reals[i].r.sni : "";
	struct hello h;

	cr_expect_eq(hello_parse(bytes, &h), HELLO_OK, "row %zu %s", i, how);
	cr_expect_str_eq(h.sni, sni, "row %zu %s", i, how);
	cr_expect_eq(h.sni_len, strlen(sni));
	cr_expect_eq(
	    h.version_max, reals[i].version, "row %zu: %x", i, h.version_max);
	cr_expect_eq(h.n_alpn, reals[i].n_alpn);
	cr_expect_eq(h.has_alpn_kuma, reals[i].kuma);
	cr_expect_eq(h.has_alpn_h2, reals[i].h2);
	cr_expect_eq(h.has_alpn_http11, reals[i].http11);
}

Test(hello, real_ones_also_in_several_records)
{
	static const size_t sizes[] = { 1, 3, 4, 5, 50, 16384 };
	struct text t = TEXT_EMPTY, cut = TEXT_EMPTY;
	size_t i, s;

	for (i = 0; i < ARRAY_LEN(reals); i++) {
		text_clear(&t);
		make_real(&reals[i].r, &t);
		expect_real(i, text_str(&t), "whole");
		cr_expect(hello_looks_like_tls(text_str(&t)));
		for (s = 0; s < ARRAY_LEN(sizes); s++) {
			text_clear(&cut);
			split(text_str(&t), sizes[s], &cut);
			expect_real(i, text_str(&cut), "split");
			/* What comes in the next record is not our business. */
			text_add(&cut, STR("\x17\x03\x03"));
			expect_real(i, text_str(&cut), "followed");
		}
	}
	text_free(&t);
	text_free(&cut);
}

Test(hello, every_beginning_is_not_yet_enough)
{
	static const size_t sizes[] = { 7, 64, 16384 };
	struct text t = TEXT_EMPTY, cut = TEXT_EMPTY;
	struct hello h;
	size_t i, s;

	make_real(&reals[0].r, &t);
	for (s = 0; s < ARRAY_LEN(sizes); s++) {
		text_clear(&cut);
		split(text_str(&t), sizes[s], &cut);
		for (i = 0; i < cut.len; i++)
			cr_expect_eq(
			    hello_parse(str_first(text_str(&cut), i), &h),
			    HELLO_MORE, "%zu of %zu", i, cut.len);
	}
	text_free(&t);
	text_free(&cut);
}

/* A flipped byte may mean something else, but never crash or lie in length. */
Test(hello, every_byte_may_be_wrong)
{
	struct text t = TEXT_EMPTY;
	struct hello h;
	enum hello_status s;
	size_t i, bit;

	make_real(&reals[2].r, &t);
	for (i = 0; i < t.len; i++) {
		for (bit = 0; bit < 8; bit++) {
			t.p[i] = (char)(t.p[i] ^ (1 << bit));
			s = hello_parse(text_str(&t), &h);
			cr_expect(h.sni_len < sizeof(h.sni));
			cr_expect_eq(h.sni[h.sni_len], '\0');
			if (s != HELLO_OK)
				cr_expect_eq(h.sni_len, 0);
			t.p[i] = (char)(t.p[i] ^ (1 << bit));
		}
	}
	text_free(&t);
}

/* Built by hand: the parts that may be odd. */
struct odd {
	const char *what;
	struct str extensions; /* with their two bytes of length */
	enum hello_status status;
	struct str sni;
	uint16_t version;
};

static void
add_u16(struct text *t, size_t v)
{
	text_add_char(t, (char)(v >> 8 & 0xff));
	text_add_char(t, (char)(v & 0xff));
}

static void
build(struct str legacy_version, struct str session, struct str suites,
    struct str extensions, struct text *out)
{
	struct text body = TEXT_EMPTY;
	int i;

	text_add(&body, legacy_version);
	for (i = 0; i < 32; i++)
		text_add_char(&body, 'r');
	text_add(&body, session);
	text_add(&body, suites);
	text_add(&body, STR("\1\0"));
	text_add(&body, extensions);
	text_clear(out);
	text_add(out, STR("\x16\x03\x01"));
	add_u16(out, body.len + 4);
	text_add(out, STR("\1\0"));
	add_u16(out, body.len);
	text_add(out, text_str(&body));
	text_free(&body);
}

#define NO_SESSION STR("\0")
#define SUITES STR("\0\2\xc0\x2f")
#define V12 STR("\3\3")

/* clang-format off */
static const struct odd odds[] = {
	{ "no extensions at all", { "", 0 }, HELLO_OK, { "", 0 }, 0x0303 },
	{ "empty extensions", { "\0\0", 2 }, HELLO_OK, { "", 0 }, 0x0303 },
	{ "one name", { "\0\x0a" "\0\0\0\6" "\0\4\0\0\1a", 12 }, HELLO_OK,
	    { "a", 1 }, 0x0303 },
	{ "braces and quotes", { "\0\x0f" "\0\0\0\x0b" "\0\x09\0\0\6{m=\"\\'", 17 },
	    HELLO_OK, { "{m=\"\\'", 6 }, 0x0303 },
	{ "bytes outside ASCII", { "\0\x0b" "\0\0\0\7" "\0\5\0\0\2\xff\xfe", 13 },
	    HELLO_OK, { "\xff\xfe", 2 }, 0x0303 },
	{ "an empty name", { "\0\x09" "\0\0\0\5" "\0\3\0\0\0", 11 }, HELLO_BAD,
	    { "", 0 }, 0 },
	{ "NUL in the name", { "\0\x0b" "\0\0\0\7" "\0\5\0\0\2a\0", 13 },
	    HELLO_BAD, { "", 0 }, 0 },
	{ "another type of name", { "\0\x0a" "\0\0\0\6" "\0\4\1\0\1a", 12 },
	    HELLO_BAD, { "", 0 }, 0 },
	{ "two names in one list",
	    { "\0\x0e" "\0\0\0\x0a" "\0\x08\0\0\1a\0\0\1b", 16 }, HELLO_BAD,
	    { "", 0 }, 0 },
	{ "the extension twice",
	    { "\0\x14" "\0\0\0\6" "\0\4\0\0\1a" "\0\0\0\6" "\0\4\0\0\1b", 22 },
	    HELLO_BAD, { "", 0 }, 0 },
	{ "a list longer than its extension",
	    { "\0\x0a" "\0\0\0\6" "\0\5\0\0\1a", 12 }, HELLO_BAD, { "", 0 }, 0 },
	{ "bytes behind the list", { "\0\x0b" "\0\0\0\7" "\0\4\0\0\1a!", 13 },
	    HELLO_BAD, { "", 0 }, 0 },
	{ "an extension longer than all", { "\0\x0a" "\0\0\0\7" "\0\4\0\0\1a", 12 },
	    HELLO_BAD, { "", 0 }, 0 },
	{ "half an extension header", { "\0\3" "\0\0\0", 5 }, HELLO_BAD,
	    { "", 0 }, 0 },
	{ "extensions shorter than the rest", { "\0\0" "x", 3 }, HELLO_BAD,
	    { "", 0 }, 0 },
	{ "versions with GREASE",
	    { "\0\x0b" "\0\x2b\0\7" "\6\xfa\xfa\3\4\3\3", 13 }, HELLO_OK,
	    { "", 0 }, 0x0304 },
	{ "versions nobody knows", { "\0\7" "\0\x2b\0\3" "\2\x7f\x1c", 9 },
	    HELLO_OK, { "", 0 }, 0 },
	{ "half a version", { "\0\6" "\0\x2b\0\2" "\1\3", 8 }, HELLO_BAD,
	    { "", 0 }, 0 },
	{ "an empty protocol id", { "\0\7" "\0\x10\0\3" "\0\1\0", 9 },
	    HELLO_BAD, { "", 0 }, 0 },
	{ "no protocol id", { "\0\6" "\0\x10\0\2" "\0\0", 8 }, HELLO_BAD,
	    { "", 0 }, 0 },
	{ "protocol id cut short", { "\0\x09" "\0\x10\0\5" "\0\3\5ku", 11 },
	    HELLO_BAD, { "", 0 }, 0 },
};
/* clang-format on */

Test(hello, odd_extensions)
{
	struct text t = TEXT_EMPTY;
	struct hello h;
	enum hello_status s;
	size_t i;

	for (i = 0; i < ARRAY_LEN(odds); i++) {
		build(V12, NO_SESSION, SUITES, odds[i].extensions, &t);
		s = hello_parse(text_str(&t), &h);
		cr_expect_eq(s, odds[i].status, "%s: %d", odds[i].what, s);
		cr_expect(str_eq((struct str){ .p = h.sni, .len = h.sni_len },
			      odds[i].sni),
		    "%s", odds[i].what);
		cr_expect_eq(h.version_max, odds[i].version, "%s: %x",
		    odds[i].what, h.version_max);
	}
	text_free(&t);
}

Test(hello, long_names)
{
	char name[300];
	struct text ext = TEXT_EMPTY, t = TEXT_EMPTY;
	struct hello h;
	size_t n;

	memset(name, 'n', sizeof(name));
	for (n = 250; n < 260; n++) {
		text_clear(&ext);
		add_u16(&ext, n + 9);
		add_u16(&ext, 0);
		add_u16(&ext, n + 5);
		add_u16(&ext, n + 3);
		text_add_char(&ext, '\0');
		add_u16(&ext, n);
		text_add(&ext, (struct str){ .p = name, .len = n });
		build(V12, NO_SESSION, SUITES, text_str(&ext), &t);
		cr_expect_eq(hello_parse(text_str(&t), &h),
		    n <= 255 ? HELLO_OK : HELLO_BAD, "%zu", n);
		cr_expect_eq(h.sni_len, n <= 255 ? n : 0);
	}
	text_free(&ext);
	text_free(&t);
}

Test(hello, odd_beginnings)
{
	struct text t = TEXT_EMPTY;
	struct hello h;

	build(STR("\3\4"), NO_SESSION, SUITES, STR(""), &t);
	cr_expect_eq(hello_parse(text_str(&t), &h), HELLO_OK);
	cr_expect_eq(h.version_max, 0x0303, "1.3 is only said by extension");
	build(V12, STR("\x21"), SUITES, STR(""), &t);
	cr_expect_eq(hello_parse(text_str(&t), &h), HELLO_BAD, "session id");
	build(V12, NO_SESSION, STR("\0\0"), STR(""), &t);
	cr_expect_eq(hello_parse(text_str(&t), &h), HELLO_BAD, "no suites");
	build(V12, NO_SESSION, STR("\0\3abc"), STR(""), &t);
	cr_expect_eq(hello_parse(text_str(&t), &h), HELLO_BAD, "odd suites");
	text_free(&t);
}

static const struct {
	const char *what;
	struct str bytes;
	enum hello_status status;
	bool looks_like_tls;
} begins[] = {
	{ "nothing", { "", 0 }, HELLO_MORE, false },
	{ "HTTP", { "GET / HTTP/1.1\r\n", 16 }, HELLO_NOT_TLS, false },
	{ "HTTP/2", { "PRI * HTTP/2.0\r\n", 16 }, HELLO_NOT_TLS, false },
	{ "an SSL 2 hello", { "\x80\x2e\x01\x03\x01", 5 }, HELLO_NOT_TLS,
	    false },
	{ "an alert", { "\x15\x03\x01\0\2\2\x28", 7 }, HELLO_NOT_TLS, false },
	{ "one byte", { "\x16", 1 }, HELLO_MORE, false },
	{ "three bytes", { "\x16\x03\x01", 3 }, HELLO_MORE, true },
	{ "not version 3", { "\x16\x02\x01", 3 }, HELLO_BAD, false },
	{ "an empty record", { "\x16\x03\x01\0\0", 5 }, HELLO_BAD, true },
	{ "too long a record", { "\x16\x03\x01\x40\x01", 5 }, HELLO_BAD, true },
	{ "a ServerHello", { "\x16\x03\x03\0\4\2", 6 }, HELLO_BAD, false },
	{ "a hello of 1 MiB", { "\x16\x03\x03\1\0\1\x10\0\0", 9 }, HELLO_BAD,
	    true },
	{ "another record in between", { "\x16\x03\x01\0\1\1\x17\x03\x01", 9 },
	    HELLO_BAD, true },
	{ "a hello of no bytes", { "\x16\x03\x03\0\4\1\0\0\0", 9 }, HELLO_BAD,
	    true },
	{ "more behind it in the record", { "\x16\x03\x03\0\5\1\0\0\0!", 10 },
	    HELLO_BAD, true },
};

Test(hello, beginnings)
{
	struct hello h;
	size_t i;

	for (i = 0; i < ARRAY_LEN(begins); i++) {
		cr_expect_eq(hello_parse(begins[i].bytes, &h), begins[i].status,
		    "%s", begins[i].what);
		cr_expect_eq(hello_looks_like_tls(begins[i].bytes),
		    begins[i].looks_like_tls, "%s", begins[i].what);
	}
}

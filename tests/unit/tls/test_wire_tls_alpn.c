/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protocols that our client side offers to OpenSSL's server, and what that
 * may choose of them.  What we choose as a server is in test_wire_tls_server.c.
 */

#include <criterion/criterion.h>

#include "base/attr.h"
#include "unit/tls/tls_duo.h"

static struct pki *ca, *server_cert;
static struct tls_clients *clients;

static void
setup(void)
{
	struct pki_options mine = { .subject = "CN=test CA" };

	ca = pki_ca_new(NULL, &mine);
	server_cert = pki_server(ca, "api.example.com");
	clients = tls_clients_new();
}

static void
teardown(void)
{
	tls_clients_free(clients);
	pki_free(ca);
	pki_free(server_cert);
}

TestSuite(wire_tls_alpn, .init = setup, .fini = teardown);

/* What of a list the server sees, in which order, and what it may choose. */
static const struct {
	const char *offered;
	const char *wanted; /* by the server; it looks for nothing else */
	const char *chosen;
} lists[] = {
	{ "h2,http/1.1", "h2", "h2" },
	{ "h2,http/1.1", "http/1.1", "http/1.1" },
	{ "http/1.1", "h2", "" },
	{ "h2", "http/1.1", "" },
};

struct chooser {
	const char *wanted;
	char seen[64];
};

static int
choose(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned n, void *arg)
{
	struct chooser *c = arg;
	int r = SSL_TLSEXT_ERR_NOACK;
	size_t at = 0;

	(void)ssl;
	for (unsigned i = 0; i < n; i += 1u + in[i]) {
		at += (size_t)snprintf(c->seen + at, sizeof(c->seen) - at,
		    "%s%.*s", at > 0 ? "," : "", in[i],
		    (const char *)in + i + 1);
		if (in[i] != strlen(c->wanted) ||
		    memcmp(in + i + 1, c->wanted, in[i]) != 0)
			continue;
		*out = in + i + 1;
		*out_len = in[i];
		r = SSL_TLSEXT_ERR_OK;
	}
	return r;
}

Test(wire_tls_alpn, offers_a_list_in_its_order)
{
	struct duo_peer o = { .cert = server_cert };
	struct tls_spec *spec;
	struct tls_info info;
	struct duo d;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct chooser c = { .wanted = lists[i].wanted };

		spec = duo_spec(ca, "api.example.com", NULL);
		spec->alpn = str_of(lists[i].offered);
		spec->digest.b[0] ^= (uint8_t)(i + 1);
		duo_init(&d);
		duo_peer_server(&d, &o);
		SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(d.ssl), choose, &c);
		duo_connect(&d, clients, spec);
		cr_expect_eq(duo_shake(&d), IO_DONE, "row %zu", i);
		cr_expect_str_eq(c.seen, lists[i].offered, "row %zu", i);
		wire_tls_info(d.wire, &info);
		cr_expect(str_eq(info.alpn, str_of(lists[i].chosen)),
		    "row %zu: %.*s", i, STR_ARG(info.alpn));
		duo_fini(&d);
		tls_spec_unref(spec);
	}
}

/* Of a server that chooses whatever it likes, in both versions of TLS. */
static const struct {
	const char *offered;
	const char *chosen;
	const char *why; /* NULL: fine */
} choices[] = {
	{ "h2", "h2", NULL }, { "h2,http/1.1", "http/1.1", NULL },
	{ "h2", "http/1.1",
	    "the server chose http/1.1 by ALPN, it was offered h2" },
	{ "http/1.1", "h2",
	    "the server chose h2 by ALPN, it was offered http/1.1" },
	{ "h2,http/1.1", "h2,http/1.1",
	    "the server chose h2,http/1.1 by ALPN, it was offered "
	    "h2,http/1.1" },
	{ "h2", "h\n\x01\"",
	    "the server chose h??\" by ALPN, it was offered h2" },
	{ "", "h2", NULL }, /* nothing offered, so it cannot */
};

static int
choose_blindly(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned n, void *arg)
{
	const char *id = arg;

	(void)ssl;
	(void)in;
	(void)n;
	*out = arg;
	*out_len = (unsigned char)strlen(id);
	return SSL_TLSEXT_ERR_OK;
}

static void
check_choice(size_t i, int version)
{
	struct duo_peer o = { .cert = server_cert, .max_version = version };
	struct tls_spec *spec = duo_spec(ca, "api.example.com", NULL);
	char chosen[32];
	struct duo d;
	bool is_fine = choices[i].why == NULL;

	snprintf(chosen, sizeof(chosen), "%s", choices[i].chosen);
	spec->alpn = str_of(choices[i].offered);
	spec->digest.b[0] ^= (uint8_t)(i + 1);
	duo_init(&d);
	duo_peer_server(&d, &o);
	SSL_CTX_set_alpn_select_cb(
	    SSL_get_SSL_CTX(d.ssl), choose_blindly, chosen);
	duo_connect(&d, clients, spec);
	cr_expect_eq(duo_shake(&d), is_fine ? IO_DONE : IO_FAIL,
	    "row %zu of %x", i, (unsigned)version);
	cr_expect_eq(wire_tls_is_alpn_wrong(d.wire), !is_fine, "row %zu", i);
	cr_expect_eq(wire_tls_failure(d.wire),
	    is_fine ? TLS_FAIL_NONE : TLS_FAIL_VERSION);
	if (!is_fine)
		cr_expect(str_eq(wire_tls_failure_text(d.wire),
			      str_of(choices[i].why)),
		    "row %zu: %.*s", i, STR_ARG(wire_tls_failure_text(d.wire)));
	duo_fini(&d);
	tls_spec_unref(spec);
}

Test(wire_tls_alpn, a_server_must_choose_what_it_was_offered)
{
	for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
		check_choice(i, TLS1_2_VERSION);
		check_choice(i, TLS1_3_VERSION);
	}
}

static int
accept_none(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned n, void *arg)
{
	(void)ssl;
	(void)out;
	(void)out_len;
	(void)in;
	(void)n;
	(void)arg;
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Test(wire_tls_alpn, a_server_may_accept_none_of_what_it_was_offered)
{
	struct duo_peer o = { .cert = server_cert };
	struct tls_spec *spec = duo_spec(ca, "api.example.com", NULL);
	struct duo d;

	spec->alpn = STR("h2");
	spec->digest.b[0] ^= 1;
	duo_init(&d);
	duo_peer_server(&d, &o);
	SSL_CTX_set_alpn_select_cb(SSL_get_SSL_CTX(d.ssl), accept_none, NULL);
	duo_connect(&d, clients, spec);
	cr_expect_eq(duo_shake(&d), IO_FAIL);
	cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_ALERT);
	cr_expect(wire_tls_is_alpn_wrong(d.wire));
	duo_fini(&d);
	tls_spec_unref(spec);
}

static const char *const bad_lists[] = { ",", "h2,", ",h2", "h2,,http/1.1" };

Test(wire_tls_alpn, a_list_that_is_none_makes_no_context)
{
	struct text why = TEXT_EMPTY;
	struct duo d;

	for (size_t i = 0; i < ARRAY_LEN(bad_lists); i++) {
		struct tls_spec *spec = duo_spec(ca, "x", NULL);
		struct duo_peer o = { .cert = server_cert };

		spec->alpn = str_of(bad_lists[i]);
		spec->digest.b[0] ^= (uint8_t)(i + 1);
		duo_init(&d);
		duo_peer_server(&d, &o);
		/* "h2," ends after its first id: that one is fine. */
		cr_expect_eq(
		    wire_tls_connect(d.wire, clients, spec, STR_NONE, &why),
		    strcmp(bad_lists[i], "h2,") == 0, "%s", bad_lists[i]);
		duo_fini(&d);
		tls_spec_unref(spec);
	}
	text_free(&why);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* tls/tls_choice.h: lists of ciphers, suites, groups and signatures. */

#include <criterion/criterion.h>
#include <openssl/ssl.h>

#include "base/attr.h"
#include "tls/tls_choice.h"
#include "unit/tls/tls_duo.h"

static const struct {
	enum tls_choice what;
	const char *name;
	bool is_known;
} rows[] = {
	{ TLS_CHOICE_CIPHERS, "ECDHE-RSA-AES256-GCM-SHA384", true },
	{ TLS_CHOICE_CIPHERS, "AES128-SHA", true },
	{ TLS_CHOICE_CIPHERS, "ECDHE-RSA-AES256-GCM-SHA385", false },
	{ TLS_CHOICE_CIPHERS, "TLS_AES_128_GCM_SHA256", false },
	{ TLS_CHOICE_CIPHERS, "ALL", false },
	{ TLS_CHOICE_CIPHERS, "HIGH", false },
	{ TLS_CHOICE_CIPHERS, "!RSA", false },
	{ TLS_CHOICE_CIPHERS, "@SECLEVEL=0", false },
	{ TLS_CHOICE_CIPHERS, "AES128-SHA:AES256-SHA", false },
	{ TLS_CHOICE_CIPHERS, "NULL-SHA256", false },
	{ TLS_CHOICE_CIPHERS, "ADH-AES128-SHA", false },
	{ TLS_CHOICE_CIPHERS, "AECDH-AES128-SHA", false },
	{ TLS_CHOICE_CIPHERS, "PSK-AES128-CBC-SHA", false },
	{ TLS_CHOICE_CIPHERS, "", false },
	{ TLS_CHOICE_CIPHERSUITES, "TLS_AES_256_GCM_SHA384", true },
	{ TLS_CHOICE_CIPHERSUITES, "TLS_CHACHA20_POLY1305_SHA256", true },
	{ TLS_CHOICE_CIPHERSUITES, "TLS_AES_256_GCM_SHA385", false },
	{ TLS_CHOICE_CIPHERSUITES, "ECDHE-RSA-AES256-GCM-SHA384", false },
	{ TLS_CHOICE_GROUPS, "X25519", true },
	{ TLS_CHOICE_GROUPS, "P-384", true },
	{ TLS_CHOICE_GROUPS, "X25518", false },
	{ TLS_CHOICE_GROUPS, "X25519:P-256", false },
	{ TLS_CHOICE_SIGNATURES, "rsa_pss_rsae_sha256", true },
	{ TLS_CHOICE_SIGNATURES, "ECDSA+SHA256", true },
	{ TLS_CHOICE_SIGNATURES, "ECDSA+SHA257", false },
};

Test(tls_choice, names)
{
	struct text why = TEXT_EMPTY;
	bool is_known;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		text_clear(&why);
		is_known = tls_choice_is_known(
		    rows[i].what, str_of(rows[i].name), &why);
		cr_expect_eq(is_known, rows[i].is_known, "%s", rows[i].name);
		cr_expect_eq(why.len > 0, !rows[i].is_known, "%s", why.p);
	}
	text_free(&why);
}

/* What both sides agree on, where we list something. */
static const struct agreed {
	const char *what;
	enum tls_choice choice;
	const char *list;
	struct duo_peer peer;
	const char *cipher; /* NULL: none is common */
	const char *group;
} agreements[] = {
	{ "a cipher without forward secrecy", TLS_CHOICE_CIPHERS, "AES128-SHA",
	    { .max_version = TLS1_2_VERSION }, "AES128-SHA", NULL },
	{ "only what is listed", TLS_CHOICE_CIPHERS, "AES128-SHA",
	    { .max_version = TLS1_2_VERSION, .ciphers = "AES256-SHA" }, NULL,
	    NULL },
	{ "what is unknown is left out", TLS_CHOICE_CIPHERS,
	    "?NO-SUCH-CIPHER:AES256-SHA", { .max_version = TLS1_2_VERSION },
	    "AES256-SHA", NULL },
	{ "a suite", TLS_CHOICE_CIPHERSUITES, "TLS_CHACHA20_POLY1305_SHA256",
	    { .max_version = TLS1_3_VERSION }, "TLS_CHACHA20_POLY1305_SHA256",
	    NULL },
	{ "a group", TLS_CHOICE_GROUPS, "?X25519MLKEM768:P-384",
	    { .groups = "X25519:P-384" }, "", "secp384r1" },
	{ "a group that the server lacks", TLS_CHOICE_GROUPS, "P-521",
	    { .groups = "X25519:P-384" }, NULL, NULL },
	{ "a signature", TLS_CHOICE_SIGNATURES, "rsa_pss_rsae_sha384",
	    { .max_version = TLS1_3_VERSION }, "", NULL },
	{ "another signature", TLS_CHOICE_SIGNATURES, "ecdsa_secp256r1_sha256",
	    { .max_version = TLS1_3_VERSION }, NULL, NULL },
};

static void
agree(const struct agreed *a, const struct pki *leaf, const struct pki *ca)
{
	struct tls_clients *clients = tls_clients_new();
	struct tls_spec *s = duo_spec(ca, "a.example", "a.example", NULL);
	struct str lists[TLS_CHOICE_N] = { { .p = NULL } };
	struct duo_peer o = a->peer;
	struct tls_info info;
	struct duo d;

	lists[a->choice] = str_of(a->list);
	s->choices = lists;
	duo_spec_seal(s);
	o.cert = leaf;
	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, s);
	(void)duo_shake(&d);
	cr_expect_eq(d.io == IO_DONE, a->cipher != NULL, "%s: %.*s", a->what,
	    STR_ARG(wire_tls_failure_text(d.wire)));
	if (d.io == IO_DONE && a->cipher != NULL) {
		wire_tls_info(d.wire, &info);
		if (a->cipher[0] != '\0')
			cr_expect_str_eq(info.cipher, a->cipher);
		if (a->group != NULL)
			cr_expect_str_eq(info.group, a->group);
	}
	duo_fini(&d);
	tls_spec_unref(s);
	tls_clients_free(clients);
}

Test(tls_choice, what_is_agreed_on)
{
	struct pki_options o = {
		.sans = "DNS:a.example", .key = PKI_RSA2048, .eku = ""
	};
	struct pki *ca = pki_ca_new(NULL,
	    &(struct pki_options){ .subject = "CN=CA", .key = PKI_RSA2048 });
	struct pki *leaf;
	size_t i;

	leaf = pki_leaf_new(ca, &o);
	for (i = 0; i < ARRAY_LEN(agreements); i++)
		agree(&agreements[i], leaf, ca);
	pki_free(leaf);
	pki_free(ca);
}

/* Whatever the library has: the hybrid group is agreed on if it is there. */
Test(tls_choice, hybrid_group_where_it_is)
{
	struct text why = TEXT_EMPTY;
	bool is_there =
	    tls_choice_is_known(TLS_CHOICE_GROUPS, STR("X25519MLKEM768"), &why);
	const struct agreed a = { "hybrid", TLS_CHOICE_GROUPS,
		"?X25519MLKEM768:X25519",
		{ .groups = is_there ? "X25519MLKEM768:X25519" : "X25519" }, "",
		is_there ? "X25519MLKEM768" : "x25519" };
	struct pki *ca =
	    pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=CA" });
	struct pki *leaf = pki_server(ca, "a.example");

	agree(&a, leaf, ca);
	pki_free(leaf);
	pki_free(ca);
	text_free(&why);
}

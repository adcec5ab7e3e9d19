/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names are given to the library one by one, and it must come back with what
 * was named: its own little languages ("ALL", "!RSA", "@SECLEVEL=0") would let
 * a list say more than it shows, and unknown suites are passed over silently.
 * A cipher that proves or hides nothing has no name here.  Any thread.
 */

#include "tls/tls_choice.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "tls/library.h"

#define NAME_MOST 64
#define TLS_1_3_IDS 0x1300

static const char *const words[TLS_CHOICE_N] = {
	[TLS_CHOICE_CIPHERS] = "cipher of TLS 1.2",
	[TLS_CHOICE_CIPHERSUITES] = "cipher suite of TLS 1.3",
	[TLS_CHOICE_GROUPS] = "group",
	[TLS_CHOICE_SIGNATURES] = "signature algorithm",
};

/* '+' is in signature algorithms, '.' and '_' in names of all kinds. */
static bool
is_word(struct str s)
{
	size_t i;
	char c;

	for (i = 0; i < s.len; i++) {
		c = ascii_lower_char(s.p[i]);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') &&
		    memchr("-_.+", c, 4) == NULL)
			return false;
	}
	return s.len > 0 && s.len <= NAME_MOST;
}

static bool
hides_and_proves(const SSL_CIPHER *c)
{
	int auth = SSL_CIPHER_get_auth_nid(c);

	return SSL_CIPHER_get_bits(c, NULL) > 0 &&
	       (auth == NID_auth_rsa || auth == NID_auth_ecdsa ||
		   auth == NID_auth_any);
}

static bool
has_cipher(const SSL_CTX *ctx, const char *name, bool is_suite)
{
	const STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(ctx);
	const SSL_CIPHER *c;
	int i;

	for (i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		c = sk_SSL_CIPHER_value(all, i);
		if (strcmp(SSL_CIPHER_get_name(c), name) == 0 &&
		    ((SSL_CIPHER_get_protocol_id(c) & 0xff00) == TLS_1_3_IDS) ==
			is_suite)
			return hides_and_proves(c);
	}
	return false;
}

static bool
set_list(SSL_CTX *ctx, enum tls_choice what, const char *list)
{
	switch (what) {
	case TLS_CHOICE_CIPHERS:
		return SSL_CTX_set_cipher_list(ctx, list) == 1;
	case TLS_CHOICE_CIPHERSUITES:
		return SSL_CTX_set_ciphersuites(ctx, list) == 1;
	case TLS_CHOICE_GROUPS:
		return SSL_CTX_set1_groups_list(ctx, list) == 1;
	case TLS_CHOICE_SIGNATURES:
		return SSL_CTX_set1_sigalgs_list(ctx, list) == 1;
	case TLS_CHOICE_N:
		break;
	}
	return false;
}

/* With everything that the library has, as a context that lists things has. */
static bool
knows(enum tls_choice what, struct str name)
{
	SSL_CTX *ctx = library_context_new(TLS_client_method(), true);
	char *z = str_dup(name);
	bool is_known;

	if (ctx == NULL)
		abort();
	is_known = set_list(ctx, what, z);
	if (what == TLS_CHOICE_CIPHERS)
		is_known = is_known && has_cipher(ctx, z, false);
	if (what == TLS_CHOICE_CIPHERSUITES)
		is_known = is_known && has_cipher(ctx, z, true);
	ERR_clear_error();
	SSL_CTX_free(ctx);
	free(z);
	return is_known;
}

bool
tls_choice_is_known(enum tls_choice what, struct str name, struct text *why)
{
	if (is_word(name) && knows(what, name))
		return true;
	text_addf(why, "%.*s is no %s of the TLS library (%s)", STR_ARG(name),
	    words[what], OpenSSL_version(OPENSSL_VERSION));
	return false;
}

/* "?" and a name that is not known is left out. */
static void
keep_known(enum tls_choice what, struct str list, struct text *out)
{
	struct text unused = TEXT_EMPTY;
	struct str name;

	while (list.p != NULL && list.len > 0) {
		name = str_cut(&list, ':');
		if (str_starts(name, STR("?"))) {
			name = str_from(name, 1);
			if (!tls_choice_is_known(what, name, &unused))
				continue;
		}
		if (out->len > 0)
			text_add_char(out, ':');
		text_add(out, name);
	}
	text_free(&unused);
}

bool
tls_choice_is_made(const struct tls_spec *spec)
{
	return spec->choices != NULL;
}

bool
tls_choice_set(SSL_CTX *ctx, const struct tls_spec *spec, struct text *why)
{
	struct text list = TEXT_EMPTY;
	struct str wanted;
	enum tls_choice i;
	bool is_ok = true;

	for (i = 0; i < TLS_CHOICE_N && is_ok; i++) {
		wanted = tls_spec_choice(spec, i);
		if (wanted.len == 0)
			continue;
		text_clear(&list);
		keep_known(i, wanted, &list);
		is_ok = list.len > 0 && set_list(ctx, i, list.p);
		if (!is_ok)
			text_addf(why,
			    "the TLS library does not take the list of %ss: "
			    "%.*s",
			    words[i], STR_ARG(wanted));
	}
	ERR_clear_error();
	text_free(&list);
	return is_ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares expected names with those in a certificate.  An expected name says
 * among which it is to be found; one of a resource does not, and is an IP
 * address, or else a URI or a DNS name.  The certificate's DNS names may have a
 * wildcard for their left-most label (RFC 9525, section 6.3), the expected ones
 * never.  Pure; any thread.
 */

#include "tls/verify_name.h"

#include <arpa/inet.h>
#include <string.h>

#include "tls/cert.h"

#define NAMES_SHOWN_MAX 6
#define NAME_SHOWN_MAX 120

/* A dot at the end only says that nothing is to be appended. */
static struct str
without_root(struct str s)
{
	if (s.len > 1 && s.p[s.len - 1] == '.')
		s.len--;
	return s;
}

/* "*.example.com" covers one label more than "example.com", not two. */
static bool
wildcard_matches(struct str pattern, struct str name)
{
	struct str parent = str_from(pattern, 2);
	ptrdiff_t dot = str_index(name, '.');

	/* "*.com" would cover whoever registers there. */
	if (dot <= 0 || str_index(parent, '.') <= 0)
		return false;
	return str_eq_nocase(str_from(name, (size_t)dot + 1), parent);
}

static bool
dns_matches(struct str san, struct str name)
{
	san = without_root(san);
	name = without_root(name);
	if (name.len == 0 || name.p[0] == '.')
		return false;
	if (str_starts(san, STR("*.")))
		return wildcard_matches(san, name);
	return str_eq_nocase(san, name);
}

/* The bytes of an address as a certificate has them; 0: it is none. */
static size_t
parse_ip(struct str s, uint8_t out[16])
{
	char z[INET6_ADDRSTRLEN];

	if (s.len >= 2 && s.p[0] == '[' && s.p[s.len - 1] == ']')
		s = str_first(str_from(s, 1), s.len - 2);
	if (s.len >= sizeof(z) || s.len == 0)
		return 0;
	memcpy(z, s.p, s.len);
	z[s.len] = '\0';
	if (inet_pton(AF_INET, z, out) == 1)
		return 4;
	return inet_pton(AF_INET6, z, out) == 1 ? 16 : 0;
}

static bool
ip_matches(struct str san, struct str name)
{
	uint8_t ip[16];
	size_t len = parse_ip(name, ip);

	return len > 0 && san.len == len && memcmp(san.p, ip, len) == 0;
}

static bool
is_ip(struct str name)
{
	uint8_t ip[16];

	return parse_ip(name, ip) > 0;
}

/* The part in front of the '@' is its host's to fold (RFC 5321, 2.4). */
static bool
email_matches(struct str san, struct str name)
{
	struct str local = str_cut(&san, '@');
	struct str wanted = str_cut(&name, '@');

	return san.p != NULL && name.p != NULL && str_eq(local, wanted) &&
	       str_eq_nocase(san, name);
}

/* Anything below the domain, also a wildcard that covers no more. */
static bool
suffix_matches(struct str san, struct str suffix)
{
	san = without_root(san);
	suffix = without_root(suffix);
	return suffix.len > 1 && suffix.p[0] == '.' && san.len > suffix.len &&
	       str_eq_nocase(str_from(san, san.len - suffix.len), suffix);
}

static bool
may_be(const struct tls_name *name, enum tls_name_kind kind)
{
	return name->kind == kind ||
	       (name->kind == TLS_NAME_ANY && kind != TLS_NAME_EMAIL);
}

static bool
exact_matches(const struct san *san, const struct tls_name *name)
{
	struct str value = name->value;

	switch (san->kind) {
	case SAN_IP:
		return may_be(name, TLS_NAME_IP) &&
		       ip_matches(san->value, value);
	case SAN_DNS:
		return may_be(name, TLS_NAME_DNS) && !is_ip(value) &&
		       dns_matches(san->value, value);
	case SAN_URI:
		return may_be(name, TLS_NAME_URI) && str_eq(san->value, value);
	case SAN_EMAIL:
		return may_be(name, TLS_NAME_EMAIL) &&
		       email_matches(san->value, value);
	}
	return false;
}

static bool
prefix_matches(const struct san *san, const struct tls_name *name)
{
	struct str prefix = name->value;

	switch (san->kind) {
	case SAN_DNS:
		return may_be(name, TLS_NAME_DNS) && prefix.len > 0 &&
		       san->value.len >= prefix.len &&
		       str_eq_nocase(str_first(san->value, prefix.len), prefix);
	case SAN_URI:
		return may_be(name, TLS_NAME_URI) && prefix.len > 0 &&
		       str_starts(san->value, prefix);
	case SAN_IP:
	case SAN_EMAIL:
		return false;
	}
	return false;
}

static bool
matches(const struct san *san, const struct tls_name *name)
{
	switch (name->match) {
	case TLS_NAME_EXACT:
		return exact_matches(san, name);
	case TLS_NAME_PREFIX:
		return prefix_matches(san, name);
	case TLS_NAME_SUFFIX:
		return san->kind == SAN_DNS &&
		       suffix_matches(san->value, name->value);
	}
	return false;
}

static bool
any_matches(const struct sans *sans, const struct tls_name *name)
{
	size_t i;

	for (i = 0; i < sans->n; i++)
		if (matches(&sans->v[i], name))
			return true;
	return false;
}

void
verify_name_print(const struct tls_name *names, size_t n, struct text *out)
{
	size_t i;

	if (n == 0)
		text_add(out, STR("nothing"));
	for (i = 0; i < n && i < NAMES_SHOWN_MAX; i++) {
		if (i > 0)
			text_add(out, STR(" or "));
		if (names[i].match == TLS_NAME_SUFFIX)
			text_add_char(out, '*');
		cert_print_clean(names[i].value, NAME_SHOWN_MAX, out);
		if (names[i].match == TLS_NAME_PREFIX)
			text_add_char(out, '*');
	}
	if (n > NAMES_SHOWN_MAX)
		text_addf(out, " or %zu more", n - NAMES_SHOWN_MAX);
}

static void
explain(const struct sans *sans, const struct tls_name *names, size_t n,
    struct text *why)
{
	text_add(why, STR("the certificate is not for the expected name: "
			  "expected "));
	verify_name_print(names, n, why);
	text_add(why, STR("; the certificate has "));
	cert_print_sans(sans, why);
}

bool
verify_names(
    const X509 *leaf, const struct tls_name *names, size_t n, struct text *why)
{
	struct sans sans;
	bool is_found = false;
	size_t i;

	cert_sans(leaf, &sans);
	for (i = 0; i < n && !is_found; i++)
		is_found = any_matches(&sans, &names[i]);
	if (!is_found)
		explain(&sans, names, n, why);
	cert_sans_free(&sans);
	return is_found;
}

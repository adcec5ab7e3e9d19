/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares expected names with those in a certificate.  An expected name is an
 * IP address, a URI (with "://") or a DNS name, and is compared as such; the
 * certificate's DNS names may have a wildcard for their left-most label (RFC
 * 9525, section 6.3), the expected ones never.  Pure; any thread.
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
exact_matches(const struct san *san, struct str name)
{
	uint8_t ip[16];
	size_t len = parse_ip(name, ip);

	switch (san->kind) {
	case SAN_IP:
		return len > 0 && san->value.len == len &&
		       memcmp(san->value.p, ip, len) == 0;
	case SAN_DNS:
		return len == 0 && dns_matches(san->value, name);
	case SAN_URI:
		return str_eq(san->value, name);
	}
	return false;
}

static bool
prefix_matches(const struct san *san, struct str prefix)
{
	switch (san->kind) {
	case SAN_DNS:
		return prefix.len > 0 && san->value.len >= prefix.len &&
		       str_eq_nocase(str_first(san->value, prefix.len), prefix);
	case SAN_URI:
		return prefix.len > 0 && str_starts(san->value, prefix);
	case SAN_IP:
		return false;
	}
	return false;
}

static bool
any_matches(const struct sans *sans, const struct tls_name *name)
{
	size_t i;

	for (i = 0; i < sans->n; i++) {
		switch (name->match) {
		case TLS_NAME_EXACT:
			if (exact_matches(&sans->v[i], name->value))
				return true;
			break;
		case TLS_NAME_PREFIX:
			if (prefix_matches(&sans->v[i], name->value))
				return true;
			break;
		}
	}
	return false;
}

static void
explain(const struct sans *sans, const struct tls_name *names, size_t n,
    struct text *why)
{
	size_t i;

	text_add(why, STR("the certificate is not for the expected name: "
			  "expected "));
	if (n == 0)
		text_add(why, STR("nothing"));
	for (i = 0; i < n && i < NAMES_SHOWN_MAX; i++) {
		if (i > 0)
			text_add(why, STR(" or "));
		cert_print_clean(names[i].value, NAME_SHOWN_MAX, why);
		if (names[i].match == TLS_NAME_PREFIX)
			text_add_char(why, '*');
	}
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

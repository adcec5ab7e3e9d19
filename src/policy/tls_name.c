/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads expected names.  With what they are compared, and how, is
 * in tls/verify_name.c.  Pure; any thread.
 */

#include "policy/tls_name.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/attr.h"

#define NAME_MOST 253 /* RFC 1035, section 2.3.4 */

static const struct form {
	const char *word;
	enum tls_name_kind kind;
	enum tls_name_match match;
	const char *wants;
} forms[] = {
	{ "dns:", TLS_NAME_DNS, TLS_NAME_EXACT,
	    "wants a name without wildcards, as \"dns:api.example\"" },
	{ "dns-suffix:", TLS_NAME_DNS, TLS_NAME_SUFFIX,
	    "wants a domain behind a dot, as \"dns-suffix:.example\"" },
	{ "prefix:", TLS_NAME_ANY, TLS_NAME_PREFIX,
	    "wants the beginning of a name, as \"prefix:api.\"" },
	{ "ip:", TLS_NAME_IP, TLS_NAME_EXACT,
	    "wants an address, as \"ip:192.0.2.1\"" },
	{ "uri:", TLS_NAME_URI, TLS_NAME_EXACT,
	    "wants a whole URI, as \"uri:spiffe://mesh/api\"" },
	{ "uri-prefix:", TLS_NAME_URI, TLS_NAME_PREFIX,
	    "wants the beginning of a URI with its authority, as "
	    "\"uri-prefix:spiffe://mesh/\"" },
	{ "email:", TLS_NAME_EMAIL, TLS_NAME_EXACT,
	    "wants an address of mail, as \"email:ops@example\"" },
};

static bool
is_printable(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~')
			return false;
	return s.len > 0;
}

static bool
is_dns(struct str s)
{
	char c;
	size_t i;

	for (i = 0; i < s.len; i++) {
		c = ascii_lower_char(s.p[i]);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' &&
		    c != '.' && c != '_')
			return false;
	}
	return s.len > 0 && s.len <= NAME_MOST && s.p[0] != '.';
}

static bool
is_ip(struct str s)
{
	char z[INET6_ADDRSTRLEN];
	unsigned char out[16];

	if (s.len == 0 || s.len >= sizeof(z))
		return false;
	memcpy(z, s.p, s.len);
	z[s.len] = '\0';
	return inet_pton(AF_INET, z, out) == 1 ||
	       inet_pton(AF_INET6, z, out) == 1;
}

/* "scheme:" and something behind it; with_authority: "//" as well. */
static bool
is_uri(struct str s, bool with_authority)
{
	ptrdiff_t colon = str_index(s, ':');
	struct str rest;

	if (colon <= 0)
		return false;
	rest = str_from(s, (size_t)colon + 1);
	if (!with_authority)
		return rest.len > 0;
	return str_starts(rest, STR("//")) && rest.len > 2;
}

static bool
is_email(struct str s)
{
	struct str domain = s, local = str_cut(&domain, '@');

	return local.len > 0 && domain.p != NULL && is_dns(domain);
}

static bool
fits(const struct form *f, struct str value)
{
	if (!is_printable(value))
		return false;
	switch (f->kind) {
	case TLS_NAME_DNS:
		if (f->match == TLS_NAME_SUFFIX)
			return value.p[0] == '.' && is_dns(str_from(value, 1));
		return is_dns(value) && !is_ip(value);
	case TLS_NAME_ANY:
		return true;
	case TLS_NAME_IP:
		return is_ip(value);
	case TLS_NAME_URI:
		return is_uri(value, f->match == TLS_NAME_PREFIX);
	case TLS_NAME_EMAIL:
		return is_email(value);
	}
	return false;
}

bool
tls_name_parse(struct str text, struct tls_name *out, const char **wants)
{
	struct str value;
	size_t i;

	*wants = "wants dns:, dns-suffix:, prefix:, ip:, uri:, uri-prefix: or "
		 "email: in front, as \"dns:api.example\"";
	for (i = 0; i < ARRAY_LEN(forms); i++) {
		if (!str_starts(text, str_of(forms[i].word)))
			continue;
		value = str_from(text, strlen(forms[i].word));
		*wants = forms[i].wants;
		*out = (struct tls_name){
			.match = forms[i].match,
			.kind = forms[i].kind,
			.value = value,
		};
		return fits(&forms[i], value);
	}
	return false;
}

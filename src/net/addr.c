/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Socket addresses as text and compared.  Networks are in cidr.c, where we may
 * connect to in addr_rules.c.  Pure; any thread.
 */

#include "net/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static bool
parse_v4(const char *text, uint16_t port, struct addr *out)
{
	*out = (struct addr){ .len = sizeof(out->u.in) };
	out->u.in.sin_family = AF_INET;
	out->u.in.sin_port = htons(port);
	return inet_pton(AF_INET, text, &out->u.in.sin_addr) == 1;
}

static bool
parse_v6(const char *text, uint16_t port, struct addr *out)
{
	*out = (struct addr){ .len = sizeof(out->u.in6) };
	out->u.in6.sin6_family = AF_INET6;
	out->u.in6.sin6_port = htons(port);
	return inet_pton(AF_INET6, text, &out->u.in6.sin6_addr) == 1;
}

bool
addr_parse(struct str host, uint16_t port, struct addr *out)
{
	char text[INET6_ADDRSTRLEN];
	bool has_brackets = str_starts(host, STR("[")) &&
			    str_ends(host, STR("]")) && host.len > 1;

	if (has_brackets)
		host = str_first(str_from(host, 1), host.len - 2);
	/* A NUL inside would end the text early. */
	if (host.len == 0 || host.len >= sizeof(text) ||
	    str_index(host, '\0') != -1)
		return false;
	memcpy(text, host.p, host.len);
	text[host.len] = '\0';
	return (!has_brackets && parse_v4(text, port, out)) ||
	       parse_v6(text, port, out);
}

bool
addr_from_sockaddr(const struct sockaddr *sa, socklen_t len, struct addr *out)
{
	*out = (struct addr){ .len = 0 };
	if (len < sizeof(sa->sa_family))
		return false;
	if (sa->sa_family == AF_INET && len >= sizeof(out->u.in))
		out->len = sizeof(out->u.in);
	else if (sa->sa_family == AF_INET6 && len >= sizeof(out->u.in6))
		out->len = sizeof(out->u.in6);
	else
		return false;
	memcpy(&out->u, sa, out->len);
	return true;
}

uint16_t
addr_port(const struct addr *a)
{
	return ntohs(a->u.sa.sa_family == AF_INET6 ? a->u.in6.sin6_port
						   : a->u.in.sin_port);
}

void
addr_set_port(struct addr *a, uint16_t port)
{
	if (a->u.sa.sa_family == AF_INET6)
		a->u.in6.sin6_port = htons(port);
	else
		a->u.in.sin_port = htons(port);
}

/* The IPv4 address that a is or maps, in network order. */
static bool
get_v4(const struct addr *a, uint32_t *v4)
{
	if (a->u.sa.sa_family == AF_INET) {
		*v4 = a->u.in.sin_addr.s_addr;
		return true;
	}
	if (!IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
		return false;
	memcpy(v4, a->u.in6.sin6_addr.s6_addr + 12, sizeof(*v4));
	return true;
}

bool
addr_eq_host(const struct addr *a, const struct addr *b)
{
	uint32_t a4 = 0, b4 = 0;
	bool is_a4 = get_v4(a, &a4), is_b4 = get_v4(b, &b4);

	if (is_a4 || is_b4)
		return is_a4 && is_b4 && a4 == b4;
	return memcmp(&a->u.in6.sin6_addr, &b->u.in6.sin6_addr,
		   sizeof(a->u.in6.sin6_addr)) == 0 &&
	       a->u.in6.sin6_scope_id == b->u.in6.sin6_scope_id;
}

bool
addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_port(a) == addr_port(b) && addr_eq_host(a, b);
}

static bool
host_text(const struct addr *a, char out[INET6_ADDRSTRLEN])
{
	const char *text;

	if (a->u.sa.sa_family == AF_INET6)
		text = inet_ntop(
		    AF_INET6, &a->u.in6.sin6_addr, out, INET6_ADDRSTRLEN);
	else if (a->u.sa.sa_family == AF_INET)
		text = inet_ntop(
		    AF_INET, &a->u.in.sin_addr, out, INET6_ADDRSTRLEN);
	else
		text = NULL;
	return text != NULL;
}

/* Logs print them by the hundred thousand. */
static char *
put_number(char *to, unsigned n)
{
	char digits[U64_TEXT];
	struct str s = str_of_u64(n, digits);

	memcpy(to, s.p, s.len);
	return to + s.len;
}

static char *
put_ipv4(char *to, const struct in_addr *in)
{
	uint8_t b[4];
	size_t i;

	memcpy(b, in, sizeof(b));
	for (i = 0; i < sizeof(b); i++) {
		to = put_number(to, b[i]);
		*to++ = '.';
	}
	return to - 1;
}

void
addr_print_host(const struct addr *a, char out[ADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN];

	snprintf(out, ADDR_TEXT, "%s", host_text(a, host) ? host : "-");
}

void
addr_print(const struct addr *a, char out[ADDR_TEXT])
{
	char host[INET6_ADDRSTRLEN];
	char *to;

	if (addr_port(a) != 0 && a->u.sa.sa_family == AF_INET) {
		to = put_ipv4(out, &a->u.in.sin_addr);
		*to++ = ':';
		to = put_number(to, addr_port(a));
		*to = '\0';
	} else if (addr_port(a) == 0 || !host_text(a, host)) {
		addr_print_host(a, out);
	} else {
		snprintf(out, ADDR_TEXT, "[%s]:%u", host, addr_port(a));
	}
}

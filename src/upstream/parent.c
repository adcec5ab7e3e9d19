/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which parent proxy an operator means, and what talks with proxies of both
 * kinds have in common.
 */

#include "upstream/parent.h"

#include <stdarg.h>
#include <stdio.h>

#include "net/addr.h"

#define NAME_MOST 253 /* RFC 1035, section 2.3.4 */
#define PART_MOST 255 /* RFC 1929: user and password */

static bool
is_name_char(char c)
{
	c = ascii_lower_char(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '.' || c == '_';
}

static bool
is_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_name_char(s.p[i]))
			return false;
	return s.len > 0 && s.len <= NAME_MOST;
}

/* "name:port", "10.0.0.1:port" or "[::1]:port", and nothing else. */
static bool
parse_place(struct str s, struct parent *out)
{
	bool is_bracketed = str_starts(s, STR("["));
	struct addr a;
	uint64_t port;

	out->host = str_cut(&s, is_bracketed ? ']' : ':');
	if (is_bracketed) {
		out->host = str_from(out->host, 1);
		if (!str_starts(s, STR(":")))
			return false;
		s = str_from(s, 1);
	}
	if (!str_to_u64(s, 65535, &port) || port == 0)
		return false;
	out->port = (uint16_t)port;
	out->host_is_address = addr_parse(out->host, out->port, &a);
	if (is_bracketed)
		return out->host_is_address && str_index(out->host, ':') != -1;
	return out->host_is_address || is_name(out->host);
}

bool
parent_parse(struct str url, struct parent *out, const char **why)
{
	const struct str http = STR("http://"), socks = STR("socks5://");

	*out = (struct parent){ .kind = PARENT_NONE };
	if (str_index(url, '@') != -1) {
		*why = "user and password stand in a file of their own: take "
		       "them out, and set services.proxy_auth_file";
		return false;
	}
	*why = "wants http://HOST:PORT or socks5://HOST:PORT";
	if (str_starts(url, http))
		out->kind = PARENT_HTTP;
	else if (str_starts(url, socks))
		out->kind = PARENT_SOCKS5;
	else
		return false;
	url = str_from(url, out->kind == PARENT_HTTP ? http.len : socks.len);
	/* As browsers write it. */
	if (str_ends(url, STR("/")))
		url.len--;
	return parse_place(url, out);
}

bool
parent_auth_is_good(enum parent_kind kind, struct str auth)
{
	ptrdiff_t colon = str_index(auth, ':');
	size_t i, user, password;

	/* RFC 7617, section 2: no control characters, and a user without : */
	for (i = 0; i < auth.len; i++)
		if ((unsigned char)auth.p[i] < ' ' || auth.p[i] == 0x7f)
			return false;
	if (colon <= 0)
		return false;
	user = (size_t)colon;
	password = auth.len - user - 1;
	if (kind == PARENT_SOCKS5 && password == 0)
		return false;
	return user <= PART_MOST && password <= PART_MOST;
}

enum parent_says
parent_fail(struct parent_talk *t, enum parent_failure f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(t->why, sizeof(t->why), fmt, ap);
	va_end(ap);
	t->failure = f;
	t->stage = PARENT_IS_OVER;
	return PARENT_FAILED;
}

void
parent_begin(struct parent_talk *t, struct text *out)
{
	t->why[0] = '\0';
	if (t->kind == PARENT_SOCKS5) {
		t->stage = PARENT_SENT_METHODS;
		parent_socks_begin(t, out);
	} else {
		t->stage = PARENT_SENT_CONNECT;
		parent_http_begin(t, out);
	}
}

enum parent_says
parent_hear(
    struct parent_talk *t, struct str bytes, size_t *used, struct text *out)
{
	*used = 0;
	switch (t->stage) {
	case PARENT_SENT_CONNECT:
		return parent_http_hear(t, bytes, used);
	case PARENT_SENT_METHODS:
	case PARENT_SENT_AUTH:
	case PARENT_SENT_REQUEST:
		return parent_socks_hear(t, bytes, used, out);
	case PARENT_IS_OVER:
		break;
	}
	return parent_fail(t, PARENT_BROKEN, "it went on after the end");
}

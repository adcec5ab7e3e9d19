/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of services about requests: each text is checked for what it becomes,
 * a part of a message, so that nothing that an operator writes can break one.
 * Main thread.
 */

#include <string.h>

#include "base/arena.h"
#include "daemon/service_reading.h"
#include "model/nearest.h"
#include "net/addr.h"

#define NAME_MOST 253 /* RFC 1035, section 2.3.4 */
#define TEXT_MOST 256

static bool
is_alnum(char c)
{
	c = ascii_lower_char(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* RFC 9110, section 5.6.2 */
static bool
is_token(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_alnum(s.p[i]) &&
		    memchr("!#$%&'*+-.^_`|~", s.p[i], 15) == NULL)
			return false;
	return s.len > 0 && s.len <= TEXT_MOST;
}

/* A value of a field: visible, with spaces only inside. */
static bool
is_value(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] < ' ' || s.p[i] > '~')
			return false;
	return str_trim(s).len == s.len && s.len <= TEXT_MOST;
}

static bool
is_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!is_alnum(s.p[i]) && memchr("-._", s.p[i], 3) == NULL)
			return false;
	return s.len > 0 && s.len <= NAME_MOST;
}

/* An IPv6 address stands in brackets; port is what follows them. */
static bool
cut_address(struct str *s)
{
	struct str inner;
	struct addr a;

	if (!str_starts(*s, STR("[")))
		return false;
	*s = str_from(*s, 1);
	inner = str_cut(s, ']');
	return s->p != NULL && str_index(inner, ':') != -1 &&
	       addr_parse(inner, 0, &a);
}

/* name, name:port, [address] or [address]:port */
static bool
is_authority(struct str s)
{
	struct str port = s;
	uint64_t n;

	if (cut_address(&port)) {
		if (port.len == 0)
			return true;
		if (!str_starts(port, STR(":")))
			return false;
		port = str_from(port, 1);
	} else {
		port = s;
		if (!is_name(str_cut(&port, ':')))
			return false;
	}
	return port.p == NULL || (str_to_u64(port, UINT16_MAX, &n) && n > 0);
}

/* A name without a dot may be a word that was mistyped. */
static void
warn_mistyped(const struct service_reading *r, struct str host)
{
	struct nearest near = nearest_to(host);
	struct text what = TEXT_EMPTY;

	nearest_try(&near, "endpoint");
	if (str_eq_nocase(host, STR("keep")))
		near.best = "keep";
	if (near.best != NULL && str_index(host, '.') == -1) {
		text_addf(&what,
		    "\"%.*s\" is taken as the name to send; did you mean "
		    "\"%s\"?",
		    STR_ARG(host), near.best);
		service_reading_tell(
		    r, PROBLEM_WARNING, SERVICE_OPTION_HOST, "%s", what.p);
	}
	text_free(&what);
}

static void
check_host(const struct service_reading *r, const struct service_options *o)
{
	struct str host = o->host_text;

	if (str_eq(host, STR("endpoint")) || str_eq(host, STR("keep")))
		return;
	if (is_authority(host))
		warn_mistyped(r, host);
	else
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_HOST,
		    "wants \"endpoint\", \"keep\" or a name to send, as "
		    "\"api.example\" or \"api.example:8080\"");
}

/* RFC 9110, section 7.8: a name, and perhaps a version. */
static bool
is_protocol(struct str s)
{
	struct str version = s;

	if (!is_token(str_cut(&version, '/')))
		return false;
	return version.p == NULL || is_token(version);
}

/* It would carry requests that nobody here reads. */
static bool
is_http(struct str protocol)
{
	return str_eq(protocol, STR("h2c")) || str_eq(protocol, STR("h2")) ||
	       str_eq(protocol, STR("http")) ||
	       str_starts(protocol, STR("http/"));
}

static bool
check_upgrade(const struct service_reading *r, struct str protocol)
{
	if (!is_protocol(protocol))
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_UPGRADES,
		    "wants names of protocols, as \"websocket\"");
	else if (is_http(protocol))
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_UPGRADES,
		    "HTTP is not upgraded to HTTP here, since its requests "
		    "would pass unread: take it out; a service of protocol "
		    "http2 is spoken to in HTTP/2");
	else
		return true;
	return false;
}

/* In lower case, each once. */
static void
fold_upgrades(const struct service_reading *r, struct service_options *o)
{
	const struct str_list from = o->upgrades;
	struct str *v = arena_alloc(r->arena, (from.n + 1) * sizeof(*v));
	char *protocol;
	size_t i;

	o->upgrades = (struct str_list){ .v = v };
	for (i = 0; i < from.n; i++) {
		protocol = arena_strdup(r->arena, from.v[i]);
		ascii_lower(protocol, strlen(protocol));
		if (check_upgrade(r, str_of(protocol)) &&
		    !service_options_allow_upgrade(o, str_of(protocol)))
			v[o->upgrades.n++] = str_of(protocol);
	}
}

void
config_check_requests(
    const struct service_reading *r, struct service_options *o)
{
	check_host(r, o);
	fold_upgrades(r, o);
	if (o->via.len > 0 && !is_token(o->via))
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_VIA,
		    "wants a name without spaces, as \"zegress\"");
	if (!is_value(o->server))
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_SERVER,
		    "wants at most 256 printable ASCII characters");
}

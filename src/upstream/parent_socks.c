/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SOCKS 5: methods, perhaps user and password, the request, and the answers to
 * each.  A name goes to the proxy as a name.
 */

#include <string.h>
#include <sys/socket.h>

#include "base/reader.h"
#include "net/addr.h"
#include "upstream/parent.h"

#define SOCKS_VERSION 5
#define AUTH_VERSION 1
#define COMMAND_CONNECT 1

enum method { METHOD_NONE = 0, METHOD_PASSWORD = 2, METHOD_REFUSED = 0xff };
enum form { FORM_IPV4 = 1, FORM_NAME = 3, FORM_IPV6 = 4 };

static void
add_u8(struct text *out, size_t n)
{
	text_add_char(out, (char)(unsigned char)n);
}

void
parent_socks_begin(const struct parent_talk *t, struct text *out)
{
	add_u8(out, SOCKS_VERSION);
	add_u8(out, t->auth.len > 0 ? 2 : 1);
	add_u8(out, METHOD_NONE);
	if (t->auth.len > 0)
		add_u8(out, METHOD_PASSWORD);
}

static void
add_part(struct text *out, struct str part)
{
	add_u8(out, part.len);
	text_add(out, part);
}

static void
send_auth(struct parent_talk *t, struct text *out)
{
	struct str password = t->auth, user = str_cut(&password, ':');

	add_u8(out, AUTH_VERSION);
	add_part(out, user);
	add_part(out, password);
	t->stage = PARENT_SENT_AUTH;
}

static void
add_place(const struct parent_talk *t, struct text *out)
{
	struct addr a;

	if (!addr_parse(t->host, t->port, &a)) {
		add_u8(out, FORM_NAME);
		add_part(out, t->host);
	} else if (a.u.sa.sa_family == AF_INET6) {
		add_u8(out, FORM_IPV6);
		text_add(
		    out, (struct str){ .p = (const void *)&a.u.in6.sin6_addr,
			     .len = 16 });
	} else {
		add_u8(out, FORM_IPV4);
		text_add(out, (struct str){ .p = (const void *)&a.u.in.sin_addr,
				  .len = 4 });
	}
	add_u8(out, t->port >> 8);
	add_u8(out, t->port & 0xff);
}

static void
send_request(struct parent_talk *t, struct text *out)
{
	add_u8(out, SOCKS_VERSION);
	add_u8(out, COMMAND_CONNECT);
	add_u8(out, 0);
	add_place(t, out);
	t->stage = PARENT_SENT_REQUEST;
}

static enum parent_says
no_socks(struct parent_talk *t)
{
	return parent_fail(t, PARENT_BROKEN, "it does not speak SOCKS 5");
}

static enum parent_says
hear_method(struct parent_talk *t, struct reader *r, struct text *out)
{
	uint8_t version = reader_u8(r), method;

	if (!reader_is_bad(r) && version != SOCKS_VERSION)
		return no_socks(t);
	method = reader_u8(r);
	if (reader_is_bad(r))
		return PARENT_MORE;
	if (method == METHOD_REFUSED)
		return parent_fail(t, PARENT_AUTH,
		    t->auth.len > 0 ? "it takes no user and password"
				    : "it wants a user and password: set "
				      "services.proxy_auth_file");
	if (method == METHOD_PASSWORD && t->auth.len > 0)
		send_auth(t, out);
	else if (method == METHOD_NONE)
		send_request(t, out);
	else
		return parent_fail(t, PARENT_BROKEN,
		    "it chose method %u, which was not offered", method);
	return PARENT_MORE;
}

static enum parent_says
hear_auth(struct parent_talk *t, struct reader *r, struct text *out)
{
	uint8_t version = reader_u8(r), status = reader_u8(r);

	if (reader_is_bad(r))
		return PARENT_MORE;
	if (version != AUTH_VERSION)
		return no_socks(t);
	if (status != 0)
		return parent_fail(t, PARENT_AUTH,
		    "it does not take the user and password of "
		    "proxy_auth_file (%u)",
		    status);
	send_request(t, out);
	return PARENT_MORE;
}

/* RFC 1928, section 6. */
static enum parent_says
refuse(struct parent_talk *t, uint8_t reply)
{
	static const struct {
		enum parent_failure failure;
		const char *text;
		bool blames_server;
	} rows[] = {
		[1] = { PARENT_OTHER, "general failure" },
		[2] = { PARENT_DENIED, "not allowed by its rules" },
		[3] = { PARENT_UNREACHABLE, "network unreachable" },
		[4] = { PARENT_UNREACHABLE, "host unreachable", true },
		[5] = { PARENT_REFUSED, "connection refused", true },
		[6] = { PARENT_UNREACHABLE, "time to live expired", true },
		[7] = { PARENT_OTHER, "command not supported" },
		[8] = { PARENT_OTHER, "kind of address not supported" },
	};

	if (reply >= sizeof(rows) / sizeof(rows[0]))
		return parent_fail(
		    t, PARENT_OTHER, "it answers with failure %u", reply);
	t->blames_server = rows[reply].blames_server;
	return parent_fail(
	    t, rows[reply].failure, "it answers: %s", rows[reply].text);
}

/* The address that it connects from is of no use to us. */
static enum parent_says
hear_reply(struct parent_talk *t, struct reader *r)
{
	uint8_t version = reader_u8(r), reply = reader_u8(r);

	if (reader_is_bad(r))
		return PARENT_MORE;
	if (version != SOCKS_VERSION)
		return no_socks(t);
	if (reply != 0)
		return refuse(t, reply);
	if (reader_u8(r) != 0)
		return no_socks(t);
	switch (reader_u8(r)) {
	case FORM_IPV4:
		reader_skip(r, 4);
		break;
	case FORM_IPV6:
		reader_skip(r, 16);
		break;
	case FORM_NAME:
		reader_skip(r, reader_u8(r));
		break;
	default:
		return reader_is_bad(r) ? PARENT_MORE : no_socks(t);
	}
	reader_skip(r, 2);
	return reader_is_bad(r) ? PARENT_MORE : PARENT_OPEN;
}

static enum parent_says
hear_one(struct parent_talk *t, struct reader *r, struct text *out)
{
	switch (t->stage) {
	case PARENT_SENT_METHODS:
		return hear_method(t, r, out);
	case PARENT_SENT_AUTH:
		return hear_auth(t, r, out);
	case PARENT_SENT_REQUEST:
		return hear_reply(t, r);
	case PARENT_SENT_CONNECT:
	case PARENT_IS_OVER:
		break;
	}
	return no_socks(t);
}

enum parent_says
parent_socks_hear(
    struct parent_talk *t, struct str bytes, size_t *used, struct text *out)
{
	enum parent_stage before = t->stage;
	enum parent_says says;
	struct reader r;

	do {
		reader_init(&r, bytes.p, bytes.len);
		before = t->stage;
		says = hear_one(t, &r, out);
		if (says == PARENT_FAILED)
			return says;
		if (says == PARENT_OPEN || t->stage != before) {
			*used += bytes.len - reader_left(&r);
			bytes = str_from(bytes, bytes.len - reader_left(&r));
		}
	} while (says == PARENT_MORE && t->stage != before);
	if (says == PARENT_OPEN)
		t->stage = PARENT_IS_OVER;
	return says;
}

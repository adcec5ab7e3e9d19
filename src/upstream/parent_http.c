/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CONNECT, and the head of its answer.  Only the status counts: fields of an
 * answer that opens a tunnel say nothing about what follows (RFC 9110, section
 * 9.3.6), but a head that is none is not taken for one.
 */

#include "upstream/parent.h"

#define FIELDS_MOST 100
#define REASON_SHOWN 60

struct answer_head {
	unsigned status;
	struct str reason;
	size_t len;
};

enum reading { IS_WHOLE, IS_PART, IS_WRONG };

static void
print_place(const struct parent_talk *t, struct text *out)
{
	bool is_ipv6 = str_index(t->host, ':') != -1;

	text_addf(out, is_ipv6 ? "[%.*s]:%u" : "%.*s:%u", STR_ARG(t->host),
	    (unsigned)t->port);
}

void
parent_http_begin(const struct parent_talk *t, struct text *out)
{
	text_add_z(out, "CONNECT ");
	print_place(t, out);
	text_add_z(out, " HTTP/1.1\r\nHost: ");
	print_place(t, out);
	text_add_z(out, "\r\n");
	if (t->auth.len > 0) {
		text_add_z(out, "Proxy-Authorization: Basic ");
		base64_encode(t->auth, out);
		text_add_z(out, "\r\n");
	}
	text_add_z(out, "\r\n");
}

static bool
is_token_char(char c)
{
	char lower = ascii_lower_char(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
	       memchr("!#$%&'*+-.^_`|~", c, 15) != NULL;
}

static bool
is_text(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') ||
		    s.p[i] == 0x7f)
			return false;
	return true;
}

static bool
is_field(struct str line)
{
	struct str name = str_cut(&line, ':');
	size_t i;

	for (i = 0; i < name.len; i++)
		if (!is_token_char(name.p[i]))
			return false;
	return name.len > 0 && line.p != NULL && is_text(line);
}

/* A line without its end, off the front of s. */
static enum reading
cut_line(struct str *s, struct str *line)
{
	ptrdiff_t end = str_index(*s, '\n');

	if (end == -1)
		return IS_PART;
	if (end == 0 || s->p[end - 1] != '\r')
		return IS_WRONG;
	*line = str_first(*s, (size_t)end - 1);
	*s = str_from(*s, (size_t)end + 1);
	return IS_WHOLE;
}

/* As far as it has come: what begins otherwise never becomes an answer. */
static bool
begins_right(struct str s)
{
	const struct str start = STR("HTTP/1.");

	return str_eq(str_first(s, start.len), str_first(start, s.len));
}

static bool
read_status_line(struct str line, struct answer_head *h)
{
	uint64_t status;

	if (!str_starts(line, STR("HTTP/1.0 ")) &&
	    !str_starts(line, STR("HTTP/1.1 ")))
		return false;
	line = str_from(line, 9);
	if (!str_to_u64(str_first(line, 3), 599, &status) || status < 100)
		return false;
	h->status = (unsigned)status;
	h->reason = str_from(line, 4);
	return (line.len == 3 || line.p[3] == ' ') && is_text(line);
}

static enum reading
read_head(struct str bytes, struct answer_head *h)
{
	struct str rest = bytes, line;
	enum reading reading;
	unsigned n;

	if (!begins_right(bytes))
		return IS_WRONG;
	reading = cut_line(&rest, &line);
	if (reading != IS_WHOLE)
		return reading;
	if (!read_status_line(line, h))
		return IS_WRONG;
	for (n = 0; n <= FIELDS_MOST; n++) {
		reading = cut_line(&rest, &line);
		if (reading != IS_WHOLE)
			return reading;
		if (line.len == 0) {
			h->len = bytes.len - rest.len;
			return IS_WHOLE;
		}
		if (!is_field(line))
			return IS_WRONG;
	}
	return IS_WRONG;
}

/* Somebody else's words, for the log: in printable ASCII, and short. */
static void
clean(struct str reason, char out[REASON_SHOWN + 1])
{
	size_t i;

	reason = str_first(reason, REASON_SHOWN);
	for (i = 0; i < reason.len; i++)
		out[i] = reason.p[i] >= ' ' && reason.p[i] <= '~' ? reason.p[i]
								  : '?';
	out[i] = '\0';
}

static enum parent_says
refuse(struct parent_talk *t, const struct answer_head *h)
{
	enum parent_failure f = PARENT_OTHER;
	char reason[REASON_SHOWN + 1];

	clean(h->reason, reason);
	if (h->status == 407)
		return parent_fail(t, PARENT_AUTH,
		    t->auth.len > 0
			? "it does not take the user and password of "
			  "proxy_auth_file (407 %s)"
			: "it wants a user and password: set "
			  "services.proxy_auth_file (407 %s)",
		    reason);
	if (h->status == 401 || h->status == 403 || h->status == 405)
		f = PARENT_DENIED;
	else if (h->status == 504)
		f = PARENT_LATE;
	/* RFC 9110, 15.6.3 and 15.6.5; others are as much about the proxy. */
	t->blames_server = h->status == 502 || h->status == 504;
	return parent_fail(
	    t, f, "its answer to CONNECT is %u %s", h->status, reason);
}

enum parent_says
parent_http_hear(struct parent_talk *t, struct str bytes, size_t *used)
{
	struct answer_head h = { .status = 0 };
	size_t at = 0;

	for (;;) {
		switch (read_head(str_from(bytes, at), &h)) {
		case IS_WRONG:
			return parent_fail(t, PARENT_BROKEN,
			    "its answer to CONNECT is not HTTP/1.1");
		case IS_PART:
			if (bytes.len < PARENT_ANSWER_MOST)
				return PARENT_MORE;
			return parent_fail(t, PARENT_BROKEN,
			    "its answer to CONNECT has no end");
		case IS_WHOLE:
			break;
		}
		at += h.len;
		if (at > PARENT_ANSWER_MOST)
			return parent_fail(t, PARENT_BROKEN,
			    "its answer to CONNECT is too long");
		if (h.status == 101 || h.status >= 200)
			break;
	}
	if (h.status < 200 || h.status > 299)
		return refuse(t, &h);
	t->stage = PARENT_IS_OVER;
	*used = at;
	return PARENT_OPEN;
}

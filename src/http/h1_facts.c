/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meaning of a head, judged while its fields are read.  Where the
 * specification lets a recipient choose between repairing and refusing, we
 * refuse: the next one in the chain may repair in another way.  Pure.
 */

#include "http/h1_facts.h"

#include <stdint.h>

#include "http/h1_scan.h"

/* More would only make somebody compare all of them with all fields. */
#define CONNECTION_NAMES_MAX 32

static bool
is_hex(char c)
{
	return h1_is_digit(c) || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

static bool
is_host_text(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++) {
		if (!h1_is(s.p[i], H1_HOST_CHAR))
			return false;
		if (s.p[i] == '%' && (i + 2 >= s.len || !is_hex(s.p[i + 1]) ||
					 !is_hex(s.p[i + 2])))
			return false;
	}
	return true;
}

/* "[...]" up to its end; what is inside is for the server to judge. */
static bool
cut_literal(struct str *s)
{
	ptrdiff_t end = str_index(*s, ']');
	ptrdiff_t i;

	if (end < 3)
		return false;
	for (i = 1; i < end; i++)
		if (!is_hex(s->p[i]) && s->p[i] != ':' && s->p[i] != '.')
			return false;
	*s = str_from(*s, (size_t)end + 1);
	return true;
}

/* uri-host [ ":" port ], the host not empty (RFC 9110, section 4.2.1). */
static bool
is_authority(struct str s)
{
	struct str host;
	size_t i;

	if (!is_host_text(s))
		return false;
	if (str_starts(s, STR("["))) {
		if (!cut_literal(&s))
			return false;
		if (s.len == 0)
			return true;
		if (s.p[0] != ':')
			return false;
		s = str_from(s, 1);
	} else {
		host = str_cut(&s, ':');
		if (host.len == 0 || str_index(host, '[') != -1 ||
		    str_index(host, ']') != -1)
			return false;
	}
	for (i = 0; i < s.len; i++)
		if (!h1_is_digit(s.p[i]))
			return false;
	return s.len <= 5;
}

/*
 * http://host/path, with nothing but the path left of it afterwards.  A query
 * without a path cannot be shown as a range of these bytes; refused.
 */
static enum h1_status
split_absolute(
    struct h1_facts *x, struct head *h, struct str t, bool is_options)
{
	ptrdiff_t colon = str_index(t, ':');
	struct str slash;
	size_t i;

	if (colon == -1 || !str_starts(str_from(t, (size_t)colon), STR("://")))
		return H1_BAD;
	slash = str_from(t, (size_t)colon + 1);
	h->scheme = str_first(t, (size_t)colon);
	if (!str_eq_nocase(h->scheme, STR("http")) &&
	    !str_eq_nocase(h->scheme, STR("https")))
		return H1_BAD;
	t = str_from(t, (size_t)colon + 3);
	for (i = 0; i < t.len && t.p[i] != '/' && t.p[i] != '?'; i++)
		;
	x->target_authority = str_first(t, i);
	h->path = str_from(t, i);
	/* "/" stands behind the scheme; "*" is what OPTIONS means. */
	if (h->path.len == 0)
		h->path = is_options ? STR("*") : str_first(slash, 1);
	return h->path.p[0] == '?' || !is_authority(x->target_authority)
		   ? H1_BAD
		   : H1_OK;
}

enum h1_status
h1_facts_target(struct h1_facts *x, struct head *h, struct str target)
{
	bool is_options;

	if (target.p[0] == '/' && !str_eq(h->method, STR("CONNECT"))) {
		h->path = target;
		return H1_OK;
	}
	is_options = str_eq(h->method, STR("OPTIONS"));
	if (str_eq(h->method, STR("CONNECT"))) {
		x->target_authority = target;
		return is_authority(target) ? H1_OK : H1_BAD;
	}
	if (str_eq(target, STR("*"))) {
		h->path = target;
		return is_options ? H1_OK : H1_BAD;
	}
	return split_absolute(x, h, target, is_options);
}

static enum h1_status
note_host(struct head *h, struct str value)
{
	if (h->has_host)
		return H1_BAD;
	if (value.len == 0)
		return H1_NO_HOST;
	h->has_host = true;
	h->authority = value;
	return is_authority(value) ? H1_OK : H1_BAD;
}

static enum h1_status
note_length(const struct h1_facts *x, struct head *h, struct str value)
{
	if (h->has_length || x->is_chunked)
		return H1_BAD;
	h->has_length = true;
	return str_to_u64(value, INT64_MAX, &h->content_length) ? H1_OK
								: H1_BAD;
}

static enum h1_status
note_coding(struct h1_facts *x, const struct head *h, struct str value)
{
	/* HTTP/1.0 has none, and may be misled by it. */
	if (h->has_length || x->is_chunked || h->minor == 0)
		return H1_BAD;
	if (!str_eq_nocase(value, STR("chunked")))
		return h->is_request ? H1_NOT_IMPLEMENTED : H1_BAD;
	x->is_chunked = true;
	return H1_OK;
}

static enum h1_status
note_connection(struct h1_facts *x, struct str list)
{
	struct str name;

	while (list.len > 0) {
		name = str_trim(str_cut(&list, ','));
		if (++x->names > CONNECTION_NAMES_MAX)
			return H1_BAD;
		if (str_eq_nocase(name, STR("close")))
			x->says_close = true;
		else if (str_eq_nocase(name, STR("keep-alive")))
			x->says_keep_alive = true;
	}
	return H1_OK;
}

enum h1_status
h1_facts_note(struct h1_facts *x, struct head *h, const struct field *f)
{
	if (f->id == FIELD_HOST && h->is_request)
		return note_host(h, f->value);
	if (f->id == FIELD_CONTENT_LENGTH)
		return note_length(x, h, f->value);
	if (f->id == FIELD_TRANSFER_ENCODING)
		return note_coding(x, h, f->value);
	if (f->id == FIELD_CONNECTION)
		return note_connection(x, f->value);
	if (f->id == FIELD_EXPECT && h->is_request &&
	    str_eq_nocase(f->value, STR("100-continue")))
		h->expects_continue = true;
	return H1_OK;
}

enum h1_status
h1_facts_request(const struct h1_facts *x, struct head *h)
{
	if (!h->has_host)
		return H1_NO_HOST;
	if (x->target_authority.len > 0 &&
	    !str_eq_nocase(x->target_authority, h->authority))
		return H1_BAD;
	if (x->is_chunked)
		h->body = BODY_STREAMED;
	else if (h->has_length)
		h->body = BODY_LENGTH;
	/* What follows CONNECT may be meant for a tunnel: never a request. */
	h->wants_close = x->says_close || h->path.len == 0;
	return H1_OK;
}

/* RFC 9112, section 6.3, without what it says about guessing. */
enum h1_status
h1_facts_response(const struct h1_facts *x, struct head *h)
{
	bool is_bodiless = h->status < 200 || h->status == 204;

	/* It must not have either; who reads it so would read on. */
	if (is_bodiless && (x->is_chunked || h->content_length > 0))
		return H1_BAD;
	if (is_bodiless || h->status == 304 || h->is_head_request)
		h->body = BODY_NONE;
	else if (x->is_chunked)
		h->body = BODY_STREAMED;
	else if (h->has_length)
		h->body = BODY_LENGTH;
	else
		h->body = BODY_TO_CLOSE;
	h->wants_close =
	    x->says_close || (h->minor == 0 && !x->says_keep_alive);
	return H1_OK;
}

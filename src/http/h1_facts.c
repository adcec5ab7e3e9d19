/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The meaning of a head, judged while its fields are read.  Where the
 * specification lets a recipient choose between repairing and refusing, we
 * refuse: the next one in the chain may repair in another way.  Pure.
 */

#include "http/h1_facts.h"

#include <stdint.h>

#include "http/h1_scan.h"
#include "http/strict.h"

/* More would only make somebody compare all of them with all fields. */
#define CONNECTION_NAMES_MAX 32
/* Of INT64_MAX. */
#define LENGTH_DIGITS_MAX 19

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
	return h->path.p[0] == '?' || !strict_is_authority(x->target_authority)
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
		return strict_is_authority(target) ? H1_OK : H1_BAD;
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
	return strict_is_authority(value) ? H1_OK : H1_BAD;
}

static enum h1_status
note_length(const struct h1_facts *x, struct head *h, struct str value)
{
	/* What would fit but for its zeros has overflown somebody's number. */
	if (h->has_length || x->is_chunked || value.len > LENGTH_DIGITS_MAX)
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
		else if (str_eq_nocase(name, STR("upgrade")))
			x->says_upgrade = true;
	}
	return H1_OK;
}

static bool
is_token(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (!h1_is(s.p[i], H1_TCHAR))
			return false;
	return s.len > 0;
}

/*
 * One protocol, with or without a version (RFC 9110, section 7.8).  A list is
 * no reason to refuse a message: it is a wish that may be ignored.
 */
static void
note_upgrade(struct h1_facts *x, struct str value)
{
	struct str version = value;
	struct str name = str_cut(&version, '/');

	x->n_upgrades++;
	if (is_token(name) && (version.p == NULL || is_token(version)))
		x->upgrade = value;
}

static struct str
upgrade_of(const struct h1_facts *x)
{
	return x->says_upgrade && x->n_upgrades == 1 ? x->upgrade : STR_NONE;
}

/*
 * Alone, without parameters: "trailers;q=0" is something else.  It counts
 * though Connection does not name it, as many clients forget to: it only says
 * what they can read.
 */
static bool
lists_trailers(struct str list)
{
	while (list.p != NULL)
		if (str_eq_nocase(
			str_trim(str_cut(&list, ',')), STR("trailers")))
			return true;
	return false;
}

/* Who puts trailers among the fields of the head would be misled by these. */
enum h1_status
h1_facts_trailer(const struct field *f)
{
	return f->id == FIELD_CONTENT_LENGTH || f->id == FIELD_HOST ||
		       field_is_hop_by_hop(f->id) || strict_is_disguise(f->name)
		   ? H1_BAD
		   : H1_OK;
}

enum h1_status
h1_facts_note(struct h1_facts *x, struct head *h, const struct field *f)
{
	if (f->id == FIELD_OTHER)
		return strict_is_disguise(f->name) ? H1_BAD : H1_OK;
	if (f->id == FIELD_HOST && h->is_request)
		return note_host(h, f->value);
	if (f->id == FIELD_CONTENT_LENGTH)
		return note_length(x, h, f->value);
	if (f->id == FIELD_TRANSFER_ENCODING)
		return note_coding(x, h, f->value);
	if (f->id == FIELD_CONNECTION)
		return note_connection(x, f->value);
	if (f->id == FIELD_UPGRADE)
		note_upgrade(x, f->value);
	if (f->id == FIELD_TE && h->is_request && lists_trailers(f->value))
		h->takes_trailers = true;
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
	if (!strict_is_method(h))
		return H1_BAD;
	/* What follows CONNECT may be meant for a tunnel: never a request. */
	h->wants_close = x->says_close || h->path.len == 0;
	h->upgrade = upgrade_of(x);
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
	/* HTTP/1.0 has no interim answers: it would be the final one. */
	if (h->status < 200 && h->minor == 0)
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
	/* Any other answer only tells what could be asked for. */
	if (h->status == 101 && h->minor == 1)
		h->upgrade = upgrade_of(x);
	return H1_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking up, removing and adding the fields of a head, and what may not pass
 * a gateway.  Reading and writing heads is h1_parse.c and h1_write.c.  Pure.
 */

#include "http/head.h"

#include <assert.h>

static const struct {
	struct str name;
	unsigned flags;
} rows[] = {
#define FIELD(id, text, bits) [FIELD_##id] = { STR(text), bits },
#include "http/field.tbl.h"
};

void
head_init(struct head *h)
{
	/* added[] is left alone: it counts only up to n_added. */
	h->is_request = false;
	h->minor = 1;
	h->method = h->scheme = h->authority = h->path = STR_NONE;
	h->has_host = false;
	h->status = 0;
	h->reason = STR_NONE;
	h->body = BODY_NONE;
	h->content_length = 0;
	h->has_length = false;
	h->expects_continue = false;
	h->wants_close = false;
	h->is_head_request = false;
	h->upgrade = STR_NONE;
	h->takes_trailers = false;
	h->fields = NULL;
	h->n_fields = 0;
	h->has_lines = false;
	h->n_added = 0;
}

/* The one field of the table that it can be, by length and first letter. */
static enum field_id
candidate(size_t len, char first)
{
	switch (len) {
	case 2:
		return FIELD_TE;
	case 3:
		return FIELD_VIA;
	case 4:
		return FIELD_HOST;
	case 6:
		return first == 'e' ? FIELD_EXPECT : FIELD_SERVER;
	case 7:
		return first == 't' ? FIELD_TRAILER : FIELD_UPGRADE;
	case 10:
		return first == 'c' ? FIELD_CONNECTION : FIELD_KEEP_ALIVE;
	case 11:
		return first == 'x' ? FIELD_X_KUMA_TAGS : FIELD_GRPC_STATUS;
	case 12:
		return first == 'x' ? FIELD_X_REQUEST_ID : FIELD_CONTENT_TYPE;
	case 14:
		return FIELD_CONTENT_LENGTH;
	case 15:
		return FIELD_X_FORWARDED_FOR;
	case 16:
		return first == 'p' ? FIELD_PROXY_CONNECTION
				    : FIELD_WWW_AUTHENTICATE;
	case 17:
		return first == 't' ? FIELD_TRANSFER_ENCODING
				    : FIELD_X_FORWARDED_PROTO;
	case 18:
		return FIELD_PROXY_AUTHENTICATE;
	case 19:
		return FIELD_PROXY_AUTHORIZATION;
	case 23:
		return FIELD_X_FORWARDED_CLIENT_CERT;
	default:
		return FIELD_OTHER;
	}
}

static uint64_t
eight(const char *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof(n));
	return n;
}

/*
 * Setting bit 5 folds letters; no other token character becomes a letter or a
 * dash by it.  The last eight bytes may overlap those before.
 */
static bool
is_name(struct str name, const char *want)
{
	const uint64_t fold = UINT64_C(0x2020202020202020);
	size_t i;

	for (i = 0; i + 8 <= name.len; i += 8)
		if ((eight(name.p + i) | fold) != eight(want + i))
			return false;
	if (i > 0 && i < name.len)
		return (eight(name.p + name.len - 8) | fold) ==
		       eight(want + name.len - 8);
	for (; i < name.len; i++)
		if ((name.p[i] | 0x20) != want[i])
			return false;
	return true;
}

enum field_id
field_id_of(struct str name)
{
	enum field_id id;

	if (name.len == 0)
		return FIELD_OTHER;
	id = candidate(name.len, ascii_lower_char(name.p[0]));
	if (id == FIELD_OTHER)
		return FIELD_OTHER;
	return is_name(name, rows[id].name.p) ? id : FIELD_OTHER;
}

struct str
field_name(enum field_id id)
{
	assert(id != FIELD_OTHER);
	return rows[id].name;
}

/* What traces calls (W3C Trace Context; B3 of Zipkin). */
static bool
is_of_trace(struct str name)
{
	switch (name.len) {
	case 11:
		return str_eq_nocase(name, STR("traceparent")) ||
		       str_eq_nocase(name, STR("x-b3-spanid"));
	case 12:
		return str_eq_nocase(name, STR("x-b3-traceid"));
	case 17:
		return str_eq_nocase(name, STR("x-b3-parentspanid"));
	default:
		return false;
	}
}

bool
field_is_unique(const struct field *f)
{
	if (f->id == FIELD_OTHER)
		return is_of_trace(f->name);
	return (rows[f->id].flags & FIELD_UNIQUE) != 0;
}

bool
field_is_hop_by_hop(enum field_id id)
{
	return id != FIELD_OTHER && (rows[id].flags & FIELD_HOP) != 0;
}

/*
 * Who merges trailers into the head must not be given the rest: they would
 * frame, route or authorize a message that has been acted upon.
 */
bool
field_may_trail(const struct field *f)
{
	static const struct str others[] = { STR("authorization"),
		STR("cache-control"), STR("content-encoding"),
		STR("content-range"), STR("cookie"), STR("max-forwards"),
		STR("range"), STR("set-cookie") };

	if (f->is_removed)
		return false;
	if (f->id != FIELD_OTHER)
		return f->id == FIELD_GRPC_STATUS;
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (str_eq_nocase(f->name, others[i]))
			return false;
	return true;
}

static const struct field *
first_of(const struct field *f, size_t n, enum field_id id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (f[i].id == id && !f[i].is_removed)
			return &f[i];
	return NULL;
}

bool
head_has_body(const struct head *h)
{
	return h->body != BODY_NONE &&
	       (h->body != BODY_LENGTH || h->content_length > 0);
}

struct str
head_get(const struct head *h, enum field_id id)
{
	const struct field *f = first_of(h->fields, h->n_fields, id);

	if (f == NULL)
		f = first_of(h->added, h->n_added, id);
	return f == NULL ? STR_NONE : f->value;
}

static void
remove_id(struct field *f, size_t n, enum field_id id)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (f[i].id == id)
			f[i].is_removed = true;
}

void
head_remove(struct head *h, enum field_id id)
{
	remove_id(h->fields, h->n_fields, id);
	remove_id(h->added, h->n_added, id);
}

static void
remove_name(struct field *f, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq_nocase(f[i].name, name))
			f[i].is_removed = true;
}

void
head_remove_name(struct head *h, struct str name)
{
	remove_name(h->fields, h->n_fields, name);
	remove_name(h->added, h->n_added, name);
}

/* Places of what was removed again are used last, to keep the order. */
static struct field *
free_place(struct head *h)
{
	size_t i;

	if (h->n_added < HEAD_ADDED_MAX)
		return &h->added[h->n_added++];
	for (i = 0; i < h->n_added && !h->added[i].is_removed; i++)
		;
	assert(i < h->n_added);
	return &h->added[i];
}

void
head_add(struct head *h, struct str name, struct str value)
{
	*free_place(h) = (struct field){
		.id = field_id_of(name), .name = name, .value = value
	};
}

/* What Connection names goes, but not what we added ourselves. */
static void
remove_named(struct head *h, struct str list)
{
	struct str name;

	while (list.len > 0) {
		name = str_trim(str_cut(&list, ','));
		/* These two are what it nearly always says. */
		if (name.len == 0 || str_eq_nocase(name, STR("keep-alive")) ||
		    str_eq_nocase(name, STR("close")))
			continue;
		remove_name(h->fields, h->n_fields, name);
	}
}

void
head_remove_hop_by_hop(struct head *h)
{
	struct field *f = h->fields;
	size_t i;

	for (i = 0; i < h->n_fields; i++) {
		if (!field_is_hop_by_hop(f[i].id))
			continue;
		/* Removed first, so that it may name itself. */
		f[i].is_removed = true;
		if (f[i].id == FIELD_CONNECTION)
			remove_named(h, f[i].value);
	}
	h->wants_close = false;
}

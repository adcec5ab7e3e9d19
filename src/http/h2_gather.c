/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A field block while it comes: fields are put behind each other, within the
 * limits, and what they say of the message is noted.  Beyond the limits they
 * are thrown away, so that the stream can still be answered; far beyond them
 * decoding has to end.  What has to be checked when all are there, and the
 * head itself, is h2_head.c.  Pure.
 */

#include "base/spare.h"
#include "http/h2_gathered.h"
#include "http/strict.h"

/*
 * How far over its limits a block is still decoded: other streams must not end
 * because a limit is small.
 */
#define BOMB_TIMES 4
#define BOMB_LEAST ((size_t)16 * 1024)
#define KEPT_BYTES ((size_t)8192)
#define FIRST_BYTES ((size_t)500)

struct h2_gather *
h2_gather_new(const struct http_limits *limits)
{
	struct h2_gather *g = spare_alloc(sizeof(*g));

	g->limits = limits;
	g->bytes = g->cookies = (struct h2_bytes){ .p = NULL };
	h2_gather_begin(g, H2_OF_REQUEST);
	return g;
}

static void
free_bytes(struct h2_bytes *b)
{
	spare_free(b->p);
	*b = (struct h2_bytes){ .p = NULL };
}

/* An unusual block's memory is not kept. */
static void
clear(struct h2_bytes *b)
{
	if (b->cap > KEPT_BYTES)
		free_bytes(b);
	b->len = 0;
}

/* Bounded by the limits of a head. */
static void
make_room(struct h2_bytes *b, size_t n)
{
	size_t cap = b->cap < FIRST_BYTES ? FIRST_BYTES : 2 * b->cap;

	if (cap - b->len < n)
		cap = b->len + n;
	b->p = spare_realloc(b->p, cap);
	b->cap = cap;
}

static void
add(struct h2_bytes *b, struct str s)
{
	if (b->cap - b->len < s.len)
		make_room(b, s.len);
	if (s.len > 0)
		memcpy(b->p + b->len, s.p, s.len);
	b->len += s.len;
}

void
h2_gather_begin(struct h2_gather *g, enum h2_kind kind)
{
	g->kind = kind;
	clear(&g->bytes);
	clear(&g->cookies);
	/* fields[] counts only up to n. */
	memset(&g->said, 0, sizeof(g->said));
	g->n = 0;
}

void
h2_gather_free(struct h2_gather *g)
{
	if (g == NULL)
		return;
	free_bytes(&g->bytes);
	free_bytes(&g->cookies);
	spare_free(g);
}

bool
h2_gather_is_too_large(const struct h2_gather *g)
{
	return g->said.is_too_large;
}

static size_t
bytes_most(const struct h2_gather *g)
{
	return g->kind == H2_OF_TRAILERS ? g->limits->trailer_bytes
					 : g->limits->head_bytes;
}

size_t
h2_gather_fields_most(const struct h2_gather *g)
{
	return g->limits->fields < HEAD_FIELDS_MAX ? g->limits->fields
						   : HEAD_FIELDS_MAX;
}

static struct h2_piece
keep(struct h2_gather *g, struct str s)
{
	struct h2_piece p = { .at = g->bytes.len, .len = s.len };

	add(&g->bytes, s);
	return p;
}

static bool
is_web(struct str scheme)
{
	return str_eq_nocase(scheme, STR("http")) ||
	       str_eq_nocase(scheme, STR("https"));
}

static enum h2_gathered
note_status(struct h2_gather *g, struct str value)
{
	uint64_t status;

	if (value.len != 3 || !str_to_u64(value, 599, &status) || status < 100)
		return H2_GATHER_BAD;
	g->said.status = (uint16_t)status;
	return H2_GATHER_OK;
}

/* The library sees to it that each comes once, first, and only where it may. */
static enum h2_gathered
add_pseudo(struct h2_gather *g, struct str name, struct str value)
{
	bool is_good = true;

	if (str_eq(name, STR(":status")))
		return note_status(g, value);
	if (str_eq(name, STR(":method"))) {
		g->said.method = keep(g, value);
	} else if (str_eq(name, STR(":scheme"))) {
		is_good = is_web(value);
		g->said.scheme = keep(g, value);
	} else if (str_eq(name, STR(":authority"))) {
		g->said.authority = keep(g, value);
	} else if (str_eq(name, STR(":path"))) {
		is_good = strict_is_target(value);
		g->said.path = keep(g, value);
	} else if (str_eq(name, STR(":protocol"))) {
		is_good = strict_is_name(value);
		g->said.protocol = keep(g, value);
	}
	return is_good ? H2_GATHER_OK : H2_GATHER_BAD;
}

/* One field again, as HTTP/1.1 has it (RFC 9113, section 8.2.3). */
static void
add_cookie(struct h2_gather *g, struct str value, bool is_secret)
{
	g->said.has_secret_cookie |= is_secret;
	if (g->said.has_cookie)
		add(&g->cookies, STR("; "));
	g->said.has_cookie = true;
	add(&g->cookies, value);
}

/* A name of the table is there for ever. */
static enum h2_gathered
add_field(struct h2_gather *g, const struct field *f)
{
	struct h2_gathered_field *to = &g->fields[g->n];

	if (g->n + (g->said.has_cookie ? 1 : 0) >= h2_gather_fields_most(g)) {
		g->said.is_too_large = true;
		return H2_GATHER_OK;
	}
	g->n++;
	to->id = f->id;
	to->is_secret = f->is_secret;
	if (f->id == FIELD_OTHER)
		to->name = keep(g, f->name);
	to->value = keep(g, f->value);
	return H2_GATHER_OK;
}

/* Fields of a head that say something about the message. */
static enum h2_gathered
note_field(struct h2_gather *g, const struct field *f)
{
	bool is_request = g->kind == H2_OF_REQUEST;

	if (f->id == FIELD_TE) {
		g->said.takes_trailers = is_request;
		return H2_GATHER_OK;
	}
	if (f->id == FIELD_HOST && is_request) {
		g->said.has_host = true;
		g->said.host = keep(g, f->value);
		return H2_GATHER_OK;
	}
	if (f->id == FIELD_CONTENT_LENGTH) {
		g->said.has_length = true;
		if (!str_to_u64(f->value, INT64_MAX, &g->said.length))
			return H2_GATHER_BAD;
	}
	if (f->id == FIELD_EXPECT && is_request &&
	    str_eq_nocase(f->value, STR("100-continue")))
		g->said.expects_continue = true;
	return add_field(g, f);
}

/* False: this field is not kept. */
static bool
count(struct h2_gather *g, struct str name, struct str value)
{
	size_t size = name.len + value.len, line = g->limits->line_bytes;

	g->said.size += size;
	g->said.seen++;
	if (g->said.size > bytes_most(g) || (line > 0 && size > line))
		g->said.is_too_large = true;
	return !g->said.is_too_large;
}

static bool
is_bomb(const struct h2_gather *g)
{
	return g->said.size > BOMB_TIMES * bytes_most(g) + BOMB_LEAST ||
	       g->said.seen > (size_t)BOMB_TIMES * HEAD_FIELDS_MAX;
}

static enum h2_gathered
add_cookies(struct h2_gather *g, const struct field *f)
{
	if (!g->said.has_cookie && g->n >= h2_gather_fields_most(g))
		g->said.is_too_large = true;
	else
		add_cookie(g, f->value, f->is_secret);
	return H2_GATHER_OK;
}

enum h2_gathered
h2_gather_add(
    struct h2_gather *g, struct str name, struct str value, bool is_secret)
{
	struct field f = { .name = name, .value = value };

	if (!count(g, name, value))
		return is_bomb(g) ? H2_GATHER_BOMB : H2_GATHER_OK;
	if (name.len > 0 && name.p[0] == ':')
		return add_pseudo(g, name, value);
	if (strict_is_disguise(name))
		return H2_GATHER_BAD;
	f.id = field_id_of(name);
	f.is_secret = is_secret;
	if (g->kind == H2_OF_TRAILERS)
		return add_field(g, &f);
	if (g->kind == H2_OF_REQUEST && str_eq(name, STR("cookie")))
		return add_cookies(g, &f);
	return note_field(g, &f);
}

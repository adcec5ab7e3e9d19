/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gathered field block as a head that outlives it.  A request that could be
 * read in two ways, or not be told to a server of HTTP/1.1, is malformed (RFC
 * 9113, section 8.3.1).  Pure.
 */

#include "http/h2_gathered.h"
#include "http/strict.h"

#define COOKIE STR("cookie")

/* Where the bytes of a room are, and how far they are used. */
struct cursor {
	char *at;
};

static struct str
put(struct cursor *c, struct str s)
{
	char *to = c->at;

	if (s.len > 0)
		memcpy(to, s.p, s.len);
	c->at += s.len;
	return (struct str){ to, s.len };
}

static struct str
piece(const char *bytes, struct h2_piece p)
{
	if (p.len == 0)
		return STR_NONE;
	return (struct str){ bytes + p.at, p.len };
}

static struct str
gathered(const struct h2_bytes *b)
{
	return (struct str){ b->p, b->len };
}

static struct field
field_of(const struct h2_gathered_field *f, const char *bytes)
{
	return (struct field){
		.id = f->id,
		.is_secret = f->is_secret,
		.name = f->id == FIELD_OTHER ? piece(bytes, f->name)
					     : field_name(f->id),
		.value = piece(bytes, f->value),
	};
}

static struct h2_room *
copy(const struct h2_gather *g)
{
	size_t n = g->n + (g->said.has_cookie ? 1 : 0);
	struct h2_room *r =
	    h2_room_take(n, g->bytes.len + COOKIE.len + g->cookies.len);
	struct cursor c = { .at = h2_room_bytes(r) };
	const char *bytes = put(&c, gathered(&g->bytes)).p;
	size_t i;

	for (i = 0; i < g->n; i++)
		r->fields[i] = field_of(&g->fields[i], bytes);
	if (g->said.has_cookie) {
		r->fields[i] = (struct field){ .name = put(&c, COOKIE) };
		r->fields[i].id = field_id_of(r->fields[i].name);
		r->fields[i].is_secret = g->said.has_secret_cookie;
		r->fields[i].value = put(&c, gathered(&g->cookies));
	}
	return r;
}

static bool
read_authority(const struct h2_gather *g, const char *bytes, struct head *h)
{
	struct str host = piece(bytes, g->said.host);

	h->authority = piece(bytes, g->said.authority);
	if (g->said.has_host && h->authority.len > 0 &&
	    !str_eq_nocase(host, h->authority))
		return false;
	if (h->authority.len == 0)
		h->authority = host;
	h->has_host = true;
	return strict_is_authority(h->authority);
}

static bool
read_target(const struct h2_gather *g, const char *bytes, struct head *h)
{
	h->method = piece(bytes, g->said.method);
	h->scheme = piece(bytes, g->said.scheme);
	h->path = piece(bytes, g->said.path);
	h->upgrade = piece(bytes, g->said.protocol);
	/* A plain CONNECT names nothing but an authority. */
	if (str_eq(h->method, STR("CONNECT")) && h->upgrade.len == 0)
		return h->path.len == 0;
	if (str_eq(h->path, STR("*")))
		return str_eq(h->method, STR("OPTIONS"));
	return h->path.len > 0 && h->path.p[0] == '/';
}

static bool
read_request(const struct h2_gather *g, struct h2_room *r, bool is_end)
{
	struct head *h = &r->head;
	const char *bytes = h2_room_bytes(r);

	h->is_request = true;
	h->takes_trailers = g->said.takes_trailers;
	h->expects_continue = g->said.expects_continue;
	if (!read_target(g, bytes, h) || !read_authority(g, bytes, h))
		return false;
	if (g->said.has_length)
		h->body = BODY_LENGTH;
	else
		h->body = is_end ? BODY_NONE : BODY_STREAMED;
	return strict_is_method(h);
}

static bool
read_response(const struct h2_gather *g, struct h2_room *r, bool is_end,
    const struct h2_asked *asked)
{
	struct head *h = &r->head;

	h->status = g->said.status;
	h->is_head_request = asked->is_head;
	if (h->status < 200 || h->status == 204 || h->status == 304 ||
	    asked->is_head)
		h->body = BODY_NONE;
	else if (asked->upgrade.len > 0 && h->status < 300)
		h->body = BODY_TUNNEL;
	else if (is_end)
		h->body = BODY_NONE;
	else
		h->body = g->said.has_length ? BODY_LENGTH : BODY_STREAMED;
	if (h->body == BODY_TUNNEL)
		h->upgrade = asked->upgrade;
	return h->status >= 100 && h->status != 101;
}

struct h2_room *
h2_gather_finish(
    const struct h2_gather *g, bool is_end, const struct h2_asked *asked)
{
	struct h2_room *r = copy(g);
	bool is_good = true;

	r->head.has_length = g->said.has_length;
	r->head.content_length = g->said.length;
	switch (g->kind) {
	case H2_OF_REQUEST:
		is_good = read_request(g, r, is_end);
		break;
	case H2_OF_RESPONSE:
		is_good = read_response(g, r, is_end, asked);
		break;
	case H2_OF_TRAILERS:
		break;
	}
	if (is_good)
		return r;
	h2_room_give(r);
	return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads and trailers as the name and value pairs that the library encodes.
 * Nothing is checked: a head's text comes from a parser or from ourselves.
 * The library copies what it is given, and lower-cases names, but for names
 * that are here for ever.  Pure.
 */

#include "http/h2_head.h"

static void
put(struct h2_nvs *nvs, struct str name, struct str value, uint8_t flags)
{
	nghttp2_nv *nv;

	if (nvs->n == H2_NVS_MOST)
		return;
	nv = &nvs->v[nvs->n++];
	/* The library does not write to them, but they are not const. */
	memcpy(&nv->name, &name.p, sizeof(name.p));
	memcpy(&nv->value, &value.p, sizeof(value.p));
	nv->namelen = name.len;
	nv->valuelen = value.len;
	nv->flags = flags;
}

/* name is in lower case, and for ever. */
static void
put_known(struct h2_nvs *nvs, struct str name, struct str value)
{
	put(nvs, name, value, NGHTTP2_NV_FLAG_NO_COPY_NAME);
}

/*
 * A value that comes once would push out of the peer's table what comes again,
 * and makes the search of ours long.
 */
static void
put_field(struct h2_nvs *nvs, const struct field *f)
{
	bool is_known = f->id != FIELD_OTHER;
	uint8_t flags = 0;

	if (is_known)
		flags |= NGHTTP2_NV_FLAG_NO_COPY_NAME;
	if (f->is_secret || field_is_unique(f))
		flags |= NGHTTP2_NV_FLAG_NO_INDEX;
	put(nvs, is_known ? field_name(f->id) : f->name, f->value, flags);
}

/* Digits of n, at the end of a buffer. */
static struct str
digits(uint64_t n, char *p, size_t cap)
{
	size_t at = cap;

	do {
		p[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return (struct str){ p + at, cap - at };
}

static void
put_request(struct h2_nvs *nvs, const struct head *h)
{
	bool is_extended = h->upgrade.len > 0;
	struct str method = is_extended ? STR("CONNECT") : h->method;

	put_known(nvs, STR(":method"), method);
	if (is_extended)
		put_known(nvs, STR(":protocol"), h->upgrade);
	/* Else a CONNECT has nothing but an authority. */
	if (is_extended || h->path.len > 0) {
		put_known(nvs, STR(":scheme"),
		    h->scheme.len > 0 ? h->scheme : STR("http"));
		put_known(nvs, STR(":path"), h->path);
	}
	if (h->authority.len > 0)
		put_known(nvs, STR(":authority"), h->authority);
	if (h->takes_trailers)
		put_known(nvs, STR("te"), STR("trailers"));
}

static void
put_response(struct h2_nvs *nvs, const struct head *h)
{
	/* 101 does not exist here (RFC 8441, section 5). */
	uint64_t status = h->status == 101 ? 200 : h->status;

	put_known(nvs, STR(":status"),
	    digits(status, nvs->status, sizeof(nvs->status)));
}

static bool
tells_length(const struct head *h)
{
	if (h->body == BODY_LENGTH)
		return h->is_request || (h->status >= 200 && h->status != 204);
	if (h->body != BODY_NONE || !h->has_length)
		return false;
	return h->is_request || h->is_head_request || h->status == 304 ||
	       (h->status >= 200 && h->status != 204 && h->content_length == 0);
}

static void
put_fields(
    struct h2_nvs *nvs, const struct head *h, const struct field *f, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!field_is_unwritten(h, &f[i]))
			put_field(nvs, &f[i]);
}

void
h2_nvs_of_head(struct h2_nvs *nvs, const struct head *h)
{
	nvs->n = 0;
	if (h->is_request)
		put_request(nvs, h);
	else
		put_response(nvs, h);
	put_fields(nvs, h, h->fields, h->n_fields);
	put_fields(nvs, h, h->added, h->n_added);
	if (tells_length(h))
		put_known(nvs, STR("content-length"),
		    digits(
			h->content_length, nvs->length, sizeof(nvs->length)));
}

static void
put_trailers(struct h2_nvs *nvs, const struct field *f, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (field_may_trail(&f[i]))
			put_field(nvs, &f[i]);
}

void
h2_nvs_of_trailers(struct h2_nvs *nvs, const struct head *t)
{
	nvs->n = 0;
	put_trailers(nvs, t->fields, t->n_fields);
	put_trailers(nvs, t->added, t->n_added);
}

static void
measure(const struct field *f, size_t n, size_t *fields, size_t *bytes)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (!field_may_trail(&f[i]))
			continue;
		*fields += 1;
		*bytes += f[i].name.len + f[i].value.len;
	}
}

static struct str
copy_str(char **to, struct str s)
{
	struct str out = { *to, s.len };

	if (s.len > 0)
		memcpy(*to, s.p, s.len);
	*to += s.len;
	return out;
}

static size_t
copy_fields(struct field *out, char **to, const struct field *f, size_t n)
{
	size_t i, done = 0;

	for (i = 0; i < n; i++) {
		if (!field_may_trail(&f[i]))
			continue;
		out[done].id = f[i].id;
		out[done].is_removed = false;
		out[done].is_secret = f[i].is_secret;
		out[done].name = copy_str(to, f[i].name);
		out[done].value = copy_str(to, f[i].value);
		done++;
	}
	return done;
}

struct h2_room *
h2_copy_trailers(const struct head *t)
{
	size_t n = 0, bytes = 0, done;
	struct h2_room *r;
	char *to;

	if (t == NULL)
		return NULL;
	measure(t->fields, t->n_fields, &n, &bytes);
	measure(t->added, t->n_added, &n, &bytes);
	if (n == 0)
		return NULL;
	r = h2_room_take(n, bytes);
	to = h2_room_bytes(r);
	done = copy_fields(r->fields, &to, t->fields, t->n_fields);
	(void)copy_fields(r->fields + done, &to, t->added, t->n_added);
	return r;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads to bytes.  Fields that stood next to each other when they were read,
 * and still do, are copied in one piece.  What did not come out of the parser
 * of HTTP/1.1 is checked here, whoever made it: a byte too many makes two
 * messages of one.  Pure.
 */

#include "http/h1_write.h"

#include "http/strict.h"

struct out {
	char *p;
	char *end;
	bool is_full;
	bool is_bad; /* it would be something else to whoever reads it */
};

static inline void
put(struct out *o, struct str s)
{
	if (UNLIKELY((size_t)(o->end - o->p) < s.len)) {
		o->is_full = true;
		return;
	}
	if (s.len > 0)
		memcpy(o->p, s.p, s.len);
	o->p += s.len;
}

static void
put_u64(struct out *o, uint64_t n)
{
	char digits[U64_TEXT];

	put(o, str_of_u64(n, digits));
}

static void
put_field(struct out *o, struct str name, struct str value)
{
	put(o, name);
	put(o, STR(": "));
	put(o, value);
	put(o, STR("\r\n"));
}

static void
put_request_line(struct out *o, const struct head *h)
{
	o->is_bad |= !strict_is_authority(h->authority);
	if (!h->has_lines)
		o->is_bad |= !strict_is_method(h) || !strict_is_target(h->path);
	put(o, h->method);
	put(o, STR(" "));
	/* Only CONNECT has no path. */
	put(o, h->path.len > 0 ? h->path : h->authority);
	put(o, STR(" HTTP/1.1\r\n"));
	put_field(o, STR("Host"), h->authority);
}

static void
put_status_line(struct out *o, const struct head *h)
{
	o->is_bad |= !strict_is_value(h->reason);
	put(o, STR("HTTP/1.1 "));
	put_u64(o, h->status);
	put(o, STR(" "));
	put(o, h->reason);
	put(o, STR("\r\n"));
}

static void
put_length(struct out *o, uint64_t n)
{
	put(o, STR("Content-Length: "));
	put_u64(o, n);
	put(o, STR("\r\n"));
}

/* Without a body, is there still a length to tell? */
static bool
tells_length(const struct head *h)
{
	if (h->is_request || h->is_head_request || h->status == 304)
		return h->has_length;
	/* Else the peer would wait for the end of the connection. */
	return h->status >= 200 && h->status != 204;
}

static void
put_framing(struct out *o, const struct head *h)
{
	switch (h->body) {
	case BODY_NONE:
		if (tells_length(h))
			put_length(o, h->content_length);
		break;
	case BODY_LENGTH:
		put_length(o, h->content_length);
		break;
	case BODY_STREAMED:
	case BODY_TO_CLOSE:
		put(o, STR("Transfer-Encoding: chunked\r\n"));
		break;
	case BODY_TUNNEL:
		break;
	}
}

/* What concerns this connection, and nothing of the one it came by. */
static void
put_connection(struct out *o, const struct head *h, bool says_close)
{
	bool upgrades =
	    h->upgrade.len > 0 && (h->is_request || h->status == 101);
	bool says_te = h->is_request && h->takes_trailers;

	if (!says_close && !upgrades && !says_te)
		return;
	o->is_bad |= !strict_is_value(h->upgrade);
	put(o, STR("Connection: "));
	if (says_close)
		put(o, STR("close"));
	if (upgrades)
		put(o, says_close ? STR(", Upgrade") : STR("Upgrade"));
	if (says_te)
		put(o, says_close || upgrades ? STR(", TE") : STR("TE"));
	put(o, STR("\r\n"));
	if (upgrades)
		put_field(o, STR("Upgrade"), h->upgrade);
	if (says_te)
		put_field(o, STR("TE"), STR("trailers"));
}

static const char *
end_of(struct str s)
{
	return s.p + s.len;
}

/*
 * Fields i to the result stand in memory just as they are to be written, but
 * for the line end after the last.
 */
static size_t
run_end(const struct head *h, size_t i)
{
	const struct field *f = h->fields;

	while (i + 1 < h->n_fields && !field_is_unwritten(h, &f[i + 1]) &&
	       f[i + 1].name.p == end_of(f[i].value) + 2)
		i++;
	return i;
}

static void
put_lines(struct out *o, const struct head *h)
{
	const struct field *f = h->fields;
	const char *from;
	size_t i;

	for (i = 0; i < h->n_fields; i++) {
		if (field_is_unwritten(h, &f[i]))
			continue;
		from = f[i].name.p;
		i = run_end(h, i);
		put(o,
		    (struct str){ from, (size_t)(end_of(f[i].value) - from) });
		put(o, STR("\r\n"));
	}
}

static void
put_each(struct out *o, const struct head *h, const struct field *f, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (field_is_unwritten(h, &f[i]))
			continue;
		o->is_bad |=
		    !strict_is_name(f[i].name) || !strict_is_value(f[i].value);
		put_field(o, f[i].name, f[i].value);
	}
}

size_t
h1_write_head(const struct head *h, bool says_close, char *out, size_t cap)
{
	struct out o = { .p = out, .end = out + cap };

	if (h->is_request)
		put_request_line(&o, h);
	else
		put_status_line(&o, h);
	if (h->has_lines)
		put_lines(&o, h);
	else
		put_each(&o, h, h->fields, h->n_fields);
	put_each(&o, h, h->added, h->n_added);
	put_framing(&o, h);
	put_connection(&o, h, says_close);
	put(&o, STR("\r\n"));
	return o.is_full || o.is_bad ? 0 : (size_t)(o.p - out);
}

size_t
h1_write_chunk_head(size_t n, char out[H1_CHUNK_HEAD_MAX])
{
	static const char hex[] = "0123456789abcdef";
	char digits[16];
	size_t at = sizeof(digits), len;

	do {
		digits[--at] = hex[n & 15];
		n >>= 4;
	} while (n > 0);
	len = sizeof(digits) - at;
	memcpy(out, digits + at, len);
	out[len++] = '\r';
	out[len++] = '\n';
	return len;
}

static void
put_trailers(struct out *o, const struct field *f, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (field_may_trail(&f[i]) && strict_is_name(f[i].name) &&
		    strict_is_value(f[i].value))
			put_field(o, f[i].name, f[i].value);
}

size_t
h1_write_end(const struct head *trailers, char *out, size_t cap)
{
	struct out o = { .p = out, .end = out + cap };

	put(&o, STR("0\r\n"));
	if (trailers != NULL) {
		put_trailers(&o, trailers->fields, trailers->n_fields);
		put_trailers(&o, trailers->added, trailers->n_added);
	}
	put(&o, STR("\r\n"));
	return o.is_full ? 0 : (size_t)(o.p - out);
}

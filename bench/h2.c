/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames of HTTP/2 (RFC 9113), written and read; windows, settings and pings.
 */

#include "h2.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_HEAD 9
#define FRAME_MAX 16384
#define TABLE_USUAL 4096
#define WINDOW_USUAL 65535
/* Granted at the start, and again in pieces: nobody waits for us. */
#define WINDOW ((uint32_t)16 << 20)
#define GRANT ((uint32_t)4 << 20)

static uint32_t
read32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
write32(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 24);
	p[1] = (uint8_t)(value >> 16);
	p[2] = (uint8_t)(value >> 8);
	p[3] = (uint8_t)value;
}

static void
write_head(uint8_t *p, size_t size, unsigned type, unsigned flags)
{
	p[0] = (uint8_t)(size >> 16);
	p[1] = (uint8_t)(size >> 8);
	p[2] = (uint8_t)size;
	p[3] = (uint8_t)type;
	p[4] = (uint8_t)flags;
	write32(p + 5, 0);
}

static uint8_t *
make_room(struct h2_link *l, size_t size)
{
	uint8_t *at;

	if (l->out_size + size > l->out_room) {
		l->out_room = 2 * (l->out_size + size);
		l->out = realloc(l->out, l->out_room);
		if (l->out == NULL)
			abort();
	}
	at = l->out + l->out_size;
	l->out_size += size;
	return at;
}

static void
put_control(struct h2_link *l, unsigned type, unsigned flags, const void *data,
    size_t size)
{
	uint8_t *p = make_room(l, FRAME_HEAD + size);

	write_head(p, size, type, flags);
	if (size > 0)
		memcpy(p + FRAME_HEAD, data, size);
}

static void
grant(struct h2_link *l, uint32_t size)
{
	uint8_t more[4];

	write32(more, size);
	put_control(l, NGHTTP2_WINDOW_UPDATE, 0, more, sizeof(more));
}

void
h2_link_init(struct h2_link *l, bool is_client)
{
	static const uint8_t no_push[] = { 0, NGHTTP2_SETTINGS_ENABLE_PUSH, 0,
		0, 0, 0 };

	*l = (struct h2_link){ .credit = WINDOW_USUAL,
		.peer_streams = UINT32_MAX };
	if (nghttp2_hd_inflate_new(&l->inflater) != 0)
		abort();
	if (is_client)
		memcpy(
		    make_room(l, H2_PREFACE_SIZE), H2_PREFACE, H2_PREFACE_SIZE);
	put_control(
	    l, NGHTTP2_SETTINGS, 0, no_push, is_client ? sizeof(no_push) : 0);
	grant(l, WINDOW - WINDOW_USUAL);
}

void
h2_link_fini(struct h2_link *l)
{
	if (l->inflater != NULL)
		nghttp2_hd_inflate_del(l->inflater);
	free(l->out);
	*l = (struct h2_link){ 0 };
}

void
h2_sent(struct h2_link *l)
{
	l->out_size = 0;
}

static void
add_frame(struct h2_form *form, unsigned type, bool is_last, const void *data,
    size_t size)
{
	unsigned flags = is_last ? NGHTTP2_FLAG_END_STREAM : 0;
	uint8_t *p = form->bytes + form->size;

	if (form->size + FRAME_HEAD + size > sizeof(form->bytes) ||
	    form->frames == H2_FRAMES_MAX)
		abort();
	if (type == NGHTTP2_HEADERS)
		flags |= NGHTTP2_FLAG_END_HEADERS;
	write_head(p, size, type, flags);
	memcpy(p + FRAME_HEAD, data, size);
	form->streams[form->frames++] = form->size + 5;
	form->size += FRAME_HEAD + size;
}

static void
add_fields(struct h2_form *form, nghttp2_hd_deflater *d, bool is_last,
    const nghttp2_nv *fields, size_t n)
{
	uint8_t block[H2_FORM_SIZE];
	ssize_t size =
	    nghttp2_hd_deflate_hd(d, block, sizeof(block), fields, n);

	if (size < 0)
		abort();
	add_frame(form, NGHTTP2_HEADERS, is_last, block, (size_t)size);
}

static void
make_form(
    struct h2_form *form, nghttp2_hd_deflater *d, const struct h2_parts *parts)
{
	bool has_body = parts->body_size > 0;
	bool has_trailer = parts->n_trailer > 0;

	*form = (struct h2_form){ 0 };
	add_fields(
	    form, d, !has_body && !has_trailer, parts->head, parts->n_head);
	if (has_body)
		add_frame(form, NGHTTP2_DATA, !has_trailer, parts->body,
		    parts->body_size);
	if (has_trailer)
		add_fields(form, d, true, parts->trailer, parts->n_trailer);
}

/* What a coder makes of a message the second time it makes for ever. */
void
h2_message_init(struct h2_message *m, const struct h2_parts *parts)
{
	nghttp2_hd_deflater *usual, *none;
	struct h2_form third;

	if (nghttp2_hd_deflate_new(&usual, TABLE_USUAL) != 0 ||
	    nghttp2_hd_deflate_new(&none, 0) != 0)
		abort();
	make_form(&m->first, usual, parts);
	make_form(&m->again, usual, parts);
	make_form(&third, usual, parts);
	if (memcmp(&third, &m->again, sizeof(third)) != 0)
		abort();
	/* Begins with the change of size, and may do so each time. */
	make_form(&m->plain, none, parts);
	m->body = parts->body_size;
	nghttp2_hd_deflate_del(usual);
	nghttp2_hd_deflate_del(none);
}

static const struct h2_form *
choose_form(struct h2_link *l, const struct h2_message *m)
{
	if (l->in_table == NULL && !l->has_no_table) {
		l->in_table = m;
		return &m->first;
	}
	if (l->in_table != m)
		l->has_no_table = true;
	return l->has_no_table ? &m->plain : &m->again;
}

bool
h2_may_put(const struct h2_link *l, const struct h2_message *m)
{
	return l->credit >= (int64_t)m->body;
}

void
h2_put(struct h2_link *l, const struct h2_message *m, uint32_t stream)
{
	const struct h2_form *form = choose_form(l, m);
	uint8_t *p = make_room(l, form->size);

	memcpy(p, form->bytes, form->size);
	for (unsigned i = 0; i < form->frames; i++)
		write32(p + form->streams[i], stream);
	l->credit -= (int64_t)m->body;
}

static bool
is_bad(struct h2_link *l, const char *why)
{
	l->why = why;
	return false;
}

static bool
take_settings(struct h2_link *l, const struct h2_frame *f)
{
	if ((f->flags & NGHTTP2_FLAG_ACK) != 0)
		return true;
	for (size_t i = 0; i + 6 <= f->size; i += 6) {
		unsigned id = (unsigned)f->data[i] << 8 | f->data[i + 1];
		uint32_t value = read32(f->data + i + 2);

		if (id == NGHTTP2_SETTINGS_HEADER_TABLE_SIZE)
			l->has_no_table |= value < TABLE_USUAL;
		if (id == NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
			l->peer_streams = value;
		/* Windows of streams are not counted: a message fits one. */
		if (id == NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE &&
		    value < H2_FORM_SIZE)
			return is_bad(l, "the peer's windows are too small");
	}
	put_control(l, NGHTTP2_SETTINGS, NGHTTP2_FLAG_ACK, NULL, 0);
	return true;
}

/* What is for the connection, or for nobody. */
static bool
take_control(struct h2_link *l, const struct h2_frame *f)
{
	switch (f->type) {
	case NGHTTP2_SETTINGS:
		return take_settings(l, f);
	case NGHTTP2_PING:
		if ((f->flags & NGHTTP2_FLAG_ACK) == 0)
			put_control(l, NGHTTP2_PING, NGHTTP2_FLAG_ACK, f->data,
			    f->size);
		return true;
	case NGHTTP2_WINDOW_UPDATE:
		if (f->size != 4)
			return is_bad(l, "a bad WINDOW_UPDATE");
		if (f->stream == 0)
			l->credit += read32(f->data) & 0x7fffffff;
		return true;
	case NGHTTP2_CONTINUATION:
	case NGHTTP2_PUSH_PROMISE:
		return is_bad(l, "a frame that nobody here expects");
	default:
		return true;
	}
}

/* Leaves of a frame what is neither padding nor priority. */
static bool
strip(struct h2_link *l, struct h2_frame *f)
{
	size_t before = 0, after = 0;

	if ((f->flags & NGHTTP2_FLAG_PADDED) != 0 && f->size > 0) {
		before = 1;
		after = f->data[0];
	}
	if (f->type == NGHTTP2_HEADERS &&
	    (f->flags & NGHTTP2_FLAG_PRIORITY) != 0)
		before += 5;
	if (f->size < before + after)
		return is_bad(l, "padding without end");
	f->data += before;
	f->size -= before + after;
	return true;
}

/* The window is of whole frames, padding and all. */
static void
count_data(struct h2_link *l, size_t size)
{
	l->taken += (uint32_t)size;
	if (l->taken < GRANT)
		return;
	grant(l, l->taken);
	l->taken = 0;
}

enum h2_read
h2_read(struct h2_link *l, const uint8_t *buf, size_t n, size_t *used,
    struct h2_frame *f)
{
	const uint8_t *p = buf;

	for (*used = 0; n - *used >= FRAME_HEAD; p = buf + *used) {
		f->size = read32(p) >> 8;
		if (f->size > FRAME_MAX) {
			l->why = "a frame that is too long";
			return H2_READ_BAD;
		}
		if (n - *used < FRAME_HEAD + f->size)
			break;
		f->type = p[3];
		f->flags = p[4];
		f->stream = read32(p + 5) & 0x7fffffff;
		f->data = p + FRAME_HEAD;
		*used += FRAME_HEAD + f->size;
		if (f->type == NGHTTP2_DATA)
			count_data(l, f->size);
		if (f->type == NGHTTP2_DATA || f->type == NGHTTP2_HEADERS)
			return strip(l, f) ? H2_READ_FRAME : H2_READ_BAD;
		if (f->type == NGHTTP2_RST_STREAM || f->type == NGHTTP2_GOAWAY)
			return H2_READ_FRAME;
		if (!take_control(l, f))
			return H2_READ_BAD;
	}
	return H2_READ_MORE;
}

const char *
h2_print_end(struct h2_link *l, const struct h2_frame *f)
{
	bool is_reset = f->type == NGHTTP2_RST_STREAM;
	size_t at = is_reset ? 0 : 4;

	if (f->size < at + 4)
		return "an end without a code";
	(void)snprintf(l->text, sizeof(l->text), "%s: %s",
	    is_reset ? "a stream was reset" : "the peer wants to go",
	    nghttp2_http2_strerror(read32(f->data + at)));
	return l->text;
}

bool
h2_read_fields(struct h2_link *l, const struct h2_frame *f,
    void (*visit)(void *arg, const nghttp2_nv *field), void *arg)
{
	const uint8_t *p = f->data;
	size_t left = f->size;
	int flags = 0;

	if ((f->flags & NGHTTP2_FLAG_END_HEADERS) == 0)
		return is_bad(l, "a head in pieces");
	while ((flags & NGHTTP2_HD_INFLATE_FINAL) == 0) {
		nghttp2_nv field;
		ssize_t used = nghttp2_hd_inflate_hd2(
		    l->inflater, &field, &flags, p, left, 1);

		if (used < 0)
			return is_bad(l, "a field block that cannot be read");
		p += used;
		left -= (size_t)used;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
			visit(arg, &field);
	}
	(void)nghttp2_hd_inflate_end_headers(l->inflater);
	return true;
}

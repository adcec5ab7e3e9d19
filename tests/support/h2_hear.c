/* SPDX-License-Identifier: Apache-2.0 */
/* What a test's HTTP/2 peer reads, and what it does by itself about it. */

#include "support/h2_hear.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC_BYTES 24
/* Windows are given back in pieces of at least this. */
#define RETURN_BYTES 16384

struct frame {
	size_t n;
	uint8_t type;
	uint8_t flags;
	uint32_t id;
	const uint8_t *p;
};

static uint32_t
get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
blame(struct h2_peer *p, const char *what, uint32_t id)
{
	if (p->wrong[0] == '\0')
		(void)snprintf(
		    p->wrong, sizeof(p->wrong), "%s (stream %u)", what, id);
}

static void
tell(struct h2_talk *t)
{
	const struct h2_options *o = &t->peer->options;

	if (o->is_server && o->on_request != NULL)
		o->on_request(t, o->arg);
}

static void
end_message(struct h2_talk *t)
{
	if (t->in->ended)
		blame(t->peer, "ended twice", t->id);
	t->in->ended = true;
}

/* A piece of the window back, when it is worth a frame. */
static void
give_back(struct h2_peer *p, uint32_t id, uint32_t *unreturned)
{
	uint32_t least =
	    p->our_window / 2 < RETURN_BYTES ? p->our_window / 2 : RETURN_BYTES;

	if (p->options.keeps_windows || *unreturned == 0 || *unreturned < least)
		return;
	h2_window(p, id, *unreturned);
	*unreturned = 0;
}

static void
on_data(struct h2_peer *p, const struct frame *f)
{
	struct h2_talk *t = h2_find(p, f->id);
	size_t pad = (f->flags & FLAG_PADDED) != 0 ? f->p[0] + 1u : 0;

	if (f->n > p->biggest_data)
		p->biggest_data = f->n;
	p->unreturned += (uint32_t)f->n;
	give_back(p, 0, &p->unreturned);
	if (t == NULL || !t->in->has_head) {
		blame(p, "DATA without a head", f->id);
		return;
	}
	if (t->in->ended)
		blame(p, "DATA after the end", f->id);
	t->unreturned += (uint32_t)f->n;
	if (t->unreturned > p->our_window && p->options.keeps_windows)
		blame(p, "DATA beyond the window", f->id);
	message_take(t->in, (const char *)f->p + (pad > 0 ? 1 : 0),
	    f->n - (pad < f->n ? pad : f->n));
	if ((f->flags & FLAG_END_STREAM) != 0) {
		end_message(t);
		tell(t);
	} else if (!t->in->was_reset) {
		give_back(p, f->id, &t->unreturned);
	}
}

/* The lines of a field block, at the end of to; false when it is broken. */
static bool
decode(struct h2_peer *p, struct bytes *to)
{
	const uint8_t *at = (const uint8_t *)bytes_text(&p->block);
	size_t left = p->block.n;
	nghttp2_nv nv;
	ssize_t n;
	int flags;

	for (;;) {
		flags = 0;
		n = nghttp2_hd_inflate_hd2(
		    p->inflater, &nv, &flags, at, left, 1);
		if (n < 0)
			return false;
		at += n;
		left -= (size_t)n;
		if ((flags & NGHTTP2_HD_INFLATE_EMIT) != 0)
			bytes_addf(to, "%.*s: %.*s\n", (int)nv.namelen,
			    (const char *)nv.name, (int)nv.valuelen,
			    (const char *)nv.value);
		if ((flags & NGHTTP2_HD_INFLATE_FINAL) != 0)
			break;
	}
	return nghttp2_hd_inflate_end_headers(p->inflater) == 0;
}

/* A block that is an interim head, a head, or trailers. */
static void
place(struct h2_talk *t, struct bytes *lines)
{
	struct message *m = t->in;
	const char *status = strstr(bytes_text(lines), ":status: ");
	int s = status != NULL ? atoi(status + 9) : 0;

	if (s / 100 == 1) {
		bytes_addf(&m->interim, "%s\n", lines->p);
		m->n_interim++;
		return;
	}
	if (m->has_head) {
		bytes_add(&m->trailers, lines->p, lines->n);
		return;
	}
	bytes_add(&m->head, bytes_text(lines), lines->n);
	m->has_head = true;
	m->status = s;
}

static void
end_block(struct h2_peer *p)
{
	struct h2_talk *t = h2_hear_talk(p, p->block_id);
	struct bytes lines = { .n = 0 };

	if (!decode(p, &lines))
		blame(p, "a broken field block", p->block_id);
	bytes_cut(&p->block, p->block.n);
	p->block_id = 0;
	place(t, &lines);
	bytes_free(&lines);
	if ((p->block_flags & FLAG_END_STREAM) != 0)
		end_message(t);
	tell(t);
}

static void
on_headers(struct h2_peer *p, const struct frame *f)
{
	size_t skip = 0, pad = 0;

	if ((f->flags & FLAG_PADDED) != 0) {
		pad = f->p[0];
		skip = 1;
	}
	if ((f->flags & 0x20) != 0) /* a priority */
		skip += 5;
	p->block_id = f->id;
	p->block_flags = f->flags;
	bytes_add(&p->block, f->p + skip, f->n - skip - pad);
	if ((f->flags & FLAG_END_HEADERS) != 0)
		end_block(p);
}

static void
on_continuation(struct h2_peer *p, const struct frame *f)
{
	if (p->block_id != f->id) {
		blame(p, "a CONTINUATION of nothing", f->id);
		return;
	}
	bytes_add(&p->block, f->p, f->n);
	if ((f->flags & FLAG_END_HEADERS) != 0)
		end_block(p);
}

/* A new initial window changes what may be sent in open streams. */
static void
on_initial_window(struct h2_peer *p, uint32_t value)
{
	int64_t more = (int64_t)value - p->settings[SETTING_WINDOW];

	for (size_t i = 0; i < p->n_talks; i++)
		p->talks[i]->window += more;
}

static void
on_settings(struct h2_peer *p, const struct frame *f)
{
	if ((f->flags & FLAG_ACK) != 0) {
		p->n_acks++;
		return;
	}
	p->n_settings++;
	for (size_t at = 0; at + 6 <= f->n; at += 6) {
		unsigned id = (unsigned)f->p[at] << 8 | f->p[at + 1];
		uint32_t value = get32(f->p + at + 2);

		if (id >= SETTINGS_N)
			continue;
		if (id == SETTING_WINDOW)
			on_initial_window(p, value);
		if (id == SETTING_TABLE_SIZE)
			(void)nghttp2_hd_deflate_change_table_size(
			    p->deflater, value < 4096 ? value : 4096);
		p->settings[id] = value;
	}
	if (!p->options.no_acks)
		h2_frame(p, FRAME_SETTINGS, FLAG_ACK, 0, NULL, 0);
}

static void
on_window(struct h2_peer *p, const struct frame *f)
{
	struct h2_talk *t;

	if (f->n != 4 || get32(f->p) == 0)
		blame(p, "a bad WINDOW_UPDATE", f->id);
	else if (f->id == 0)
		p->window += get32(f->p);
	else if ((t = h2_find(p, f->id)) != NULL)
		t->window += get32(f->p);
	else
		blame(p, "WINDOW_UPDATE of an idle stream", f->id);
}

static void
on_reset(struct h2_peer *p, const struct frame *f)
{
	struct h2_talk *t = h2_find(p, f->id);

	if (t == NULL || f->n != 4) {
		blame(p, "RST_STREAM of an idle stream", f->id);
		return;
	}
	t->in->was_reset = true;
	t->in->reset_code = get32(f->p);
	source_free(&t->out);
	t->out_ended = true;
	tell(t);
}

static void
on_goaway(struct h2_peer *p, const struct frame *f)
{
	p->has_goaway = true;
	p->goaway_last = get32(f->p) & 0x7fffffff;
	p->goaway_code = get32(f->p + 4);
	(void)snprintf(p->goaway_text, sizeof(p->goaway_text), "%.*s",
	    (int)(f->n - 8), (const char *)f->p + 8);
}

static void
on_ping(struct h2_peer *p, const struct frame *f)
{
	if ((f->flags & FLAG_ACK) != 0)
		p->n_pongs++;
	else if (!p->options.no_pongs)
		h2_frame(p, FRAME_PING, FLAG_ACK, 0, f->p, f->n);
}

static void
on_frame(struct h2_peer *p, const struct frame *f)
{
	static void (*const on[])(struct h2_peer *, const struct frame *) = {
		[FRAME_DATA] = on_data,
		[FRAME_HEADERS] = on_headers,
		[FRAME_RST_STREAM] = on_reset,
		[FRAME_SETTINGS] = on_settings,
		[FRAME_PING] = on_ping,
		[FRAME_GOAWAY] = on_goaway,
		[FRAME_WINDOW_UPDATE] = on_window,
		[FRAME_CONTINUATION] = on_continuation,
	};

	if (f->type < FRAME_TYPES)
		p->frames[f->type]++;
	if (p->block_id != 0 && f->type != FRAME_CONTINUATION)
		blame(p, "a frame within a field block", f->id);
	if (f->type < sizeof(on) / sizeof(on[0]) && on[f->type] != NULL)
		on[f->type](p, f);
}

/* True when a server has the client's magic behind it. */
static bool
has_magic(struct h2_peer *p)
{
	struct bytes *in = &p->line->in;

	if (p->has_preface)
		return true;
	if (in->n < MAGIC_BYTES)
		return false;
	if (memcmp(in->p, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", MAGIC_BYTES) != 0)
		blame(p, "no preface", 0);
	bytes_cut(in, MAGIC_BYTES);
	p->has_preface = true;
	return true;
}

void
h2_hear(struct line *l)
{
	struct h2_peer *p = l->peer;
	const uint8_t *b;
	size_t at = 0, n;

	if (!has_magic(p))
		return;
	while (l->in.n - at >= 9) {
		b = (const uint8_t *)l->in.p + at;
		n = (size_t)b[0] << 16 | (size_t)b[1] << 8 | b[2];
		if (n > 16384) {
			blame(p, "a frame of more than 16384 bytes", 0);
			break;
		}
		if (l->in.n - at < 9 + n)
			break;
		on_frame(p, &(struct frame){ .n = n,
				.type = b[3],
				.flags = b[4],
				.p = b + 9,
				.id = get32(b + 5) & 0x7fffffff });
		at += 9 + n;
	}
	bytes_cut(&l->in, at);
	if (l->end == LINE_FIN) /* there is nothing to stay for */
		l->finishes = true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From frame to frame.  Whether a frame may come where it comes is for the
 * library to say; here only what is not HTTP/2 at all is told apart.  Pure.
 */

#include "http/h2_walk.h"

/* RFC 9113, section 3.4. */
static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

void
h2_walk_init(struct h2_walk *w, bool is_server)
{
	*w = (struct h2_walk){ .has_preface = !is_server };
}

/* False: it is something else. */
static bool
take_preface(struct h2_walk *w, struct str *in)
{
	struct str want =
	    str_from((struct str){ preface, sizeof(preface) - 1 }, w->have);
	struct str got = str_first(*in, want.len);

	if (!str_eq(got, str_first(want, got.len)))
		return false;
	*in = str_from(*in, got.len);
	w->have += got.len;
	if (got.len == want.len) {
		w->has_preface = true;
		w->have = 0;
	}
	return true;
}

static void
end_frame(struct h2_walk *w)
{
	w->is_settled = true;
	if (w->ends_block)
		w->is_in_block = w->ends_block = false;
}

static void
skip_payload(struct h2_walk *w, struct str *in)
{
	size_t n = w->left < in->len ? w->left : in->len;

	*in = str_from(*in, n);
	w->left -= n;
	if (w->left == 0)
		end_frame(w);
}

static void
unpack(struct h2_walk *w)
{
	const uint8_t *p = w->head;

	w->before = w->frame.len;
	w->frame = (struct h2_frame){
		.len = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2],
		.type = p[3] < H2_FRAME_OTHER ? (enum h2_frame_type)p[3]
					      : H2_FRAME_OTHER,
		.flags = p[4],
		.stream = (uint32_t)(p[5] & 0x7f) << 24 | (uint32_t)p[6] << 16 |
			  (uint32_t)p[7] << 8 | p[8],
	};
	w->left = w->frame.len;
	w->have = 0;
}

static bool
is_first_settings(const struct h2_frame *f)
{
	return f->type == H2_FRAME_SETTINGS && f->stream == 0 &&
	       (f->flags & H2_FLAG_ACK) == 0;
}

static void
note_block(struct h2_walk *w)
{
	const struct h2_frame *f = &w->frame;

	if (f->type == H2_FRAME_HEADERS || f->type == H2_FRAME_PUSH_PROMISE) {
		w->is_in_block = true;
		w->blocks++;
		w->continuations = 0;
	} else if (f->type == H2_FRAME_CONTINUATION) {
		w->continuations++;
	} else {
		return;
	}
	w->ends_block = (f->flags & H2_FLAG_END_HEADERS) != 0;
}

static enum h2_walked
begin_frame(struct h2_walk *w)
{
	unpack(w);
	if (!w->has_begun && !is_first_settings(&w->frame))
		return H2_WALK_ALIEN;
	w->has_begun = true;
	note_block(w);
	if (w->left == 0)
		end_frame(w);
	return H2_WALK_FRAME;
}

enum h2_walked
h2_walk_next(struct h2_walk *w, struct str *in)
{
	size_t n;

	while (in->len > 0) {
		if (!w->has_preface) {
			if (!take_preface(w, in))
				return H2_WALK_ALIEN;
			continue;
		}
		if (w->left > 0) {
			skip_payload(w, in);
			continue;
		}
		n = H2_FRAME_HEAD - w->have;
		if (n > in->len)
			n = in->len;
		memcpy(w->head + w->have, in->p, n);
		w->have += n;
		*in = str_from(*in, n);
		if (w->have == H2_FRAME_HEAD)
			return begin_frame(w);
	}
	return H2_WALK_MORE;
}

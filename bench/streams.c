/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests over HTTP/2, many at a time.  The connection: see client.c.
 */

#include "streams.h"

#include <stdlib.h>

void
streams_init(struct streams *s, const struct h2_cargo *cargo, enum h2_kind kind,
    unsigned n)
{
	*s = (struct streams){ .cargo = cargo,
		.kind = kind,
		.all = calloc(n, sizeof(*s->all)),
		.n = n,
		.next_id = 1 };
	if (s->all == NULL)
		abort();
	h2_link_init(&s->link, true);
}

void
streams_fini(struct streams *s)
{
	free(s->all);
	s->all = NULL;
	h2_link_fini(&s->link);
}

void
streams_ask(struct streams *s)
{
	const struct h2_message *m = &s->cargo->requests[s->kind];
	uint64_t now = 0;

	if (s->open == s->n)
		return;
	now = meter_now_ns();
	for (unsigned i = 0; i < s->n && s->open < s->n; i++) {
		if (s->all[i].id != 0)
			continue;
		if (s->open >= s->link.peer_streams || !h2_may_put(&s->link, m))
			return;
		s->all[i] = (struct stream){ .id = s->next_id,
			.part = { .kind = s->kind },
			.since_ns = now };
		h2_put(&s->link, m, s->next_id);
		s->next_id += 2;
		s->open++;
	}
}

static struct stream *
find_stream(struct streams *s, uint32_t id)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->all[i].id == id)
			return &s->all[i];
	return NULL;
}

static bool
take_frame(struct streams *s, const struct h2_frame *f, uint64_t now,
    struct histogram *answers)
{
	struct stream *stream = find_stream(s, f->stream);

	if (f->type == NGHTTP2_GOAWAY) {
		s->link.why = h2_print_end(&s->link, f);
		return false;
	}
	if (f->stream == 0 || stream == NULL) {
		s->link.why = "a frame of a stream that nobody opened";
		return false;
	}
	switch (h2_check_answer(s->cargo, &s->link, &stream->part, f)) {
	case CARGO_WHOLE:
		histogram_add(answers, now - stream->since_ns);
		stream->id = 0;
		s->open--;
		return true;
	case CARGO_MORE:
		return true;
	case CARGO_WRONG:
		break;
	}
	return false;
}

bool
streams_take(struct streams *s, const uint8_t *buf, size_t n, size_t *used,
    struct histogram *answers)
{
	uint64_t now = meter_now_ns();

	*used = 0;
	for (;;) {
		struct h2_frame f;
		size_t size;

		switch (h2_read(&s->link, buf + *used, n - *used, &size, &f)) {
		case H2_READ_MORE:
			*used += size;
			return true;
		case H2_READ_FRAME:
			*used += size;
			if (!take_frame(s, &f, now, answers))
				return false;
			break;
		case H2_READ_BAD:
			return false;
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server outside, as far as it speaks HTTP/2.  The connection: see
 * backend.c.
 */

#include "h2_server.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct h2_server *
h2_server_new(const struct h2_cargo *cargo)
{
	struct h2_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->cargo = cargo;
	h2_link_init(&s->link, false);
	return s;
}

void
h2_server_free(struct h2_server *s)
{
	if (s == NULL)
		return;
	h2_link_fini(&s->link);
	free(s->uploads);
	free(s->dues);
	free(s);
}

/* Room for one more than n of the list of entries of that size. */
static void *
grow(void *list, size_t n, size_t *room, size_t size)
{
	if (n < *room)
		return list;
	*room = 2 * *room + 16;
	list = realloc(list, *room * size);
	if (list == NULL)
		abort();
	return list;
}

static struct h2_upload *
find_upload(struct h2_server *s, uint32_t stream)
{
	/* Most go on right after they began. */
	for (size_t i = s->n_uploads; i-- > 0;)
		if (s->uploads[i].stream == stream)
			return &s->uploads[i];
	return NULL;
}

static struct h2_upload *
add_upload(struct h2_server *s, uint32_t stream)
{
	s->uploads = grow(
	    s->uploads, s->n_uploads, &s->room_uploads, sizeof(*s->uploads));
	s->uploads[s->n_uploads] = (struct h2_upload){ .stream = stream };
	return &s->uploads[s->n_uploads++];
}

static void
remove_upload(struct h2_server *s, struct h2_upload *u)
{
	*u = s->uploads[--s->n_uploads];
}

static void
answer(struct h2_server *s, uint32_t stream, const struct h2_message *m)
{
	if (s->n_dues == 0 && h2_may_put(&s->link, m)) {
		h2_put(&s->link, m, stream);
		return;
	}
	s->dues = grow(s->dues, s->n_dues, &s->room_dues, sizeof(*s->dues));
	s->dues[s->n_dues++] = (struct h2_due){ stream, m };
}

static void
answer_dues(struct h2_server *s)
{
	size_t i = 0;

	while (i < s->n_dues && h2_may_put(&s->link, s->dues[i].answer)) {
		h2_put(&s->link, s->dues[i].answer, s->dues[i].stream);
		i++;
	}
	if (i == 0)
		return;
	s->n_dues -= i;
	memmove(s->dues, s->dues + i, s->n_dues * sizeof(*s->dues));
}

static void
forget(struct h2_server *s, uint32_t stream)
{
	struct h2_upload *u = find_upload(s, stream);

	if (u != NULL)
		remove_upload(s, u);
	for (size_t i = 0; i < s->n_dues; i++)
		if (s->dues[i].stream == stream) {
			s->dues[i] = s->dues[--s->n_dues];
			return;
		}
}

static void
take_frame(struct h2_server *s, const struct h2_frame *f)
{
	struct h2_upload *u;

	if (f->type == NGHTTP2_GOAWAY)
		return;
	if (f->type == NGHTTP2_RST_STREAM) {
		forget(s, f->stream);
		return;
	}
	u = find_upload(s, f->stream);
	if (u == NULL)
		u = add_upload(s, f->stream);
	else if (u->is_refused)
		return;
	switch (h2_check_request(&s->link, &u->part, f)) {
	case CARGO_WHOLE:
		answer(s, f->stream, &s->cargo->answers[u->part.kind]);
		remove_upload(s, u);
		break;
	case CARGO_MORE:
		break;
	case CARGO_WRONG:
		fprintf(stderr, "backend: %s\n", s->link.why);
		answer(s, f->stream, &s->cargo->refusal);
		u->is_refused = true;
		break;
	}
}

bool
h2_server_take(struct h2_server *s, const uint8_t *buf, size_t n, size_t *used)
{
	*used = 0;
	for (;;) {
		struct h2_frame f;
		size_t size;

		switch (h2_read(&s->link, buf + *used, n - *used, &size, &f)) {
		case H2_READ_MORE:
			*used += size;
			answer_dues(s);
			return true;
		case H2_READ_FRAME:
			*used += size;
			take_frame(s, &f);
			break;
		case H2_READ_BAD:
			fprintf(stderr, "backend: %s\n", s->link.why);
			return false;
		}
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An h1_session in the client role as a back.  It notices by itself when the
 * server closes or speaks unasked while it rests.
 */

#include "upstream/h1_back.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct h1_back {
	struct back back; /* the first member: can_reuse() relies on it */
	struct h1_session *session;
	void (*changed)(struct back *b);
};

static struct h1_back *
h1_back_of(struct back *b)
{
	return CONTAINER_OF(b, struct h1_back, back);
}

static struct stream *
open_stream(struct back *b)
{
	b->streams_left = 0;
	return h1_session_stream(h1_back_of(b)->session);
}

static bool
can_reuse(const struct back *b)
{
	const struct h1_back *h = (const void *)b;

	return h1_session_can_reuse(h->session);
}

static void
on_closed(void *arg)
{
	struct h1_back *h = arg;

	h->changed(&h->back);
}

static void
watch(struct back *b, void (*changed)(struct back *b))
{
	struct h1_back *h = h1_back_of(b);

	b->streams_left = 1;
	h->changed = changed;
	h1_session_set_idle(h->session, on_closed, h);
}

static void
close_back(struct back *b)
{
	struct h1_back *h = h1_back_of(b);

	h1_session_free(h->session);
	back_fini(b);
	free(h);
}

static const struct back_ops ops = {
	.open = open_stream,
	.can_reuse = can_reuse,
	.watch = watch,
	.close = close_back,
};

struct back *
h1_back_new(struct reached *r, const struct http_limits *limits)
{
	struct h1_back *h = xcalloc(1, sizeof(*h));

	h->session = h1_session_new(r->wire, H1_CLIENT, limits);
	back_init(&h->back, &ops, r);
	h->back.streams_left = 1;
	return &h->back;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Queues of chunks, and rooms of heads.  A queue of few bytes takes a small
 * chunk, so that a hundred streams with a byte each do not cost a hundred big
 * ones.  All of them are base/spare's.
 */

#include "http/h2_store.h"

#include "base/spare.h"

#define SMALL ((size_t)1024)
/* As much as a frame of DATA usually has. */
#define BIG ((size_t)16 * 1024)

struct h2_chunk {
	struct h2_chunk *next;
	size_t from;
	size_t to;
	size_t cap;
	uint8_t bytes[];
};

_Static_assert(
    sizeof(struct h2_chunk) + BIG <= SPARE_BLOCK_MOST, "a chunk is not kept");

static struct h2_chunk *
take_chunk(size_t cap)
{
	struct h2_chunk *c = spare_alloc(sizeof(*c) + cap);

	*c = (struct h2_chunk){ .cap = cap };
	return c;
}

static size_t
fill(struct h2_chunk *c, struct str bytes)
{
	size_t n = c->cap - c->to;

	if (n > bytes.len)
		n = bytes.len;
	if (n > 0)
		memcpy(c->bytes + c->to, bytes.p, n);
	c->to += n;
	return n;
}

static void
append(struct h2_queue *q, struct h2_chunk *c)
{
	if (q->last != NULL)
		q->last->next = c;
	else
		q->first = c;
	q->last = c;
}

static void
end_loan(struct h2_queue *q)
{
	spare_free(q->lent);
	q->lent = NULL;
}

void
h2_queue_add(struct h2_queue *q, struct str bytes)
{
	size_t small = SMALL - sizeof(struct h2_chunk);

	end_loan(q);
	q->len += bytes.len;
	if (q->last != NULL)
		bytes = str_from(bytes, fill(q->last, bytes));
	while (bytes.len > 0) {
		append(q,
		    take_chunk(
			q->first == NULL && bytes.len <= small ? small : BIG));
		bytes = str_from(bytes, fill(q->last, bytes));
	}
}

struct span
h2_queue_take(struct h2_queue *q, size_t most)
{
	struct h2_chunk *c = q->first;
	struct span out = { .p = NULL };

	end_loan(q);
	if (c == NULL || most == 0)
		return out;
	out.p = c->bytes + c->from;
	out.len = c->to - c->from < most ? c->to - c->from : most;
	c->from += out.len;
	q->len -= out.len;
	if (c->from < c->to)
		return out;
	q->first = c->next;
	if (q->first == NULL)
		q->last = NULL;
	q->lent = c;
	return out;
}

void
h2_queue_clear(struct h2_queue *q)
{
	struct h2_chunk *c;

	end_loan(q);
	while ((c = q->first) != NULL) {
		q->first = c->next;
		spare_free(c);
	}
	*q = (struct h2_queue){ .first = NULL };
}

size_t
h2_queue_held(const struct h2_queue *q)
{
	const struct h2_chunk *c;
	size_t held = q->lent != NULL ? q->lent->cap : 0;

	for (c = q->first; c != NULL; c = c->next)
		held += c->cap;
	return held;
}

struct h2_room *
h2_room_take(size_t n, size_t bytes)
{
	struct h2_room *r =
	    spare_alloc(sizeof(*r) + n * sizeof(struct field) + bytes);

	r->next = NULL;
	head_init(&r->head);
	r->head.fields = r->fields;
	r->head.n_fields = n;
	return r;
}

char *
h2_room_bytes(struct h2_room *r)
{
	return (void *)(r->fields + r->head.n_fields);
}

void
h2_room_give(struct h2_room *r)
{
	spare_free(r);
}

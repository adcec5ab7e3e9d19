/* SPDX-License-Identifier: Apache-2.0 */
/* See ours.h. */

#include "differential/ours.h"

#include <assert.h>

#include "http/h1_body.h"
#include "http/h1_parse.h"

const struct http_limits ours_limits = {
	.head_bytes = 61440, .fields = 100, .trailer_bytes = 8192
};

/* As a session has it. */
#define INTERIMS_MOST 16

/* What was taken, and all that may be added to it. */
static const struct http_limits sent_limits = {
	.head_bytes = 65536, .fields = HEAD_FIELDS_MAX, .trailer_bytes = 16384
};

struct reader {
	const struct http_limits *limits;
	struct reading *out;
	const struct pieces *in;
	const struct stream_kind *kind;
	size_t piece; /* cuts[piece] is how far the bytes have come */
	size_t at;
	unsigned interims;
	struct field fields[HEAD_FIELDS_MAX];
	struct head head;
	struct text trailers;
};

static struct str
available(const struct reader *r)
{
	return str_from(str_first(r->in->bytes, r->in->cuts[r->piece]), r->at);
}

/* False: there is no more. */
static bool
next_piece(struct reader *r)
{
	if (r->piece + 1 == r->in->n)
		return false;
	r->piece++;
	return true;
}

static void
add_fields(struct reading *r, struct fields *out, const struct head *h)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (!h->fields[i].is_removed)
			reading_field(
			    r, out, h->fields[i].name, h->fields[i].value);
}

struct message *
ours_add_head(struct reading *r, const struct head *h, struct str target)
{
	struct message *m = reading_add(r);

	if (m == NULL)
		return NULL;
	m->method = arena_str(&r->arena, h->method);
	m->target = arena_str(&r->arena, target);
	m->status = h->status;
	m->closes = h->wants_close;
	add_fields(r, &m->fields, h);
	return m;
}

void
ours_add_trailers(
    struct reading *r, struct message *m, const struct head *trailers)
{
	add_fields(r, &m->trailers, trailers);
}

/* What stands between the first two spaces of the head. */
static struct str
target_of(struct str head)
{
	while (head.len > 0 && (head.p[0] == '\r' || head.p[0] == '\n'))
		head = str_from(head, 1);
	(void)str_cut(&head, ' ');
	return str_cut(&head, ' ');
}

static enum h1_status
parse_head(struct reader *r, size_t *scanned, size_t *used)
{
	struct str bytes = available(r);

	if (r->kind->is_requests)
		return h1_parse_request(
		    bytes, r->limits, scanned, r->fields, &r->head, used);
	return h1_parse_response(bytes, r->limits, scanned,
	    r->kind->answers_head, r->fields, &r->head, used);
}

/* NULL: no head, the reading says why. */
static struct message *
read_head(struct reader *r)
{
	static const char *const words[] = { "", "", "bad", "no Host",
		"too large", "version", "not implemented" };
	enum h1_status s;
	size_t scanned = 0, used;
	struct str head;

	do {
		s = parse_head(r, &scanned, &used);
	} while (s == H1_MORE && next_piece(r));
	if (s == H1_MORE && r->kind->ends)
		reading_refuse(r->out, 0, "cut");
	if (s == H1_MORE)
		return NULL;
	if (s != H1_OK) {
		reading_refuse(r->out, (int)s, words[s]);
		return NULL;
	}
	head = str_first(available(r), used);
	r->at += used;
	return ours_add_head(r->out, &r->head,
	    r->kind->is_requests ? target_of(head) : STR_NONE);
}

static bool
read_trailers(struct reader *r, struct message *m)
{
	enum h1_status s = h1_parse_trailers(
	    text_str(&r->trailers), r->limits, r->fields, &r->head);

	if (s != H1_OK) {
		reading_refuse(r->out, (int)s, "trailers");
		return false;
	}
	ours_add_trailers(r->out, m, &r->head);
	return true;
}

/* Enough that a limit is met in some piece, and too little to be generous. */
#define CREDIT 97

static enum h1_body_status
decode(struct reader *r, struct message *m, struct h1_body *b)
{
	enum h1_body_status s;
	struct str data;
	size_t used;

	do {
		s = h1_body_next(b, available(r), CREDIT, r->limits, &data,
		    &used, &r->trailers);
		text_add(&m->body, data);
		r->at += used;
	} while (s == H1_BODY_DATA || (s == H1_BODY_MORE && next_piece(r)));
	return s;
}

/* True: to its end. */
static bool
read_body(struct reader *r, struct message *m)
{
	enum h1_body_status s;
	struct h1_body b;

	h1_body_init(&b, &r->head);
	text_clear(&r->trailers);
	s = decode(r, m, &b);
	if (s == H1_BODY_BAD)
		reading_refuse(r->out, (int)H1_BAD, "body");
	if (s == H1_BODY_MORE && r->kind->ends) {
		if (h1_body_eof(&b))
			return true;
		reading_refuse(r->out, 0, "cut");
	}
	return s == H1_BODY_END && read_trailers(r, m);
}

/* True: there may be another. */
static bool
read_message(struct reader *r)
{
	struct message *m = read_head(r);
	bool is_interim;

	if (m == NULL)
		return false;
	is_interim = m->status >= 100 && m->status < 200;
	if (is_interim && ++r->interims > INTERIMS_MOST) {
		reading_refuse(r->out, 0, "interim answers");
		r->out->n--;
		return false;
	}
	if (m->status == 101) {
		r->out->ending = READING_SWITCHED;
		return false;
	}
	if (!read_body(r, m))
		return false;
	m->is_whole = true;
	m->end = r->at;
	if (m->closes)
		r->out->ending = READING_CLOSED;
	return r->kind->is_requests ? !m->closes : is_interim;
}

void
ours_read(
    struct reading *out, const struct pieces *p, const struct stream_kind *kind)
{
	struct reader r = { .out = out, .in = p, .kind = kind };

	r.limits = kind->is_sent ? &sent_limits : &ours_limits;

	reading_init(out);
	while (read_message(&r))
		;
	text_free(&r.trailers);
}

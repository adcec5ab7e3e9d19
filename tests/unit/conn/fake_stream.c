/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_stream.h. */

#include "unit/conn/fake_stream.h"

#include <criterion/criterion.h>
#include <stdarg.h>

#include "upstream/cluster_state.h"
#include "upstream/pool.h"

static struct fake_stream *
fake_of(struct stream *st)
{
	return CONTAINER_OF(st, struct fake_stream, st);
}

static struct fake_step *
now(struct fake_stream *f)
{
	static struct fake_step nothing = { .kind = FAKE_NOTHING };

	while (f->at < f->n_steps && f->steps[f->at].kind == FAKE_ASKED &&
	       f->has_ended)
		f->at++;
	return f->at < f->n_steps ? &f->steps[f->at] : &nothing;
}

/* What is the same for heads and bodies. */
static enum pull
pull_other(struct fake_stream *f, const struct fake_step *s)
{
	switch (s->kind) {
	case FAKE_NOTHING:
	case FAKE_ASKED:
		return PULL_WAIT;
	case FAKE_WAIT:
		f->at++;
		return PULL_WAIT;
	case FAKE_END:
		return PULL_END;
	case FAKE_FAIL:
		f->st.error = s->error;
		return PULL_FAIL;
	case FAKE_HEAD:
	case FAKE_DATA:
		break;
	}
	cr_assert_fail("step %zu is not what was asked for", f->at);
	return PULL_FAIL;
}

static enum pull
pull_head(struct stream *st, struct head **out)
{
	struct fake_stream *f = fake_of(st);
	struct fake_step *s = now(f);

	cr_assert_eq(f->releases, 0, "used after its release");
	*out = NULL;
	if (s->kind != FAKE_HEAD)
		return pull_other(f, s);
	f->at++;
	*out = &s->head->h;
	return PULL_DATA;
}

static size_t
fill_piece(struct fake_stream *f, const struct fake_step *s, size_t credit)
{
	size_t n = s->n - f->taken;

	if (n > credit)
		n = credit;
	if (n > sizeof(f->piece))
		n = sizeof(f->piece);
	if (s->data != NULL)
		memcpy(f->piece, s->data + f->taken, n);
	else
		memset(f->piece, 'x', n);
	return n;
}

static enum pull
pull_body(struct stream *st, size_t credit, struct span *out)
{
	struct fake_stream *f = fake_of(st);
	const struct fake_step *s = now(f);
	size_t n;

	cr_assert_eq(f->releases, 0, "used after its release");
	if (s->kind != FAKE_DATA)
		return pull_other(f, s);
	if (credit == 0)
		return PULL_WAIT;
	n = fill_piece(f, s, credit);
	f->taken += n;
	if (f->taken == s->n) {
		f->taken = 0;
		f->at++;
	}
	st->bytes_in += n;
	*out = (struct span){ .p = f->piece, .len = n };
	return PULL_DATA;
}

static const struct head *
trailers(struct stream *st)
{
	struct fake_stream *f = fake_of(st);

	cr_assert_eq(now(f)->kind, FAKE_END, "asked for before the end");
	return f->trailers != NULL ? &f->trailers->h : NULL;
}

static void
write_fields(struct text *out, const struct field *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!v[i].is_removed)
			text_addf(out, "%.*s: %.*s\n", STR_ARG(v[i].name),
			    STR_ARG(v[i].value));
}

static void
write_head(struct text *out, const struct head *h)
{
	if (h->is_request)
		text_addf(out, "%.*s %.*s\nhost: %.*s\n", STR_ARG(h->method),
		    STR_ARG(h->path), STR_ARG(h->authority));
	else
		text_addf(out, "%u\n", (unsigned)h->status);
	if (h->wants_close)
		text_add_z(out, "connection: close\n");
	write_fields(out, h->fields, h->n_fields);
	write_fields(out, h->added, h->n_added);
}

static void
push_head(struct stream *st, const struct head *h, bool is_end)
{
	struct fake_stream *f = fake_of(st);

	cr_assert_eq(f->releases, 0, "used after its release");
	cr_assert_not(f->is_in_body, "a second head");
	write_head(&f->got, h);
	if (!h->is_request && h->status < 200 && h->body != BODY_TUNNEL) {
		cr_assert_not(is_end, "an interim answer is no end");
		text_add_z(&f->got, "\n");
		return;
	}
	f->is_in_body = !is_end;
	f->has_ended = is_end;
	text_add_z(&f->got, is_end ? "END\n" : "\n");
	f->is_broken |= f->breaks_on_write;
}

static void
push_body(struct stream *st, struct str bytes)
{
	struct fake_stream *f = fake_of(st);

	cr_assert_eq(f->releases, 0, "used after its release");
	cr_assert(f->is_in_body, "a body without its head");
	cr_assert_leq(bytes.len, f->credit, "more than was granted");
	text_add(&f->got, bytes);
	st->bytes_out += bytes.len;
}

static void
push_end(struct stream *st, const struct head *t)
{
	struct fake_stream *f = fake_of(st);

	cr_assert(f->is_in_body, "an end without a beginning");
	text_add_z(&f->got, "\nEND\n");
	if (t != NULL)
		write_fields(&f->got, t->fields, t->n_fields);
	f->is_in_body = false;
	f->has_ended = true;
}

static void
flush(struct stream *st)
{
	struct fake_stream *f = fake_of(st);

	cr_assert_eq(f->releases, 0, "used after its release");
	f->flushes++;
	if (f->is_broken && !f->keeps_quiet && st->error == STREAM_OK)
		st->error = STREAM_RESET;
}

static size_t
can_push(const struct stream *st)
{
	/* The stream is its first member. */
	const struct fake_stream *f = (const void *)st;

	if (f->is_broken)
		return 0;
	if (*f->blocked > 0) {
		(*f->blocked)--;
		return 0;
	}
	return f->credit;
}

static void
release(struct stream *st, bool is_whole)
{
	struct fake_stream *f = fake_of(st);

	f->releases++;
	f->was_whole = is_whole;
}

static const struct stream_ops ops = {
	.pull_head = pull_head,
	.pull_body = pull_body,
	.trailers = trailers,
	.push_head = push_head,
	.push_body = push_body,
	.push_end = push_end,
	.flush = flush,
	.can_push = can_push,
	.release = release,
};

void
fake_stream_init(struct fake_stream *f)
{
	*f = (struct fake_stream){
		.st = { .ops = &ops },
		.credit = 65536,
		.got = TEXT_EMPTY,
	};
	f->blocked = &f->blocked_calls;
	text_add_z(&f->got, "");
}

void
fake_stream_fini(struct fake_stream *f)
{
	text_free(&f->got);
}

void
fake_add(struct fake_stream *f, struct fake_step step)
{
	cr_assert_lt(f->n_steps, FAKE_STEPS);
	f->steps[f->n_steps++] = step;
}

void
fake_head_in(struct fake_stream *f, struct fake_head *h)
{
	fake_add(f, (struct fake_step){ .kind = FAKE_HEAD, .head = h });
}

void
fake_data(struct fake_stream *f, const char *data)
{
	fake_add(f, (struct fake_step){
			.kind = FAKE_DATA, .data = data, .n = strlen(data) });
}

void
fake_asked(struct fake_stream *f)
{
	fake_add(f, (struct fake_step){ .kind = FAKE_ASKED });
}

void
fake_filler(struct fake_stream *f, size_t n)
{
	fake_add(f, (struct fake_step){ .kind = FAKE_DATA, .n = n });
}

void
fake_end(struct fake_stream *f)
{
	fake_add(f, (struct fake_step){ .kind = FAKE_END });
}

void
fake_fail(struct fake_stream *f, enum stream_error e)
{
	fake_add(f, (struct fake_step){ .kind = FAKE_FAIL, .error = e });
}

void
fake_add_waits(struct fake_stream *f, unsigned mask)
{
	struct fake_step old[FAKE_STEPS];
	size_t n = f->n_steps;

	memcpy(old, f->steps, sizeof(old));
	f->n_steps = 0;
	for (size_t i = 0; i < n; i++) {
		if (mask >> i & 1)
			fake_add(f, (struct fake_step){ .kind = FAKE_WAIT });
		fake_add(f, old[i]);
	}
}

static void
add_fields(struct fake_head *h, va_list ap)
{
	const char *name;

	h->h.fields = h->fields;
	while ((name = va_arg(ap, const char *)) != NULL) {
		struct field *f = &h->fields[h->h.n_fields++];

		cr_assert_leq(h->h.n_fields, FAKE_FIELDS);
		*f = (struct field){ .id = field_id_of(str_of(name)),
			.name = str_of(name),
			.value = str_of(va_arg(ap, const char *)) };
	}
}

void
fake_request(struct fake_head *h, const char *method, const char *path, ...)
{
	va_list ap;

	head_init(&h->h);
	h->h.is_request = true;
	h->h.method = str_of(method);
	h->h.path = str_of(path);
	h->h.authority = STR("asked.example");
	h->h.has_host = true;
	va_start(ap, path);
	add_fields(h, ap);
	va_end(ap);
}

void
fake_response(struct fake_head *h, unsigned status, ...)
{
	va_list ap;

	head_init(&h->h);
	h->h.status = (uint16_t)status;
	va_start(ap, status);
	add_fields(h, ap);
	va_end(ap);
}

/* The connection that holds such a stream. */

static struct fake_back *
back_of(struct back *b)
{
	return CONTAINER_OF(b, struct fake_back, back);
}

static struct stream *
open_stream(struct back *b)
{
	struct fake_back *f = back_of(b);

	f->opened++;
	b->streams_left--;
	return &f->stream.st;
}

static bool
can_reuse(const struct back *b)
{
	/* The back is its first member. */
	const struct fake_back *f = (const void *)b;

	return !f->is_spent && (f->stream.releases == 0 || f->stream.was_whole);
}

static void
watch(struct back *b, void (*changed)(struct back *))
{
	(void)changed;
	b->streams_left = 1;
}

static struct str
failure(const struct back *b)
{
	/* The back is its first member. */
	const struct fake_back *f = (const void *)b;

	return str_of(f->failure);
}

static void
close_back(struct back *b)
{
	struct fake_back *f = back_of(b);

	cr_assert_not(f->is_closed, "closed twice");
	f->is_closed = true;
	cluster_guard_release(&b->guard);
}

static const struct back_ops back_ops = {
	.open = open_stream,
	.can_reuse = can_reuse,
	.watch = watch,
	.failure = failure,
	.close = close_back,
};

void
fake_back_init(struct fake_back *b)
{
	*b = (struct fake_back){ .back = {
				     .ops = &back_ops, .streams_left = 1 } };
	fake_stream_init(&b->stream);
	b->stream.keeps_quiet = true;
}

void
fake_back_pool(struct fake_back *b, struct cluster *c, size_t i, bool is_used)
{
	b->back.guard = cluster_guard_hold(c, c->local.v[i], NULL);
	cr_assert(pool_rest(&c->all->pool, &b->back));
	pool_put(&c->all->pool, &b->back);
	b->back.is_used = is_used;
}

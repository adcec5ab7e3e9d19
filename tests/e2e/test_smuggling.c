/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The corpus of known tricks (tests/differential/corpus) through the real
 * daemon: a request is refused, the connection closed and the server none the
 * wiser, or it is forwarded as exactly one; and no answer becomes two.
 */

#include <string.h>

#include "e2e/peers.h"
#include "http/h1_parse.h"
#include "support/tricks.h"

static void
load(struct tricks *t, const char *path)
{
	size_t line;

	cr_assert(tricks_read(t, path, &line), "%s:%zu", path, line);
}

/* What a server was told, on all of its connections. */
struct told {
	size_t heads;
	size_t whole;   /* messages, to their end */
	bool is_broken; /* what came was no HTTP */
};

static void
add_message(struct told *t, const struct message *m)
{
	const char *path = message_field(m, ":path");

	t->heads += m->has_head;
	t->whole += m->ended && !m->was_reset;
	/* Only the bodies of tricks ask for it. */
	if (path != NULL && strcmp(path, "/admin") == 0)
		t->is_broken = true;
	if (m->has_head && message_count(m, ":authority") != 1)
		t->is_broken = true;
}

static struct told
told_to(const struct server *s)
{
	struct told t = { 0 };

	for (size_t i = 0; i < s->n_came; i++) {
		const struct party *p = &s->came[i];

		if (p->h2 != NULL) {
			for (size_t k = 0; k < p->h2->n_talks; k++)
				add_message(&t, p->h2->talks[k]->in);
			t.is_broken |= *p->h2->wrong != '\0';
			continue;
		}
		for (size_t k = 0; k < p->h1->n; k++)
			add_message(&t, p->h1->v[k]);
		t.is_broken |= p->h1->reading == H1_BROKEN;
	}
	return t;
}

static size_t
count_answers(const struct h1_peer *p)
{
	size_t n = 0;

	while (n < p->n && p->v[n]->ended)
		n++;
	return n;
}

/* Its head is one; what is wrong comes later. */
static bool
has_good_head(const struct trick *t)
{
	static const struct http_limits limits = {
		.head_bytes = 61440, .fields = 100, .trailer_bytes = 8192
	};
	struct field fields[HEAD_FIELDS_MAX];
	size_t scanned = 0, used;
	struct head h;

	return h1_parse_request(text_str(&t->bytes), &limits, &scanned, fields,
		   &h, &used) == H1_OK;
}

static bool
is_upgrade(const struct trick *t)
{
	return memmem(t->bytes.p, t->bytes.len, "\r\nUpgrade:", 10) != NULL;
}

/* The bytes, all that is answered, and the end if there is to be one. */
static void
play(struct rig *r, struct h1_peer *p, const struct trick *t)
{
	size_t answers = t->messages + (t->status != 0);

	bytes_add(&p->line->out, t->bytes.p, t->bytes.len);
	cr_expect(UNTIL(r, count_answers(p) >= answers &&
			       (t->status == 0 || p->line->end != LINE_OPEN)),
	    "%.*s: %zu answers, %s", STR_ARG(t->name), count_answers(p),
	    p->line->end == LINE_OPEN ? "and open" : "and closed");
	cr_expect_eq(count_answers(p), answers, "%.*s: %zu answers",
	    STR_ARG(t->name), count_answers(p));
}

static void
check_answers(const struct h1_peer *p, const struct trick *t)
{
	int fine = is_upgrade(t) ? 403 : 200;

	for (size_t i = 0; i < t->messages && i < count_answers(p); i++)
		cr_expect_eq(p->v[i]->status, fine, "%.*s: %d",
		    STR_ARG(t->name), p->v[i]->status);
	if (t->status == 0 || count_answers(p) <= t->messages)
		return;
	cr_expect_eq(p->v[t->messages]->status, (int)t->status, "%.*s: %d",
	    STR_ARG(t->name), p->v[t->messages]->status);
	cr_expect_neq(p->line->end, LINE_OPEN, "%.*s", STR_ARG(t->name));
}

/* What may reach the server: whole requests, and the begin of one. */
static size_t
whole_of(const struct trick *t)
{
	return is_upgrade(t) ? 0 : t->messages;
}

static size_t
begun_of(const struct trick *t)
{
	return t->status != 0 && has_good_head(t) ? 1 : 0;
}

static void
play_one(struct rig *r, const struct trick *t)
{
	struct h1_peer *p = call_h1(r, "api");

	play(r, p, t);
	check_answers(p, t);
	line_close(p->line);
}

/* None of these is any business of the server's. */
static void
play_bad_heads(struct rig *r, const struct server *s, const struct tricks *all)
{
	for (size_t i = 0; i < all->n; i++) {
		if (whole_of(&all->v[i]) + begun_of(&all->v[i]) > 0)
			continue;
		play_one(r, &all->v[i]);
		cr_expect_eq(s->n_came, 0, "%.*s: the server was called",
		    STR_ARG(all->v[i].name));
	}
}

/*
 * A server may learn of a head whose body turned out bad when the caller has
 * its answer already, so these are only counted together.
 */
static void
play_others(struct rig *r, const struct server *s, const struct tricks *all)
{
	size_t whole = 0, heads = 0;

	for (size_t i = 0; i < all->n; i++) {
		const struct trick *t = &all->v[i];
		struct told now;

		if (whole_of(t) + begun_of(t) == 0)
			continue;
		play_one(r, t);
		whole += whole_of(t);
		heads += whole_of(t) + begun_of(t);
		now = told_to(s);
		cr_expect_not(now.is_broken, "%.*s", STR_ARG(t->name));
		cr_expect_eq(now.whole, whole, "%.*s: %zu requests forwarded",
		    STR_ARG(t->name), now.whole);
		cr_expect_leq(now.heads, heads, "%.*s: %zu heads forwarded",
		    STR_ARG(t->name), now.heads);
	}
}

static void
play_requests(const char *protocol, const struct server_options *o)
{
	struct tricks all;
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, protocol, o);

	load(&all, "differential/corpus/requests");
	play_bad_heads(&r, s, &all);
	play_others(&r, s, &all);
	tricks_free(&all);
	rig_end(&r);
}

Test(smuggling, requests_to_http_1)
{
	play_requests("http", &(struct server_options){ .is_h1 = true });
}

/* In the other version a length or an end is told by other means. */
Test(smuggling, requests_to_http_2)
{
	play_requests("http2", &(struct server_options){ .is_h1 = false });
}

/* The server's connection that waits for an answer, once it is there. */
static struct h1_peer *
asked(struct server *s, size_t from)
{
	for (size_t i = from; i < s->n_came; i++)
		if (s->came[i].h1->n > 0 && s->came[i].h1->v[0]->ended &&
		    !s->came[i].h1->line->finishes)
			return s->came[i].h1;
	return NULL;
}

static void
give(struct h1_peer *p, const struct trick *t)
{
	bytes_add(&p->line->out, t->bytes.p, t->bytes.len);
	p->line->finishes = true;
}

/* A request that is asked again gets the same. */
static bool
answer_all(struct server *s, size_t from, const struct trick *t,
    const struct message *m, const struct h1_peer *caller)
{
	struct h1_peer *p;

	while ((p = asked(s, from)) != NULL)
		give(p, t);
	return m->ended || caller->line->end != LINE_OPEN;
}

static void
check_answer(
    const struct h1_peer *p, const struct message *m, const struct trick *t)
{
	cr_expect_eq(p->n, 1, "%.*s: %zu answers", STR_ARG(t->name), p->n);
	cr_expect_neq(p->reading, H1_BROKEN, "%.*s", STR_ARG(t->name));
	if (t->messages == 1) {
		cr_expect(m->ended, "%.*s: cut", STR_ARG(t->name));
		cr_expect_lt(
		    m->status, 500, "%.*s: %d", STR_ARG(t->name), m->status);
		return;
	}
	/* What was passed on already cannot be taken back, but cut. */
	cr_expect(!m->ended || m->status == 502 || m->status == 503,
	    "%.*s: %d, whole", STR_ARG(t->name), m->status);
}

Test(smuggling, answers)
{
	struct tricks all;
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http",
	    &(struct server_options){ .is_h1 = true, .is_manual = true });

	load(&all, "differential/corpus/responses");
	for (size_t i = 0; i < all.n; i++) {
		const struct trick *t = &all.v[i];
		struct h1_peer *p = call_h1(&r, "api");
		size_t from = s->n_came;
		struct message *m =
		    h1_ask(p, &(struct said){
				  .method = t->answers_head ? "HEAD" : "GET" });

		cr_expect(UNTIL(&r, answer_all(s, from, t, m, p)),
		    "%.*s: no answer and no end", STR_ARG(t->name));
		/* Whatever else would come of it. */
		lines_turn(&r.lines, 0);
		check_answer(p, m, t);
		line_close(p->line);
	}
	tricks_free(&all);
	rig_end(&r);
}

Test(smuggling, a_line_that_is_too_long)
{
	static const struct {
		const char *request;
		int status;
	} rows[] = {
		{ "GET /0123456789012345678901234567 HTTP/1.1\r\nHost: a\r\n"
		  "Connection: close\r\n\r\n",
		    200 },
		{ "GET /01234567890123456789012345678 HTTP/1.1\r\nHost: a\r\n"
		  "Connection: close\r\n\r\n",
		    431 },
		{ "GET / HTTP/1.1\r\nHost: a\r\n"
		  "X-Long: 01234567890123456789012345678901234567890123456789",
		    431 },
	};
	struct rig r;

	(void)rig_start_one(&r, "limits = { line_bytes = 42; };", "http",
	    &(struct server_options){ .is_h1 = true });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct h1_peer *p = call_h1(&r, "api");

		h1_say(p, rows[i].request);
		cr_assert(UNTIL(&r, p->line->end != LINE_OPEN), "row %zu", i);
		cr_assert_eq(count_answers(p), 1, "row %zu", i);
		cr_expect_eq(p->v[0]->status, rows[i].status, "row %zu: %d", i,
		    p->v[0]->status);
		line_close(p->line);
	}
	rig_end(&r);
}

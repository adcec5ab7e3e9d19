/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holds what we read in streams of HTTP/1.1 messages against what an
 * independent parser reads in them, and what we send on against both.  Says
 * its seed, and stops at the first difference; then SEED=… CASES=1 shows it
 * again.  Environment: SECONDS (3), SEED (the clock), CASES (no limit).  With
 * --dump the cases and what we read go to standard output, for other readers
 * (see llhttp.py), and nothing is compared.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "differential/check.h"
#include "differential/dice.h"
#include "differential/dump.h"
#include "differential/grammar.h"
#include "differential/ours.h"
#include "differential/theirs.h"
#include "support/tricks.h"

/* So that a corpus or grammar that is refused whole proves nothing. */
#define TAKEN_LEAST 5 /* one in so many messages */

struct totals {
	uint64_t cases;
	uint64_t bytes;
	uint64_t taken;   /* messages that we read whole */
	uint64_t refused; /* streams that we refused in the end */
	uint64_t sent;    /* messages that were sent on */
	uint64_t theirs;  /* messages that they read whole */
};

struct bench {
	struct tricks requests;
	struct tricks answers;
	struct gateway gateway;
	struct totals totals;
	bool dumps;
};

struct sample {
	struct text bytes;
	struct pieces pieces;
	struct stream_kind kind;
};

static uint64_t
number_of(const char *name, uint64_t otherwise)
{
	const char *s = getenv(name);
	uint64_t n;

	if (s == NULL || *s == '\0')
		return otherwise;
	if (str_to_u64(str_of(s), UINT64_MAX, &n))
		return n;
	fprintf(stderr, "differential: %s is not a number\n", name);
	exit(2);
}

static int
compare_cuts(const void *a, const void *b)
{
	const size_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Anywhere, or close to each other, or not at all. */
static void
cut(struct dice *d, struct pieces *p, struct str bytes)
{
	size_t near = dice_below(d, bytes.len + 1);
	size_t room = dice_one_in(d, 2) ? bytes.len + 1 : 16;

	p->bytes = bytes;
	p->n = 1 + dice_below(d, PIECES_MAX);
	for (size_t i = 0; i + 1 < p->n; i++) {
		p->cuts[i] = room == 16 ? near + dice_below(d, room)
					: dice_below(d, room);
		if (p->cuts[i] > bytes.len)
			p->cuts[i] = bytes.len;
	}
	p->cuts[p->n - 1] = bytes.len;
	qsort(p->cuts, p->n, sizeof(p->cuts[0]), compare_cuts);
}

/* A known one, if it is not of those that are only long. */
static bool
draw_trick(struct dice *d, const struct tricks *t, struct sample *s)
{
	const struct trick *k = &t->v[dice_below(d, t->n)];

	if (k->bytes.len > 8192)
		return false;
	text_add(&s->bytes, text_str(&k->bytes));
	s->kind.answers_head = k->answers_head;
	return true;
}

static void
draw(struct dice *d, const struct bench *b, struct sample *s)
{
	*s = (struct sample){ .bytes = TEXT_EMPTY };
	s->kind.is_requests = !dice_one_in(d, 3);
	if (s->kind.is_requests) {
		if (!dice_one_in(d, 4) || !draw_trick(d, &b->requests, s) ||
		    dice_one_in(d, 2))
			grammar_requests(d, &s->bytes);
	} else {
		s->kind.ends = true;
		s->kind.answers_head = dice_one_in(d, 6);
		if (!dice_one_in(d, 4) || !draw_trick(d, &b->answers, s))
			grammar_answer(d, &s->bytes);
	}
	if (dice_one_in(d, 4))
		grammar_mutate(d, &s->bytes);
	cut(d, &s->pieces, text_str(&s->bytes));
}

static const char *
run_gateway(struct bench *b, const struct sample *s, const struct reading *ours)
{
	struct passage p;
	const char *bad;

	if (s->kind.is_requests)
		gateway_requests(&b->gateway, &s->pieces, &p);
	else
		gateway_answer(&b->gateway, &s->pieces, &s->kind, &p);
	bad = check_session(ours, &p.in);
	if (bad == NULL)
		bad = check_sent(&p, &s->kind);
	b->totals.sent += p.n_sent;
	if (bad != NULL) {
		reading_print("the session", &p.in);
		for (size_t i = 0; i < p.n_sent; i++) {
			struct text t = TEXT_EMPTY;

			trick_print(text_str(&p.sent[i]), &t);
			printf("  sent on: %.*s\n", STR_ARG(text_str(&t)));
			text_free(&t);
		}
	}
	passage_fini(&p);
	return bad;
}

static const char *
run_whole(const struct sample *s, const struct reading *ours)
{
	struct pieces all = { .bytes = s->pieces.bytes,
		.cuts = { s->pieces.bytes.len },
		.n = 1 };
	struct reading whole;
	const char *bad;

	ours_read(&whole, &all, &s->kind);
	bad = check_pieces(ours, &whole, all.bytes);
	if (bad != NULL)
		reading_print("in one piece", &whole);
	reading_fini(&whole);
	return bad;
}

static void
print_sample(const struct sample *s)
{
	struct text t = TEXT_EMPTY;

	trick_print(text_str(&s->bytes), &t);
	printf("%s%s\n  %.*s\n  cut at",
	    s->kind.is_requests ? "requests" : "an answer",
	    s->kind.answers_head ? " to a HEAD" : "", STR_ARG(text_str(&t)));
	for (size_t i = 0; i < s->pieces.n; i++)
		printf(" %zu", s->pieces.cuts[i]);
	printf("\n");
	text_free(&t);
}

static void
count(struct bench *b, const struct sample *s, const struct reading *ours,
    const struct reading *theirs)
{
	b->totals.cases++;
	b->totals.bytes += s->bytes.len;
	b->totals.taken += reading_whole(ours);
	b->totals.theirs += reading_whole(theirs);
	b->totals.refused += ours->ending == READING_REFUSED;
}

/* False: a difference, which was printed. */
static bool
run(struct bench *b, uint64_t seed)
{
	struct dice d = { .state = seed };
	struct reading ours, theirs;
	const char *bad = NULL;
	struct sample s;

	draw(&d, b, &s);
	ours_read(&ours, &s.pieces, &s.kind);
	theirs_read(&theirs, &s.pieces, &s.kind);
	count(b, &s, &ours, &theirs);
	if (b->dumps) {
		dump(seed, text_str(&s.bytes), &s.kind, &ours);
	} else {
		bad = check_theirs(&ours, &theirs);
		if (bad == NULL)
			bad = run_whole(&s, &ours);
		if (bad == NULL)
			bad = run_gateway(b, &s, &ours);
	}
	if (bad != NULL) {
		print_sample(&s);
		reading_print("we", &ours);
		reading_print("they", &theirs);
		printf("differ in: %s\nSEED=%" PRIu64 " CASES=1\n", bad, seed);
	}
	reading_fini(&ours);
	reading_fini(&theirs);
	text_free(&s.bytes);
	return bad == NULL;
}

static void
load(struct tricks *t, const char *name)
{
	const char *top = getenv("TOP_SRCDIR");
	char path[4096];
	size_t line;

	(void)snprintf(path, sizeof(path), "%s/tests/differential/corpus/%s",
	    top != NULL ? top : ".", name);
	if (tricks_read(t, path, &line))
		return;
	fprintf(stderr, "differential: %s:%zu cannot be read\n", path, line);
	exit(2);
}

static bool
report(const struct bench *b, uint64_t ms)
{
	const struct totals *t = &b->totals;
	uint64_t messages = t->taken + t->refused;
	bool is_enough = t->taken * TAKEN_LEAST >= messages && t->taken > 0;

	printf("%" PRIu64 " streams, %" PRIu64 " bytes in %" PRIu64 " ms\n"
	       "%" PRIu64 " messages taken and read alike (%" PRIu64
	       " by them), %" PRIu64 " sent on, %" PRIu64 " refused\n",
	    t->cases, t->bytes, ms, t->taken, t->theirs, t->sent, t->refused);
	for (size_t i = 0; i < EXCEPTIONS; i++)
		printf("%" PRIu64 " times %s (%s)\n", exceptions[i].times,
		    exceptions[i].what, exceptions[i].reason);
	if (!is_enough)
		printf("too little of it was taken to prove anything\n");
	return is_enough;
}

int
main(int argc, char **argv)
{
	struct bench b = { .totals = { 0 } };
	uint64_t begun = clock_ms(), took = 0, n = 0, seed, most, ms;
	bool is_fine = true;

	b.dumps = argc > 1 && strcmp(argv[1], "--dump") == 0;
	ms = number_of("SECONDS", 3) * 1000;
	seed = number_of("SEED", (uint64_t)clock_wall_ms());
	most = number_of("CASES", UINT64_MAX);
	load(&b.requests, "requests");
	load(&b.answers, "responses");
	b.gateway.loop = loop_new();
	if (!b.dumps)
		printf("SEED=%" PRIu64 "\n", seed);
	for (; is_fine && n < most && took < ms; n++) {
		is_fine = run(&b, seed + n);
		took = clock_ms() - begun;
	}
	/* One case alone is somebody's question, and needs no mixture. */
	if (is_fine && !b.dumps && most > 1)
		is_fine = report(&b, took);
	loop_free(b.gateway.loop);
	tricks_free(&b.requests);
	tricks_free(&b.answers);
	return is_fine ? 0 : 1;
}

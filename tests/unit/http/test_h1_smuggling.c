/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The corpus of known tricks (tests/differential/corpus) through a session,
 * in various pieces: what is refused is refused at once, and what comes before
 * and after it is read as it stands.
 */

#include "support/tricks.h"
#include "unit/http/session_rig.h"

struct result {
	size_t messages; /* whole ones */
	enum stream_error error;
};

struct source {
	struct rig r;
	struct str left; /* to be sent */
	size_t piece;
	bool hangs_up; /* when all is sent */
};

/* False: there is nothing more to come. */
static bool
go_on(struct source *s)
{
	if (s->left.len == 0 && (!s->hangs_up || s->r.peer == -1))
		return false;
	if (s->left.len == 0)
		rig_hang_up(&s->r);
	else
		rig_send(&s->r, str_first(s->left, s->piece));
	s->left = str_from(s->left, s->piece);
	loop_turn(s->r.loop);
	return true;
}

/* One message; false: that was all. */
static bool
take_message(struct source *s, struct result *out)
{
	struct text body = TEXT_EMPTY;
	struct head *h = NULL;
	enum pull p;

	do {
		p = rig_pull_head(&s->r, &h);
	} while ((p == PULL_DATA && !h->is_request && h->status < 200) ||
		 (p == PULL_WAIT && go_on(s)));
	if (p == PULL_DATA)
		do
			p = rig_pull_body(&s->r, SIZE_MAX, &body);
		while (p == PULL_WAIT && go_on(s));
	text_free(&body);
	out->error = s->r.stream->error;
	out->messages += p == PULL_END;
	return p == PULL_END;
}

static struct result
read_requests(const struct trick *t, size_t piece)
{
	struct source s = { .left = text_str(&t->bytes), .piece = piece };
	struct result out = { 0 };
	bool goes_on;

	rig_open(&s.r, H1_SERVER);
	do {
		goes_on = take_message(&s, &out);
		if (goes_on) {
			rig_answer(&s.r, "");
			rig_release(&s.r, true);
			goes_on = h1_session_can_reuse(s.r.session);
			rig_next(&s.r);
		}
	} while (goes_on);
	cr_expect(out.error == STREAM_OK || !h1_session_can_reuse(s.r.session));
	rig_close(&s.r);
	return out;
}

static struct result
read_answer(const struct trick *t, size_t piece)
{
	struct source s = {
		.left = text_str(&t->bytes), .piece = piece, .hangs_up = true
	};
	struct result out = { 0 };

	rig_open(&s.r, H1_CLIENT);
	rig_ask(&s.r, t->answers_head ? "HEAD" : "GET");
	rig_turn(&s.r);
	(void)take_message(&s, &out);
	rig_close(&s.r);
	return out;
}

static unsigned
status_of(enum stream_error e)
{
	switch (e) {
	case STREAM_OK:
	case STREAM_IDLE_CLOSED:
		return 0;
	case STREAM_BAD_MESSAGE:
	case STREAM_NO_HOST:
		return 400;
	case STREAM_TOO_LARGE:
		return 431;
	case STREAM_VERSION:
		return 426;
	case STREAM_NOT_IMPLEMENTED:
		return 501;
	case STREAM_CLOSED_EARLY:
	case STREAM_CUT:
	case STREAM_RESET:
	case STREAM_REFUSED:
	case STREAM_PREFACE:
	case STREAM_LOOKS_TLS:
	case STREAM_WIRE:
		break;
	}
	return 1;
}

static void
load(struct tricks *t, const char *path)
{
	size_t line;

	cr_assert(tricks_read(t, path, &line), "%s:%zu", path, line);
}

/* Whole, byte by byte, and in pieces that cut everything somewhere. */
static const size_t pieces[] = { 1000000, 1, 7 };

Test(h1_smuggling, requests)
{
	struct tricks all;
	struct result got;

	load(&all, "differential/corpus/requests");
	for (size_t i = 0; i < all.n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			if (pieces[k] == 1 && all.v[i].bytes.len > 4096)
				continue;
			got = read_requests(&all.v[i], pieces[k]);
			cr_expect_eq(got.messages, all.v[i].messages,
			    "%.*s, pieces of %zu: %zu messages",
			    STR_ARG(all.v[i].name), pieces[k], got.messages);
			cr_expect_eq(status_of(got.error), all.v[i].status,
			    "%.*s, pieces of %zu: %s", STR_ARG(all.v[i].name),
			    pieces[k], stream_error_text(got.error));
		}
	}
	tricks_free(&all);
}

Test(h1_smuggling, answers)
{
	struct tricks all;
	struct result got;

	load(&all, "differential/corpus/responses");
	for (size_t i = 0; i < all.n; i++) {
		for (size_t k = 0; k < ARRAY_LEN(pieces); k++) {
			if (pieces[k] == 1 && all.v[i].bytes.len > 4096)
				continue;
			got = read_answer(&all.v[i], pieces[k]);
			cr_expect_eq(got.messages, all.v[i].messages,
			    "%.*s, pieces of %zu: %zu, %s",
			    STR_ARG(all.v[i].name), pieces[k], got.messages,
			    stream_error_text(got.error));
			cr_expect_eq(got.error == STREAM_OK,
			    all.v[i].status == 0, "%.*s, pieces of %zu: %s",
			    STR_ARG(all.v[i].name), pieces[k],
			    stream_error_text(got.error));
		}
	}
	tricks_free(&all);
}

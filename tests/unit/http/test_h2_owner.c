/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An owner may do what it likes when it is called: let streams go, begin new
 * ones, free the session.  Sanitizers say whether it survived.
 */

#include "unit/http/h2_rig.h"

static void
free_session(struct h2_owner *o)
{
	for (unsigned i = 0; i < o->n_streams; i++)
		h2_rig_release(o->streams[i], false);
	o->n_streams = 0;
	h2_session_free(o->session);
	o->session = NULL;
}

static void
free_at_once(struct h2_owner *o, struct stream *st)
{
	(void)st;
	free_session(o);
}

static void
put_streams(struct text *t, unsigned n)
{
	h2_put_preface(t);
	for (unsigned i = 0; i < n; i++) {
		h2_put_request(t, 1 + 2 * i, 0);
		h2_put_frame(t, H2_FRAME_DATA, 0, 1 + 2 * i, STR("body"));
	}
}

Test(h2_owner, frees_on_the_first_of_many_streams)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	r.server.act = free_at_once;
	put_streams(&t, 20);
	h2_rig_send(&r, &t);
	cr_expect_null(r.server.session);
	cr_expect(r.is_eof);
	h2_rig_close(&r);
	text_free(&t);
}

Test(h2_owner, frees_when_a_stream_is_ready)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	put_streams(&t, 20);
	h2_rig_send(&r, &t);
	cr_assert_eq(r.server.n_streams, 20);
	r.server.act = free_at_once;
	for (unsigned i = 0; i < 20; i++)
		h2_put_frame(&t, H2_FRAME_DATA, H2_FLAG_END_STREAM, 1 + 2 * i,
		    STR("end"));
	h2_rig_send(&r, &t);
	cr_expect_null(r.server.session);
	h2_rig_close(&r);
	text_free(&t);
}

static void
answer_then_free(struct h2_owner *o, struct stream *st)
{
	if (st == NULL)
		return;
	h2_rig_answer(st, 200, "bye");
	free_session(o);
}

/* Its turn was due, and comes when it is gone. */
Test(h2_owner, frees_after_it_pushed)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	r.server.act = answer_then_free;
	put_streams(&t, 3);
	h2_rig_send(&r, &t);
	cr_expect_null(r.server.session);
	h2_rig_close(&r);
	text_free(&t);
}

Test(h2_owner, frees_on_a_change)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	put_streams(&t, 5);
	h2_rig_send(&r, &t);
	r.server.act_on_change = free_session;
	h2_put_frame(&t, H2_FRAME_DATA, 0, 0, STR("breach"));
	h2_rig_send(&r, &t);
	cr_expect_null(r.server.session);
	h2_rig_close(&r);
	text_free(&t);
}

static void
release_all(struct h2_owner *o, struct stream *st)
{
	if (st != NULL)
		return;
	for (unsigned i = 0; i < o->n_streams; i++)
		h2_rig_release(o->streams[i], false);
	o->n_streams = 0;
}

Test(h2_owner, lets_all_streams_go_while_others_have_news)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	put_streams(&t, 20);
	h2_rig_send(&r, &t);
	r.server.act = release_all;
	r.server.ready = 0;
	for (unsigned i = 0; i < 20; i++)
		h2_put_frame(
		    &t, H2_FRAME_DATA, 0, 1 + 2 * i, STR("more of it"));
	h2_rig_send(&r, &t);
	cr_expect_eq(r.server.ready, 1);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	cr_expect_eq(r.server.counts[H2_TX_RESET], 20);
	h2_rig_close(&r);
	text_free(&t);
}

static void
ask_again(struct h2_owner *o, struct stream *st)
{
	struct stream **mine = o->arg;
	struct head h, *got;

	(void)st;
	if (o->ready > 50 || h2_rig_head(*mine, &got) != PULL_DATA)
		return;
	h2_rig_release(*mine, true);
	*mine = h2_rig_open_stream(o);
	h2_rig_request(&h, "GET", "/again");
	(*mine)->ops->push_head(*mine, &h, true);
	(*mine)->ops->flush(*mine);
}

static void
answer_at_once(struct h2_owner *o, struct stream *st)
{
	struct head *h;

	if (st == NULL)
		return;
	cr_expect_eq(h2_rig_head(st, &h), PULL_DATA);
	h2_rig_answer(st, 204, NULL);
	h2_rig_release(st, true);
	o->n_streams = 0;
}

/* One request after the other, each from inside the last one's answer. */
Test(h2_owner, asks_again_from_inside)
{
	struct stream *st;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	r.server.act = answer_at_once;
	r.client.act = ask_again;
	r.client.arg = &st;
	st = h2_rig_open_stream(&r.client);
	{
		struct head h;

		h2_rig_request(&h, "GET", "/");
		st->ops->push_head(st, &h, true);
		st->ops->flush(st);
	}
	for (int i = 0; i < 20; i++)
		h2_rig_turn(&r);
	cr_expect_gt(r.client.ready, 50);
	h2_rig_release(st, false);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	h2_rig_close(&r);
}

/* Nothing may come from inside a call of the owner. */
Test(h2_owner, is_not_called_from_inside_its_own_calls)
{
	struct stream *st;
	struct head h;
	struct h2_rig r;
	unsigned before;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	before = r.client.ready + r.client.changes;
	st = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "POST", "/");
	h.body = BODY_LENGTH;
	h.content_length = 1;
	st->ops->push_head(st, &h, false);
	st->ops->push_body(st, STR("far too much"));
	cr_expect_eq(r.client.ready + r.client.changes, before);
	h2_rig_turn(&r);
	cr_expect_gt(r.client.ready, 0);
	cr_expect_eq(h2_rig_head(st, &(struct head *){ NULL }), PULL_FAIL);
	before = r.client.ready + r.client.changes;
	h2_rig_release(st, false);
	h2_session_drain(r.client.session);
	cr_expect_eq(r.client.ready + r.client.changes, before);
	h2_rig_turn(&r);
	cr_expect_gt(r.client.ready + r.client.changes, before);
	h2_rig_close(&r);
}

/* A body that is not what the head promised is never ended in order. */
Test(h2_owner, pushes_less_than_promised)
{
	struct stream *st;
	struct head h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	st = h2_rig_ask(&r, "/");
	head_init(&h);
	h.status = 200;
	h.body = BODY_LENGTH;
	h.content_length = 10;
	r.server.streams[0]->ops->push_head(r.server.streams[0], &h, false);
	r.server.streams[0]->ops->push_body(r.server.streams[0], STR("short"));
	r.server.streams[0]->ops->push_end(r.server.streams[0], NULL);
	h2_rig_turn(&r);
	h2_rig_release(r.server.streams[0], false);
	h2_rig_turn(&r);
	cr_expect_eq(h2_rig_head(st, &(struct head *){ NULL }), PULL_FAIL);
	cr_expect_eq(st->error, STREAM_RESET);
	h2_rig_release(st, false);
	h2_rig_close(&r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Each abuse ends its connection; the same in measure, or explained, does not.
 */

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "unit/http/h2_rig.h"

/* Begins its streams here, so that they grow from attack to attack. */
struct attacker {
	struct text t;
	uint32_t next;
};

static void
put_headers(struct attacker *a, unsigned flags)
{
	h2_put_request(&a->t, a->next, flags);
	a->next += 2;
}

static void
rapid_reset(struct attacker *a)
{
	put_headers(a, H2_FLAG_END_STREAM);
	h2_put_frame(
	    &a->t, H2_FRAME_RST_STREAM, 0, a->next - 2, STR("\0\0\0\10"));
}

static void
reset_of_nothing(struct attacker *a)
{
	if (a->next == 1)
		rapid_reset(a);
	h2_put_frame(&a->t, H2_FRAME_RST_STREAM, 0, 1, STR("\0\0\0\10"));
}

static void
malformed(struct attacker *a)
{
	struct text p = TEXT_EMPTY;

	h2_put_field(&p, "x", STR("no request"));
	h2_put_frame(&a->t, H2_FRAME_HEADERS,
	    H2_FLAG_END_HEADERS | H2_FLAG_END_STREAM, a->next, text_str(&p));
	a->next += 2;
	text_free(&p);
}

/* Blocks of seven pieces: it is their number that counts. */
static void
continuations(struct attacker *a)
{
	h2_put_frame(
	    &a->t, H2_FRAME_HEADERS, H2_FLAG_END_STREAM, a->next, STR("\x82"));
	for (int i = 0; i < 7; i++)
		h2_put_frame(&a->t, H2_FRAME_CONTINUATION,
		    i == 6 ? H2_FLAG_END_HEADERS : 0, a->next, STR("\x87"));
	a->next += 2;
}

static void
endless_block(struct attacker *a)
{
	if (a->next == 1)
		h2_put_frame(&a->t, H2_FRAME_HEADERS, 0, 1, STR("\x82"));
	a->next = 3;
	h2_put_frame(&a->t, H2_FRAME_CONTINUATION, 0, 1, STR_NONE);
}

static void
settings(struct attacker *a)
{
	h2_put_frame(&a->t, H2_FRAME_SETTINGS, 0, 0, STR_NONE);
}

static void
windows_changed(struct attacker *a)
{
	h2_put_settings(&a->t, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
	    a->next++ % 2 == 0 ? 1000 : 2000);
}

static void
pings(struct attacker *a)
{
	h2_put_frame(&a->t, H2_FRAME_PING, 0, 0, STR("12345678"));
}

static void
open_once(struct attacker *a)
{
	if (a->next == 1)
		put_headers(a, 0);
}

static void
empty_data(struct attacker *a)
{
	open_once(a);
	h2_put_frame(&a->t, H2_FRAME_DATA, 0, 1, STR_NONE);
}

static void
padding_alone(struct attacker *a)
{
	open_once(a);
	h2_put_frame(&a->t, H2_FRAME_DATA, H2_FLAG_PADDED, 1, STR("\0"));
}

static void
tiny_data(struct attacker *a)
{
	open_once(a);
	h2_put_frame(&a->t, H2_FRAME_DATA, 0, 1, STR("x"));
}

static void
padded_tiny_data(struct attacker *a)
{
	open_once(a);
	h2_put_frame(&a->t, H2_FRAME_DATA, H2_FLAG_PADDED, 1,
	    STR("\10x\0\0\0\0\0\0\0\0"));
}

static void
priorities(struct attacker *a)
{
	h2_put_frame(&a->t, H2_FRAME_PRIORITY, 0, 1, STR("\0\0\0\0\1"));
}

static void
unknown_frames(struct attacker *a)
{
	h2_put_frame(&a->t, 0x42, 0, 0, STR("whatever"));
}

static void
priority_updates(struct attacker *a)
{
	h2_put_frame(&a->t, 0x10, 0, 0, STR("\0\0\0\1u=1"));
}

static void
window_updates(struct attacker *a)
{
	h2_put_frame(&a->t, H2_FRAME_WINDOW_UPDATE, 0, 0, STR("\0\0\0\1"));
}

static const struct attack {
	const char *what;
	void (*put)(struct attacker *a);
	unsigned steps; /* that are too many */
	enum h2_abuse abuse;
	const char *text; /* of what was too much */
	enum h2_event event;
} attacks[] = {
	{ "rapid reset", rapid_reset, 501, H2_ABUSE_RESETS, "limits.h2_resets",
	    H2_RESETS_FLOOD },
	{ "resets of what is gone", reset_of_nothing, 501, H2_ABUSE_RESETS,
	    "limits.h2_resets", H2_RESETS_FLOOD },
	{ "malformed requests", malformed, 501, H2_ABUSE_RESETS,
	    "limits.h2_resets", H2_RESETS_FLOOD },
	{ "CONTINUATION", continuations, 10, H2_ABUSE_CONTINUATIONS,
	    "limits.h2_continuations", H2_CONTINUATIONS_FLOOD },
	{ "one block for ever", endless_block, 9, H2_ABUSE_CONTINUATIONS,
	    "more than 8 CONTINUATION frames", H2_CONTINUATIONS_FLOOD },
	{ "SETTINGS", settings, 50, H2_ABUSE_SETTINGS, "limits.h2_settings",
	    H2_SETTINGS_FLOOD },
	{ "PING", pings, 101, H2_ABUSE_PINGS, "limits.h2_pings",
	    H2_PINGS_FLOOD },
	{ "empty DATA", empty_data, 101, H2_ABUSE_EMPTY_FRAMES,
	    "limits.h2_empty_frames", H2_EMPTY_FRAMES_FLOOD },
	{ "DATA of padding", padding_alone, 101, H2_ABUSE_EMPTY_FRAMES,
	    "limits.h2_empty_frames", H2_EMPTY_FRAMES_FLOOD },
	{ "tiny DATA", tiny_data, 5001, H2_ABUSE_TINY_FRAMES,
	    "limits.h2_tiny_frames", H2_TINY_FRAMES_FLOOD },
	{ "tiny DATA, padded", padded_tiny_data, 5001, H2_ABUSE_TINY_FRAMES,
	    "limits.h2_tiny_frames", H2_TINY_FRAMES_FLOOD },
	{ "PRIORITY", priorities, 501, H2_ABUSE_PRIORITIES,
	    "limits.h2_priorities", H2_PRIORITIES_FLOOD },
	{ "unknown frames", unknown_frames, 501, H2_ABUSE_PRIORITIES,
	    "limits.h2_priorities", H2_PRIORITIES_FLOOD },
	{ "PRIORITY_UPDATE", priority_updates, 501, H2_ABUSE_PRIORITIES,
	    "limits.h2_priorities", H2_PRIORITIES_FLOOD },
	{ "WINDOW_UPDATE", window_updates, 1001, H2_ABUSE_WINDOW_UPDATES,
	    "limits.h2_window_updates", H2_WINDOW_UPDATES_FLOOD },
	{ "initial windows", windows_changed, 1001, H2_ABUSE_WINDOW_UPDATES,
	    "limits.h2_window_updates", H2_WINDOW_UPDATES_FLOOD },
};

static void
open_server(struct h2_rig *r, struct attacker *a, const struct attack *x)
{
	*a = (struct attacker){ .t = TEXT_EMPTY, .next = 1 };
	clock_fake(1000, 0);
	h2_rig_init(r);
	/* A change of windows costs SETTINGS, too. */
	if (x != NULL && x->abuse == H2_ABUSE_WINDOW_UPDATES)
		r->limits.abuse[H2_ABUSE_SETTINGS] = 100000;
	h2_rig_open(r, H2_SERVER);
	h2_put_preface(&a->t);
	h2_rig_send(r, &a->t);
}

static void
release_failed(struct h2_rig *r)
{
	for (unsigned i = 0; i < r->server.n_streams; i++)
		h2_rig_release(r->server.streams[i], false);
	r->server.n_streams = 0;
}

static void
expect_ended(struct h2_rig *r, const struct attack *x)
{
	struct h2_session *s = r->server.session;
	struct str why = h2_session_end_text(s);

	cr_expect_eq(h2_session_state(s), H2_OVER, "%s", x->what);
	cr_expect_eq(h2_session_end(s), H2_END_ABUSE, "%s: %d %.*s", x->what,
	    h2_session_end(s), STR_ARG(why));
	cr_expect_not_null(memmem(why.p, why.len, x->text, strlen(x->text)),
	    "%s: '%.*s'", x->what, STR_ARG(why));
	cr_expect_eq(r->server.counts[x->event], 1, "%s", x->what);
	cr_expect_eq(r->server.counts[H2_GOAWAY_SENT], 1, "%s", x->what);
	cr_expect_eq(h2_rig_code(r, H2_FRAME_GOAWAY), NGHTTP2_ENHANCE_YOUR_CALM,
	    "%s", x->what);
	cr_expect_gt(r->server.changes, 0, "%s", x->what);
}

Test(h2_abuse, too_much_at_once)
{
	struct attacker a;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		open_server(&r, &a, &attacks[i]);
		for (unsigned n = 0; n < attacks[i].steps; n++) {
			attacks[i].put(&a);
			/* More than the limit of streams would be refused. */
			if (n % 50 == 0)
				h2_rig_send(&r, &a.t);
		}
		h2_rig_send(&r, &a.t);
		expect_ended(&r, &attacks[i]);
		/* Nothing is looked at any more. */
		put_headers(&a, H2_FLAG_END_STREAM);
		r.server.n_streams = 0;
		h2_rig_send(&r, &a.t);
		cr_expect_eq(r.server.n_streams, 0, "%s", attacks[i].what);
		h2_rig_close(&r);
		text_free(&a.t);
	}
	clock_unfake();
}

/* A tenth of the budget in each second, for a minute. */
Test(h2_abuse, the_same_in_measure)
{
	struct attacker a;
	struct h2_rig r;
	unsigned each;

	for (size_t i = 0; i < ARRAY_LEN(attacks); i++) {
		if (attacks[i].put == endless_block)
			continue;
		open_server(&r, &a, &attacks[i]);
		each = r.limits.abuse[attacks[i].abuse] / 11;
		if (attacks[i].abuse == H2_ABUSE_CONTINUATIONS)
			each = 1;
		for (uint64_t sec = 2; sec < 62; sec++) {
			clock_fake(sec * 1000, 0);
			for (unsigned n = 0; n < each; n++)
				attacks[i].put(&a);
			h2_rig_send(&r, &a.t);
			release_failed(&r);
		}
		cr_expect_eq(h2_session_state(r.server.session), H2_OPEN,
		    "%s: %.*s", attacks[i].what,
		    STR_ARG(h2_session_end_text(r.server.session)));
		cr_expect_eq(r.server.counts[attacks[i].event], 0);
		h2_rig_close(&r);
		text_free(&a.t);
	}
	clock_unfake();
}

/* Streams taken back at once are not even told to anybody. */
Test(h2_abuse, rapid_resets_do_not_reach_the_owner)
{
	struct attacker a;
	struct h2_rig r;

	open_server(&r, &a, NULL);
	for (int n = 0; n < 400; n++)
		rapid_reset(&a);
	h2_rig_send(&r, &a.t);
	cr_expect_leq(r.server.n_streams, 20, "%u", r.server.n_streams);
	release_failed(&r);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	h2_rig_close(&r);
	text_free(&a.t);
	clock_unfake();
}

/* Who cancels what was answered, or ends most streams in order, may go on. */
Test(h2_abuse, honest_cancels)
{
	struct attacker a;
	struct h2_rig r;

	open_server(&r, &a, NULL);
	for (int n = 0; n < 3000; n++) {
		put_headers(&a, H2_FLAG_END_STREAM);
		h2_rig_send(&r, &a.t);
		cr_assert_eq(r.server.n_streams, 1, "%d", n);
		h2_rig_answer(r.server.streams[0], 200, NULL);
		if (n % 2 == 0)
			h2_rig_release(r.server.streams[0], true);
		h2_rig_turn(&r);
		if (n % 2 == 0)
			rapid_reset(&a);
		else
			h2_rig_release(r.server.streams[0], true);
		r.server.n_streams = 0;
		h2_rig_send(&r, &a.t);
		release_failed(&r);
		text_clear(&r.got);
	}
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN, "%.*s",
	    STR_ARG(h2_session_end_text(r.server.session)));
	h2_rig_close(&r);
	text_free(&a.t);
	clock_unfake();
}

/*
 * A reader that tells of every 4 KiB, for stream and connection, and measures
 * the path with a PING for each frame: 40 MB of DATA in no time.
 */
Test(h2_abuse, a_diligent_reader)
{
	static const char zeros[16384];
	struct attacker a;
	struct stream *st;
	struct head h;
	struct h2_rig r;

	open_server(&r, &a, NULL);
	put_headers(&a, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &a.t);
	st = r.server.streams[0];
	head_init(&h);
	h.status = 200;
	h.body = BODY_STREAMED;
	st->ops->push_head(st, &h, false);
	for (int n = 0; n < 2500; n++) {
		cr_assert_geq(st->ops->can_push(st), sizeof(zeros), "%d", n);
		st->ops->push_body(st, (struct str){ zeros, sizeof(zeros) });
		st->ops->flush(st);
		for (int i = 0; i < 10; i++)
			loop_turn(r.loop);
		for (uint32_t i = 0; i < 8; i++)
			h2_put_frame(&a.t, H2_FRAME_WINDOW_UPDATE, 0, i % 2,
			    STR("\0\0\x10\0"));
		pings(&a);
		h2_rig_send(&r, &a.t);
		text_clear(&r.got);
	}
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN, "%.*s",
	    STR_ARG(h2_session_end_text(r.server.session)));
	cr_expect_eq(r.server.ready, 0, "it could push all the time");
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&a.t);
	clock_unfake();
}

/* Messages of gRPC have 5 bytes at least: as many as one likes. */
Test(h2_abuse, many_small_messages)
{
	struct text body = TEXT_EMPTY;
	struct attacker a;
	struct head *h;
	struct h2_rig r;

	open_server(&r, &a, NULL);
	put_headers(&a, 0);
	h2_rig_send(&r, &a.t);
	cr_assert_eq(h2_rig_head(r.server.streams[0], &h), PULL_DATA);
	for (int n = 0; n < 200; n++) {
		for (int i = 0; i < 100; i++)
			h2_put_frame(
			    &a.t, H2_FRAME_DATA, 0, 1, STR("\0\0\0\0\0"));
		h2_rig_send(&r, &a.t);
		cr_assert_eq(
		    h2_rig_body(r.server.streams[0], &body), PULL_WAIT);
	}
	cr_expect_eq(body.len, 100000);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	release_failed(&r);
	h2_rig_close(&r);
	text_free(&a.t);
	text_free(&body);
	clock_unfake();
}

/* Full frames of a big head: 200 heads of 20 KB each with a CONTINUATION. */
Test(h2_abuse, big_heads)
{
	static char big[20000];
	struct text p = TEXT_EMPTY;
	struct attacker a;
	struct head *h;
	struct h2_rig r;

	memset(big, 'x', sizeof(big));
	h2_put_get(&p);
	h2_put_field(&p, "x", (struct str){ big, sizeof(big) });
	open_server(&r, &a, NULL);
	for (int n = 0; n < 200; n++) {
		h2_put_frame(&a.t, H2_FRAME_HEADERS, H2_FLAG_END_STREAM, a.next,
		    str_first(text_str(&p), 16384));
		h2_put_frame(&a.t, H2_FRAME_CONTINUATION, H2_FLAG_END_HEADERS,
		    a.next, str_from(text_str(&p), 16384));
		a.next += 2;
		h2_rig_send(&r, &a.t);
		cr_assert_eq(r.server.n_streams, 1);
		cr_expect_eq(h2_rig_head(r.server.streams[0], &h), PULL_DATA);
		cr_expect_eq(h->fields[0].value.len, sizeof(big));
		h2_rig_answer(r.server.streams[0], 200, NULL);
		h2_rig_release(r.server.streams[0], true);
		r.server.n_streams = 0;
	}
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	h2_rig_close(&r);
	text_free(&a.t);
	text_free(&p);
	clock_unfake();
}

/* A field of 4000 bytes in the table, and then a byte for each time. */
Test(h2_abuse, an_hpack_bomb)
{
	static char big[4000], refs[16000];
	struct text p = TEXT_EMPTY;
	struct attacker a;
	struct str why;
	struct h2_rig r;

	memset(big, 'x', sizeof(big));
	/* The newest entry of the dynamic table: RFC 7541, section 2.3.3. */
	memset(refs, 0x80 | 62, sizeof(refs));
	open_server(&r, &a, NULL);
	h2_put_get(&p);
	h2_put_field(&p, "x", (struct str){ big, sizeof(big) });
	/* Indexed, unlike what h2_put_field() makes of it. */
	p.p[p.len - sizeof(big) - 6] = 0x40;
	text_add(&p, (struct str){ refs, 12000 });
	h2_put_frame(&a.t, H2_FRAME_HEADERS,
	    H2_FLAG_END_HEADERS | H2_FLAG_END_STREAM, 1, text_str(&p));
	h2_rig_send(&r, &a.t);
	cr_expect_eq(h2_session_end(r.server.session), H2_END_ABUSE);
	why = h2_session_end_text(r.server.session);
	cr_expect_not_null(memmem(why.p, why.len, "limits.head_bytes", 17));
	cr_expect_eq(r.server.counts[H2_HEADER_OVERFLOW], 1);
	cr_expect_eq(
	    h2_rig_code(&r, H2_FRAME_GOAWAY), NGHTTP2_ENHANCE_YOUR_CALM);
	cr_expect_eq(r.server.n_streams, 0);
	h2_rig_close(&r);
	text_free(&a.t);
	text_free(&p);
	clock_unfake();
}

/* Answers to what a peer sends without reading. */
Test(h2_abuse, answers_that_nobody_reads)
{
	struct attacker a;
	struct h2_rig r;
	int small = 4096;

	open_server(&r, &a, NULL);
	r.limits.abuse[H2_ABUSE_PINGS] = 10000000;
	cr_assert_eq(setsockopt(h2_session_wire(r.server.session)->fd,
			 SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)),
	    0);
	/* Unless it reads, which explains them. */
	for (int n = 0; n < 20; n++) {
		for (int i = 0; i < 1000; i++)
			pings(&a);
		r.limits.abuse[H2_ABUSE_PINGS] += 1;
		clock_fake(20000 + (uint64_t)n * 20000, 0);
		h2_rig_send(&r, &a.t);
		text_clear(&r.got);
	}
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN, "%.*s",
	    STR_ARG(h2_session_end_text(r.server.session)));
	for (int i = 0; i < 20000; i++)
		pings(&a);
	h2_rig_send_deaf(&r, &a.t);
	cr_expect_eq(h2_session_end(r.server.session), H2_END_ABUSE);
	cr_expect_eq(r.server.counts[H2_OUTBOUND_FLOOD], 1);
	cr_expect_leq(
	    wire_unsent(h2_session_wire(r.server.session)), 65536 * 2);
	h2_rig_close(&r);
	text_free(&a.t);
	clock_unfake();
}

/* A server may not do it to us either. */
Test(h2_abuse, by_a_server)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct head *h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_CLIENT);
	h2_put_frame(&t, H2_FRAME_SETTINGS, 0, 0, STR_NONE);
	h2_rig_send(&r, &t);
	st = h2_rig_ask(&r, "/");
	for (int i = 0; i < 101; i++)
		h2_put_frame(&t, H2_FRAME_PING, 0, 0, STR("12345678"));
	h2_rig_send(&r, &t);
	cr_expect_eq(h2_session_end(r.client.session), H2_END_ABUSE);
	cr_expect_eq(h2_rig_head(st, &h), PULL_FAIL);
	cr_expect_eq(st->error, STREAM_BAD_MESSAGE);
	cr_expect_eq(
	    h2_rig_code(&r, H2_FRAME_GOAWAY), NGHTTP2_ENHANCE_YOUR_CALM);
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&t);
}

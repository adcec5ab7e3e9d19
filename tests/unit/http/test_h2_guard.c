/* SPDX-License-Identifier: Apache-2.0 */
/* Walking from frame to frame, and budgets, without a session. */

#include <criterion/criterion.h>

#include "http/h2_guard.h"
#include "unit/http/h2_rig.h"

static void
print_walk(struct str in, size_t step, bool is_server, struct text *out)
{
	enum h2_walked walked = H2_WALK_MORE;
	struct h2_walk w;
	struct str piece;

	h2_walk_init(&w, is_server);
	while (in.len > 0 && walked != H2_WALK_ALIEN) {
		piece = str_first(in, step);
		in = str_from(in, piece.len);
		while ((walked = h2_walk_next(&w, &piece)) == H2_WALK_FRAME)
			text_addf(out, "%d/%x/%u/%zu%s ", w.frame.type,
			    w.frame.flags, w.frame.stream, w.frame.len,
			    w.is_in_block ? "(" : "");
		if (walked == H2_WALK_ALIEN)
			text_add_z(out, "alien");
	}
	text_addf(out, "%s%s", w.is_settled ? "settled" : "",
	    w.is_in_block ? " in block" : "");
}

static void
expect_walk(struct text *t, bool is_server, const char *want)
{
	static const size_t steps[] = { 1, 2, 7, 10000 };
	struct text got = TEXT_EMPTY;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		text_clear(&got);
		print_walk(text_str(t), steps[i], is_server, &got);
		cr_expect(str_eq(text_str(&got), str_of(want)),
		    "by %zu: '%.*s', not '%s'", steps[i],
		    STR_ARG(text_str(&got)), want);
	}
	text_clear(t);
	text_free(&got);
}

Test(h2_walk, the_same_in_pieces)
{
	struct text t = TEXT_EMPTY;

	h2_put_preface(&t);
	h2_put_frame(&t, H2_FRAME_HEADERS, 0, 1, STR("abc"));
	h2_put_frame(&t, H2_FRAME_CONTINUATION, 0, 1, STR_NONE);
	h2_put_frame(&t, H2_FRAME_CONTINUATION, H2_FLAG_END_HEADERS, 1,
	    STR("0123456789"));
	h2_put_frame(&t, 0xfa, 0xff, 0x7fffffff, STR("x"));
	expect_walk(&t, true,
	    "4/0/0/0 1/0/1/3( 9/0/1/0( 9/4/1/10( 10/ff/2147483647/1 settled");
	h2_put_frame(&t, H2_FRAME_SETTINGS, 0, 0, STR("abcdef"));
	h2_put_frame(&t, H2_FRAME_HEADERS, H2_FLAG_END_HEADERS, 1, STR("abc"));
	t.len--;
	expect_walk(&t, false, "4/0/0/6 1/4/1/3( settled in block");
	text_add_z(&t, "HTTP/1.1 200 OK\r\n\r\n");
	expect_walk(&t, false, "alien");
	text_add_z(&t, "GET / HTTP/1.1\r\n");
	expect_walk(&t, true, "alien");
	h2_put_frame(&t, H2_FRAME_SETTINGS, H2_FLAG_ACK, 0, STR_NONE);
	expect_walk(&t, false, "alien");
	text_free(&t);
}

static struct h2_limits
ten_each(void)
{
	struct h2_limits l = { .streams = 1 };

	for (int i = 0; i < H2_ABUSE_N; i++)
		l.abuse[i] = 10;
	return l;
}

/* How many in a row at this time. */
static unsigned
charges(struct h2_guard *g, enum h2_abuse a, uint64_t now_ms)
{
	unsigned n = 0;

	while (n < 100000 && h2_guard_charge(g, a, now_ms))
		n++;
	return n;
}

Test(h2_guard, a_budget_fills_up_again)
{
	struct h2_limits l = ten_each();
	struct h2_guard g;

	h2_guard_init(&g, &l, 5000);
	cr_expect_eq(charges(&g, H2_ABUSE_PINGS, 5000), 10);
	cr_expect_eq(g.broken, H2_ABUSE_PINGS);
	cr_expect_eq(charges(&g, H2_ABUSE_PINGS, 5999), 0);
	cr_expect_eq(charges(&g, H2_ABUSE_PINGS, 6000), 1);
	cr_expect_eq(charges(&g, H2_ABUSE_PINGS, 9000), 3);
	cr_expect_eq(charges(&g, H2_ABUSE_PINGS, 1000000), 10);
	cr_expect_eq(charges(&g, H2_ABUSE_RESETS, 1000000), 10, "its own");
}

Test(h2_guard, what_explains_what)
{
	struct h2_limits l = ten_each();
	struct h2_guard g;

	h2_guard_init(&g, &l, 0);
	h2_guard_sent_data(&g);
	cr_expect_eq(charges(&g, H2_ABUSE_WINDOW_UPDATES, 0), 18);
	cr_expect_eq(charges(&g, H2_ABUSE_PINGS, 0), 11);
	cr_expect_eq(charges(&g, H2_ABUSE_TINY_FRAMES, 0), 14);
	cr_expect_eq(charges(&g, H2_ABUSE_EMPTY_FRAMES, 0), 10);
	h2_guard_sent_ping(&g);
	cr_expect_eq(charges(&g, H2_ABUSE_PINGS, 0), 1);
	for (int i = 0; i < 100000; i++)
		h2_guard_sent_data(&g);
	cr_expect_eq(charges(&g, H2_ABUSE_WINDOW_UPDATES, 0), 65536);
	cr_expect_eq(charges(&g, H2_ABUSE_RESETS, 0), 10);
	for (int i = 0; i < 50; i++)
		h2_guard_stream_ended(&g);
	cr_expect_eq(charges(&g, H2_ABUSE_RESETS, 0), 10, "not saved up");
}

Test(h2_guard, options_have_their_names)
{
	cr_expect_str_eq(h2_abuse_option(H2_ABUSE_RESETS), "resets");
	cr_expect_str_eq(h2_abuse_option(H2_ABUSE_OUTBOUND), "outbound");
	cr_expect_eq(h2_abuse_event(H2_ABUSE_PINGS), H2_PINGS_FLOOD);
}

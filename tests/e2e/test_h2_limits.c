/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of time and size for requests of HTTP/2. */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

#define TIMES "limits = { head_ms = 200; stream_idle_ms = 200; };"

static const struct server_options manual = { .is_manual = true };

/* A field block that does not end is the connection's end. */
Test(h2_limits, a_slow_head)
{
	struct rig r;
	struct h2_peer *c;
	struct h2_talk *t;
	struct bytes b = { .n = 0 };

	(void)rig_start_one(&r, "limits = { head_ms = 200; };", "http2",
	    &(struct server_options){ .name = NULL });
	c = call_h2(&r, "api");
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	t = h2_open(c);
	h2_encode(c, ":method: GET\n", &b);
	h2_frame(c, FRAME_HEADERS, FLAG_NONE, t->id, b.p, b.n);
	bytes_free(&b);
	cr_expect(UNTIL(&r, c->line->end != LINE_OPEN));
	cr_expect(c->has_goaway);
	cr_expect_neq(c->goaway_code, CODE_NO_ERROR);
	cr_expect(has_outcome(r.w.e, "http_request_timeout", NULL));
	cr_expect_eq(egress_metric(r.w.e, "envoy_http2_head_timeout"), 1);
	rig_end(&r);
}

/* A preface that does not end, by ALPN or not; and silence after TLS. */
Test(h2_limits, a_slow_preface)
{
	static const struct {
		const char *alpn, *bytes;
	} rows[] = {
		{ "kuma", "PRI * HTTP/2.0\r\n" },
		{ "h2", "PRI * HTTP/2.0\r\n" },
		{ "h2", "" },
		{ "h2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" },
	};
	struct rig r;
	struct line *l[4];

	(void)rig_start_one(&r,
	    "limits = { head_ms = 200; http_idle_ms = 200; };", "http2",
	    &(struct server_options){ .name = NULL });
	for (size_t i = 0; i < 4; i++) {
		struct mesh_options o = caller(&r.w, "api");

		o.alpn = rows[i].alpn;
		l[i] = line_call(&r.lines, &o);
		cr_assert_not_null(l[i]);
		bytes_addf(&l[i]->out, "%s", rows[i].bytes);
	}
	for (size_t i = 0; i < 4; i++)
		cr_expect(UNTIL(&r, l[i]->end != LINE_OPEN), "row %zu", i);
	rig_end(&r);
}

/* A body that does not come, and a server that does not answer. */
Test(h2_limits, slow_streams)
{
	struct rig r;
	struct server *s = rig_start_one(&r, TIMES, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *body, *answer, *half;

	body = h2_ask(c, &(struct said){ .method = "POST",
			     .path = "/body",
			     .body = "x",
			     .stays_open = true });
	answer = h2_ask(c, &(struct said){ .path = "/answer" });
	half = h2_ask(c, &(struct said){ .path = "/half" });
	h2_answer(came_talk(came_h2(s, 0), &r, 2),
	    &(struct said){
		.status = 200, .body = "half", .stays_open = true });
	cr_expect(UNTIL(&r, body->in->was_reset || body->in->ended));
	cr_expect(UNTIL(&r, answer->in->ended));
	cr_expect_eq(answer->in->status, 504);
	cr_expect(UNTIL(&r, half->in->was_reset));
	cr_expect_not(half->in->ended);
	/* The server hears of each. */
	for (size_t i = 0; i < 3; i++)
		cr_expect(UNTIL(&r, came_h2(s, 0)->talks[i]->in->was_reset),
		    "%zu", i);
	cr_expect_eq(c->line->end, LINE_OPEN);
	cr_expect(has_outcome(r.w.e, "http_response_timeout", "/answer"));
	s->options.is_manual = false;
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	rig_end(&r);
}

/* Windows that never open: the stream ends, the connection stays. */
Test(h2_limits, a_slow_reader)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, TIMES, "http2", &(struct server_options){ .name = NULL });
	struct h2_peer *c = call_h2_with(
	    &r, "api", &(struct h2_options){ .keeps_windows = true });
	struct h2_talk *t =
	    h2_ask(c, &(struct said){ .path = "/bytes/1000000" });

	cr_expect(UNTIL(&r, t->in->was_reset));
	cr_expect_eq(t->in->n_body, 65535);
	cr_expect(UNTIL(&r, came_h2(s, 0)->talks[0]->in->was_reset));
	cr_expect_eq(came_h2(s, 0)->talks[0]->in->reset_code, CODE_CANCEL);
	h2_window(c, 0, 100000);
	cr_expect_eq(get_h2(&r, c, "/bytes/1000")->n_body, 1000);
	rig_end(&r);
}

#define REQUEST_MS                                                     \
	"services = ( { match = { service = \"api\"; }; request_ms = " \
	"200; } );"

static void
check_request_ms(bool caller_is_h2)
{
	struct rig r;
	struct server *s = rig_start_one(&r, REQUEST_MS, "http2", &manual);
	struct party p =
	    rig_call(&r, caller_is_h2 ? CALLER_H2_PREFACE : CALLER_H1, "api");
	struct message *m;
	struct h2_talk *there;

	m = party_ask(&p, &(struct said){ .path = "/none" });
	there = came_talk(came_h2(s, 0), &r, 0);
	cr_expect(UNTIL(&r, m->ended));
	cr_expect_eq(m->status, 504);
	cr_expect_str_eq(bytes_text(&m->body), "upstream request timeout");
	cr_expect(UNTIL(&r, there->in->was_reset));
	cr_expect_eq(there->in->reset_code, CODE_CANCEL);
	/* Bytes that move do not put it off. */
	m = party_ask(&p, &(struct said){ .path = "/slow" });
	there = came_talk(came_h2(s, 0), &r, 1);
	h2_answer(there, &(struct said){ .status = 200, .n = 1u << 30 });
	cr_expect(UNTIL(&r, there->in->was_reset));
	cr_expect(UNTIL(&r, m->was_reset || party_line(&p)->end != LINE_OPEN));
	cr_expect_eq(m->status, 200);
	cr_expect_not(m->ended);
	cr_expect(has_outcome(r.w.e, "http_request_too_long", "/none"));
	cr_expect(has_outcome(r.w.e, "http_request_too_long", "/slow"));
	rig_end(&r);
}

Test(h2_limits, request_ms_of_h2)
{
	check_request_ms(true);
}

Test(h2_limits, request_ms_of_h1)
{
	check_request_ms(false);
}

/* Told at once by length, or when it is over. */
Test(h2_limits, body_bytes)
{
	static const struct {
		struct said said;
		int status;
	} rows[] = {
		{ { .method = "POST", .n = 1000 }, 200 },
		{ { .method = "POST", .n = 1001 }, 413 },
		{ { .method = "POST", .n = 1000, .is_streamed = true }, 200 },
		{ { .method = "POST", .n = 1001, .is_streamed = true }, 413 },
		{ { .method = "POST", .n = 1u << 20, .is_streamed = true },
		    413 },
	};
	struct rig r;
	struct party p;
	struct message *m;

	(void)rig_start_one(&r, "limits = { body_bytes = 1000; };", "http2",
	    &(struct server_options){ .name = NULL });
	for (int kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			p = rig_call(
			    &r, kind == 0 ? CALLER_H1 : CALLER_H2_ALPN, "api");
			m = party_ask(&p, &rows[i].said);
			cr_expect(
			    UNTIL(&r, m->ended), "caller %d, row %zu", kind, i);
			cr_expect_eq(m->status, rows[i].status,
			    "caller %d, row %zu: %d", kind, i, m->status);
			if (p.h2 != NULL)
				cr_expect_eq(p.h2->line->end, LINE_OPEN);
		}
	cr_expect(has_outcome(r.w.e, "http_request_body_too_large", NULL));
	rig_end(&r);
}

/* The connection stays: HPACK is read on, whatever becomes of a head. */
Test(h2_limits, heads)
{
	static const struct {
		const char *limits;
		unsigned fields, bytes; /* of each value */
		int status;
	} rows[] = {
		{ "head_bytes = 4096;", 1, 3000, 200 },
		{ "head_bytes = 4096;", 1, 5000, 431 },
		{ "head_bytes = 4096;", 50, 100, 431 },
		{ "line_bytes = 1024;", 1, 900, 200 },
		{ "line_bytes = 1024;", 1, 1100, 431 },
		{ "line_bytes = 1024;", 20, 900, 200 },
		{ "headers = 20;", 15, 1, 200 },
		{ "headers = 20;", 30, 1, 431 }, { "", 1, 70000, 431 },
		{ "", 90, 100, 200 }, { "", 120, 100, 431 },
		{ "", 6, 16000, 431 }, /* CONTINUATIONs */
	};
	static char value[1 << 17];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes fields = { .n = 0 };
		char config[128];
		struct rig r;
		struct server *s;
		struct h2_peer *c;
		struct h2_talk *t;

		(void)snprintf(
		    config, sizeof(config), "limits = { %s };", rows[i].limits);
		s = rig_start_one(&r, config, "http2",
		    &(struct server_options){ .name = NULL });
		c = call_h2(&r, "api");
		memset(value, 'v', rows[i].bytes);
		value[rows[i].bytes] = '\0';
		for (unsigned k = 0; k < rows[i].fields; k++)
			bytes_addf(&fields, "x-%u: %s\n", k, value);
		t = h2_ask(c, &(struct said){ .fields = fields.p });
		cr_expect(UNTIL(&r, t->in->ended || t->in->was_reset ||
					c->has_goaway),
		    "row %zu", i);
		cr_expect_eq(t->in->status, rows[i].status,
		    "row %zu: %d, reset %u, GOAWAY %u %s", i, t->in->status,
		    t->in->reset_code, c->goaway_code, c->goaway_text);
		cr_expect_eq(get_h2(&r, c, "/")->status, 200, "row %zu", i);
		cr_expect_eq(
		    s->requests, rows[i].status == 200 ? 2 : 1, "row %zu", i);
		bytes_free(&fields);
		rig_end(&r);
		egress_remove_tree(r.w.home);
	}
}

/* What a server sends too much of is its mistake, not the caller's. */
Test(h2_limits, heads_of_answers)
{
	static char value[1 << 17];
	struct bytes fields = { .n = 0 };
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t = h2_ask(c, &(struct said){ .path = "/" });

	memset(value, 'v', 70000);
	bytes_addf(&fields, "x-big: %s\n", value);
	h2_answer(came_talk(came_h2(s, 0), &r, 0),
	    &(struct said){ .status = 200, .fields = fields.p });
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 502);
	cr_expect(has_outcome(r.w.e, "http_response_error", NULL));
	s->options.is_manual = false;
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	bytes_free(&fields);
	rig_end(&r);
}

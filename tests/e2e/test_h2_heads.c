/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads that HTTP/2 does not allow, which nobody ever gets to see, and what
 * `services` changes in those that it does.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

#define START ":method: GET\n:scheme: https\n:path: /\n:authority: x\n"

/* Malformed, one for all (RFC 9113, section 8): a stream's error. */
Test(h2_heads, malformed_requests)
{
	static const char *const rows[] = {
		START "X-Upper: 1\n",
		START "connection: close\n",
		START "keep-alive: 1\n",
		START "proxy-connection: x\n",
		START "transfer-encoding: chunked\n",
		START "upgrade: websocket\n",
		START "te: gzip\n",
		START "x-a: b\rc\n",
		START "x-a: \x01\n",
		START "x-a: \x7f\n",
		START "x a: b\n",
		START "x-\xff: b\n",
		START "x\x01: b\n",
		START ":path: /again\n",
		START ":unknown: x\n",
		START ":status: 200\n",
		START ":protocol: websocket\n",
		START "host: y\n",
		":method: GET\n:scheme: https\n:path: /\nx: y\n"
		":authority: x\n",
		":method: GET\n:scheme: https\n:authority: x\n",
		":scheme: https\n:path: /\n:authority: x\n",
		":method: GET\n:path: /\n:authority: x\n",
		":method: GET\n:scheme: https\n:path: \n:authority: x\n",
		":method: GET\n:scheme: https\n:path: x\n:authority: x\n",
		":method: GET\n:scheme: https\n:path: /a b\n:authority: x\n",
		":method: G T\n:scheme: https\n:path: /\n:authority: x\n",
		":method: GET\n:scheme: https\n:path: /\n:authority: x/y\n",
		":method: GET\n:scheme: https\n:path: /\n:authority: a@b\n",
		":method: GET\n:scheme: https\n:path: /\n",
		":method: GET\n:scheme: https\n:path: *\n:authority: x\n",
		START "content-length: 5\n",
		START "content-length: x\n",
		START "content-length: 0\ncontent-length: 1\n",
	};
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .name = NULL });
	struct h2_peer *c = call_h2(&r, "api");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct h2_talk *t = h2_open(c);
		struct message *m = t->in;

		h2_headers(c, t->id, FLAG_END_STREAM, rows[i]);
		cr_expect(UNTIL(&r, m->ended || m->was_reset), "row %zu", i);
		cr_expect(
		    (m->ended && m->status == 400) ||
			(m->was_reset && m->reset_code == CODE_PROTOCOL_ERROR),
		    "row %zu: status %d, reset %d (%u)", i, m->status,
		    m->was_reset, m->reset_code);
		cr_assert(line_is_open(c->line), "row %zu", i);
	}
	cr_expect_eq(s->requests, 0);
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	cr_expect_geq(egress_metric(r.w.e, "envoy_http2_rx_messaging_error"),
	    sizeof(rows) / sizeof(rows[0]) - 3);
	rig_end(&r);
}

/* What is a mistake only once the body has come. */
Test(h2_heads, malformed_bodies)
{
	static const struct {
		const char *length, *body, *trailers;
	} rows[] = {
		{ "4", "12345", NULL },
		{ "6", "12345", NULL },
		{ "5", "12345", ":path: /\n" },
		{ "5", "12345", "X-Upper: 1\n" },
		{ "5", "12345", "connection: close\n" },
	};
	char lines[256];
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .name = NULL });
	struct h2_peer *c = call_h2(&r, "api");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct h2_talk *t = h2_open(c);
		struct message *m = t->in;

		(void)snprintf(lines, sizeof(lines),
		    ":method: POST\n:scheme: https\n:path: /\n"
		    ":authority: x\ncontent-length: %s\n",
		    rows[i].length);
		h2_headers(c, t->id, FLAG_NONE, lines);
		h2_frame(c, FRAME_DATA,
		    rows[i].trailers == NULL ? FLAG_END_STREAM : FLAG_NONE,
		    t->id, rows[i].body, 5);
		if (rows[i].trailers != NULL)
			h2_headers(c, t->id, FLAG_END_STREAM, rows[i].trailers);
		cr_expect(UNTIL(&r, m->ended || m->was_reset), "row %zu", i);
		cr_expect(
		    (m->ended && m->status == 400) ||
			(m->was_reset && m->reset_code == CODE_PROTOCOL_ERROR),
		    "row %zu: status %d, reset %d (%u)", i, m->status,
		    m->was_reset, m->reset_code);
	}
	cr_expect_eq(s->requests, 0, "the server saw %u", s->requests);
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	rig_end(&r);
}

/* The request that waits for an answer, on whatever connection; or NULL. */
static struct h2_talk *
unanswered(const struct server *s)
{
	for (size_t i = 0; i < s->n_came; i++)
		for (size_t k = 0; k < s->came[i].h2->n_talks; k++) {
			struct h2_talk *t = s->came[i].h2->talks[k];

			if (t->in->ended && !t->is_answered)
				return t;
		}
	return NULL;
}

/* Of servers: 502, or a reset when the head was through. */
Test(h2_heads, malformed_answers)
{
	static const char *const rows[] = {
		":status: 200\nX-Upper: 1\n",
		":status: 200\nconnection: close\n",
		":status: 200\ntransfer-encoding: chunked\n",
		":status: 200\nx-a: \x01\n",
		":status: 200\n:status: 201\n",
		":status: 2000\n",
		":status: abc\n",
		":status: 99\n",
		"x-a: b\n",
		":status: 200\n:path: /\n",
		":status: 101\n",
		":status: 200\ncontent-length: 5\n",
	};
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	struct h2_peer *c = call_h2(&r, "api");

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct h2_talk *t = h2_ask(c, &(struct said){ .path = "/" });
		struct h2_talk *there;

		cr_assert(UNTIL(&r, (there = unanswered(s)) != NULL));
		h2_headers(there->peer, there->id, FLAG_END_STREAM, rows[i]);
		there->out_ended = there->is_answered = true;
		cr_expect(
		    UNTIL(&r, t->in->ended || t->in->was_reset), "row %zu", i);
		cr_expect((t->in->ended && t->in->status == 502) ||
			      (t->in->was_reset && !t->in->ended),
		    "row %zu: status %d", i, t->in->status);
	}
	cr_expect(has_outcome(r.w.e, "http_response_error", NULL));
	cr_expect_eq(c->line->end, LINE_OPEN);
	rig_end(&r);
}

/* :authority and Host both, and equal; Host alone. */
Test(h2_heads, authority_or_host)
{
	static const struct {
		const char *lines, *authority;
	} rows[] = {
		{ START "host: x\n", "x" },
		{ ":method: GET\n:scheme: https\n:path: /\nhost: y\n", "y" },
		{ ":method: GET\n:scheme: https\n:path: /\n"
		  ":authority: z:8080\n",
		    "z:8080" },
		{ ":method: OPTIONS\n:scheme: https\n:path: *\n"
		  ":authority: x\n",
		    "x" },
	};
	struct rig r;
	struct h2_peer *c;

	(void)rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .name = NULL });
	c = call_h2(&r, "api");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct h2_talk *t = h2_open(c);

		h2_headers(c, t->id, FLAG_END_STREAM, rows[i].lines);
		cr_expect(UNTIL(&r, t->in->ended), "row %zu", i);
		cr_expect_eq(t->in->status, 200, "row %zu", i);
		cr_expect_str_eq(told(t->in, ":authority"), rows[i].authority,
		    "row %zu: %s", i, bytes_text(&t->in->body));
		cr_expect_null(told(t->in, "host"), "row %zu", i);
	}
	rig_end(&r);
}

#define ENTRY(service, text) \
	"{ match = { service = \"" service "\"; }; " text " }"

/* The service comes from the server name, whatever is asked for. */
Test(h2_heads, services_change_heads)
{
	static const char config[] =
	    "services = ( " ENTRY("keep", "host = \"keep\";") ", " ENTRY(
		"named", "host = \"other.example:81\";") ", " ENTRY("endpoint",
		"host = \"endpoint\";") ", " ENTRY("told",
		"forward_client_cert = true; forwarded_for = \"append\"; "
		"via = \"zegress\"; server = \"gateway\";") " );";
	static const struct {
		const char *service, *name, *value;
	} rows[] = {
		{ "keep", ":authority", "caller.example" },
		{ "named", ":authority", "other.example:81" },
		{ "endpoint", ":authority", "h2.example" },
		{ "plain", ":authority", "h2.example" },
		{ "plain", "x-forwarded-for", NULL },
		{ "plain", "via", NULL },
		{ "plain", "x-forwarded-client-cert", NULL },
		{ "told", "x-forwarded-for", "127.0.0.1" },
	};
	static const char *const services[] = { "keep", "named", "endpoint",
		"plain", "told" };
	struct rig r;
	struct server *s;
	struct message *m;
	const char *value;

	rig_init(&r, config);
	s = rig_serve(
	    &r, &(struct server_options){ .name = "h2.example", .alpn = "h2" });
	for (size_t i = 0; i < 5; i++)
		rig_service(&r, services[i], "http2", s);
	rig_start(&r);
	for (int kind = 0; kind < 2; kind++)
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			struct party p =
			    rig_call(&r, kind == 0 ? CALLER_H1 : CALLER_H2_ALPN,
				rows[i].service);

			m = get(&r, &p, "/");
			cr_assert_not_null(m, "row %zu", i);
			value = told(m, rows[i].name);
			if (rows[i].value == NULL)
				cr_expect_null(value, "row %zu: %s", i, value);
			else
				cr_expect(value != NULL &&
					      strcmp(value, rows[i].value) == 0,
				    "row %zu: %s", i, value);
		}
	m = get_h2(&r, call_h2(&r, "told"), "/");
	cr_expect_str_eq(message_field(m, "server"), "gateway");
	cr_expect_not_null(strstr(message_field(m, "via"), "zegress"));
	cr_expect_not_null(strstr(told(m, "via"), "zegress"));
	cr_expect_not_null(
	    strstr(told(m, "x-forwarded-client-cert"), "spiffe://default/web"));
	rig_end(&r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to go on with another protocol: WebSocket between callers and
 * servers of either version of HTTP, others as they are listed.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"
#include "support/web_socket.h"

#define WS_FIELDS                                   \
	"connection: Upgrade\nupgrade: websocket\n" \
	"sec-websocket-key: " WS_KEY "\n"           \
	"sec-websocket-version: 13\n"               \
	"sec-websocket-protocol: chat\n"
#define CONNECT_FIELDS \
	"sec-websocket-version: 13\nsec-websocket-protocol: chat\n"

#define BULK 3000000

static const uint32_t connect_settings[][2] = { { SETTING_CONNECT, 1 },
	{ 0, 0 } };

/* One side of a tunnel: bytes out, and what has come so far. */
struct tunnel {
	struct h1_peer *h1;
	struct h2_talk *h2;
};

static void
tunnel_say(struct tunnel *t, const struct bytes *b)
{
	if (t->h1 != NULL)
		bytes_add(&t->h1->line->out, b->p, b->n);
	else
		h2_more(
		    t->h2, &(struct said){
			       .body = b->p, .n = b->n, .stays_open = true });
}

static struct bytes *
tunnel_heard(struct tunnel *t)
{
	return t->h1 != NULL ? &t->h1->raw : &t->h2->in->body;
}

static void
tunnel_finish(struct tunnel *t)
{
	if (t->h1 != NULL)
		t->h1->line->finishes = true;
	else
		h2_finish(t->h2, NULL);
}

static bool
tunnel_has_ended(const struct tunnel *t)
{
	return t->h1 != NULL ? t->h1->line->end == LINE_FIN : t->h2->in->ended;
}

static bool
tunnel_was_cut(const struct tunnel *t)
{
	return t->h1 != NULL ? t->h1->line->end != LINE_OPEN
			     : t->h2->in->was_reset;
}

/* The caller's request, and its answer's message. */
static struct message *
ask_websocket(struct rig *r, bool is_h2, struct tunnel *t)
{
	struct h2_peer *c;
	struct message *m;

	*t = (struct tunnel){ NULL, NULL };
	if (!is_h2) {
		t->h1 = call_h1(r, "api");
		return h1_ask(t->h1,
		    &(struct said){ .path = "/chat?x=1", .fields = WS_FIELDS });
	}
	c = call_h2(r, "api");
	cr_expect(UNTIL(r, c->n_settings > 0));
	cr_expect_eq(c->settings[SETTING_CONNECT], 1);
	t->h2 = h2_ask(c, &(struct said){ .method = "CONNECT",
			      .protocol = "websocket",
			      .path = "/chat?x=1",
			      .fields = CONNECT_FIELDS,
			      .stays_open = true });
	m = t->h2->in;
	return m;
}

/* What the server is asked; and its answer, yes. */
static void
accept_websocket(struct rig *r, struct server *s, struct tunnel *t)
{
	char fields[256], accept[WS_ACCEPT_TEXT];
	struct message *q;

	*t = (struct tunnel){ NULL, NULL };
	if (s->options.is_h1) {
		t->h1 = came_h1(s, 0);
		cr_assert(UNTIL(r, t->h1->n > 0 && t->h1->v[0]->ended));
		q = t->h1->v[0];
		cr_expect_str_eq(message_field(q, ":method"), "GET");
		cr_assert_not_null(message_field(q, "sec-websocket-key"));
		cr_expect_not_null(message_field(q, "upgrade"));
		cr_expect_not_null(message_field(q, "connection"));
		ws_accept(message_field(q, "sec-websocket-key"), accept);
		(void)snprintf(fields, sizeof(fields),
		    "Connection: Upgrade\nUpgrade: websocket\n"
		    "Sec-WebSocket-Accept: %s\n"
		    "Sec-WebSocket-Protocol: chat\n",
		    accept);
		h1_become_raw(t->h1);
		h1_answer(
		    t->h1, &(struct said){ .status = 101, .fields = fields });
	} else {
		t->h2 = came_talk(came_h2(s, 0), r, 0);
		q = t->h2->in;
		cr_expect_str_eq(message_field(q, ":method"), "CONNECT");
		cr_expect_str_eq(message_field(q, ":protocol"), "websocket");
		cr_expect_not_null(message_field(q, ":scheme"));
		cr_expect_null(message_field(q, "upgrade"));
		cr_expect_null(message_field(q, "connection"));
		cr_expect_null(message_field(q, "sec-websocket-key"));
		cr_expect_not(q->ended);
		h2_answer(t->h2, &(struct said){ .status = 200,
				     .fields = "sec-websocket-protocol: chat\n",
				     .stays_open = true });
	}
	cr_expect_str_eq(message_field(q, ":path"), "/chat?x=1");
	cr_expect_str_eq(message_field(q, "sec-websocket-version"), "13");
	cr_expect_str_eq(message_field(q, "sec-websocket-protocol"), "chat");
}

static void
check_agreed(struct rig *r, bool is_h2, const struct message *m)
{
	cr_assert(UNTIL(r, m->has_head), "no answer");
	cr_assert_eq(m->status, is_h2 ? 200 : 101, "%d", m->status);
	cr_expect_str_eq(message_field(m, "sec-websocket-protocol"), "chat");
	if (is_h2) {
		cr_expect_null(message_field(m, "sec-websocket-accept"));
		cr_expect_null(message_field(m, "upgrade"));
		return;
	}
	cr_assert_not_null(message_field(m, "sec-websocket-accept"));
	cr_expect_str_eq(message_field(m, "sec-websocket-accept"), WS_ACCEPT);
	cr_expect_not_null(message_field(m, "upgrade"));
	cr_expect_not_null(message_field(m, "connection"));
}

static void
check_echoes(struct rig *r, struct tunnel *from, struct tunnel *to)
{
	struct bytes frame = { .n = 0 }, echo = { .n = 0 }, text = { .n = 0 };
	enum ws_opcode op;

	ws_add(&frame, WS_TEXT, true, "hello", 5);
	tunnel_say(from, &frame);
	cr_assert(UNTIL(r, tunnel_heard(to)->n == frame.n));
	ws_echo(tunnel_heard(to), &echo);
	tunnel_say(to, &echo);
	cr_assert(UNTIL(r, tunnel_heard(from)->n == echo.n));
	cr_assert(ws_take(tunnel_heard(from), &op, &text));
	cr_expect_eq(op, WS_TEXT);
	cr_expect_str_eq(bytes_text(&text), "hello");
	bytes_free(&frame);
	bytes_free(&echo);
	bytes_free(&text);
}

/* Each direction ends by itself. */
static void
check_half_close(struct rig *r, struct tunnel *from, struct tunnel *to)
{
	struct bytes last = { .n = 0 };

	bytes_addf(&last, "last words");
	tunnel_finish(from);
	cr_expect(UNTIL(r, tunnel_has_ended(to)), "the end did not arrive");
	tunnel_say(to, &last);
	cr_expect(UNTIL(r, tunnel_heard(from)->n == last.n));
	tunnel_finish(to);
	cr_expect(UNTIL(r, tunnel_has_ended(from)));
	bytes_free(&last);
}

static struct server *
start(struct rig *r, bool server_is_h2)
{
	return rig_start_one(r, NULL, server_is_h2 ? "http2" : "http",
	    &(struct server_options){ .is_manual = true,
		.is_h1 = !server_is_h2,
		.h2 = { .settings = connect_settings } });
}

static void
check_websocket(bool caller_is_h2, bool server_is_h2)
{
	struct rig r;
	struct server *s = start(&r, server_is_h2);
	struct tunnel from, to;
	struct message *m = ask_websocket(&r, caller_is_h2, &from);

	accept_websocket(&r, s, &to);
	check_agreed(&r, caller_is_h2, m);
	check_echoes(&r, &from, &to);
	check_half_close(&r, &from, &to);
	cr_expect_not_null(egress_log_line(
	    r.w.e, "\"upgrade\":\"websocket\"", "\"path\":\"/chat\""));
	cr_expect(has_outcome(r.w.e, "ok", "\"upgrade\":\"websocket\""));
	rig_end(&r);
}

Test(upgrade, websocket_of_h1_to_h1)
{
	check_websocket(false, false);
}

Test(upgrade, websocket_of_h2_to_h1)
{
	check_websocket(true, false);
}

Test(upgrade, websocket_of_h1_to_h2)
{
	check_websocket(false, true);
}

Test(upgrade, websocket_of_h2_to_h2)
{
	check_websocket(true, true);
}

static void
tunnel_send_pattern(struct tunnel *t, uint64_t n)
{
	const struct said pattern = { .n = n, .stays_open = true };

	if (t->h1 != NULL)
		source_set(&t->h1->raw_out, &pattern);
	else
		h2_more(t->h2, &pattern);
}

static bool
tunnel_got_pattern(const struct tunnel *t, uint64_t n)
{
	return t->h1 != NULL ? t->h1->n_raw == n && !t->h1->raw_is_other
			     : t->h2->in->n_body == n && !t->h2->in->is_other;
}

/* Any bytes, many of them, both ways at once. */
static void
check_bulk(bool caller_is_h2, bool server_is_h2)
{
	struct rig r;
	struct server *s = start(&r, server_is_h2);
	struct tunnel from, to;
	struct message *m = ask_websocket(&r, caller_is_h2, &from);

	accept_websocket(&r, s, &to);
	check_agreed(&r, caller_is_h2, m);
	if (from.h1 != NULL)
		from.h1->counts_raw = true;
	if (to.h1 != NULL)
		to.h1->counts_raw = true;
	tunnel_send_pattern(&from, BULK);
	tunnel_send_pattern(&to, BULK);
	cr_expect(UNTIL(&r, tunnel_got_pattern(&to, BULK)), "upwards");
	cr_expect(UNTIL(&r, tunnel_got_pattern(&from, BULK)), "downwards");
	tunnel_finish(&to);
	cr_expect(UNTIL(&r, tunnel_has_ended(&from)));
	tunnel_finish(&from);
	cr_expect(UNTIL(&r, tunnel_has_ended(&to)));
	cr_expect(has_outcome(r.w.e, "ok", "\"bytes_in\":3000000"));
	rig_end(&r);
}

Test(upgrade, bulk_of_h1_to_h1)
{
	check_bulk(false, false);
}

Test(upgrade, bulk_of_h2_to_h1)
{
	check_bulk(true, false);
}

Test(upgrade, bulk_of_h1_to_h2)
{
	check_bulk(false, true);
}

Test(upgrade, bulk_of_h2_to_h2)
{
	check_bulk(true, true);
}

/* An ordinary answer; the caller's connection serves on. */
Test(upgrade, a_server_that_declines)
{
	for (int i = 0; i < 4; i++) {
		struct rig r;
		struct server *s = start(&r, i >= 2);
		struct tunnel from;
		struct message *m = ask_websocket(&r, i % 2 == 1, &from);
		const struct said no = { .status = 403, .body = "no" };
		struct party p = { from.h1,
			from.h2 != NULL ? from.h2->peer : NULL };

		if (s->options.is_h1) {
			(void)UNTIL(&r, came_h1(s, 0)->n > 0);
			h1_answer(came_h1(s, 0), &no);
		} else {
			h2_answer(came_talk(came_h2(s, 0), &r, 0), &no);
		}
		cr_expect(UNTIL(&r, m->ended), "row %d", i);
		cr_expect_eq(m->status, 403, "row %d: %d", i, m->status);
		cr_expect_str_eq(bytes_text(&m->body), "no", "row %d", i);
		s->options.is_manual = false;
		m = get(&r, &p, "/");
		cr_expect(m != NULL && m->status == 200, "row %d", i);
		rig_end(&r);
		egress_remove_tree(r.w.home);
	}
}

/* Not what was asked for: the caller must not believe it. */
Test(upgrade, a_server_that_agrees_wrongly)
{
	static const char *const fields[] = {
		"Connection: Upgrade\nUpgrade: websocket\n"
		"Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
		"Connection: Upgrade\nUpgrade: websocket\n",
		"Connection: Upgrade\nUpgrade: chat\n",
		"",
	};
	struct rig r;
	struct server *s = start(&r, false);
	struct tunnel from;
	struct message *m;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		for (int is_h2 = 0; is_h2 < 2; is_h2++) {
			m = ask_websocket(&r, is_h2 == 1, &from);
			cr_assert(
			    UNTIL(&r, s->n_came == i * 2 + (size_t)is_h2 + 1));
			(void)UNTIL(&r, s->came[s->n_came - 1].h1->n > 0);
			h1_answer(s->came[s->n_came - 1].h1,
			    &(struct said){
				.status = 101, .fields = fields[i] });
			cr_expect(UNTIL(&r, m->ended), "row %zu", i);
			cr_expect_eq(
			    m->status, 502, "row %zu: %d", i, m->status);
		}
	}
	cr_expect(has_outcome(r.w.e, "http_upgrade_failed", NULL));
	rig_end(&r);
}

/* A server that does not know extended CONNECT is not asked. */
Test(upgrade, a_server_of_http2_without_connect)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	struct tunnel from;
	struct message *m;

	for (int is_h2 = 0; is_h2 < 2; is_h2++) {
		m = ask_websocket(&r, is_h2 == 1, &from);
		cr_expect(UNTIL(&r, m->ended));
		cr_expect_eq(m->status, 502, "%d", m->status);
	}
	for (size_t i = 0; i < s->n_came; i++)
		cr_expect_eq(s->came[i].h2->n_talks, 0);
	cr_expect(has_outcome(r.w.e, "http_upgrade_failed", NULL));
	rig_end(&r);
}

#define LISTED                                                       \
	"services = ( { match = { service = \"api\"; }; upgrades = " \
	"[ \"chat/2\" ]; } );"

Test(upgrade, only_what_is_listed)
{
	static const struct {
		const char *config, *fields;
		int status;
	} rows[] = {
		{ NULL, "Connection: upgrade\nUpgrade: chat/2\n", 403 },
		{ NULL, "Connection: upgrade\nUpgrade: h2c\n", 403 },
		{ LISTED, WS_FIELDS, 403 },
		{ LISTED, "Connection: upgrade\nUpgrade: chat\n", 403 },
		{ LISTED, "Connection: upgrade\nUpgrade: Chat/2\n", 101 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig r;
		struct server *s = rig_start_one(&r, rows[i].config, "http",
		    &(struct server_options){
			.is_h1 = true, .is_manual = true });
		struct h1_peer *c = call_h1(&r, "api");
		struct message *m =
		    h1_ask(c, &(struct said){ .fields = rows[i].fields });

		if (rows[i].status == 101) {
			(void)UNTIL(&r, came_h1(s, 0)->n > 0);
			h1_answer(
			    came_h1(s, 0), &(struct said){ .status = 101,
					       .fields = "Connection: Upgrade\n"
							 "Upgrade: chat/2\n" });
			h1_become_raw(came_h1(s, 0));
			cr_assert(UNTIL(&r, m->ended));
			bytes_addf(&c->line->out, "any bytes\r\n\r\n");
			cr_expect(UNTIL(&r, came_h1(s, 0)->raw.n == 13));
			bytes_addf(&came_h1(s, 0)->line->out, "back");
			cr_expect(UNTIL(&r, c->raw.n == 4));
		}
		cr_expect(UNTIL(&r, m->ended), "row %zu", i);
		cr_expect_eq(
		    m->status, rows[i].status, "row %zu: %d", i, m->status);
		if (rows[i].status == 403)
			cr_expect_eq(s->n_came, 0, "row %zu", i);
		rig_end(&r);
		egress_remove_tree(r.w.home);
	}
}

/* A reload takes the permission: the tunnel is cut on both sides. */
static void
check_revoke(bool caller_is_h2, bool server_is_h2)
{
	struct rig r;
	struct server *s = start(&r, server_is_h2);
	struct tunnel from, to;
	struct message *m = ask_websocket(&r, caller_is_h2, &from);

	accept_websocket(&r, s, &to);
	check_agreed(&r, caller_is_h2, m);
	check_echoes(&r, &from, &to);
	write_permission(
	    r.w.e, "no-web", "api", "kind: MeshService, name: web", "Deny");
	cr_expect(UNTIL(&r, tunnel_was_cut(&from)), "the caller's side");
	cr_expect(UNTIL(&r, tunnel_was_cut(&to)), "the server's side");
	cr_expect(has_outcome(r.w.e, "revoked", NULL));
	rig_end(&r);
}

Test(upgrade, revoke_of_h1_to_h1)
{
	check_revoke(false, false);
}

Test(upgrade, revoke_of_h2_to_h2)
{
	check_revoke(true, true);
}

/* A caller or server that is gone takes the other one along. */
Test(upgrade, ends_that_are_no_order)
{
	for (int i = 0; i < 4; i++) {
		struct rig r;
		struct server *s = start(&r, i % 2 == 1);
		struct tunnel from, to, *gone, *other;
		struct message *m = ask_websocket(&r, i % 2 == 1, &from);

		accept_websocket(&r, s, &to);
		check_agreed(&r, i % 2 == 1, m);
		gone = i < 2 ? &from : &to;
		other = i < 2 ? &to : &from;
		if (gone->h1 != NULL)
			line_reset(gone->h1->line);
		else
			h2_reset(gone->h2, CODE_CANCEL);
		cr_expect(UNTIL(&r, tunnel_was_cut(other)), "row %d", i);
		rig_end(&r);
		egress_remove_tree(r.w.home);
	}
}

/* CONNECT without a protocol is not offered. */
Test(upgrade, connect)
{
	struct rig r;
	struct server *s = start(&r, false);
	struct h1_peer *old = call_h1(&r, "api");
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t = h2_open(c);
	struct message *m;

	h1_say(old, "CONNECT caller.example:443 HTTP/1.1\r\n"
		    "Host: caller.example:443\r\n\r\n");
	cr_expect(UNTIL(&r, old->n == 1 && old->v[0]->ended));
	cr_expect_eq(old->v[0]->status, 404);
	h2_headers(c, t->id, FLAG_NONE,
	    ":method: CONNECT\n:authority: caller.example:443\n");
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 404);
	m = h2_ask(c, &(struct said){ .method = "CONNECT",
			  .protocol = "connect-udp",
			  .stays_open = true })
		->in;
	cr_expect(UNTIL(&r, m->ended));
	cr_expect_eq(m->status, 403);
	cr_expect_eq(s->n_came, 0);
	rig_end(&r);
}

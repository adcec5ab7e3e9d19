/* SPDX-License-Identifier: Apache-2.0 */
/* The tests' own peers against each other, without the daemon. */

#include <string.h>

#include "e2e/fixture.h"
#include "support/h1_peer.h"
#include "support/h2_peer.h"
#include "support/web_socket.h"

struct pair {
	struct lines lines;
	struct h1_peer *h1;
	struct h2_peer *h2;
	bool is_h1;
};

static void
answer_h1(struct h1_peer *p, struct message *m, void *arg)
{
	struct bytes text = { .n = 0 };
	struct said a;

	(void)arg;
	if (!m->ended)
		return;
	answer_by_path(m, &a, &text);
	h1_answer(p, &a);
	bytes_free(&text);
}

static void
answer_h2(struct h2_talk *t, void *arg)
{
	struct bytes text = { .n = 0 };
	struct said a;

	(void)arg;
	if (!t->in->ended)
		return;
	answer_by_path(t->in, &a, &text);
	h2_answer(t, &a);
	bytes_free(&text);
}

static void
on_line(struct line *l, void *arg)
{
	struct pair *p = arg;

	if (p->is_h1)
		p->h1 = h1_peer_new(l, &(struct h1_options){ .is_server = true,
					   .on_request = answer_h1 });
	else
		p->h2 = h2_peer_new(l, &(struct h2_options){ .is_server = true,
					   .on_request = answer_h2 });
}

static struct line *
meet(struct pair *p, bool has_tls)
{
	struct door_options o = { .on_line = on_line, .arg = p, .alpn = "h2" };
	struct pki *ca = pki_mesh_ca("default"), *leaf = pki_server(ca, "x");
	struct mesh_options m = { .port = 0, .alpn = "h2" };
	struct door *d;
	struct line *l;

	if (has_tls) {
		o.cert_pem = leaf->cert_pem;
		o.key_pem = leaf->key_pem;
	}
	d = door_open(&p->lines, &o);
	m.port = d->port;
	l = line_call(&p->lines, &m); /* TLS would wait for ourselves */
	cr_assert_not_null(l);
	pki_free(ca);
	pki_free(leaf);
	return l;
}

Test(peers, http2)
{
	static const uint32_t small[][2] = { { SETTING_WINDOW, 1000 },
		{ 0, 0 } };
	struct pair p = { .is_h1 = false };
	struct h2_peer *c = h2_peer_new(
	    meet(&p, false), &(struct h2_options){ .settings = small });
	struct message *big, *post, *trailers;

	big = h2_ask(c, &(struct said){ .path = "/bytes/300000" })->in;
	post = h2_ask(c, &(struct said){ .method = "POST",
			     .n = 200000,
			     .is_streamed = true,
			     .trailers = "x-a: b\n" })
		   ->in;
	trailers = h2_ask(c, &(struct said){ .path = "/trailers" })->in;
	cr_assert(TURN_UNTIL(
	    &p.lines, 5000, big->ended && post->ended && trailers->ended));
	cr_expect_eq(big->n_body, 300000);
	cr_expect_not(big->is_other);
	cr_expect_not_null(
	    strstr(bytes_text(&post->body), "body 200000 pattern"));
	cr_expect_not_null(strstr(bytes_text(&post->body), "trailer x-a: b\n"));
	cr_expect_str_eq(
	    bytes_text(&trailers->trailers), "x-sum: 42\nx-more: yes\n");
	cr_expect_leq(c->biggest_data, 1000);
	cr_expect_str_eq(c->wrong, "");
	cr_expect_str_eq(p.h2->wrong, "");
	lines_free(&p.lines);
}

Test(peers, http1)
{
	struct pair p = { .is_h1 = true };
	struct h1_peer *c =
	    h1_peer_new(meet(&p, false), &(struct h1_options){ 0 });
	struct message *big, *post, *trailers;

	big = h1_ask(c, &(struct said){ .path = "/bytes/300000" });
	cr_assert(TURN_UNTIL(&p.lines, 5000, big->ended));
	post = h1_ask(c, &(struct said){ .method = "POST",
			     .n = 200000,
			     .is_streamed = true,
			     .trailers = "x-a: b\n" });
	cr_assert(TURN_UNTIL(&p.lines, 5000, post->ended));
	trailers = h1_ask(c, &(struct said){ .path = "/trailers" });
	cr_assert(TURN_UNTIL(&p.lines, 5000, trailers->ended));
	cr_expect_eq(big->n_body, 300000);
	cr_expect_not(big->is_other);
	cr_expect_not_null(
	    strstr(bytes_text(&post->body), "body 200000 pattern"));
	cr_expect_not_null(strstr(bytes_text(&post->body), "trailer x-a: b\n"));
	cr_expect_str_eq(
	    bytes_text(&trailers->trailers), "x-sum: 42\nx-more: yes\n");
	lines_free(&p.lines);
}

Test(peers, web_socket)
{
	struct bytes b = { .n = 0 }, back = { .n = 0 }, text = { .n = 0 };
	enum ws_opcode op;
	char long_text[300];

	memset(long_text, 'x', sizeof(long_text));
	ws_add(&b, WS_TEXT, true, "hello", 5);
	ws_add(&b, WS_TEXT, true, long_text, sizeof(long_text));
	ws_echo(&b, &back);
	cr_expect_eq(b.n, 0);
	cr_assert(ws_take(&back, &op, &text));
	cr_expect_str_eq(text.p, "hello");
	cr_assert(ws_take(&back, &op, &text));
	cr_expect_eq(text.n, 305);
	cr_expect_eq(back.n, 0);
	bytes_free(&b);
	bytes_free(&back);
	bytes_free(&text);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader that has stopped stops its sender, in both directions and whatever
 * each side speaks; the daemon holds next to nothing, and goes on where it
 * stopped.
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "e2e/peers.h"

#define TEN_GB 10737418240u
#define TEN_GB_PATH "/bytes/10737418240"
#define MIB (1u << 20)
/* What arrives after the reader goes on. */
#define ENOUGH (4 * MIB)
/* As the issue wants it. */
#define GROWTH MIB
/* What the daemon's sockets take, whose sizes the kernel chooses. */
#define SOCKETS (24 * MIB)
/* What the tests' own do. */
#define OWN_SOCKET 65536
/* Our windows and the tests', and what is on its way. */
#define WINDOWS (1 * MIB)

enum stop {
	STOP_READING, /* of the socket */
	STOP_WINDOWS, /* no WINDOW_UPDATE; all else goes on */
	STOPS
};

struct flow {
	struct rig r;
	struct server *server;
	struct party caller;
	struct message *reader; /* where the bytes arrive */
	const uint64_t *sent;   /* of the body, by its sender */
	struct line *stopped;
	struct h2_peer *h2; /* that gives no windows; or NULL */
	bool is_up;
};

/* The connection that the last request went over. */
static struct party *
last_came(struct flow *f)
{
	return &f->server->came[f->server->n_came - 1];
}

/* The sender's socket is small, so that what it took is what was taken. */
static void
shrink(struct line *l)
{
	const int n = OWN_SOCKET;

	(void)setsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
	(void)setsockopt(l->fd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n));
}

static void
start(struct flow *f, bool caller_is_h2, bool server_is_h2)
{
	memset(f, 0, sizeof(*f));
	f->server = rig_start_one(&f->r, NULL, server_is_h2 ? "http2" : "http",
	    &(struct server_options){
		.is_h1 = !server_is_h2, .receive_buffer = OWN_SOCKET });
	f->caller = rig_call(
	    &f->r, caller_is_h2 ? CALLER_H2_PREFACE : CALLER_H1, "api");
	shrink(party_line(&f->caller));
	/* What is allocated once is there before anything is measured. */
	for (int i = 0; i < 2; i++) {
		struct message *m = get(&f->r, &f->caller, "/bytes/2000000");

		cr_assert(m != NULL && m->n_body == 2000000);
		m = party_ask(&f->caller,
		    &(struct said){ .method = "POST", .n = 2000000 });
		cr_assert(UNTIL(&f->r, m->ended));
		shrink(party_line(last_came(f)));
	}
}

static struct h2_talk *
last_talk(struct h2_peer *p)
{
	return p->n_talks > 0 ? p->talks[p->n_talks - 1] : NULL;
}

static void
stop(struct flow *f, struct party *p, enum stop how)
{
	f->stopped = party_line(p);
	f->h2 = p->h2;
	if (how == STOP_WINDOWS)
		p->h2->options.keeps_windows = true;
	else
		f->stopped->is_stopped = true;
}

/* The server would send 10 GB. */
static void
begin_down(struct flow *f, enum stop how)
{
	struct party *up;

	stop(f, &f->caller, how);
	f->reader =
	    party_ask(&f->caller, &(struct said){ .path = TEN_GB_PATH });
	up = last_came(f);
	if (up->h2 != NULL) {
		size_t n = up->h2->n_talks;

		cr_assert(UNTIL(&f->r, up->h2->n_talks > n));
		f->sent = &last_talk(up->h2)->sent;
	} else {
		f->sent = &up->h1->sent;
	}
}

/* The caller would. */
static void
begin_up(struct flow *f, enum stop how)
{
	const struct said post = { .method = "POST", .n = TEN_GB };
	struct party *up = last_came(f);
	size_t n = up->h2 != NULL ? up->h2->n_talks : up->h1->n;

	f->is_up = true;
	/* The head comes through before the reader stops. */
	if (how == STOP_WINDOWS)
		stop(f, up, how);
	(void)party_ask(&f->caller, &post);
	if (up->h2 != NULL) {
		cr_assert(UNTIL(&f->r, up->h2->n_talks > n));
		f->reader = last_talk(up->h2)->in;
	} else {
		cr_assert(
		    UNTIL(&f->r, up->h1->n > n && up->h1->v[n]->has_head));
		f->reader = up->h1->v[n];
	}
	if (how == STOP_READING)
		stop(f, up, how);
	f->sent = f->caller.h2 != NULL ? &last_talk(f->caller.h2)->sent
				       : &f->caller.h1->sent;
}

/* Nothing has moved for a tenth of a second. */
static bool
is_still(struct flow *f)
{
	uint64_t before = *f->sent;

	for (int i = 0; i < 20; i++)
		lines_turn(&f->r.lines, 5);
	return before == *f->sent && before > 0;
}

static void
go_on(struct flow *f)
{
	f->stopped->is_stopped = false;
	if (f->h2 == NULL || !f->h2->options.keeps_windows)
		return;
	f->h2->options.keeps_windows = false;
	/* What was kept is given back with the next piece; here is room. */
	h2_window(f->h2, 0, MIB);
	h2_window(f->h2, last_talk(f->h2)->id, MIB);
}

static void
check_flow(bool is_up, bool caller_is_h2, bool server_is_h2, enum stop how)
{
	struct flow f;
	size_t before;
	uint64_t most =
	    how == STOP_WINDOWS && (is_up ? caller_is_h2 : server_is_h2)
		? WINDOWS
		: SOCKETS;

	start(&f, caller_is_h2, server_is_h2);
	before = egress_rss(f.r.w.e);
	if (is_up)
		begin_up(&f, how);
	else
		begin_down(&f, how);
	cr_expect(UNTIL(&f.r, is_still(&f)), "the sender was not stopped");
	cr_expect_leq(*f.sent, most, "%llu bytes were taken",
	    (unsigned long long)*f.sent);
	if (!MEMORY_IS_PADDED)
		cr_expect_leq(egress_rss(f.r.w.e), before + GROWTH,
		    "grew by %zu", egress_rss(f.r.w.e) - before);
	go_on(&f);
	cr_expect(UNTIL(&f.r, f.reader->n_body >= ENOUGH), "%llu bytes came",
	    (unsigned long long)f.reader->n_body);
	cr_expect_not(f.reader->is_other);
	if (!MEMORY_IS_PADDED)
		cr_expect_leq(egress_rss(f.r.w.e), before + GROWTH,
		    "grew by %zu", egress_rss(f.r.w.e) - before);
	rig_end(&f.r);
}

#define FLOW(name, is_up, caller_is_h2, server_is_h2, how)          \
	Test(h2_flow, name)                                         \
	{                                                           \
		check_flow(is_up, caller_is_h2, server_is_h2, how); \
	}

FLOW(down_h1_h1_socket, false, false, false, STOP_READING)
FLOW(down_h1_h2_socket, false, false, true, STOP_READING)
FLOW(down_h2_h1_socket, false, true, false, STOP_READING)
FLOW(down_h2_h2_socket, false, true, true, STOP_READING)
FLOW(down_h2_h1_window, false, true, false, STOP_WINDOWS)
FLOW(down_h2_h2_window, false, true, true, STOP_WINDOWS)
FLOW(up_h1_h1_socket, true, false, false, STOP_READING)
FLOW(up_h1_h2_socket, true, false, true, STOP_READING)
FLOW(up_h2_h1_socket, true, true, false, STOP_READING)
FLOW(up_h2_h2_socket, true, true, true, STOP_READING)
FLOW(up_h1_h2_window, true, false, true, STOP_WINDOWS)
FLOW(up_h2_h2_window, true, true, true, STOP_WINDOWS)

/* One reader that has stopped is no other's trouble. */
Test(h2_flow, streams_beside_one_that_has_stopped)
{
	static const uint32_t big[][2] = { { SETTING_WINDOW, 65535 },
		{ 0, 0 } };
	struct rig r;
	struct h2_peer *c;
	struct h2_talk *stopped, *other;

	(void)rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .name = NULL });
	c = call_h2_with(&r, "api",
	    &(struct h2_options){ .settings = big, .keeps_windows = true });
	h2_window(c, 0, 1u << 30);
	stopped = h2_ask(c, &(struct said){ .path = TEN_GB_PATH });
	cr_expect(UNTIL(&r, stopped->in->n_body == 65535));
	for (int i = 0; i < 10; i++) {
		other = h2_ask(c, &(struct said){ .path = "/bytes/60000" });
		cr_expect(UNTIL(&r, other->in->ended));
		cr_expect_eq(other->in->n_body, 60000);
	}
	/* Others' requests share the connection to the server. */
	cr_expect_eq(
	    get_h2(&r, call_h2(&r, "api"), "/bytes/300000")->n_body, 300000);
	cr_expect_eq(stopped->in->n_body, 65535);
	h2_reset(stopped, CODE_CANCEL);
	rig_end(&r);
}

/* A window of one byte is slow, and that is all. */
Test(h2_flow, a_window_of_one_byte)
{
	static const uint32_t tiny[][2] = { { SETTING_WINDOW, 1 }, { 0, 0 } };
	struct rig r;
	struct h2_peer *c;
	struct h2_talk *t;

	(void)rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .name = NULL });
	c = call_h2_with(&r, "api",
	    &(struct h2_options){ .settings = tiny, .keeps_windows = true });
	t = h2_ask(c, &(struct said){ .path = "/bytes/5" });
	for (uint64_t n = 1; n <= 5; n++) {
		cr_expect(UNTIL(&r, t->in->n_body == n));
		h2_window(c, t->id, 1);
	}
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_not(t->in->is_other);
	cr_expect_eq(c->biggest_data, 1);
	rig_end(&r);
}

/* What a server's smaller window and a later bigger one mean. */
Test(h2_flow, a_window_that_changes)
{
	static const uint32_t zero[][2] = { { SETTING_WINDOW, 0 }, { 0, 0 } };
	static const uint32_t more[][2] = { { SETTING_WINDOW, 200000 },
		{ 0, 0 } };
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2",
	    &(struct server_options){
		.is_manual = true,
		.h2 = { .settings = zero, .keeps_windows = true },
	    });
	struct h2_peer *c = call_h2(&r, "api"), *up;
	struct h2_talk *t =
	    h2_ask(c, &(struct said){ .method = "POST", .n = 150000 });
	struct h2_talk *there;

	up = came_h2(s, 0);
	there = came_talk(up, &r, 0);
	cr_expect(UNTIL(&r, up->n_acks == 1));
	h2_window(up, 0, 1u << 20);
	cr_expect_leq(there->in->n_body, 65535);
	h2_set(up, more);
	cr_expect(UNTIL(&r, there->in->ended));
	cr_expect_eq(there->in->n_body, 150000);
	cr_expect_not(there->in->is_other);
	h2_answer(there, &(struct said){ .status = 200 });
	cr_expect(UNTIL(&r, t->in->ended));
	rig_end(&r);
}

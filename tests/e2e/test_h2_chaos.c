/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Callers and servers that do anything at any time, by dice whose seed is told:
 * afterwards nothing is left, and what is honest is served.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e/peers.h"

#define N_CALLERS 4
#define STEPS 1500
/* Connections that the server may have seen (CAME_MOST). */
#define MOST_CAME 300

struct chaos {
	struct rig r;
	struct server *h2, *h1;
	struct party callers[N_CALLERS];
	unsigned seed;
};

static unsigned
dice(struct chaos *c, unsigned sides)
{
	c->seed = c->seed * 1664525u + 1013904223u;
	return (c->seed >> 16) % sides;
}

static void
call_anew(struct chaos *c, unsigned i)
{
	static const char *const services[] = { "new", "new", "old" };

	c->callers[i] = rig_call(&c->r,
	    dice(c, 4) == 0 ? CALLER_H1 : CALLER_H2_ALPN, services[dice(c, 3)]);
}

static void
ask_something(struct chaos *c, struct party *p)
{
	static const struct said asks[] = {
		{ .path = "/bytes/100000" },
		{ .path = "/streamed/70000" },
		{ .path = "/trailers" },
		{ .method = "HEAD", .path = "/bytes/5" },
		{ .path = "/informational" },
		{ .method = "POST", .n = 200000 },
		{ .method = "POST",
		    .n = 100,
		    .is_streamed = true,
		    .trailers = "x-a: b\n" },
		{ .method = "POST", .body = "half", .stays_open = true },
		{ .method = "POST",
		    .fields = "expect: 100-continue\n",
		    .n = 10 },
		{ .method = "CONNECT" },
		{ .path = "/bytes/99999999" },
		{ .fields = "te: trailers\ncookie: a=b\n" },
	};
	const struct said *a = &asks[dice(c, sizeof(asks) / sizeof(asks[0]))];

	/* HTTP/1.1 has no second request while a body is on its way. */
	if (p->h1 != NULL && (p->h1->out_busy || p->h1->out_is_open))
		return;
	if (p->h2 != NULL && h2_count_open(p->h2) > 80)
		return;
	(void)party_ask(p, a);
}

static struct h2_talk *
any_talk(struct chaos *c, struct h2_peer *p)
{
	return p->n_talks == 0 ? NULL : p->talks[dice(c, (unsigned)p->n_talks)];
}

static void
break_stream(struct chaos *c, struct h2_peer *p)
{
	struct h2_talk *t = any_talk(c, p);

	if (t != NULL && !t->in->was_reset && !(t->in->ended && t->out_ended))
		h2_reset(
		    t, dice(c, 2) == 0 ? CODE_CANCEL : CODE_REFUSED_STREAM);
}

static void
break_caller(struct chaos *c, unsigned i)
{
	struct line *l = party_line(&c->callers[i]);

	if (dice(c, 2) == 0)
		line_reset(l);
	else
		line_close(l);
}

static void
break_server(struct chaos *c)
{
	struct server *s = dice(c, 2) == 0 ? c->h2 : c->h1;
	struct party *p;

	if (s->n_came == 0 || s->n_came >= MOST_CAME)
		return;
	p = &s->came[dice(c, (unsigned)s->n_came)];
	switch (dice(c, 4)) {
	case 0:
		line_reset(party_line(p));
		break;
	case 1:
		line_close(party_line(p));
		break;
	default:
		if (p->h2 != NULL && line_is_open(p->h2->line))
			h2_goaway(p->h2,
			    p->h2->n_talks == 0 ? 0 : any_talk(c, p->h2)->id,
			    CODE_NO_ERROR);
		break;
	}
}

static void
step(struct chaos *c)
{
	unsigned i = dice(c, N_CALLERS);
	struct party *p = &c->callers[i];
	struct server *s = c->h2;

	if (!line_is_open(party_line(p))) {
		line_close(party_line(p));
		if (c->r.lines.n < LINES_MOST - 100)
			call_anew(c, i);
		return;
	}
	switch (dice(c, 24)) {
	case 0:
		break_caller(c, i);
		break;
	case 1:
		break_server(c);
		break;
	case 2:
	case 3:
		if (p->h2 != NULL)
			break_stream(c, p->h2);
		break;
	case 4:
		if (s->n_came > 0)
			break_stream(
			    c, s->came[dice(c, (unsigned)s->n_came)].h2);
		break;
	case 5:
		party_line(p)->is_stopped = !party_line(p)->is_stopped;
		break;
	case 6:
		if (p->h2 != NULL)
			h2_ping(p->h2, 1);
		break;
	default:
		ask_something(c, p);
		break;
	}
	if (dice(c, 3) == 0)
		lines_turn(&c->r.lines, 0);
}

static double
active(struct chaos *c, const char *service)
{
	return cluster_metric(
	    c->r.w.e, "envoy_cluster_upstream_rq_active", service);
}

static void
check_chaos(unsigned seed)
{
	struct chaos c = { .seed = seed };

	cr_log_info("seed %u", seed);
	rig_init(&c.r, NULL);
	c.h2 = rig_serve(&c.r, &(struct server_options){ .name = NULL });
	c.h1 = rig_serve(&c.r, &(struct server_options){ .is_h1 = true });
	rig_service(&c.r, "new", "http2", c.h2);
	rig_service(&c.r, "old", "http", c.h1);
	rig_start(&c.r);
	for (unsigned i = 0; i < N_CALLERS; i++)
		call_anew(&c, i);
	for (int i = 0;
	     i < STEPS && c.h1->n_came < MOST_CAME && c.h2->n_came < MOST_CAME;
	     i++)
		step(&c);
	for (unsigned i = 0; i < N_CALLERS; i++)
		line_close(party_line(&c.callers[i]));
	cr_expect(UNTIL(&c.r, active(&c, "new") <= 0 && active(&c, "old") <= 0),
	    "seed %u: %g and %g are active", seed, active(&c, "new"),
	    active(&c, "old"));
	cr_expect(UNTIL(&c.r, egress_metric(c.r.w.e,
				  "envoy_http_downstream_rq_active") <= 0),
	    "seed %u", seed);
	cr_expect_eq(get_h2(&c.r, call_h2(&c.r, "new"), "/")->status, 200);
	for (size_t i = 0; i < c.h2->n_came; i++)
		cr_expect_str_eq(c.h2->came[i].h2->wrong, "", "seed %u: %s",
		    seed, c.h2->came[i].h2->wrong);
	rig_end(&c.r);
}

Test(h2_chaos, of_this_run)
{
	const char *given = getenv("ZEGRESS_SEED");

	check_chaos(given != NULL ? (unsigned)atoi(given) : (unsigned)getpid());
}

Test(h2_chaos, of_every_run)
{
	check_chaos(1);
}

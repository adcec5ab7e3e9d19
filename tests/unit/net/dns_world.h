/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_NET_DNS_WORLD_H
#define UNIT_NET_DNS_WORLD_H

/*
 * A resolver, a small name server for it, and those who ask.  Time stands
 * still and is moved by hand, but where something has to run out in c-ares,
 * which has its own clock.  Static functions, for the tests of net/dns only.
 */

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dns.h"
#include "support/dns_server.h"

#define START_MS 1000000
#define PATIENCE_MS 50
#define TURNS_MOST 4000
#define WAITS 50

struct world {
	struct loop *loop;
	struct dns_server *server;
	const char *address;
	struct dns_config config;
	struct dns *dns;
	uint64_t now;
};

struct asker {
	struct dns_wait wait;
	struct world *world;
	unsigned calls;
	enum dns_status status;
	bool is_stale;
	bool was_at_once;
	struct text addrs;
	uint32_t ttl_left_s;
};

static inline void
note(struct asker *a, const struct dns_answer *answer)
{
	char one[ADDR_TEXT];
	size_t i;

	a->calls++;
	a->status = answer->status;
	a->is_stale = answer->is_stale;
	a->ttl_left_s = answer->ttl_left_s;
	text_clear(&a->addrs);
	text_add_z(&a->addrs, "");
	for (i = 0; i < answer->n_addrs; i++) {
		addr_print(&answer->addrs[i], one);
		text_addf(&a->addrs, "%s%s", i > 0 ? " " : "", one);
	}
}

static inline void
on_answer(void *arg, const struct dns_answer *answer)
{
	note(arg, answer);
}

static inline void
set_now(struct world *w, uint64_t ms)
{
	w->now = ms;
	clock_fake(START_MS + ms, 0);
}

/* Refreshes at nine tenths of an answer's life, exact intervals. */
static inline uint32_t
no_jitter(uint32_t n)
{
	(void)n;
	return 0;
}

static inline void
open_world(struct world *w)
{
	set_now(w, 0);
	w->server = dns_server_start();
	w->loop = loop_new();
	w->address = dns_server_address(w->server);
	w->config = (struct dns_config){
		.servers = &w->address,
		.n_servers = 1,
		.min_ttl_s = 5,
		.max_ttl_s = 3600,
		.negative_ttl_s = 5,
		.max_stale_s = 86400,
		.random = no_jitter,
		.timeout_ms = 2000,
		.tries = 3,
		.max_names = 100,
		.ipv4 = true,
		.ipv6 = true,
	};
}

static inline void
start(struct world *w)
{
	w->dns = dns_new(w->loop, &w->config);
	cr_assert_not_null(w->dns);
}

static inline void
close_world(struct world *w)
{
	dns_free(w->dns);
	loop_free(w->loop);
	dns_server_stop(w->server);
	clock_unfake();
}

static inline void
ask(struct world *w, struct asker *a, const char *name)
{
	struct dns_answer now;

	*a = (struct asker){ .world = w };
	a->was_at_once =
	    dns_lookup(w->dns, str_of(name), &a->wait, on_answer, a, &now);
	cr_expect_eq(a->calls, 0, "never before it returns");
	if (a->was_at_once)
		note(a, &now);
}

static inline void
ask_srv(struct world *w, struct asker *a, const char *name)
{
	struct dns_answer now;

	*a = (struct asker){ .world = w };
	a->was_at_once =
	    dns_lookup_srv(w->dns, str_of(name), &a->wait, on_answer, a, &now);
	cr_expect_eq(a->calls, 0, "never before it returns");
	if (a->was_at_once)
		note(a, &now);
}

/* A few ms of real time, so that packets arrive and c-ares' timers fire. */
static inline void
turn(struct world *w)
{
	loop_turn(w->loop);
	(void)poll(NULL, 0, 2);
}

#define TURN_UNTIL(w, cond)                                       \
	do {                                                      \
		unsigned turns_ = 0;                              \
		while (!(cond) && turns_++ < TURNS_MOST)          \
			turn(w);                                  \
		cr_assert(cond, "it never came to that: " #cond); \
	} while (0)

static inline void
expect(struct asker *a, enum dns_status status, const char *addrs)
{
	cr_expect_eq(a->calls, 1, "%u calls", a->calls);
	cr_expect_eq(a->status, status, "%s", dns_status_text(a->status));
	cr_expect(
	    str_eq(text_str(&a->addrs), str_of(addrs)), "\"%s\"", a->addrs.p);
	text_free(&a->addrs);
}

static inline void
resolve(struct world *w, const char *name, enum dns_status status,
    const char *addrs)
{
	struct asker a;

	ask(w, &a, name);
	TURN_UNTIL(w, a.calls > 0);
	expect(&a, status, addrs);
}

/* Time for packets that come, and for those that must not. */
static inline void
idle(struct world *w)
{
	unsigned i;

	for (i = 0; i < 20; i++)
		turn(w);
}

/* Both questions of a name have been answered, and that was taken in. */
static inline void
settle(struct world *w, const char *name, unsigned queries)
{
	TURN_UNTIL(w, dns_server_count(w->server, name) >= queries);
	idle(w);
}

static const char *const v4_one[] = { "10.0.0.1", NULL };
static const char *const v4_two[] = { "10.0.0.2", NULL };
static const char *const v4_three[] = { "10.0.1.1", "10.0.1.2", "10.0.1.3",
	NULL };
static const char *const v6_one[] = { "2001:db8::1", NULL };

#define ANSWER(...) (&(const struct dns_server_answer){ __VA_ARGS__ })

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon/acceptor.c when descriptors are short: who connects is told at once,
 * also after another thread has taken the descriptor that was kept for that.
 */

#include <criterion/criterion.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/problem.h"
#include "base/stats.h"
#include "conn/conns.h"
#include "daemon/listener.h"
#include "model/store.h"
#include "net/sock.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"

#define START_MS 1000000

struct world {
	struct loop *loop;
	struct store *store;
	struct snapshot *snapshot;
	struct tls_identities *identities;
	struct stats_shard *shard;
	struct conn_limits limits;
	struct conns *conns;
	struct listener_info info;
	struct acceptor *acceptor;
	struct addr addr;
	struct rlimit before;
	int fd;
};

static void
init(struct world *w)
{
	const struct build_settings set = { .zone = STR("zone-1") };
	struct problems pr = PROBLEMS_NONE;
	struct conn_env env;

	clock_fake(START_MS, 0);
	*w = (struct world){ .limits = {
				 .hello_ms = 15000, .connections = 100 } };
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &w->before), 0);
	w->loop = loop_new();
	w->store = store_new();
	w->snapshot = snapshot_build(w->store, &set, NULL, NULL, &pr);
	w->identities = tls_identities_new(NULL, 0, NULL, 0, &pr);
	problems_free(&pr);
	w->shard = stats_shard_new();
	env = (struct conn_env){
		.loop = w->loop,
		.stats = w->shard,
		.limits = &w->limits,
	};
	w->conns = conns_new(&env, w->snapshot, w->identities);
	w->info.stats = stats_get(w->shard, SCOPE_LISTENER, "here");
	w->info.name = STR("here");
	cr_assert(addr_parse(STR("127.0.0.1"), 0, &w->addr));
	w->fd = sock_listen(&w->addr, false, 16);
	cr_assert(listener_bound(w->fd, &w->addr));
}

static void
fini(struct world *w)
{
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &w->before), 0);
	acceptor_free(w->acceptor);
	conns_free(w->conns);
	loop_free(w->loop);
	stats_shard_free(w->shard);
	tls_identities_unref(w->identities);
	snapshot_unref(w->snapshot);
	store_free(w->store);
}

/* So many descriptors more may be opened. */
static void
leave(struct world *w, unsigned n)
{
	struct rlimit few = w->before;
	int next;

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	next = dup(w->fd);
	cr_assert_neq(next, -1);
	(void)close(next);
	few.rlim_cur = (rlim_t)next + n;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
}

static int
caller(struct world *w)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_neq(fd, -1);
	cr_assert_eq(connect(fd, &w->addr.u.sa, w->addr.len), 0);
	return fd;
}

/* Our side has closed it, without a byte. */
static bool
was_told(int fd)
{
	char b;

	return recv(fd, &b, 1, MSG_DONTWAIT) == 0;
}

static void
turn(struct world *w)
{
	for (unsigned i = 0; i < 4; i++)
		loop_turn(w->loop);
}

static void
pass(struct world *w, uint64_t ms)
{
	clock_fake(clock_ms() + ms, 0);
	turn(w);
}

static uint64_t
shed(void)
{
	return stats_sum(SCOPE_LISTENER, "here", STAT_DOWNSTREAM_CX_OVERLOAD);
}

Test(acceptor, takes_what_connects)
{
	struct world w;
	int a, b;

	init(&w);
	w.acceptor = acceptor_new(w.loop, w.fd, &w.info, w.conns);
	a = caller(&w);
	b = caller(&w);
	turn(&w);
	cr_expect_eq(conns_count(w.conns), 2);
	cr_expect(!was_told(a) && !was_told(b));
	acceptor_stop(w.acceptor);
	cr_expect_eq(connect(a, &w.addr.u.sa, w.addr.len), -1);
	fini(&w);
	cr_expect(was_told(a) && was_told(b));
	(void)close(a);
	(void)close(b);
}

Test(acceptor, without_descriptors_tells_who_connects)
{
	struct world w;
	int fd[3];

	init(&w);
	w.acceptor = acceptor_new(w.loop, w.fd, &w.info, w.conns);
	for (unsigned i = 0; i < 3; i++)
		fd[i] = caller(&w);
	leave(&w, 0);
	turn(&w);
	cr_expect_eq(shed(), 1);
	cr_expect(was_told(fd[0]) && !was_told(fd[1]));
	/* One at a time, with a pause. */
	turn(&w);
	cr_expect_eq(shed(), 1);
	pass(&w, 200);
	cr_expect_eq(shed(), 2);
	cr_expect(was_told(fd[1]));
	/* As soon as there is one, it goes on. */
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &w.before), 0);
	pass(&w, 200);
	cr_expect_eq(conns_count(w.conns), 1);
	cr_expect(!was_told(fd[2]));
	fini(&w);
	for (unsigned i = 0; i < 3; i++)
		(void)close(fd[i]);
}

Test(acceptor, a_lost_reserve_is_made_good)
{
	struct world w;
	int fd[2];

	init(&w);
	fd[0] = caller(&w);
	fd[1] = caller(&w);
	leave(&w, 0);
	w.acceptor = acceptor_new(w.loop, w.fd, &w.info, w.conns);
	turn(&w);
	cr_expect_eq(shed(), 1);
	cr_expect(!was_told(fd[0]), "there is no reserve to do it with");
	leave(&w, 1);
	pass(&w, 200);
	cr_expect(was_told(fd[0]));
	pass(&w, 200);
	cr_expect(was_told(fd[1]));
	cr_expect_eq(conns_count(w.conns), 0);
	fini(&w);
	(void)close(fd[0]);
	(void)close(fd[1]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, on loopback: the first address that answers is taken. */

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/dial.h"
#include "net/sock.h"
#include "support/wait.h"

#define WAIT_MS 10000
#define FILLERS 8

struct call {
	struct loop *loop;
	struct dial dial;
	struct addr_rules rules;
	struct cidr loopback;
	struct wire *wire;
	struct addr to;
	enum dial_status status;
	unsigned calls;
	unsigned delay_ms;
	struct families families;
};

static void
on_dialled(void *arg, enum dial_status s)
{
	struct call *c = arg;

	c->calls++;
	c->status = s;
	if (s == DIAL_OK)
		c->wire = dial_take(&c->dial, &c->to);
}

static void
call_init(struct call *c)
{
	*c = (struct call){ .loop = loop_new() };
	cr_assert(cidr_parse(STR("127.0.0.0/8"), &c->loopback));
	c->rules.allow = &c->loopback;
	c->rules.n_allow = 1;
}

static void
call_fini(struct call *c)
{
	wire_free(c->wire);
	dial_stop(&c->dial);
	loop_free(c->loop);
}

static void
dial(struct call *c, const struct addr *v, size_t n, unsigned timeout_ms)
{
	const struct dial_plan plan = {
		.addrs = v,
		.n = n,
		.rules = &c->rules,
		.families = &c->families,
		.timeout_ms = timeout_ms,
		.delay_ms = c->delay_ms,
	};

	dial_start(&c->dial, c->loop, &plan, on_dialled, c);
	cr_expect_eq(c->calls, 0, "never before it returns");
}

static enum dial_status
outcome(struct call *c)
{
	cr_assert(WAIT_UNTIL(WAIT_MS, (loop_turn(c->loop), c->calls > 0)));
	loop_turn(c->loop);
	cr_expect_eq(c->calls, 1, "once");
	return c->status;
}

/* A listener on a free port; closed, it is an address that refuses. */
static struct addr
listener(int *fd, int backlog)
{
	struct addr a;
	socklen_t len = sizeof(a.u);

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	*fd = sock_listen(&a, false, backlog);
	cr_assert_neq(*fd, -1);
	cr_assert_eq(getsockname(*fd, &a.u.sa, &len), 0);
	return a;
}

/* Bound, but not listening: nobody else gets the port meanwhile. */
static struct addr
refusing(int *fd)
{
	struct addr a;
	socklen_t len = sizeof(a.u);

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	*fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(*fd, &a.u.sa, a.len), 0);
	cr_assert_eq(getsockname(*fd, &a.u.sa, &len), 0);
	return a;
}

/*
 * A queue that is full drops further SYNs, as a filter on the way would.
 * fillers keep it so.
 */
static struct addr
swallowing(int *fd, int fillers[FILLERS])
{
	struct addr a = listener(fd, 0);
	const char *what;
	size_t i;

	for (i = 0; i < FILLERS; i++) {
		fillers[i] = sock_connect(&a, NULL, &what);
		cr_assert_neq(fillers[i], -1);
	}
	return a;
}

static void
close_all(const int *fd, size_t n)
{
	while (n-- > 0)
		close(fd[n]);
}

Test(dial, the_first_address_that_answers)
{
	struct addr v[3];
	struct call c;
	int fd[3];
	char text[ADDR_TEXT];

	call_init(&c);
	v[0] = refusing(&fd[0]);
	v[1] = listener(&fd[1], 8);
	v[2] = listener(&fd[2], 8);
	dial(&c, v, 3, 5000);
	cr_expect_eq(outcome(&c), DIAL_OK);
	addr_print(&c.to, text);
	cr_expect(addr_eq(&c.to, &v[1]), "%s", text);
	cr_assert_not_null(c.wire);
	cr_expect_eq(wire_write(c.wire, STR("hello")), IO_DONE);
	cr_expect_eq(wire_unsent(c.wire), 0);
	call_fini(&c);
	close_all(fd, 3);
}

Test(dial, refused)
{
	struct addr v[2];
	struct call c;
	int fd[2];

	call_init(&c);
	v[0] = refusing(&fd[0]);
	v[1] = refusing(&fd[1]);
	dial(&c, v, 2, 5000);
	cr_expect_eq(outcome(&c), DIAL_REFUSED);
	cr_expect_null(c.dial.why);
	call_fini(&c);
	close_all(fd, 2);
}

Test(dial, late)
{
	int fd, fillers[FILLERS];
	uint64_t before = clock_ms();
	struct addr a;
	struct call c;

	call_init(&c);
	a = swallowing(&fd, fillers);
	dial(&c, &a, 1, 300);
	cr_expect_eq(outcome(&c), DIAL_LATE);
	cr_expect_geq(clock_ms() - before, 300);
	call_fini(&c);
	close_all(fillers, FILLERS);
	close(fd);
}

Test(dial, one_that_swallows_leaves_time_for_the_next)
{
	int fd[2], fillers[FILLERS];
	struct addr v[2];
	struct call c;

	call_init(&c);
	v[0] = swallowing(&fd[0], fillers);
	v[1] = listener(&fd[1], 8);
	dial(&c, v, 2, 1000);
	cr_expect_eq(outcome(&c), DIAL_OK);
	cr_expect(addr_eq(&c.to, &v[1]));
	call_fini(&c);
	close_all(fillers, FILLERS);
	close_all(fd, 2);
}

/* Each has its head start, and so many are tried beside each other. */
Test(dial, one_beside_the_other)
{
	int fd, fillers[FILLERS];
	uint64_t start = 1000000, ms;
	struct addr v[DIAL_BESIDE + 2];
	struct call c;
	size_t i;

	clock_fake(start, 0);
	call_init(&c);
	c.delay_ms = 100;
	v[0] = swallowing(&fd, fillers);
	for (i = 1; i < ARRAY_LEN(v); i++)
		v[i] = v[0];
	dial(&c, v, ARRAY_LEN(v), 1000);
	for (ms = 0; ms < 1000; ms += 10) {
		clock_fake(start + ms, 0);
		loop_turn(c.loop);
		i = ms / 100 + 1;
		cr_expect_eq(dial_tries(&c.dial),
		    i < ARRAY_LEN(v) ? i : ARRAY_LEN(v), "%zu after %u ms",
		    dial_tries(&c.dial), (unsigned)ms);
	}
	cr_expect_eq(c.calls, 0);
	/* The first two made room. */
	cr_expect(dial_is_spent(&c.dial, 1));
	cr_expect(!dial_is_spent(&c.dial, 2));
	clock_fake(start + 1000, 0);
	loop_turn(c.loop);
	cr_expect_eq(c.calls, 1);
	cr_expect_eq(c.status, DIAL_LATE);
	call_fini(&c);
	close_all(fillers, FILLERS);
	close(fd);
}

Test(dial, what_is_left_to_try)
{
	struct text told = TEXT_EMPTY;
	struct addr v[3];
	struct call c;
	int fd[3];

	call_init(&c);
	c.delay_ms = 2000;
	v[0] = refusing(&fd[0]);
	v[1] = refusing(&fd[1]);
	v[2] = v[1];
	dial(&c, v, 3, 5000);
	cr_expect_eq(outcome(&c), DIAL_REFUSED);
	cr_expect_eq(dial_tries(&c.dial), 3);
	dial_tell(&c.dial, &told);
	cr_expect_not_null(strstr(told.p, ": connection refused; 127.0.0.1:"));
	text_free(&told);
	call_fini(&c);
	close_all(fd, 2);
}

/* ::1 swallows, 127.0.0.1 answers: that is remembered, and forgiven. */
Test(dial, a_family_that_keeps_losing)
{
	int fd[2], fillers[FILLERS];
	const char *what;
	struct addr v[2];
	socklen_t len;
	struct call c;
	unsigned i;

	call_init(&c);
	cr_assert(addr_parse(STR("::1"), 0, &v[0]));
	fd[0] = sock_listen(&v[0], false, 0);
	if (fd[0] == -1)
		cr_skip_test("there is no IPv6 here");
	len = sizeof(v[0].u);
	cr_assert_eq(getsockname(fd[0], &v[0].u.sa, &len), 0);
	for (i = 0; i < FILLERS; i++)
		fillers[i] = sock_connect(&v[0], NULL, &what);
	v[1] = listener(&fd[1], 64);
	c.rules.only_public = false;
	for (i = 0; i < FAMILIES_LOSSES; i++) {
		cr_expect(!families_is_unusable(
		    &c.families, AF_INET6, loop_now_ms(c.loop)));
		c.calls = 0;
		c.delay_ms = 10;
		dial_start(&c.dial, c.loop,
		    &(struct dial_plan){ .addrs = v,
			.n = 2,
			.is_literal = true,
			.families = &c.families,
			.timeout_ms = 5000,
			.delay_ms = 10 },
		    on_dialled, &c);
		cr_expect_eq(outcome(&c), DIAL_OK);
		cr_expect(addr_eq(&c.to, &v[1]));
		wire_free(c.wire);
		c.wire = NULL;
	}
	cr_expect(
	    families_is_unusable(&c.families, AF_INET6, loop_now_ms(c.loop)));
	cr_expect(
	    !families_is_unusable(&c.families, AF_INET, loop_now_ms(c.loop)));
	call_fini(&c);
	close_all(fillers, FILLERS);
	close_all(fd, 2);
}

Test(dial, history_of_families)
{
	struct families f = { .v4 = { .losses = 0 } };
	uint64_t now = 1000, pause = FAMILIES_LEAST_MS;
	unsigned i;

	families_lost(&f, AF_INET6, now);
	families_lost(&f, AF_INET6, now);
	families_won(&f, AF_INET6);
	families_lost(&f, AF_INET6, now);
	cr_expect(!families_is_unusable(&f, AF_INET6, now), "not in a row");
	families_lost(&f, AF_INET6, now);
	families_lost(&f, AF_INET6, now);
	/* Longer each time, up to a limit; one loss is enough from then on. */
	for (i = 0; i < 6; i++) {
		cr_expect(families_is_unusable(&f, AF_INET6, now + pause - 1));
		cr_expect(!families_is_unusable(&f, AF_INET6, now + pause));
		cr_expect(!families_is_unusable(&f, AF_INET, now));
		families_lost(&f, AF_INET6, now + 1);
		cr_expect(!families_is_unusable(&f, AF_INET6, now + pause),
		    "meanwhile it is last, and may well lose");
		now += pause;
		families_lost(&f, AF_INET6, now);
		pause =
		    pause * 2 < FAMILIES_MOST_MS ? pause * 2 : FAMILIES_MOST_MS;
	}
	families_won(&f, AF_INET6);
	cr_expect(!families_is_unusable(&f, AF_INET6, now));
	families_lost(&f, AF_INET6, now);
	cr_expect(!families_is_unusable(&f, AF_INET6, now), "all is forgiven");
}

Test(dial, addresses_that_are_not_allowed_get_no_packet)
{
	struct addr v[2], from;
	struct call c;
	int fd;

	call_init(&c);
	c.rules.n_allow = 0;
	v[0] = listener(&fd, 8);
	cr_assert(addr_parse(STR("169.254.169.254"), 80, &v[1]));
	dial(&c, v, 2, 5000);
	cr_expect_eq(outcome(&c), DIAL_REFUSED_ADDRESS);
	cr_expect_str_eq(c.dial.why, "link-local");
	cr_expect_eq(sock_accept(fd, &from), -1);
	cr_expect_eq(errno, EAGAIN);
	call_fini(&c);
	close(fd);
}

Test(dial, an_address_that_is_allowed_behind_one_that_is_not)
{
	struct addr v[2];
	struct call c;
	int fd;

	call_init(&c);
	cr_assert(addr_parse(STR("169.254.169.254"), 80, &v[0]));
	v[1] = listener(&fd, 8);
	dial(&c, v, 2, 5000);
	cr_expect_eq(outcome(&c), DIAL_OK);
	call_fini(&c);
	close(fd);
}

Test(dial, a_literal_may_be_this_host)
{
	struct addr a;
	struct call c;
	int fd;

	call_init(&c);
	a = listener(&fd, 8);
	dial_start(&c.dial, c.loop,
	    &(struct dial_plan){
		.addrs = &a, .n = 1, .is_literal = true, .timeout_ms = 5000 },
	    on_dialled, &c);
	cr_expect_eq(outcome(&c), DIAL_OK);
	call_fini(&c);
	close(fd);
}

Test(dial, no_address_at_all)
{
	struct call c;

	call_init(&c);
	dial(&c, NULL, 0, 5000);
	cr_expect_eq(outcome(&c), DIAL_FAILED);
	call_fini(&c);
}

Test(dial, without_descriptors)
{
	struct rlimit r, few;
	struct addr v[2];
	struct call c;
	int fd[2];

	call_init(&c);
	v[0] = listener(&fd[0], 8);
	v[1] = listener(&fd[1], 8);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	few = r;
	few.rlim_cur = 3;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	dial(&c, v, 2, 5000);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	cr_expect_eq(outcome(&c), DIAL_NO_FDS);
	cr_expect_eq(dial_tries(&c.dial), 1, "the next one has none either");
	call_fini(&c);
	close_all(fd, 2);
}

Test(dial, stopped_at_any_time)
{
	struct dial never = { .loop = NULL };
	struct addr v[2];
	struct call c;
	int fd[2];

	dial_stop(&never);
	call_init(&c);
	v[0] = listener(&fd[0], 8);
	v[1] = refusing(&fd[1]);
	dial(&c, &v[0], 1, 5000);
	dial_stop(&c.dial);
	dial_stop(&c.dial);
	loop_turn(c.loop);
	dial(&c, &v[1], 1, 5000);
	dial_stop(&c.dial);
	c.rules.n_allow = 0;
	dial(&c, &v[0], 1, 5000);
	dial_stop(&c.dial);
	loop_turn(c.loop);
	loop_turn(c.loop);
	cr_expect_eq(c.calls, 0);
	call_fini(&c);
	close_all(fd, 2);
}

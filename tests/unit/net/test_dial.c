/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, on loopback: the first address that answers is taken. */

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
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
	dial_start(&c->dial, c->loop, v, n, false, &c->rules, timeout_ms,
	    on_dialled, c);
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
	size_t i;

	for (i = 0; i < FILLERS; i++) {
		fillers[i] = sock_connect(&a);
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
	cr_expect_null(c.dial.refused_why);
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

Test(dial, the_time_is_for_all_together)
{
	int fd, fillers[FILLERS];
	uint64_t start = 1000000, ms;
	struct addr v[8];
	struct call c;
	size_t i;

	clock_fake(start, 0);
	call_init(&c);
	v[0] = swallowing(&fd, fillers);
	for (i = 1; i < ARRAY_LEN(v); i++)
		v[i] = v[0];
	dial(&c, v, ARRAY_LEN(v), 1000);
	for (ms = 0; ms < 1000; ms += 10) {
		clock_fake(start + ms, 0);
		loop_turn(c.loop);
	}
	cr_expect_eq(c.calls, 0);
	cr_expect_eq(c.dial.next, 4, "a fair try for each: %zu", c.dial.next);
	clock_fake(start + 1000, 0);
	loop_turn(c.loop);
	cr_expect_eq(c.calls, 1);
	cr_expect_eq(c.status, DIAL_LATE);
	call_fini(&c);
	close_all(fillers, FILLERS);
	close(fd);
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
	cr_expect_str_eq(c.dial.refused_why, "link-local");
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
	dial_start(&c.dial, c.loop, &a, 1, true, NULL, 5000, on_dialled, &c);
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
	cr_expect_eq(c.dial.next, 1, "the next one has none either");
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

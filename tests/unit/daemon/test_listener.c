/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/listener.h: groups of sockets, and what counts as our own. */

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/problem.h"
#include "daemon/config.h"
#include "daemon/listener.h"
#include "net/sock.h"

static struct config_listener
entry(const char *address, bool is_ingress)
{
	struct config_listener l = {
		.address = address,
		.is_ingress = is_ingress,
	};

	cr_assert(addr_parse(str_of(address), 0, &l.addr));
	return l;
}

static bool
owns(const struct listeners *ls, const char *host, uint16_t port)
{
	struct addr a;
	size_t i;

	cr_assert(addr_parse(str_of(host), port, &a));
	for (i = 0; i < ls->n_own; i++)
		if (addr_eq(&ls->own[i], &a))
			return true;
	return false;
}

Test(listener, a_group_shares_one_port)
{
	struct config_listener entries[] = {
		entry("127.0.0.1", false),
		entry("127.0.0.1", true),
	};
	struct config c = { .listeners = entries, .n_listeners = 2 };
	struct problems pr = PROBLEMS_NONE;
	struct listeners ls;
	struct addr a, b;
	int first, second;

	cr_assert(listeners_open(&ls, &c, 2, &pr));
	cr_assert_eq(ls.n, 2);
	cr_expect(ls.has_egress);
	cr_expect(!ls.v[0].is_ingress);
	cr_expect(ls.v[1].is_ingress);
	cr_expect_eq(ls.v[0].n_fds, 2);
	first = listener_take(&ls.v[0], 0);
	second = listener_take(&ls.v[0], 1);
	cr_expect_neq(first, second);
	cr_assert(listener_bound(first, &a) && listener_bound(second, &b));
	cr_expect(addr_eq(&a, &b));
	cr_expect_neq(addr_port(&a), 0);
	cr_expect(addr_eq(&a, &ls.v[0].addr));
	cr_expect_eq(strncmp(ls.v[0].name, "127.0.0.1:", 10), 0);
	cr_expect(owns(&ls, "127.0.0.1", addr_port(&a)));
	cr_expect(!owns(&ls, "127.0.0.2", addr_port(&a)));
	listeners_close(&ls);
	cr_expect(listener_bound(first, &a), "a taken one stays open");
	close(first);
	close(second);
}

Test(listener, a_wildcard_owns_every_address)
{
	struct config_listener entries[] = { entry("0.0.0.0", true) };
	struct config c = { .listeners = entries, .n_listeners = 1 };
	struct problems pr = PROBLEMS_NONE;
	struct listeners ls;

	cr_assert(listeners_open(&ls, &c, 1, &pr));
	cr_expect(!ls.has_egress);
	cr_expect(owns(&ls, "127.0.0.1", addr_port(&ls.v[0].addr)));
	listeners_close(&ls);
}

Test(listener, says_what_cannot_be_opened)
{
	struct config_listener entries[] = { entry("127.0.0.1", false) };
	struct config c = {
		.path = "c", .listeners = entries, .n_listeners = 1
	};
	struct problems pr = PROBLEMS_NONE;
	struct text line = TEXT_EMPTY;
	struct listeners ls;
	struct addr a;
	int taken = sock_listen(&entries[0].addr, false, 1);

	cr_assert(listener_bound(taken, &a));
	entries[0].addr = a;
	entries[0].port = addr_port(&a);
	cr_expect(!listeners_open(&ls, &c, 2, &pr));
	cr_assert_eq(pr.errors, 1);
	problem_print(&pr.v[0], &line);
	cr_expect_not_null(
	    strstr(line.p, "Address already in use"), "%s", line.p);
	text_free(&line);
	problems_free(&pr);
	listeners_close(&ls);
	close(taken);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Listening, accepting and connecting, with the options that we want. */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/sock.h"

static int
get_option(int fd, int level, int option)
{
	int value = -1;
	socklen_t len = sizeof(value);

	cr_assert_eq(getsockopt(fd, level, option, &value, &len), 0);
	return value;
}

static void
expect_ours(int fd)
{
	cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
	cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void
listen_on(struct addr *a, const char *host, int *fd)
{
	socklen_t len = sizeof(a->u);

	cr_assert(addr_parse(str_of(host), 0, a));
	*fd = sock_listen(a, false, 8);
	cr_assert_neq(*fd, -1);
	cr_assert_eq(getsockname(*fd, &a->u.sa, &len), 0);
}

Test(sock, tcp_both_ways)
{
	struct pollfd wait = { .events = POLLIN };
	struct addr a, from;
	const char *what;
	int l, c, s;

	listen_on(&a, "127.0.0.1", &l);
	expect_ours(l);
	cr_expect_eq(sock_accept(l, &from), -1);
	cr_expect_eq(errno, EAGAIN);
	c = sock_connect(&a, NULL, &what);
	cr_expect_null(what);
	cr_assert_neq(c, -1);
	expect_ours(c);
	wait.fd = l;
	cr_assert_eq(poll(&wait, 1, 5000), 1);
	s = sock_accept(l, &from);
	cr_assert_neq(s, -1);
	expect_ours(s);
	cr_expect_eq(get_option(s, IPPROTO_TCP, TCP_NODELAY), 1);
	cr_expect_eq(get_option(c, IPPROTO_TCP, TCP_NODELAY), 1);
	cr_expect(addr_eq_host(&from, &a));
	cr_expect_eq(sock_error(c), 0);
	close(c);
	close(s);
	close(l);
}

/* As systemd opens it; what is accepted is asked nothing of its own. */
Test(sock, a_listener_of_others_hands_the_option_down)
{
	struct pollfd wait = { .events = POLLIN };
	struct addr a, from;
	int l = socket(AF_INET, SOCK_STREAM, 0), c, s;
	socklen_t len = sizeof(a.u);
	const char *what;

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	cr_assert_eq(bind(l, &a.u.sa, a.len), 0);
	cr_assert_eq(listen(l, 8), 0);
	cr_assert_eq(getsockname(l, &a.u.sa, &len), 0);
	sock_no_delay(l);
	c = sock_connect(&a, NULL, &what);
	wait.fd = l;
	cr_assert_eq(poll(&wait, 1, 5000), 1);
	s = sock_accept(l, &from);
	cr_assert_neq(s, -1);
	cr_expect_eq(get_option(s, IPPROTO_TCP, TCP_NODELAY), 1);
	close(c);
	close(s);
	close(l);
}

Test(sock, a_port_is_shared_only_when_asked)
{
	struct addr a, b;
	int first, second;
	socklen_t len = sizeof(a.u);

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	first = sock_listen(&a, true, 8);
	cr_assert_neq(first, -1);
	cr_assert_eq(getsockname(first, &a.u.sa, &len), 0);
	second = sock_listen(&a, true, 8);
	cr_expect_neq(second, -1);
	b = a;
	cr_expect_eq(sock_listen(&b, false, 8), -1);
	cr_expect_eq(errno, EADDRINUSE);
	close(first);
	close(second);
}

Test(sock, unix_replaces_a_stale_file_and_no_other)
{
	char dir[] = "/tmp/zegress-sock-XXXXXX", path[64], other[64];
	struct addr from;
	struct stat st;
	int l, c, s;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(other, sizeof(other), "%s/file", dir);
	l = sock_listen_unix(path, 0660, 8);
	cr_assert_neq(l, -1);
	expect_ours(l);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
	c = sock_connect_unix(path);
	cr_assert_neq(c, -1);
	s = sock_accept(l, &from);
	cr_expect_neq(s, -1);
	cr_expect_eq(from.len, 0);
	cr_expect_eq(sock_listen_unix(path, 0660, 8), -1, "it is in use");
	cr_expect_eq(errno, EADDRINUSE);
	close(l);
	close(c);
	close(s);
	l = sock_listen_unix(path, 0600, 8);
	cr_expect_neq(l, -1, "nobody listens any more");
	close(l);
	unlink(path);

	close(open(other, O_CREAT | O_WRONLY, 0600));
	cr_expect_eq(sock_listen_unix(other, 0600, 8), -1);
	cr_expect_eq(access(other, F_OK), 0, "a file is never removed");
	unlink(other);
	rmdir(dir);
}

Test(sock, unix_paths_that_do_not_fit)
{
	char path[200];

	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(sock_listen_unix(path, 0600, 1), -1);
	cr_expect_eq(errno, ENAMETOOLONG);
	cr_expect_eq(sock_connect_unix(path), -1);
	cr_expect_eq(sock_connect_unix(""), -1);
}

Test(sock, the_limit_of_descriptors_is_raised)
{
	struct rlimit r;

	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	r.rlim_cur = r.rlim_max / 2;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &r), 0);
	cr_expect_eq(sock_raise_nofile(), r.rlim_max);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &r), 0);
	cr_expect_eq(r.rlim_cur, r.rlim_max);
}

static struct addr
address(const char *host)
{
	struct addr a;

	cr_assert(addr_parse(str_of(host), 0, &a), "%s", host);
	return a;
}

Test(sock, a_way_is_gone)
{
	const struct sock_way way = { .from4 = address("127.0.0.9"),
		.from6 = address("::1"),
		.dscp = 46,
		.keepalive_s = 30,
		.keepalive_interval_s = 5,
		.keepalive_probes = 3 };
	struct pollfd wait = { .events = POLLIN };
	struct addr a, from;
	const char *what;
	int l, c, s;

	listen_on(&a, "127.0.0.1", &l);
	c = sock_connect(&a, &way, &what);
	cr_assert_neq(c, -1, "%s", what);
	wait.fd = l;
	cr_assert_eq(poll(&wait, 1, 5000), 1);
	s = sock_accept(l, &from);
	cr_assert_neq(s, -1);
	cr_expect(addr_eq_host(&from, &way.from4));
	cr_expect_eq(get_option(c, IPPROTO_IP, IP_TOS), 46 << 2);
	cr_expect_eq(get_option(c, SOL_SOCKET, SO_KEEPALIVE), 1);
	cr_expect_eq(get_option(c, IPPROTO_TCP, TCP_KEEPIDLE), 30);
	cr_expect_eq(get_option(c, IPPROTO_TCP, TCP_KEEPINTVL), 5);
	cr_expect_eq(get_option(c, IPPROTO_TCP, TCP_KEEPCNT), 3);
	close(c);
	close(s);
	close(l);
}

/* Never in another way than the one that was asked for. */
Test(sock, a_way_that_there_is_not)
{
	const struct {
		struct sock_way way;
		const char *what;
	} rows[] = {
		{ { .from4 = address("192.0.2.77") }, "source address" },
		{ { .interface = "no-such-if" }, "interface" },
	};
	struct addr a;
	const char *what;
	int l;

	listen_on(&a, "127.0.0.1", &l);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(sock_connect(&a, &rows[i].way, &what), -1);
		cr_assert_not_null(what, "row %zu", i);
		cr_expect_str_eq(what, rows[i].what);
	}
	close(l);
}

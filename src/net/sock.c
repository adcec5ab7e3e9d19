/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets with the options that we always want.  No state; any thread. */

#include "net/sock.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define STREAM (SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC)

static int
close_failed(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

static bool
set_on(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

void
sock_no_delay(int fd)
{
	(void)set_on(fd, IPPROTO_TCP, TCP_NODELAY);
}

int
sock_listen(const struct addr *a, bool reuse_port, int backlog)
{
	int fd = socket(a->u.sa.sa_family, STREAM, 0);

	if (fd == -1)
		return -1;
	if (!set_on(fd, SOL_SOCKET, SO_REUSEADDR) ||
	    (reuse_port && !set_on(fd, SOL_SOCKET, SO_REUSEPORT)) ||
	    bind(fd, &a->u.sa, a->len) == -1 || listen(fd, backlog) == -1)
		return close_failed(fd);
	sock_no_delay(fd);
	return fd;
}

_Static_assert(
    sizeof(((struct sockaddr_un *)0)->sun_path) == SOCK_UNIX_MOST, "as said");

static bool
unix_address(const char *path, struct sockaddr_un *un)
{
	size_t len = strlen(path);

	*un = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (len == 0 || len >= sizeof(un->sun_path)) {
		errno = ENAMETOOLONG;
		return false;
	}
	memcpy(un->sun_path, path, len + 1);
	return true;
}

int
sock_connect_unix(const char *path)
{
	struct sockaddr_un un;
	int fd;

	if (!unix_address(path, &un))
		return -1;
	fd = socket(AF_UNIX, STREAM, 0);
	if (fd == -1)
		return -1;
	if (connect(fd, (const void *)&un, sizeof(un)) == -1)
		return close_failed(fd);
	return fd;
}

/* A socket file that nobody listens on any more; nothing else is removed. */
static bool
is_stale(const char *path)
{
	struct stat st;
	int fd;

	if (lstat(path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return false;
	fd = sock_connect_unix(path);
	if (fd == -1)
		return errno == ECONNREFUSED;
	close(fd);
	return false;
}

int
sock_listen_unix(const char *path, unsigned mode, int backlog)
{
	struct sockaddr_un un;
	int fd;

	if (!unix_address(path, &un))
		return -1;
	if (is_stale(path) && unlink(path) == -1)
		return -1;
	fd = socket(AF_UNIX, STREAM, 0);
	if (fd == -1)
		return -1;
	/* Nobody can connect before listen(2), so the mode comes in time. */
	if (bind(fd, (const void *)&un, sizeof(un)) == -1 ||
	    chmod(path, mode) == -1 || listen(fd, backlog) == -1)
		return close_failed(fd);
	return fd;
}

int
sock_accept(int fd, struct addr *from)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int client =
	    accept4(fd, (void *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (client == -1)
		return -1;
	if (!addr_from_sockaddr((const void *)&ss, len, from))
		*from = (struct addr){ .len = 0 };
	return client;
}

bool
sock_is_short(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS ||
	       error == ENOMEM;
}

static bool
set_number(int fd, int level, int option, unsigned value)
{
	const int n = (int)value;

	return setsockopt(fd, level, option, &n, sizeof(n)) == 0;
}

static bool
set_dscp(int fd, int family, unsigned dscp)
{
	/* The two bits below are those of ECN. */
	if (family == AF_INET6)
		return set_number(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
	return set_number(fd, IPPROTO_IP, IP_TOS, dscp << 2);
}

static bool
set_keepalive(int fd, const struct sock_way *way)
{
	return set_on(fd, SOL_SOCKET, SO_KEEPALIVE) &&
	       set_number(fd, IPPROTO_TCP, TCP_KEEPIDLE, way->keepalive_s) &&
	       set_number(
		   fd, IPPROTO_TCP, TCP_KEEPINTVL, way->keepalive_interval_s) &&
	       set_number(fd, IPPROTO_TCP, TCP_KEEPCNT, way->keepalive_probes);
}

/* The port is drawn at connect(2), so that a source has 64k to each server. */
static bool
bind_to(int fd, const struct addr *from)
{
	(void)set_on(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	return bind(fd, &from->u.sa, from->len) == 0;
}

/* What could not be set, or NULL. */
static const char *
set_way(int fd, int family, const struct sock_way *way)
{
	const struct addr *from =
	    family == AF_INET6 ? &way->from6 : &way->from4;

	if (way->interface != NULL &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, way->interface,
		(socklen_t)strlen(way->interface) + 1) == -1)
		return "interface";
	if (way->mark != 0 && setsockopt(fd, SOL_SOCKET, SO_MARK, &way->mark,
				  sizeof(way->mark)) == -1)
		return "mark";
	if (way->dscp != 0 && !set_dscp(fd, family, way->dscp))
		return "dscp";
	if (way->keepalive_s != 0 && !set_keepalive(fd, way))
		return "keepalive";
	if (from->len != 0 && !bind_to(fd, from))
		return "source address";
	return NULL;
}

int
sock_connect(
    const struct addr *a, const struct sock_way *way, const char **what)
{
	int fd = socket(a->u.sa.sa_family, STREAM, 0);

	*what = NULL;
	if (fd == -1)
		return -1;
	sock_no_delay(fd);
	if (way != NULL)
		*what = set_way(fd, a->u.sa.sa_family, way);
	if (*what != NULL)
		return close_failed(fd);
	if (connect(fd, &a->u.sa, a->len) == -1 && errno != EINPROGRESS)
		return close_failed(fd);
	return fd;
}

int
sock_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
		return errno;
	return error;
}

void
sock_linger_reset(int fd)
{
	const struct linger reset = { .l_onoff = 1, .l_linger = 0 };

	(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

unsigned long
sock_raise_nofile(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == -1)
		return 0;
	if (r.rlim_cur < r.rlim_max) {
		rlim_t before = r.rlim_cur;

		r.rlim_cur = r.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &r) == -1)
			return before;
	}
	return r.rlim_cur;
}

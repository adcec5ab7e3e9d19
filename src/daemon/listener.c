/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Opening listeners.  Sockets that systemd passed are recognised by their
 * address; what is left is opened here.  Accepting is acceptor.c's.  Main
 * thread.
 */

#include "daemon/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/log.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "net/sock.h"

#define BACKLOG 4096

bool
listener_bound(int fd, struct addr *out)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);

	return getsockname(fd, (void *)&ss, &len) == 0 &&
	       addr_from_sockaddr((void *)&ss, len, out);
}

static bool
is_wildcard(const struct addr *a)
{
	static const struct in6_addr any = IN6ADDR_ANY_INIT;

	if (a->u.sa.sa_family == AF_INET)
		return a->u.in.sin_addr.s_addr == htonl(INADDR_ANY);
	return memcmp(&a->u.in6.sin6_addr, &any, sizeof(any)) == 0;
}

static void
add_own(struct listeners *ls, const struct addr *a)
{
	ls->own = xreallocarray(ls->own, ls->n_own + 1, sizeof(*ls->own));
	ls->own[ls->n_own++] = *a;
}

void
listeners_add_own(struct listeners *ls, const struct addr *a)
{
	struct ifaddrs *all = NULL, *i;
	socklen_t len;
	struct addr one;

	add_own(ls, a);
	if (!is_wildcard(a) || getifaddrs(&all) == -1)
		return;
	for (i = all; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL)
			continue;
		len = i->ifa_addr->sa_family == AF_INET
			  ? sizeof(struct sockaddr_in)
			  : sizeof(struct sockaddr_in6);
		if (!addr_from_sockaddr(i->ifa_addr, len, &one))
			continue;
		addr_set_port(&one, addr_port(a));
		add_own(ls, &one);
	}
	freeifaddrs(all);
}

/* The descriptor that systemd opened for a; -1: none. */
static int
take_handed_over(const struct addr *a, bool *taken, int n)
{
	struct addr bound;
	int i, fd;

	for (i = 0; i < n; i++) {
		fd = SD_LISTEN_FDS_START + i;
		if (taken[i] || !listener_bound(fd, &bound) ||
		    !addr_eq(&bound, a))
			continue;
		taken[i] = true;
		return fd;
	}
	return -1;
}

static void
set_options(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		log_warn("socket activation", "%s", strerror(errno));
	sock_no_delay(fd);
}

/* A group shares its port with any other that does: with no other daemon. */
static bool
is_free(const struct addr *a)
{
	int fd = sock_listen(a, false, 1);

	if (fd != -1)
		close(fd);
	return fd != -1;
}

static bool
open_group(struct listener *l, size_t n_workers)
{
	int fd;

	if (!is_free(&l->addr))
		return false;
	while (l->n_fds < n_workers) {
		fd = sock_listen(&l->addr, true, BACKLOG);
		if (fd == -1)
			return false;
		l->fds[l->n_fds++] = fd;
		/* The first of the group finds the port. */
		if (l->n_fds == 1 && !listener_bound(fd, &l->addr))
			return false;
	}
	return true;
}

static bool
open_one(struct listener *l, const struct config_listener *c, int handed_over,
    size_t n_workers)
{
	l->addr = c->addr;
	l->is_ingress = c->is_ingress;
	l->fds = xcalloc(n_workers, sizeof(*l->fds));
	if (handed_over != -1) {
		set_options(handed_over);
		l->is_handed_over = true;
		l->fds[l->n_fds++] = handed_over;
	} else if (!open_group(l, n_workers)) {
		return false;
	}
	addr_print(&l->addr, l->name);
	return true;
}

/* A unit and a configuration that disagree: say so, and hold nothing. */
static void
close_strays(const bool *taken, int n)
{
	char name[ADDR_TEXT] = "a socket";
	struct addr a;
	int i, fd;

	for (i = 0; i < n; i++) {
		if (taken[i])
			continue;
		fd = SD_LISTEN_FDS_START + i;
		if (listener_bound(fd, &a))
			addr_print(&a, name);
		log_warn(name,
		    "handed over by systemd, but no entry of `listeners` has "
		    "this address; closed");
		close(fd);
	}
}

bool
listeners_open(struct listeners *ls, const struct config *c, size_t n_workers,
    struct problems *pr)
{
	int n_handed = sd_listen_fds(1), fd;
	const struct config_listener *want;
	struct listener *l;
	bool *taken;

	n_handed = n_handed > 0 ? n_handed : 0;
	taken = xcalloc((size_t)n_handed + 1, sizeof(*taken));
	*ls = (struct listeners){
		.v = xcalloc(c->n_listeners + 1, sizeof(*ls->v)),
	};
	while (ls->n < c->n_listeners) {
		want = &c->listeners[ls->n];
		l = &ls->v[ls->n++];
		fd = take_handed_over(&want->addr, taken, n_handed);
		if (!open_one(l, want, fd, n_workers)) {
			problem_add(pr, PROBLEM_ERROR, c->path, 0, "listeners",
			    "%s port %u: %s", want->address, want->port,
			    strerror(errno));
			break;
		}
		ls->has_egress |= !l->is_ingress;
		listeners_add_own(ls, &l->addr);
	}
	close_strays(taken, n_handed);
	free(taken);
	return pr->errors == 0;
}

int
listener_take(struct listener *l, size_t worker)
{
	int fd;

	if (l->is_handed_over)
		return fcntl(l->fds[0], F_DUPFD_CLOEXEC, 0);
	fd = l->fds[worker];
	l->fds[worker] = -1;
	return fd;
}

void
listeners_close(struct listeners *ls)
{
	size_t i, j;

	for (i = 0; i < ls->n; i++) {
		for (j = 0; j < ls->v[i].n_fds; j++)
			if (ls->v[i].fds[j] != -1)
				close(ls->v[i].fds[j]);
		free(ls->v[i].fds);
	}
	free(ls->v);
	free(ls->own);
	*ls = (struct listeners){ .v = NULL };
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers behind a Unix socket of this host: named in the configuration or in
 * a resource, which is consent, so that no rule about addresses applies.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/sock.h"
#include "upstream/reach_state.h"

struct str
reach_unix_path(const struct reach *r)
{
	if (r->want.is_relay)
		return STR_NONE;
	if (r->outward->dial_path != NULL)
		return str_of(r->outward->dial_path);
	if (endpoint_is_unix(r->at->endpoint))
		return r->at->endpoint->host;
	return STR_NONE;
}

static enum reach_status
status_of(int error)
{
	if (sock_is_short(error))
		return REACH_NO_FDS;
	if (error == ECONNREFUSED)
		return REACH_REFUSED;
	/* Its queue is full. */
	return error == EAGAIN ? REACH_LATE : REACH_UNREACHABLE;
}

/* The control socket would take us for its operator. */
static bool
is_own(const struct reach *r, int fd)
{
	struct ucred peer;
	socklen_t n = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 &&
	       peer.pid != 0 && peer.pid == cluster_env(r->cluster)->own_pid;
}

enum next
reach_dial_unix(struct reach *r, struct str path)
{
	const struct endpoint *e = r->at->endpoint;
	char *name = str_dup(path);
	int fd = sock_connect_unix(name), error = errno;

	free(name);
	r->result.addr = (struct addr){ .len = 0 };
	if (fd != -1 && is_own(r, fd)) {
		close(fd);
		return reach_fail(r, REACH_ADDRESS_REFUSED, NEXT_ENDPOINT,
		    "%.*s: we do not connect to %.*s: it is a socket of this "
		    "egress",
		    STR_ARG(e->key), STR_ARG(path));
	}
	if (fd != -1) {
		r->result.wire = wire_new(cluster_env(r->cluster)->loop, fd);
		return GO;
	}
	return reach_fail(r, status_of(error),
	    sock_is_short(error) ? NO_FURTHER : NEXT_ENDPOINT,
	    "%.*s: connecting to %.*s: %s", STR_ARG(e->key), STR_ARG(path),
	    strerror(error));
}

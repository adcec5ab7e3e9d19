/* SPDX-License-Identifier: Apache-2.0 */
/* A port that swallows; see deaf.h. */

#include "deaf.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>

void
deaf_start(struct deaf *d, const char *address)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);

	cr_assert_eq(inet_pton(AF_INET, address, &in.sin_addr), 1);
	d->fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(d->fds[0], (void *)&in, len), 0);
	cr_assert_eq(listen(d->fds[0], 0), 0);
	cr_assert_eq(getsockname(d->fds[0], (void *)&in, &len), 0);
	d->port = ntohs(in.sin_port);
	for (int i = 1; i < DEAF_FDS; i++) {
		d->fds[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)connect(d->fds[i], (void *)&in, len);
	}
}

void
deaf_stop(struct deaf *d)
{
	for (int i = 0; i < DEAF_FDS; i++)
		(void)close(d->fds[i]);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Ports of the loopback; see port.h. */

#include "port.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <sys/socket.h>

struct sockaddr_in
port_address(int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr = { .s_addr = htonl(INADDR_LOOPBACK) } };
}

int
port_listen(int port)
{
	struct sockaddr_in a = port_address(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == -1 ||
	    listen(fd, 4096) == -1)
		return -1;
	return fd;
}

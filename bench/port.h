/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_PORT_H
#define BENCH_PORT_H

/* Ports of the loopback: all that the programs here speak to. */

#include <netinet/in.h>

struct sockaddr_in port_address(int port);
/* A socket that does not block; -1 with errno. */
int port_listen(int port);

#endif

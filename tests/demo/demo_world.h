/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_DEMO_WORLD_H
#define DEMO_DEMO_WORLD_H

/*
 * A small world on loopback: a mesh with a throw-away CA, two external TLS
 * servers with a CA of their own, a name server that knows them, and two zones
 * with a zegressd each (zone-2's has an ingress listener too).
 */

#include <stdbool.h>

#include "support/egress.h"

struct world;

struct world *world_start(void);
void world_stop(struct world *w);
struct egress *world_zone(struct world *w, int number);

/*
 * A mesh caller (zegressctl connect) with the certificate of service name,
 * asking for service; the local port it listens on, or 0.
 */
struct caller {
	int pid;
	int out;
	unsigned port;
};
bool caller_start(
    struct caller *c, struct world *w, const char *name, const char *service);
void caller_stop(struct caller *c);
/* The words that would start it by hand. */
void caller_words(const struct world *w, const char *name, const char *service,
    char *out, unsigned cap);

#endif

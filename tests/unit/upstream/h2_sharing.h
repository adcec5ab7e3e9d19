/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_UPSTREAM_H2_SHARING_H
#define UNIT_UPSTREAM_H2_SHARING_H

/*
 * Exchanges with one service whose one endpoint is a server of HTTP/2 that
 * answers when it is told to.
 */

#include "h2_host.h"
#include "upstream_rig.h"

#define SHARING_MOST 40

struct h2_sharing {
	struct rig g;
	struct h2_host *h;
	struct service *s;
	struct cluster *c;
	struct rig_exchange e[SHARING_MOST];
	unsigned counter;
};

void sharing_init(struct h2_sharing *t);
void sharing_fini(struct h2_sharing *t);
/* The server allows so many streams; the service is of protocol http2. */
void sharing_start(struct h2_sharing *t, unsigned streams);
/* The same service, as it would be after a reload. */
struct service *sharing_service(
    struct h2_sharing *t, enum protocol protocol, unsigned weight);

/* The i-th exchange asks for a lease. */
void sharing_ask(struct h2_sharing *t, unsigned i);
/* Likewise, waits for it, and sends a request. */
void sharing_begin(struct h2_sharing *t, unsigned i);
/* The first n, until the server has all their requests. */
void sharing_begin_all(struct h2_sharing *t, unsigned n);
/* Its answer comes, and its lease ends whole. */
void sharing_finish(struct h2_sharing *t, unsigned i);
/* The server's SETTINGS are known, and nobody uses the connection. */
void sharing_warm_up(struct h2_sharing *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef E2E_ZONES_H
#define E2E_ZONES_H

/* More of a test's world: other zones, and which server a call ends at. */

#include "e2e/fixture.h"

struct ingress {
	const char *name; /* and file */
	const char *zone;
	const char *address;    /* inside of its zone; NULL: 127.0.0.1 */
	const char *advertised; /* NULL: 127.0.0.1 */
	uint16_t port;          /* advertised; 0: nothing is */
	const char *services;   /* of availableServices, flow style, or NULL */
};
void write_ingress(struct egress *e, const struct ingress *i);
/* ZoneEgress NAME of the same zone at this port of 127.0.0.1. */
void write_zone_egress(struct egress *e, const char *name, uint16_t port);
/*
 * Stands where another zone's ingress would, and ends the mesh's TLS itself;
 * an echo that says name, which has to last.
 */
struct ext_server *serve_as_zone(struct world *w, const char *name);
/* Likewise, but no echo. */
struct ext_server *serve_as_zone_by(
    struct world *w, enum ext_protocol protocol, const char *name);

/*
 * A descriptor that keeps a port of 127.0.0.1 where nobody listens from being
 * taken by another test; close it to listen there.
 */
int hold_port(uint16_t port);

/* A caller of the service by the zone's egress listener, or its ingress. */
struct mesh_options caller_at(
    struct world *w, const struct egress *e, const char *service);
struct mesh_options caller_at_ingress(
    struct world *w, const struct egress *e, const char *service);

/*
 * The name of the echo at the end of a whole connection, "" when it was ended
 * before (static per call of 4).
 */
const char *who(const struct mesh_options *o);
/* The same for web and this service of the first zone. */
const char *who_serves(struct world *w, const char *service);

#endif

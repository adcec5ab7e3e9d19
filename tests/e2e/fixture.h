/* SPDX-License-Identifier: Apache-2.0 */
#ifndef E2E_FIXTURE_H
#define E2E_FIXTURE_H

/*
 * The world of an end-to-end test: a mesh with its CA and sidecars, external
 * servers with a CA of their own, a name server, and one or more zones with
 * the real daemon.  Each test has its own, in a directory of its own, whose
 * logs are shown when the test fails (report.c).
 */

#include <criterion/criterion.h>
#include <signal.h>

#include "support/dns_server.h"
#include "support/egress.h"
#include "support/ext_server.h"
#include "support/mesh_client.h"
#include "support/pki.h"
#include "support/wait.h"

/* The address sanitizer keeps what was freed: sizes then say nothing. */
#ifdef __SANITIZE_ADDRESS__
#define MEMORY_IS_PADDED true
#else
#define MEMORY_IS_PADDED false
#endif

#define WORLD_ZONES 3
#define WORLD_SERVERS 8

struct world {
	char home[80];
	struct pki *mesh_ca;     /* of mesh default */
	struct pki *external_ca; /* Secret ext-ca */
	struct pki *web;         /* sidecar of service web in zone-1 */
	struct dns_server *dns;
	uint16_t dns_port;
	struct ext_server *servers[WORLD_SERVERS];
	size_t n_servers;
	struct egress zones[WORLD_ZONES];
	size_t n_zones;
	struct egress *e; /* the first zone */
};

/*
 * A world whose zone-1 has mesh default, and a permission for everybody in
 * allow-all.yaml; not started.  config: more of zegressd.conf, or NULL.
 */
void world_init(struct world *w, const char *config);
void world_init_with(struct world *w, const struct egress_options *o);
/* One more zone, as the first is but for o. */
struct egress *world_add_zone(struct world *w, const struct egress_options *o);
/* Starts every zone; the test ends if one does not come up. */
void world_start(struct world *w);
/* Every daemon must end in order, with 0. */
void world_end(struct world *w);

/* Is its name known to the name server?  Yes, as 127.0.0.1. */
void world_name(struct world *w, const char *name, const char *address);
struct ext_server *world_serve(struct world *w, const struct ext_config *c);
/* The same with TLS and a certificate of the external CA for name. */
struct ext_server *world_serve_tls(
    struct world *w, const char *name, const struct ext_config *c);
struct ext_seen seen(struct ext_server *s);

/* Resources. */
void write_mesh(struct egress *e, const char *mesh, const struct pki *ca,
    const char *routing);
struct es {
	const char *name; /* and file; its service unless that is given */
	const char *service;
	const char *mesh;     /* NULL: default */
	const char *protocol; /* NULL: tcp */
	const char *zone;     /* NULL: none */
	const char *host;     /* NULL: 127.0.0.1 */
	uint16_t port;
	const char *tls; /* inside of tls: { enabled: true, … }; NULL: none */
};
void write_es(struct egress *e, const struct es *s);
struct mes {
	const char *name;
	const char *protocol; /* NULL: tcp */
	const char *host;     /* NULL: 127.0.0.1 */
	uint16_t port;
	const char *tls; /* inside of tls: { enabled: true, … }; NULL: none */
	const char *labels;
};
/* Its port in the mesh is 443. */
void write_mes(struct egress *e, const struct mes *s);
/* MeshTrafficPermission NAME; from: inside of a targetRef, flow style. */
void write_permission(struct egress *e, const char *name, const char *service,
    const char *from, const char *action);
/* Its line breaks as YAML's double quotes want them (static per call of 4). */
const char *quoted(const char *text);

/* Callers. */
struct mesh_options caller(struct world *w, const char *service);
/* "service{mesh=default}" (static per call of 4). */
const char *sni_of(const char *service);
/* The hashed name of a MeshExternalService of mesh default, port 443. */
const char *mes_sni(const char *name);
/* A connection of web to the service; the test ends if there is none. */
void call(struct world *w, struct mesh_client *m, const char *service);
/* A line there and its echo back; the test ends if it is another. */
void check_echo(struct mesh_client *m, const char *server);
/* Writes a text. */
bool say(struct mesh_client *m, const char *text);
/* One request and its answer, as text (static). */
const char *ask(struct mesh_client *m, const char *request);
const char *ask_get(struct mesh_client *m, const char *path);
int status_of(const char *answer);
/* A whole connection for one GET. */
const char *get_once(struct world *w, const char *service, const char *path);

/* A started world with services raw (tcp) and api (http, TLS). */
void world_start_two(struct world *w, const char *config);
/* A connection to the one, a request to the other. */
void world_use_two(struct world *w);

/* An ended_total by outcome. */
double ended(struct egress *e, const char *outcome);
/* Of the service of mesh default: envoy_cluster_* and the like. */
double cluster_metric(
    struct egress *e, const char *metric, const char *service);

/* Waits until `zegressctl services` has this text. */
bool in_force(struct egress *e, const char *text);
/* A program of the build; words are the shell's.  Its exit status; or -1. */
int run_program(const char *name, const char *words, char *out, size_t cap);

/* What the access log says: "outcome":"word" and both texts in one line. */
bool has_outcome(struct egress *e, const char *word, const char *other);

#endif

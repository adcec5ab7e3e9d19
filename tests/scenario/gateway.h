/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SCENARIO_GATEWAY_H
#define SCENARIO_GATEWAY_H

/*
 * What the daemon makes of a worker, without threads, files and listeners:
 * store, snapshot, identities, resolver, clusters, connections, one loop.
 */

#include <stdbool.h>

#include "conn/access_log.h"
#include "conn/caller_limits.h"
#include "conn/conns.h"
#include "model/store.h"
#include "net/dns.h"
#include "policy/service_options.h"
#include "support/pki.h"
#include "tls/wire_tls.h"
#include "upstream/rates.h"

#define GATEWAY_MESHES 4

struct gateway_mesh {
	char name[64];
	struct pki *ca;
};

struct gateway {
	/* Set before gateway_start(). */
	char zone[64];
	bool keeps_revoked;
	bool relays_only; /* its ingress listener has no egress beside it */
	struct conn_limits limits;
	struct upstream_limits upstream;
	uint32_t max_stale_s;          /* 0: a day */
	struct service_entry services; /* options of all of them */
	struct cidr remote[4];
	size_t n_remote;
	struct pki *external_ca; /* Secret ext-ca of each mesh */

	struct gateway_mesh meshes[GATEWAY_MESHES];
	size_t n_meshes;
	struct store *store;
	struct loop *loop;
	struct dns *dns;
	struct tls_clients *tls;
	struct stats_shard *stats;
	struct addr_rules rules;
	struct addr own;
	struct http_limits http;
	struct h2_limits h2;
	struct rates *rates;
	struct caller_limits *callers;
	struct upstream_env upstream_env;
	struct clusters *clusters;
	struct snapshot *snapshot;
	struct tls_identities *identities;
	struct conn_env env;
	struct conns *conns;
	struct listener_info egress;
	struct listener_info ingress;
	struct access_log_file *file;
	struct access_log *log;
	char log_path[64];
	bool is_started;
	bool is_drained;
};

void gateway_init(struct gateway *g);
void gateway_fini(struct gateway *g);

/* Mesh name with mutual TLS by a CA of its own; spec: more of it, or "". */
void gateway_mesh(struct gateway *g, const char *name, const char *spec);
const struct pki *gateway_ca(const struct gateway *g, const char *mesh);
void gateway_put(struct gateway *g, const char *file, struct str yaml);
void gateway_drop(struct gateway *g, const char *file);

/* Whatever is wrong with the resources goes into why; false: something is. */
bool gateway_start(struct gateway *g, struct text *why);
bool gateway_reload(struct gateway *g, struct text *why);
void gateway_accept(
    struct gateway *g, int fd, const struct addr *from, bool by_ingress);
void gateway_drain(struct gateway *g);

#endif

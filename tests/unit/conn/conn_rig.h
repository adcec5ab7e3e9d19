/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_CONN_RIG_H
#define UNIT_CONN_RIG_H

/*
 * What a worker has, on one loop whose time stands still: resources from a few
 * lines of YAML, mesh "default" with a CA, the connections, an access log in a
 * file.  Callers are wires on the same loop.
 */

#include <stdbool.h>

#include "conn/access_log.h"
#include "conn/caller_limits.h"
#include "conn/conns.h"
#include "model/store.h"
#include "net/addr.h"
#include "net/dns.h"
#include "support/pki.h"
#include "tls/wire_tls.h"
#include "upstream/cluster.h"
#include "upstream/rates.h"

struct rig {
	struct loop *loop;
	struct dns *dns;
	int silent; /* the socket of a name server that says nothing */
	struct tls_clients *tls;
	struct stats_shard *stats;
	struct addr_rules rules;
	struct cidr allow;
	struct upstream_limits upstream;
	struct http_limits http;
	struct h2_limits h2;
	struct conn_limits limits;
	struct rates *rates;
	struct caller_limits *callers;
	struct upstream_env upstream_env;
	struct clusters *clusters;
	struct pki *ca;
	struct pki *caller; /* spiffe://default/caller */
	struct store *store;
	struct snapshot *snapshot;
	struct tls_identities *identities;
	struct conn_env env;
	struct conns *conns;
	struct listener_info listener;
	struct access_log_file *file;
	struct access_log *log;
	char log_path[64];
	uint64_t now_ms;
};

/* yaml: what there is beside mesh default and its CA. */
void rig_init(struct rig *g, const char *yaml);
void rig_fini(struct rig *g);
/* Other resources; switched to, but nobody is asked again. */
void rig_reload(struct rig *g, const char *yaml);
void rig_turn(struct rig *g, unsigned turns);
/* Time goes on, in small steps. */
void rig_pass(struct rig *g, uint64_t ms);

/* Allows service "caller" all of mesh default. */
extern const char rig_permission[];

/*
 * A caller's wire and ours, after the handshake; caller NULL: rig's.  The
 * caller's has no owner.
 */
struct wire *rig_handshake(struct rig *g, const struct pki *caller,
    const char *sni, struct wire **theirs);

/* Lines of the access log that hold all of these texts; NULL ends them. */
unsigned rig_logged(struct rig *g, ...) __attribute__((sentinel));
/* How often a connection or request ended like this. */
uint64_t rig_ended(enum outcome o);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_KNOWN_NAMES_H
#define UPSTREAM_KNOWN_NAMES_H

/*
 * The names of a wildcard service that its cluster knows: each has endpoints
 * of its own, made of the resource's when it is first asked for, with their own
 * connections and health.  A connection to one name is never used for another:
 * an endpoint carries its name's id, and so does what is wanted.  At most
 * wildcard_names are kept; of those that nobody uses the one that was not used
 * for longest makes room, a name that never led to a connection first.  Own
 * thread.
 */

#include <stdint.h>
#include <sys/queue.h>

#include "base/hash.h"
#include "policy/wildcard.h"
#include "upstream/cluster.h"
#include "upstream/endpoint.h"
#include "upstream/name.h"

struct balance;
struct cluster_counts;

struct upstream_name {
	uint64_t id; /* of the worker's names, never 0, never used again */
	struct cluster *cluster; /* who uses the name holds it */
	unsigned users;
	bool is_out; /* of the table: goes with its last user */
	bool has_connected;
	struct live_endpoints endpoints;
	struct balance *balance; /* of these */
	struct cluster_counts *counts;
	TAILQ_ENTRY(upstream_name) link; /* of the idle ones */
	UT_hash_handle hh;               /* by text */
	struct str text;
	char room[WILDCARD_NAME_MAX + 1];
};

TAILQ_HEAD(name_list, upstream_name);

/* A part of the cluster. */
struct known_names {
	struct upstream_name *table;
	size_t n;
	struct name_list idle; /* last used first */
};

void known_names_init(struct cluster *c);
/* The service is another one now; keeps: connections may stay. */
void known_names_sync(struct cluster *c, bool keeps);
/* Close what nobody uses: the service is gone. */
void known_names_close(struct cluster *c);
/* At the end of c. */
void known_names_fini(struct cluster *c);
/* Close one idle connection of any name; false: there is none. */
bool known_names_close_an_idle_one(struct cluster *c);

/* NULL is fine for all of these. */
struct upstream_name *upstream_name_ref(struct upstream_name *n);
uint64_t upstream_name_id(const struct upstream_name *n);
void upstream_name_connected(struct upstream_name *n);
void upstream_name_failed(struct upstream_name *n);

#endif

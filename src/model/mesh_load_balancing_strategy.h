/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MESH_LOAD_BALANCING_STRATEGY_H
#define MODEL_MESH_LOAD_BALANCING_STRATEGY_H

/* The values of a MeshLoadBalancingStrategy's items: outbound_policy.h. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum mesh_load_balancing_strategy_value {
	MLBS_LOCALITY, /* localityAwareness was given, … */
	MLBS_LOCALITY_DISABLED,
	MLBS_LOCAL_ZONE,
	MLBS_AFFINITY, /* struct mlbs_affinity */
	MLBS_CROSS_ZONE,
	MLBS_FAILOVER,  /* struct mlbs_failover */
	MLBS_THRESHOLD, /* thousandths of a percent */
	MLBS_BALANCER,
	MLBS_TYPE,    /* enum mlbs_type */
	MLBS_CHOICES, /* leastRequest.choiceCount */
	MLBS_BIAS,
	MLBS_RING_FUNCTION,
	MLBS_RING_LEAST,
	MLBS_RING_MOST,
	MLBS_RING_HASH,   /* struct mlbs_hash, as the two others */
	MLBS_TABLE_SIZE,  /* maglev.tableSize */
	MLBS_MAGLEV_HASH, /* within loadBalancer they are Kuma's old form */
	MLBS_HASH
};

enum mlbs_type {
	MLBS_ROUND_ROBIN = 1,
	MLBS_LEAST_REQUEST,
	MLBS_RING,
	MLBS_RANDOM,
	MLBS_MAGLEV
};

struct mlbs_affinity {
	struct str key;
	bool has_key;
	unsigned weight;
	bool has_weight;
};

enum mlbs_zones {
	MLBS_ZONES_UNKNOWN,
	MLBS_ZONES_NONE,
	MLBS_ZONES_ONLY,
	MLBS_ZONES_ANY,
	MLBS_ZONES_ANY_EXCEPT
};

struct mlbs_failover {
	enum mlbs_zones type;
	bool has_from;
	const struct str *from;
	size_t n_from;
	const struct str *zones;
	size_t n_zones;
};

enum mlbs_hash_of {
	MLBS_HASH_UNKNOWN,
	MLBS_HASH_HEADER,
	MLBS_HASH_COOKIE,
	MLBS_HASH_CONNECTION,
	MLBS_HASH_QUERY,
	MLBS_HASH_FILTER_STATE
};

struct mlbs_hash {
	enum mlbs_hash_of type;
	bool is_terminal;
	struct str name; /* of header, cookie, query parameter or key */
	bool is_given;   /* a cookie has a ttl: who has none is given one */
	uint64_t ttl_ms;
	struct str path;
	bool uses_source;
};

#endif

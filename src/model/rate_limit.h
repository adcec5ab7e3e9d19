/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_RATE_LIMIT_H
#define MODEL_RATE_LIMIT_H

/*
 * RateLimit (legacy) and MeshRateLimit in its `from` form: `to` acts at
 * gateways and `rules` in sidecars.
 */

#include "model/resource.h"

/* Of onRateLimit.headers. */
struct limit_header {
	struct str name;
	struct str value;
	bool is_added; /* append, in a RateLimit */
};

/* local.http, local.tcp, conf.http: each field may be another document's. */
struct limit_conf {
	unsigned num;
	bool has_num;
	uint64_t interval_us;
	bool has_interval;
	bool has_rate;
	bool is_disabled;
	bool has_disabled;
	unsigned status;
	bool has_status;
	bool has_reply; /* onRateLimit */
	struct limit_header *set;
	size_t n_set;
	bool has_set;
	struct limit_header *add;
	size_t n_add;
	bool has_add;
};

struct rate_limit {
	struct tags *sources; /* sources[].match */
	size_t n_sources;
	struct tags *destinations;
	size_t n_destinations;
	struct limit_conf http; /* its headers are those of set */
	bool has_conf;
	bool has_http;
};

struct mrl_from {
	struct target_ref target;
	struct limit_conf http;
	struct limit_conf tcp;
	bool has_local;
	bool has_http;
	bool has_tcp;
	unsigned line;
};

struct mesh_rate_limit {
	struct target_ref target; /* spec.targetRef */
	struct mrl_from *from;
	size_t n_from;
	bool has_to;
	bool has_rules;
};

const struct rate_limit *rate_limit_of(const struct resource *r);
const struct mesh_rate_limit *mesh_rate_limit_of(const struct resource *r);

#endif

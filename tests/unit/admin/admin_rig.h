/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_ADMIN_RIG_H
#define UNIT_ADMIN_RIG_H

/* A daemon that is none: what the admin interfaces would ask it. */

#include "admin/source.h"
#include "base/problem.h"

struct rig {
	struct admin_source source;
	struct admin_state state;
	struct problems problems;
	struct store *store;
	struct snapshot *snapshot;
	struct tls_identities *identities;
	struct admin_listener listener;
	struct stats_shard *shard;
	struct chain_book *chains;
	struct expiry *expiry;
	/* What was asked of it. */
	size_t collect_max;
	unsigned reloads;
	unsigned drains;
	bool refuses_reload;
	bool has_late_worker;
};

/*
 * Mesh m of a zone "z1" with the services "one" of zone z2, and one document
 * that is refused.
 */
void rig_init(struct rig *r);
void rig_fini(struct rig *r);

#endif

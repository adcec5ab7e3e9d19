/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_MESH_LOGS_H
#define CONN_MESH_LOGS_H

/*
 * What MeshAccessLogs want written: lines of a turn go to their files and
 * sinks together, at its end.  A worker's thread.
 */

#include "conn/access_log.h"
#include "policy/service.h"

struct dns_sets;
struct h2_limits;
struct http_limits;
struct mesh_logs;
struct stats_shard;

/* All of it outlives them; folder is copied. */
struct mesh_logs_env {
	struct loop *loop;
	const char *folder; /* NULL: no files are written */
	struct dns_sets *dns;
	struct stats_shard *stats;
	const struct http_limits *http; /* of collectors */
	const struct h2_limits *h2;     /* likewise */
};

struct mesh_logs *mesh_logs_new(const struct mesh_logs_env *env) MUST_CHECK;
/* Writes what is left.  NULL is fine. */
void mesh_logs_free(struct mesh_logs *m);
/* After a rotation; files are opened again with their next line. */
void mesh_logs_reopen(struct mesh_logs *m);

/* A line in each log of s. */
void mesh_logs_write(
    struct mesh_logs *m, const struct service *s, const struct log_entry *e);

#endif

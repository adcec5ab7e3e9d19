/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_MESH_LOG_SINKS_H
#define CONN_MESH_LOG_SINKS_H

/*
 * Where MeshAccessLogs have lines sent to: over TCP as they are, or to a
 * collector by OTLP; without TLS, as Kuma does.  Each worker has a connection
 * of its own to each sink, made with a first line.  What cannot be sent at once
 * waits, up to a bound; lines beyond it are lost, so that a slow sink costs
 * memory only, never traffic.  A worker's thread.
 */

#include "base/str.h"
#include "net/loop.h"

struct dns_sets;
struct h2_limits;
struct http_limits;
struct mesh_log;
struct mesh_log_sinks;
struct stats_set;

/* All outlive the sinks. */
struct mesh_log_sinks_env {
	struct loop *loop;
	struct dns_sets *dns;
	struct stats_set *lost; /* where lines that were lost are counted */
	const struct http_limits *http;
	const struct h2_limits *h2;
};

struct mesh_log_sinks *mesh_log_sinks_new(
    const struct mesh_log_sinks_env *env) MUST_CHECK;
/* Sends what can be sent at once.  NULL is fine. */
void mesh_log_sinks_free(struct mesh_log_sinks *m);

/* To add one line or record to, before the next call.  NULL: it is lost. */
struct text *mesh_log_sinks_lines(
    struct mesh_log_sinks *m, const struct mesh_log *log);
/* Send all that was added, or see to a connection for it. */
void mesh_log_sinks_flush(struct mesh_log_sinks *m);

#endif

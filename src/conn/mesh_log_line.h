/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_MESH_LOG_LINE_H
#define CONN_MESH_LOG_LINE_H

/*
 * A line as a MeshAccessLog wants it, from what our own access log knows of
 * the same connection or request.  Any thread.
 */

#include "conn/access_log.h"
#include "policy/service.h"

/* wall_ms: now.  With its line break. */
void mesh_log_line(const struct mesh_log *log, const struct service *s,
    const struct log_entry *e, int64_t wall_ms, struct text *out);

#endif

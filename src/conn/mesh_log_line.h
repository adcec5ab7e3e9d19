/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_MESH_LOG_LINE_H
#define CONN_MESH_LOG_LINE_H

/*
 * A line as a MeshAccessLog wants it, from what our own access log knows of
 * the same connection or request.  Any thread.
 */

#include "conn/access_log.h"
#include "policy/service.h"

/* Of one line; all is borrowed. */
struct mesh_log_source {
	const struct service *service;
	const struct log_entry *e;
	int64_t wall_ms; /* now */
	size_t room;     /* for values, before they are escaped */
};

struct mesh_log_source mesh_log_source(
    const struct service *s, const struct log_entry *e, int64_t wall_ms);
/* When it began. */
uint64_t mesh_log_start_ms(const struct mesh_log_source *from);
/* A value as text; what a caller chose is escaped. */
void mesh_log_text(const struct mesh_log *log, const struct mesh_log_value *v,
    struct mesh_log_source *from, struct text *out);

/* Of a file or TCP.  wall_ms: now.  With its line break. */
void mesh_log_line(const struct mesh_log *log, const struct service *s,
    const struct log_entry *e, int64_t wall_ms, struct text *out);

#endif

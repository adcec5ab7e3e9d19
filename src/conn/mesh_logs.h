/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_MESH_LOGS_H
#define CONN_MESH_LOGS_H

/*
 * The files of MeshAccessLogs.  Each worker opens its own descriptors, when a
 * first line comes: lines of a turn are written together and to the end of a
 * file, so several may write to one.  Only regular files below the folder are
 * written; no link is followed there, so that who writes policies leads
 * nobody out of it.  A worker's thread.
 */

#include "conn/access_log.h"
#include "policy/service.h"

struct mesh_logs;

struct mesh_logs *mesh_logs_new(const char *folder, struct loop *l) MUST_CHECK;
/* Writes what is left.  NULL is fine. */
void mesh_logs_free(struct mesh_logs *m);
/* After a rotation; files are opened again with their next line. */
void mesh_logs_reopen(struct mesh_logs *m);

/* A line in each log of s. */
void mesh_logs_write(
    struct mesh_logs *m, const struct service *s, const struct log_entry *e);

#endif

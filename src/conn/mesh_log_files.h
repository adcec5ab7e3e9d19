/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_MESH_LOG_FILES_H
#define CONN_MESH_LOG_FILES_H

/*
 * The files of MeshAccessLogs.  Each worker opens its own descriptors, when a
 * first line comes: lines of a turn are written together and to the end of a
 * file, so several may write to one.  Only regular files below the folder are
 * written; no link is followed there, so that who writes policies leads
 * nobody out of it.  A worker's thread.
 */

#include "base/str.h"
#include "net/loop.h"

struct mesh_log_files;
struct stats_set;

/* folder is copied; lost is where lines that were lost are counted. */
struct mesh_log_files *mesh_log_files_new(
    const char *folder, struct loop *l, struct stats_set *lost) MUST_CHECK;
/* Writes what is left.  NULL is fine. */
void mesh_log_files_free(struct mesh_log_files *m);
/* After a rotation; files are opened again with their next line. */
void mesh_log_files_reopen(struct mesh_log_files *m);

/* To add one line to, before the next call.  NULL: it is lost. */
struct text *mesh_log_files_lines(struct mesh_log_files *m, struct str path);
/* Write all that was added. */
void mesh_log_files_flush(struct mesh_log_files *m);

#endif

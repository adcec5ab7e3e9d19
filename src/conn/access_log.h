/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_ACCESS_LOG_H
#define CONN_ACCESS_LOG_H

/*
 * One line a connection, and one a request for HTTP: JSON, or a template of
 * %{field}.  Fields are rows of access_log.tbl.h.  Lines of a turn of the loop
 * are written together; the file is opened once for all workers (O_APPEND).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "conn/outcome.h"
#include "net/addr.h"
#include "net/loop.h"

enum log_field {
#define LOG_FIELD(id, ...) LOG_##id,
#include "conn/access_log.tbl.h"
	LOG_FIELD_N
};

struct access_log_file;
struct access_log; /* a worker's */

/* path: a file, or "stdout".  format: "json", or a template.  NULL: see why. */
struct access_log_file *access_log_open(
    const char *path, const char *format, struct text *why) MUST_CHECK;
/* After a rotation; the old file stays in use if the new cannot be opened. */
bool access_log_reopen(struct access_log_file *f);
void access_log_close(struct access_log_file *f);

struct access_log *access_log_new(
    struct access_log_file *f, struct loop *l) MUST_CHECK;
/* Writes what is left. */
void access_log_free(struct access_log *a);

/* Values of one line; a field that is not set is left out ("-" in templates).
 */
struct log_entry {
	struct str text[LOG_FIELD_N]; /* p NULL: not text, or not set */
	uint64_t number[LOG_FIELD_N];
	bool has_number[LOG_FIELD_N];
};
void access_log_write(struct access_log *a, const struct log_entry *e);

/* For mesh_logs.c.  As inside of a string of JSON. */
void access_log_escape(struct text *out, struct str s);
/* All of it; false: errno says why not. */
bool access_log_write_all(int fd, struct str s) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_SESSION_TABLE_H
#define TLS_SESSION_TABLE_H

/*
 * Sessions that callers may resume, as bytes by their ids: bounded in number
 * and in bytes, whole sessions only.  Any thread; no lock is held when a call
 * returns.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Of our making: at random, all of it. */
#define SESSION_ID_LEN 32
/* One that needs more is not kept. */
#define SESSION_BYTES_MAX 4096

struct session_table;

/* About so many sessions, and bytes of theirs, at most. */
struct session_table *session_table_new(size_t n, size_t bytes) MUST_CHECK;
void session_table_free(struct session_table *t);

struct session_entry {
	uint8_t id[SESSION_ID_LEN];
	struct str bytes;
	int64_t end_s; /* wall time; not given away from then on */
	/* One that is used again and again outlives one that was not used. */
	bool is_lasting;
};
/* Copies it; others, over or unused before all, give way. */
void session_table_put(
    struct session_table *t, const struct session_entry *e, int64_t now_s);
/* Appends the bytes to out. */
bool session_table_get(struct session_table *t,
    const uint8_t id[SESSION_ID_LEN], int64_t now_s, struct text *out);

size_t session_table_count(struct session_table *t);
size_t session_table_bytes(struct session_table *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_SOURCE_H
#define ADMIN_SOURCE_H

/*
 * What the admin interfaces show and ask for; the daemon gives it to them, so
 * that they know nothing of the daemon.  Main thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct expiry;
struct ledger;
struct problems;
struct snapshot;
struct store;
struct tls_identities;

enum admin_phase { PHASE_STARTING, PHASE_SERVING, PHASE_DRAINING };

struct admin_listener {
	const char *name; /* "127.0.0.1:10002" */
	bool is_ingress;
};

/* Borrowed until the next call. */
struct admin_state {
	enum admin_phase phase;
	const char *zone;
	uint64_t uptime_s;
	size_t n_workers;
	uint64_t connections;
	uint64_t revoked; /* closed by reloads, since the start */
	const struct admin_listener *listeners;
	size_t n_listeners;
	size_t refused;    /* documents not in force as written */
	uint64_t reloads;  /* that changed something, the first included */
	int64_t reload_ms; /* wall time of the last one asked for */
	unsigned reload_took_ms;
	const char *feed_error; /* NULL: the source is readable */
	const struct problems *problems;
	const struct snapshot *snapshot;
	const struct tls_identities *identities;
	const struct store *store;
	const struct expiry *expiry;
	const struct ledger *ledger; /* NULL: none is kept */
};

/* What is asked of the workers, or of what they share. */
enum admin_part { PART_CONNS, PART_CLUSTERS, PART_DNS, PART_CALLERS };

/* A permission for a time: one of for_s and until_s is not 0. */
struct grant_wish {
	struct str mesh; /* empty: the one that has the service */
	struct str caller;
	struct str service;
	struct str reason;
	int64_t for_s;
	int64_t until_s;
	uint32_t uid; /* whose wish it is */
};

struct admin_source {
	void (*state)(void *arg, struct admin_state *out);
	/* False: some worker did not answer in time. */
	bool (*collect)(
	    void *arg, enum admin_part part, size_t max, struct text *out);
	/* Forget a name, or all when it is empty; what is said goes to out. */
	bool (*flush_dns)(void *arg, struct str name, struct text *out);
	/* Read everything again; false: the configuration is refused (out). */
	bool (*reload)(void *arg, struct text *out);
	void (*drain)(void *arg);
	/* Grants; out says what came of it.  False: nothing. */
	bool (*grant)(void *arg, const struct grant_wish *w, struct text *out);
	bool (*revoke_grant)(
	    void *arg, uint64_t id, uint32_t uid, struct text *out);
	void (*list_grants)(void *arg, struct text *out);
	uint32_t uid; /* who asks; set by control.c */
	void *arg;
};

#endif

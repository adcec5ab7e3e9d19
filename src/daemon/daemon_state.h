/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_DAEMON_STATE_H
#define DAEMON_DAEMON_STATE_H

/*
 * What main has in its hands: shared by daemon.c, which makes it and takes it
 * apart, and daemon_ask.c, which answers for it in between.
 */

#include "admin/source.h"
#include "daemon/listener.h"
#include "daemon/signals.h"

struct access_log_file;
struct caller_limits;
struct chain_book;
struct config;
struct control;
struct expiry;
struct feed;
struct grants;
struct ingress_hosts;
struct ledger;
struct publisher;
struct rates;
struct server;
struct shared;
struct stats_set;
struct stats_shard;
struct vitals;
struct watchdog;
struct worker;

struct daemon {
	const char *path;
	struct config *config; /* as started with */
	struct loop *loop;
	struct stats_shard *shard;
	struct stats_set *stats; /* of the server */
	struct feed *feed;
	struct grants *grants;
	struct publisher *publisher;
	struct listeners listeners;
	struct admin_listener *shown; /* listeners, for admin */
	struct access_log_file *log;
	struct shared *shared; /* by the workers */
	struct worker **workers;
	size_t n_workers;
	size_t draining; /* workers that are not through */
	enum admin_phase phase;
	struct signals *signals;
	struct watchdog *watchdog;
	struct vitals *vitals;
	struct chain_book *chains;
	struct rates *rates;
	struct caller_limits *callers;
	struct expiry *expiry;
	struct ledger *ledger; /* NULL: none is kept */
	struct ingress_hosts *ingresses;
	struct admin_source source;
	int admin_fd;
	int control_fd;
	struct server *admin;
	struct control *control;
};

/* What admin is given. */
struct admin_source daemon_source(struct daemon *d);
/* What signals ask for; arg is the daemon. */
void daemon_obey(void *arg, enum wish wish);

/* Grants changed: in force when this returns; out says what that ended. */
void daemon_publish_grants(struct daemon *d, struct text *out);

/* daemon_grants.c: see struct admin_source. */
bool daemon_grant(void *arg, const struct grant_wish *w, struct text *out);
bool daemon_revoke_grant(
    void *arg, uint64_t id, uint32_t uid, struct text *out);
void daemon_list_grants(void *arg, struct text *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_H
#define DAEMON_CONFIG_H

/*
 * zegressd.conf, read.  config.tbl.h has the options; each module's own struct
 * of settings is filled in here, so that no module knows the file.  Immutable
 * once loaded.
 */

#include <stdbool.h>
#include <stddef.h>

#include "admin/expiry.h"
#include "base/arena.h"
#include "conn/conns.h"
#include "daemon/config_option.h"
#include "http/head.h"
#include "http/http_limits.h"
#include "net/addr.h"
#include "net/dns.h"
#include "policy/grant.h"
#include "policy/snapshot.h"
#include "upstream/cluster.h"

struct problems;

struct config_listener {
	const char *address;
	unsigned port;
	bool is_ingress;
	struct addr addr; /* of both */
};

struct config_identity {
	const char *mesh;
	const char *cert; /* paths */
	const char *key;
	const char *ca;   /* may be empty */
	const char *file; /* where it is written */
	unsigned line;
};

struct config_grant {
	struct grant grant;
	const char *until; /* as written */
};

struct config {
	struct arena arena; /* of all below */
	const char *path;
	const char *zone;
	const char *resources;
	const char *secrets; /* empty: none */
	const char *state;   /* likewise */
	struct config_listener *listeners;
	size_t n_listeners;
	size_t callers; /* that have limits of their own */
	struct config_identity *identities;
	size_t n_identities;
	struct service_entry *services;
	size_t n_services;
	struct config_grant *grant_entries;
	struct grant *grants; /* the same, as the policy wants them */
	size_t n_grants;
	const char *admin_address; /* empty: none */
	unsigned admin_port;
	const char *admin_socket; /* empty: none */
	const char *access_log;
	const char *access_log_format;
	const char *mesh_log_folder; /* "": none */
	struct option_texts mesh_log_sinks;
	unsigned workers;
	const char *user; /* empty: stay who we are */
	size_t ledger_entries;
	unsigned ledger_interval_s;
	bool has_sandbox;
	unsigned tls_records; /* enum tls_records */
	bool is_fips;
	struct option_texts dns_servers;
	const char *hosts_file;
	struct dns_config dns; /* complete, servers and hosts file too */
	struct conn_limits conn;
	struct upstream_limits upstream;
	struct http_limits http;
	struct h2_limits h2;        /* towards callers */
	struct h2_limits h2_server; /* towards servers */
	bool logs_query;
	const char *expiry_warning_days;
	struct expiry_days expiry_days; /* the same, if they are good */
	bool expiry_days_are_good;
	struct addr_rules addr_rules;
	struct option_networks allow;
	struct option_networks deny;
	struct option_networks remote_sources;
	bool verifies_none_without_ca;
	bool mes_without_rule_allows;
	bool is_report_only;
	bool refuses_mixed_endpoints;
	bool keeps_revoked;
	bool is_kuma2;
	struct option_place places[CONFIG_OPTIONS]; /* line 0: default */
};

/*
 * NULL when something is wrong with it; pr says what.  Where it is weaker than
 * the defaults, pr has a warning.
 */
struct config *config_load(const char *path, struct problems *pr) MUST_CHECK;
/* NULL is fine. */
void config_free(struct config *c);

/* It stands in the file.  option is the name of a row. */
bool config_has(const struct config *c, const char *option);

/* The part for snapshot_build(), without identities; borrows from c. */
void config_build_settings(const struct config *c, struct build_settings *out);

/* Names of the options in which they differ and that a reload cannot change. */
void config_fixed_changes(
    const struct config *a, const struct config *b, struct text *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SERVICE_OPTIONS_H
#define POLICY_SERVICE_OPTIONS_H

/*
 * What resources cannot say of a service: the `services` section of
 * zegressd.conf.  Of several entries that match a service each option is taken
 * from the most specific one that has it: mesh and service, service alone, mesh
 * alone, neither; of equals the first.  An option is a row of
 * service_option.tbl.h and a member here; all that is done with options in
 * general follows from the row.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"
#include "policy/health_settings.h"
#include "policy/str_list.h"
#include "policy/tls_spec.h"

enum host_rule {
	HOST_ENDPOINT, /* the endpoint's name, if it is one; as Kuma does */
	HOST_KEEP,     /* as the caller sent it */
	HOST_NAMED
};

/* In the order of the words of their rows. */
enum forwarded_for {
	FORWARDED_FOR_KEEP,
	FORWARDED_FOR_APPEND, /* the caller's address */
	FORWARDED_FOR_REMOVE
};

enum family_rule { FAMILY_AUTO, FAMILY_IPV4, FAMILY_IPV6, FAMILY_PREFER_IPV4 };

enum addresses_rule { ADDRESSES_ANY, ADDRESSES_PUBLIC };

/* Auto: the proxy, but for names that callers choose. */
enum proxy_resolve {
	PROXY_RESOLVE_AUTO,
	PROXY_RESOLVE_PROXY,
	PROXY_RESOLVE_LOCAL
};

enum proxy_protocol { PROXY_PROTOCOL_OFF, PROXY_PROTOCOL_V2 };

/* Of what a resource says too. */
enum tls_switch { TLS_AS_RESOURCE, TLS_ON, TLS_OFF };

enum tls_version_rule {
	TLS_VERSION_AS_RESOURCE,
	TLS_VERSION_1_0,
	TLS_VERSION_1_1,
	TLS_VERSION_1_2,
	TLS_VERSION_1_3
};

enum crl_check { CRL_CHECK_LEAF, CRL_CHECK_CHAIN };

enum balance_policy {
	BALANCE_ROUND_ROBIN,
	BALANCE_LEAST_REQUEST,
	BALANCE_RANDOM,
	BALANCE_RING_HASH,
	BALANCE_MAGLEV
};

enum balance_locality {
	BALANCE_LOCALITY_AS_MESH,
	BALANCE_LOCALITY_ON,
	BALANCE_LOCALITY_OFF
};

enum service_option {
#define SERVICE_ROW(id, ...) SERVICE_OPTION_##id,
#include "policy/service_option.tbl.h"
	SERVICE_OPTION_N
};

/* Where an option comes from that is not the default, for people. */
struct option_source {
	enum service_option option;
	struct str place; /* "file:line Kind/name", or "file:line" */
};

/*
 * In a service: immutable, counted, equal by digest, memory of its own.  As a
 * value: texts are somebody else's, and neither ref nor digest count.
 */
struct service_options {
	struct ref ref;
	struct digest digest; /* what it says, not where */
	struct digest key;    /* both */
	const struct option_source *sources;
	size_t n_sources;

	struct str host_text;
	bool http2_fallback;
	struct str_list upgrades; /* lower case */
	enum forwarded_for forwarded_for;
	bool forwards_client_cert; /* our x-forwarded-client-cert */
	struct str via;      /* pseudonym in Via, both ways; empty: none */
	struct str server;   /* Server of answers; empty: as it came */
	unsigned request_ms; /* from head to the answer's end; 0: no limit */
	unsigned stream_idle_ms; /* 0, as the next two: the daemon's */
	unsigned idle_ms;
	unsigned connect_ms;
	unsigned connect_attempts; /* 0: all endpoints */
	struct str_list resolvers; /* empty: the configured ones */
	bool srv;                  /* hosts are names of SRV records */

	enum family_rule family;
	unsigned attempt_delay_ms;
	enum addresses_rule addresses;
	struct str_list allow_addresses; /* networks as text: addr.h */
	struct str_list deny_addresses;
	struct str_list source;
	struct str interface;
	unsigned mark;
	unsigned dscp;
	unsigned keepalive_s; /* 0: off */
	unsigned keepalive_interval_s;
	unsigned keepalive_probes;
	struct str proxy; /* URL of a parent proxy; empty: none */
	struct str proxy_auth_file;
	enum proxy_resolve proxy_resolve;
	enum proxy_protocol proxy_protocol;
	struct str dial; /* "unix:/path"; empty: the endpoints */

	struct str tls_cert; /* where it is: daemon/key_source.h */
	struct str tls_key;  /* both or neither */
	struct str tls_sni;  /* or "auto", "none" */
	enum tls_switch tls_verify_chain;
	enum tls_switch tls_verify_names;
	struct str_list tls_names; /* as text: tls_name.h */
	struct str tls_ca;         /* a path, or "auto", "system" */
	struct str_list tls_crl;   /* paths */
	enum crl_check tls_crl_check;
	enum tls_ocsp tls_ocsp;
	enum tls_version_rule tls_min_version;
	enum tls_version_rule tls_max_version;
	bool weak_tls;
	struct str_list tls_ciphers; /* of the TLS library; "?": if known */
	struct str_list tls_ciphersuites;
	struct str_list tls_groups;
	struct str_list tls_signatures;
	enum tls_switch tls_renegotiation;
	unsigned tls_renegotiations;
	bool tls_resumption;

	bool report; /* denials are only reported */

	unsigned caller_connections; /* of each caller; 0: no limit */
	unsigned caller_requests;
	unsigned caller_requests_per_s;
	unsigned caller_mib_per_day;

	struct str wildcard; /* lower case, "*." and a suffix; empty: none */
	unsigned wildcard_names;
	struct health_settings health;
	struct outlier_settings outlier;
	struct breaker_settings breaker;

	enum balance_policy balance_policy;
	struct str_list balance_hash; /* hash_key.h */
	unsigned balance_choices;
	unsigned balance_table_size;
	unsigned balance_ring_least;
	enum balance_locality balance_locality;
	struct str_list balance_zones;     /* zone_order.h */
	unsigned balance_overprovisioning; /* percent */
	unsigned balance_panic;            /* percent */
	unsigned balance_slow_start_ms;    /* 0: off */
	unsigned balance_slow_start_least; /* percent */

	/* What follows from them: service_options_derive(). */
	enum host_rule host;
	struct str host_name; /* HOST_NAMED */
};

/* One entry of services = ( … ). */
struct service_entry {
	struct str mesh; /* empty: any */
	struct str
	    service; /* kuma.io/service or the resource's name; likewise */
	bool given[SERVICE_OPTION_N];
	struct service_options options;
	const char *file; /* where it is written */
	unsigned line;
};

bool service_entry_matches(
    const struct service_entry *e, struct str mesh, struct str service);
bool service_entry_gives_nothing(const struct service_entry *e);

/* By option the entry that it comes from; NULL: none has it. */
void service_options_choose(const struct service_entry *entries, size_t n,
    struct str mesh, struct str service,
    const struct service_entry *best[SERVICE_OPTION_N]);
/* A value: strings are those of the entries, or constants. */
void service_options_of(const struct service_entry *entries, size_t n,
    struct str mesh, struct str service, struct service_options *out);
/* Which entry an option comes from; NULL: none has it. */
const struct service_entry *service_options_source(
    const struct service_entry *entries, size_t n, struct str mesh,
    struct str service, enum service_option o);
/* What a service without entries has: the defaults of the table. */
const struct service_options *service_options_standard(void);
/* After any member was set by hand. */
void service_options_derive(struct service_options *o);

struct service_options *service_options_ref(struct service_options *o);
void service_options_unref(struct service_options *o);

/* The name that TLS and Host go by, of an endpoint that is called host. */
struct str service_options_domain(
    const struct service_options *o, struct str host);

/* token is among the upgrades; any case. */
bool service_options_allow_upgrade(
    const struct service_options *o, struct str token);

#endif

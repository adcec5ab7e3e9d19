/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SERVICE_H
#define POLICY_SERVICE_H

/*
 * One service as the egress offers it: its names, its endpoints, who may use
 * it.  Immutable and counted; equal services are shared between snapshots by
 * digest, so that a connection keeps its service and a hundred reloads keep
 * one copy.  Any thread may read.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"
#include "policy/mesh_log.h"
#include "policy/principal.h"
#include "policy/service_options.h"
#include "policy/tls_spec.h"
#include "policy/traffic.h"

enum protocol { PROTO_TCP, PROTO_KAFKA, PROTO_HTTP, PROTO_HTTP2, PROTO_GRPC };

const char *protocol_name(enum protocol p);
/* http, http2, grpc. */
bool protocol_is_http(enum protocol p);

enum service_kind {
	SERVICE_EXTERNAL,      /* ExternalService */
	SERVICE_MESH_EXTERNAL, /* MeshExternalService */
	SERVICE_INTERNAL       /* of another zone's mesh: relayed only */
};

/* Who allowed or denied, for people: "file:line Kind/name". */
struct rule_origin {
	struct str text;
};

enum rule_effect { RULE_ALLOW, RULE_DENY, RULE_ALLOW_SHADOW_DENY };

struct rule_finder; /* policy/rule_finder.h */

struct rule {
	enum rule_effect effect;
	/* Of a denial: it is only reported, and those behind it decide. */
	bool is_report;
	bool is_grant;   /* of no document: see grant.h */
	int64_t until_s; /* when its document or grant ends; 0: never */
	struct principal *principals; /* one of them matches */
	size_t n_principals;
	struct rule_origin origin;
};

/* Rules that many services share.  Immutable, counted. */
struct rule_block {
	struct ref ref;
	struct digest digest; /* what they say and whose they are, not where */
	uint64_t origins;     /* hash of the places as well */
	struct rule *rules;
	size_t n_rules;
	struct rule_finder *finder; /* NULL: they are few */
	struct arena arena;
};

struct rule_block *rule_block_ref(struct rule_block *b);
void rule_block_unref(struct rule_block *b);

/*
 * Asked from first to last; the first that matches and is not only reported
 * decides, none denies.
 * One a member ExternalService (deduplicated), one for a MeshExternalService.
 */
struct ruleset {
	struct digest digest;
	struct rule *rules; /* of block, which is a reference */
	size_t n_rules;
	struct rule_block *block;
};

/* Whether a denial is only reported, and who says so. */
enum report_mode { REPORT_OFF, REPORT_SERVICE, REPORT_DAEMON };

/* Bits of struct verdict and masks speak of at most this many rulesets. */
#define SERVICE_RULESETS_MAX 64

/* One address to reach it at.  Immutable, counted, equal by digest. */
struct endpoint {
	struct ref ref;
	struct digest digest; /* of all but origin */
	struct str key;    /* unique in the service: "es-name", "mes-name/1" */
	struct str origin; /* "file:line ExternalService/name" */
	struct str host;
	uint16_t port;
	/*
	 * Literal: consent to connect to it.  A host that begins with / is the
	 * path of a Unix socket, and one of these.
	 */
	bool host_is_address;
	struct str zone; /* kuma.io/zone tag; empty: none */
	unsigned weight;
	unsigned priority;    /* lower first */
	struct tls_spec *tls; /* NULL: plaintext, or a relay */
	struct arena arena;
};

bool endpoint_is_unix(const struct endpoint *e);
/* "host:port", "[::1]:port", "/run/x.sock". */
void endpoint_print_place(const struct endpoint *e, struct text *out);
struct endpoint *endpoint_ref(struct endpoint *e);
void endpoint_unref(struct endpoint *e);

struct service_endpoint {
	struct endpoint *endpoint;
	unsigned ruleset; /* index into rulesets; of remote: relay_sets */
	/* Tagged with this zone: the only ones that other zones may use. */
	bool is_zoned;
};

/*
 * What a server name is for, as routes say by tags: bit i: the endpoints of
 * ruleset i; those of relay set i.
 */
struct sni_scope {
	uint64_t rulesets;
	uint64_t relays;
};

struct service {
	struct ref ref;
	/* Of all that it means: a line that moved in a file changes nothing. */
	struct digest digest;
	uint64_t origins; /* hash of every place named in it */
	enum service_kind kind;
	enum protocol protocol;
	struct str key; /* "default/ES/payments": stable over reloads */
	struct str mesh;
	struct str name;       /* kuma.io/service, or the MES's name */
	struct str stats_name; /* envoy_cluster_name */
	struct str origin;     /* "file:line Kind/name" of the first resource */
	struct str *snis;      /* sorted, lower case */
	size_t n_snis;
	/* One for each of snis; NULL: every name is for all endpoints. */
	struct sni_scope *scopes;
	struct service_endpoint *local; /* terminate here, carry it out */
	size_t n_local;
	struct service_endpoint *remote; /* ZoneIngresses: relay untouched */
	size_t n_remote;
	/* Remote ones by the names that they are for; none without scopes. */
	struct digest *relay_sets;
	size_t n_relay_sets;
	/* A zone that has the service and no ingress; empty: no such zone. */
	struct str unreachable_zone;
	bool is_locality_aware;
	enum report_mode report;
	/*
	 * A reference.  Where no request is looked at (relays, tcp, kafka) what
	 * is about requests is the default.
	 */
	struct service_options *options;
	struct traffic_policy
	    *traffic; /* a reference; NULL: none concerns it */
	struct ruleset *rulesets;
	size_t n_rulesets;
	struct mesh_log *logs; /* beside our own access log */
	size_t n_logs;
	struct arena arena;
};

/* Its requests are looked at here: the options count. */
bool service_has_requests(const struct service *s);

struct service *service_ref(struct service *s);
void service_unref(struct service *s);

/* The lowest n bits; at most 64. */
uint64_t mask_below(size_t n);
/*
 * What the server name is for, in any case.  One that the service has no more
 * is for nothing, where names are for some endpoints only.
 */
struct sni_scope service_scope(const struct service *s, struct str sni);

/* What MATCH does with a connection for the service. */
enum route {
	ROUTE_SERVE,      /* terminate, authorize, carry out */
	ROUTE_RELAY,      /* the untouched stream goes to a ZoneIngress */
	ROUTE_NO_INGRESS, /* another zone's, and that zone has no ingress */
	ROUTE_NOT_ZONED,  /* a remote caller wants what has no zone */
	ROUTE_THIRD_ZONE, /* a remote caller wants another zone's */
	ROUTE_NO_SUBSET,  /* no endpoint has the tags of the server name */
	ROUTE_NO_ENDPOINT /* nothing is left to serve it with */
};

/*
 * The table of issue section "Zones": chosen once, by weight. caller_is_remote:
 * it came from another zone.  local_is_live: a local endpoint has an address
 * and no failed connect in the last 10 s (asked only when locality aware).
 * dice: any random number.  Only endpoints in scope count.
 */
enum route service_route(const struct service *s, struct sni_scope scope,
    bool caller_is_remote, bool local_is_live, uint64_t dice);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SERVICE_OPTIONS_H
#define POLICY_SERVICE_OPTIONS_H

/*
 * What resources cannot say of a service: the `services` section of
 * zegressd.conf.  Of several entries that match a service each option is taken
 * from the most specific one that has it: mesh and service, service alone, mesh
 * alone, neither; of equals the first.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum host_rule {
	HOST_ENDPOINT, /* the endpoint's name, if it is one; as Kuma does */
	HOST_KEEP,     /* as the caller sent it */
	HOST_NAMED
};

enum forwarded_for {
	FORWARDED_FOR_KEEP,
	FORWARDED_FOR_APPEND, /* the caller's address */
	FORWARDED_FOR_REMOVE
};

const char *forwarded_for_name(enum forwarded_for f);

struct service_options {
	enum host_rule host;
	struct str host_name; /* HOST_NAMED */
	/* http2 and grpc: HTTP/1.1 where the server chooses it by ALPN. */
	bool http2_fallback;
	const struct str *upgrades; /* lower case; "websocket" */
	size_t n_upgrades;
	enum forwarded_for forwarded_for;
	bool forwards_client_cert; /* our x-forwarded-client-cert */
	struct str via;      /* pseudonym in Via, both ways; empty: none */
	struct str server;   /* Server of answers; empty: as it came */
	unsigned request_ms; /* from head to the answer's end; 0: no limit */
};

/* Bits of service_entry.given, one an option in the order above. */
enum service_option {
	SERVICE_OPTION_HOST,
	SERVICE_OPTION_HTTP2_FALLBACK,
	SERVICE_OPTION_UPGRADES,
	SERVICE_OPTION_FORWARDED_FOR,
	SERVICE_OPTION_FORWARD_CLIENT_CERT,
	SERVICE_OPTION_VIA,
	SERVICE_OPTION_SERVER,
	SERVICE_OPTION_REQUEST_MS,
	SERVICE_OPTION_N
};

/* One entry of services = ( … ). */
struct service_entry {
	struct str mesh; /* empty: any */
	struct str
	    service;    /* kuma.io/service or the resource's name; likewise */
	unsigned given; /* which options it has */
	struct service_options options;
	const char *file; /* where it is written */
	unsigned line;
};

bool service_entry_matches(
    const struct service_entry *e, struct str mesh, struct str service);
bool service_entry_has(const struct service_entry *e, enum service_option o);

/* Strings are those of the entries, or constants; without entries: defaults. */
void service_options_of(const struct service_entry *entries, size_t n,
    struct str mesh, struct str service, struct service_options *out);

/* token is among the upgrades; any case. */
bool service_options_allow_upgrade(
    const struct service_options *o, struct str token);

#endif

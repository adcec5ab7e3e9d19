/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_REACH_H
#define UPSTREAM_REACH_H

/*
 * One attempt, with retries over endpoints and addresses, to get an open wire
 * to a service: PICK an endpoint, name the TARGET for a parent proxy, RESOLVE,
 * DIAL, have the PARENT proxy open a tunnel, GREET the server with a PROXY
 * header, SECURE with TLS.  What does not apply is passed by.
 * upstream/reach.c tells the story from top to bottom.  Own thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/wire.h"
#include "policy/service.h"
#include "tls/wire_tls.h"
#include "upstream/cluster.h"

struct live_endpoint;
struct pin;
struct proxy_header;
struct reach;
struct upstream_name;

/* Which endpoints may be used. */
struct reach_want {
	bool is_relay;   /* the remote ones; else the local ones */
	bool only_zoned; /* a remote caller: those tagged with this zone */
	/*
	 * Of the caller's verdict; of a relay, whose caller the other zone
	 * asks who he is, the sets of relays that the server name is for.
	 */
	uint64_t rulesets;
	/*
	 * The service that the verdict was about: a reload since then may
	 * have numbered its rulesets anew.  Only read in the call; NULL: the
	 * one that the cluster has now.
	 */
	const struct service *service;
	/* Of a wildcard service: upstream/name.h; NULL: it has none. */
	struct upstream_name *name;
	/*
	 * What the service's balance goes by, if it goes by hash and the
	 * caller has any of it.
	 */
	uint64_t hash;
	bool has_hash;
	/* Of leases: where a private connection is kept; NULL: nowhere. */
	struct pin *pin;
	/*
	 * Who the caller is, for servers that want to be told; NULL: they do
	 * not.  Referenced by whoever keeps a copy.  A connection that was
	 * introduced by one is never used with another.
	 */
	struct proxy_header *proxy_header;
};

enum reach_status {
	REACH_OK,
	REACH_NO_ENDPOINT,     /* none is left that may be used */
	REACH_NO_NAME,         /* NXDOMAIN, or no address */
	REACH_NAME_FAILED,     /* the resolver fails, nothing known */
	REACH_NAME_LATE,       /* no resolver answered in time */
	REACH_ADDRESS_REFUSED, /* addr_refused(), or our own listener */
	REACH_REFUSED,         /* ECONNREFUSED */
	REACH_UNREACHABLE,
	REACH_RESET,
	REACH_LATE,          /* TCP or TLS took longer than connect_ms */
	REACH_TLS,           /* the handshake failed: see tls_failure */
	REACH_TLS_SETUP,     /* no context can be made of the settings */
	REACH_PROTOCOL,      /* it chose another version of HTTP by ALPN */
	REACH_PARENT_AUTH,   /* the parent proxy wants other credentials */
	REACH_PARENT_DENIED, /* it does not let us go there */
	REACH_PARENT_FAILED, /* it could not, or makes no sense */
	REACH_OVERFLOW,      /* limits.connections or .pending */
	REACH_NO_FDS
};

/* In the callback; what is not taken out is freed when it returns. */
struct reached {
	enum reach_status status;
	/*
	 * Take it by setting NULL; then the guard goes with it, and whoever
	 * has it releases it when the wire is closed.
	 */
	struct wire *wire;
	struct cluster_guard guard;
	struct proxy_header *proxy_header; /* sent; borrowed */
	/* The last one tried; NULL if none was.  The guard keeps it. */
	struct endpoint *endpoint;
	struct addr addr; /* len 0: none */
	bool has_tls;
	struct tls_info tls;
	enum tls_failure tls_failure;
	unsigned attempts;   /* endpoints and further addresses tried */
	uint64_t dns_us;     /* of the last attempt */
	uint64_t connect_us; /* likewise; TCP and TLS */
	/* One sentence for the log; empty when the status says it all. */
	char detail[512];
};

/* fn is called once, never before this returns. */
struct reach *reach_start(struct cluster *c, const struct reach_want *want,
    void (*fn)(void *arg, struct reached *r), void *arg) MUST_CHECK;
/* The same, beginning with this endpoint if it may be used: for leases. */
struct reach *reach_start_at(struct cluster *c, const struct reach_want *want,
    struct live_endpoint *first, void (*fn)(void *arg, struct reached *r),
    void *arg) MUST_CHECK;
/*
 * To this endpoint only (only: to this target of it), to see whether it can be
 * reached: nothing is learnt, limited or tried again.  is_plain: TCP is enough.
 */
struct reach *reach_start_probe(struct cluster *c, struct live_endpoint *e,
    struct live_target *only, bool is_plain,
    void (*fn)(void *arg, struct reached *r), void *arg) MUST_CHECK;
/* No call comes afterwards.  Not to be called once fn was. */
void reach_cancel(struct reach *r);

const char *reach_status_text(enum reach_status s);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_UPSTREAM_RIG_H
#define UNIT_UPSTREAM_RIG_H

/*
 * A worker's upstream side on one loop, with services made by hand and real
 * sockets: servers are threads of support/ext_server.h, names come from
 * support/dns_server.h.
 */

#include <poll.h>
#include <stdbool.h>

#include "http/h1_parse.h"
#include "http/http_limits.h"
#include "net/addr.h"
#include "support/dns_server.h"
#include "support/ext_server.h"
#include "support/pki.h"
#include "upstream/cluster.h"
#include "upstream/lease.h"
#include "upstream/reach.h"

#define RIG_ENDPOINTS 32

struct rig {
	struct loop *loop;
	struct dns *dns;
	struct dns_server *names;
	struct tls_clients *tls;
	struct stats_shard *stats;
	struct addr_rules rules;
	struct cidr allow;
	struct addr own[2];
	struct upstream_limits limits;
	struct http_limits http;
	struct h2_limits h2;
	struct upstream_env env;
	struct clusters *clusters;
};

/* Loopback is allowed; rig_start() makes the clusters. */
void rig_init(struct rig *g);
void rig_start(struct rig *g);
void rig_fini(struct rig *g);

/* Turn the loop until cond; false when that took too long. */
#define RIG_UNTIL(g, cond)                                              \
	({                                                              \
		int rig_left_ = 10000;                                  \
		bool rig_ok_;                                           \
		while (!(rig_ok_ = (cond)) && rig_left_-- > 0) {        \
			/* What a turn began may be due in the next. */ \
			loop_turn((g)->loop);                           \
			if (rig_left_ % 4 == 0)                         \
				(void)poll(NULL, 0, 1);                 \
		}                                                       \
		rig_ok_;                                                \
	})

struct rig_endpoint {
	const char *key; /* NULL ends a list */
	const char *host;
	uint16_t port;
	unsigned weight; /* 0: 1 */
	unsigned priority;
	unsigned ruleset;
	bool is_remote;
	bool is_zoned;
	struct tls_spec *tls; /* taken over */
};

/*
 * Service m/ES/NAME of protocol http; rules: one name a ruleset, apart by a
 * space.
 */
struct service *rig_service(
    const char *name, const char *rules, const struct rig_endpoint *v);
struct service *rig_service_of(enum protocol protocol, const char *name,
    const char *rules, const struct rig_endpoint *v);
struct service *rig_service_with(const struct service_options *o,
    enum protocol protocol, const char *name, const char *rules,
    const struct rig_endpoint *v);
/* Settings that verify with ca (NULL: nothing) and expect name (or nothing). */
struct tls_spec *rig_tls(
    const struct pki *ca, const char *sni, const char *name);
/* Settings that verify nothing and offer these, by comma. */
struct tls_spec *rig_tls_alpn(const char *ids);
struct snapshot *rig_snapshot(struct service *const *v, size_t n);

/* A value of the metrics of m/ES/NAME. */
uint64_t rig_stat(const char *name, unsigned id);
/* Does clusters_print() say this? */
bool rig_says(const struct rig *g, const char *text);

/* A port of 127.0.0.1 where nobody listens. */
uint16_t rig_closed_port(void);
struct ext_server *rig_server(enum ext_protocol p);

/* What a reach told. */
struct rig_reached {
	unsigned calls;
	struct reach *reach;
	struct reached r; /* wire and guard are taken: rig_hang_up() */
	char endpoint[32];
	char addr[ADDR_TEXT];
	uint64_t took_ms;
};
void rig_begin(struct rig *g, struct cluster *c, const struct reach_want *want,
    struct rig_reached *out);
/* Begin it, and wait for the result. */
void rig_reach(struct rig *g, struct service *s, const struct reach_want *want,
    struct rig_reached *out);
/* The server says this, from here on. */
void rig_expect_text(struct rig *g, struct rig_reached *r, const char *want);
void rig_hang_up(struct rig_reached *r);

#define RIG_ANY ((struct reach_want){ .rulesets = UINT64_MAX })

/* An exchange that does what it is told. */
struct rig_exchange {
	struct lease lease;
	unsigned calls;
	unsigned order; /* when it was told, from 1 on */
	unsigned *counter;
	uint16_t status; /* of the answer */
	bool is_done;    /* the lease has a result */
};
void rig_lease(struct cluster *c, const struct reach_want *want, bool is_fresh,
    unsigned *counter, struct rig_exchange *x);
/* Send GET path on what is held. */
void rig_send(struct rig_exchange *x, const char *path);
/* What has come of the answer: WAIT, END, or FAIL. */
enum pull rig_read(struct rig_exchange *x);
/* Both, to the answer's end. */
bool rig_get(struct rig *g, struct rig_exchange *x, const char *path);
/* Lease, GET path and end; true when the answer was whole. */
bool rig_visit(
    struct rig *g, struct cluster *c, const char *path, struct rig_exchange *x);

#endif

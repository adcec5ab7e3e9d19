/* SPDX-License-Identifier: Apache-2.0 */
#ifndef E2E_PEERS_H
#define E2E_PEERS_H

/*
 * A world whose callers and servers are peers in the test's own thread: the
 * test says every frame and in which order both sides of the daemon see them.
 * Time passes only in UNTIL().
 */

#include "e2e/fixture.h"
#include "support/h1_peer.h"
#include "support/h2_peer.h"

#define CAME_MOST 512

/* One end of a connection: the one or the other. */
struct party {
	struct h1_peer *h1;
	struct h2_peer *h2;
};

struct server_options {
	const char *name; /* TLS, with a certificate for it; NULL: plain */
	bool is_h1;       /* unless ALPN agreed on something */
	const char *alpn; /* chosen if offered; NULL: none */
	bool insists;     /* on alpn, offered or not */
	bool is_manual;   /* the test answers */
	int receive_buffer;
	struct h2_options h2; /* but for is_server and the callback */
	/* Instead of answers by path, for HTTP/2. */
	void (*on_request)(struct h2_talk *t, void *arg);
	void *arg;
};

struct server {
	struct rig *rig;
	struct server_options options;
	struct door *door;
	struct party came[CAME_MOST]; /* connections of the daemon */
	size_t n_came;
	unsigned requests; /* answered by path */
};

struct rig {
	struct world w;
	struct lines lines;
	struct server *servers[DOORS_MOST];
	size_t n_servers;
};

enum caller_kind { CALLER_H1, CALLER_H2_ALPN, CALLER_H2_PREFACE, CALLERS };

/* True as soon as cond is, while all peers do what they do. */
#define UNTIL(r, cond) TURN_UNTIL(&(r)->lines, 5000, cond)

void rig_init(struct rig *r, const char *config);
struct server *rig_serve(struct rig *r, const struct server_options *o);
/* A service of that server. */
void rig_service(struct rig *r, const char *name, const char *protocol,
    const struct server *s);
void rig_start(struct rig *r);
void rig_end(struct rig *r);
/* rig_init(), one server of it, one service "api", rig_start(). */
struct server *rig_start_one(struct rig *r, const char *config,
    const char *protocol, const struct server_options *o);

/* Connections of web; the test ends if there is none. */
struct party rig_call(
    struct rig *r, enum caller_kind kind, const char *service);
struct h1_peer *call_h1(struct rig *r, const char *service);
struct h2_peer *call_h2(struct rig *r, const char *service);
struct h2_peer *call_h2_with(
    struct rig *r, const char *service, const struct h2_options *o);
struct message *party_ask(struct party *p, const struct said *a);
struct line *party_line(const struct party *p);
/* A GET, and its answer, complete; NULL when it did not end. */
struct message *get(struct rig *r, struct party *p, const char *path);
struct message *get_h2(struct rig *r, struct h2_peer *p, const char *path);

/* The n-th connection that came to it, once it is there; else the test ends. */
struct h2_peer *came_h2(struct server *s, size_t n);
struct h1_peer *came_h1(struct server *s, size_t n);
/* The n-th stream of it, its head read. */
struct h2_talk *came_talk(struct h2_peer *p, struct rig *r, size_t n);

/* The value of a line of what the server tells of a request. */
const char *told(const struct message *answer, const char *name);

/* CPU time that the daemon has used, nanoseconds. */
uint64_t cpu_ns(const struct egress *e);

#endif

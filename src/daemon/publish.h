/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_PUBLISH_H
#define DAEMON_PUBLISH_H

/*
 * From a change to its effect, in two phases.  First everything that may fail,
 * in main's thread: the feed fills the store, the store is committed, a
 * snapshot and the identities are built.  Then every worker is told to switch;
 * when the last one has, all ask anew for the connections that are open.
 * Main thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/problem.h"

struct config;
struct feed;
struct grants;
struct loop;
struct publisher;
struct snapshot;
struct stats_set;
struct store;
struct text;
struct tls_identities;
struct worker;

/* Why a build is made. */
enum publish_cause {
	PUBLISH_CHECK, /* `zegressd -t`: nothing is logged or published */
	PUBLISH_START,
	PUBLISH_CHANGE,  /* the feed heard something */
	PUBLISH_KEYS,    /* files of certificates and keys were changed */
	PUBLISH_ASKED,   /* SIGHUP or `zegressctl reload`: read all again */
	PUBLISH_ENDED,   /* permissions are over, or grants changed */
	PUBLISH_ROTATION /* an identity of ours is due */
};

struct publish_status {
	uint64_t builds; /* that went into force */
	int64_t last_ms; /* wall time of the last one that was asked for */
	unsigned took_ms;
	bool has_changed; /* it, or all was as before */
	size_t refused;   /* documents and identities not in force as written */
};

/* f and stats stay the caller's; c is taken over. */
struct publisher *publisher_new(struct loop *l, struct feed *f,
    struct config *c, struct stats_set *stats) MUST_CHECK;
/* NULL is fine. */
void publisher_free(struct publisher *p);
/* Who is told.  The workers outlive the publisher's use of them. */
void publisher_set_workers(
    struct publisher *p, struct worker *const *workers, size_t n);
/* From now on changed files of certificates and keys are read by themselves. */
void publisher_watch_keys(struct publisher *p);
/* Called after each build that went into force. */
void publisher_on_published(
    struct publisher *p, void (*fn)(void *arg), void *arg);

void publisher_build(struct publisher *p, enum publish_cause cause);
/*
 * Every worker is known to have switched: wait until they have asked anew for
 * what is open, and say what was ended, if anything was.
 */
void publisher_settle(struct publisher *p, struct text *out);
/* Those to build with; borrowed. */
void publisher_set_grants(struct publisher *p, struct grants *g);
/* The time that ends go by. */
int64_t publisher_now_s(const struct publisher *p);
/* The configuration to build with from now on; taken over. */
void publisher_set_config(struct publisher *p, struct config *c);
const struct config *publisher_config(const struct publisher *p);

/* Borrowed until the next build. */
struct snapshot *publisher_snapshot(const struct publisher *p);
struct tls_identities *publisher_identities(const struct publisher *p);
const struct store *publisher_store(const struct publisher *p);
/* All that is wrong at present. */
const struct problems *publisher_problems(const struct publisher *p);
struct publish_status publisher_status(const struct publisher *p);
/* Why the source of resources cannot be read; NULL: it can. */
const char *publisher_feed_error(const struct publisher *p);

#endif

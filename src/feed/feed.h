/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_FEED_H
#define FEED_FEED_H

/*
 * Where resources come from.  A feed hears of changes, tells its owner once
 * all is quiet, and on demand fills a store with what there is now; what the
 * resources mean is not its business.  A directory is one (dir.h); a control
 * plane's REST interface, Kubernetes and xDS come as further ones, each a
 * struct feed_ops, and nothing behind the store will know.  Main thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "net/loop.h"

struct feed;
struct store;

struct feed_ops {
	const char *name; /* for people */
	/* Begin to listen: from here on feed_heard() for every change. */
	void (*start)(struct feed *f);
	/* Put what changed into st; with everything, all that there is. */
	void (*fill)(struct feed *f, struct store *st, bool everything);
	/* Why the source cannot be read at present; NULL: it can. */
	const char *(*error)(const struct feed *f);
	void (*free)(struct feed *f);
};

/* Embedded in each kind of feed. */
struct feed {
	const struct feed_ops *ops;
	struct loop *loop;
	struct timer quiet;
	uint64_t first_ms; /* of the changes not told yet; 0: none */
	bool wants_everything;
	void (*on_change)(void *arg);
	void *arg;
};

/* A change is told after this much quiet, or at the latest after the other. */
#define FEED_QUIET_MS 200
#define FEED_PATIENCE_MS 1000

/* on_change: it is time for feed_fill(); never from inside a call. */
void feed_start(struct feed *f, void (*on_change)(void *arg), void *arg);
/* The first call fills in everything; so does the one after feed_rescan(). */
void feed_fill(struct feed *f, struct store *st);
void feed_rescan(struct feed *f);
const char *feed_error(const struct feed *f);
/* NULL is fine. */
void feed_free(struct feed *f);

/* For implementations. */
void feed_init(struct feed *f, const struct feed_ops *ops, struct loop *l);
void feed_heard(struct feed *f);

#endif

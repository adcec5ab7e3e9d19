/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_CHAIN_TABLE_H
#define TLS_CHAIN_TABLE_H

/*
 * Chains of certificates that were verified: only those that were good, and
 * for how long they are.  Bounded.  Any thread; no lock is held when a call
 * returns.
 */

#include <stdint.h>

#include "base/digest.h"

struct chain_table;

/* The times between which all of the chain is valid, to the second. */
struct chain_times {
	int64_t not_before_s; /* the latest */
	int64_t not_after_s;  /* the earliest */
};

struct chain_table *chain_table_new(void) MUST_CHECK;
void chain_table_free(struct chain_table *t);

/* key: the digest of the CA set and of every certificate that was shown. */
void chain_table_put(struct chain_table *t, const struct digest *key,
    const struct chain_times *times);
/* False also when it is not valid at now_s. */
bool chain_table_get(struct chain_table *t, const struct digest *key,
    int64_t now_s, struct chain_times *out) MUST_CHECK;

#endif

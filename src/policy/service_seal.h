/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SERVICE_SEAL_H
#define POLICY_SERVICE_SEAL_H

/*
 * From drafts to the immutable, counted objects of service.h.  A draft is the
 * same struct, filled in by a compiler, whose pieces lie anywhere; sealing
 * digests it and gives either what prev already has, or a copy in memory of
 * exactly its size.  Main thread.
 */

#include "policy/service.h"

struct fingerprint;

/* Takes over draft->tls. */
struct endpoint *endpoint_seal(struct endpoint *draft,
    const struct service *prev, struct fingerprint *f) MUST_CHECK;
/*
 * Takes over the references to endpoints and rule blocks.  prev is the
 * service of the same key in the snapshot before, or NULL.
 */
struct service *service_seal(struct service *draft, struct service *prev,
    struct fingerprint *f) MUST_CHECK;

/* Fill in digest and origins of a draft; then make the object. */
void rule_block_digest(struct rule_block *draft, struct fingerprint *f);
struct rule_block *rule_block_new(const struct rule_block *draft) MUST_CHECK;

/* An endpoint of this key among the local ones, or NULL. */
struct endpoint *service_find_local(const struct service *s, struct str key);
/* Equal in all that counts, and found in the same places. */
bool service_same(const struct service *a, const struct service *b);

#endif

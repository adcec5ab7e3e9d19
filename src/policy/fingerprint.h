/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_FINGERPRINT_H
#define POLICY_FINGERPRINT_H

/*
 * A digest of many small fields: they are gathered, each behind its length,
 * and hashed in one go, which a load does tens of thousands of times.
 */

#include <stdint.h>

#include "base/digest.h"
#include "base/str.h"

struct fingerprint {
	struct digester *digester;
	struct text text;
};

void fingerprint_init(struct fingerprint *f);
void fingerprint_fini(struct fingerprint *f);
void fingerprint_str(struct fingerprint *f, struct str s);
void fingerprint_u64(struct fingerprint *f, uint64_t n);
void fingerprint_digest(struct fingerprint *f, const struct digest *d);
/* Of what was gathered since the last time. */
struct digest fingerprint_take(struct fingerprint *f);
/* The same as a plain hash of this process, for what is no identity. */
uint64_t fingerprint_take_hash(struct fingerprint *f);

#endif

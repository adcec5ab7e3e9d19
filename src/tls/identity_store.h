/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_IDENTITY_STORE_H
#define TLS_IDENTITY_STORE_H

/*
 * As whom the egress answers: for each mesh a certificate (from files, or
 * minted in memory from the mesh's CA: Kuma section 3.2 and 4.6, ECDSA P-256)
 * and the CA set that its callers must chain to.  A set is immutable and
 * counted; rotation makes a new set beside the snapshot.  A CA key is read
 * once for each minting, never kept by OpenSSL, never printed.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/mesh_spec.h"

struct problems;
struct tls_identities;
struct tls_mesh; /* one mesh's identity; lives as long as its set */

/*
 * What did not change since prev (same spec digest, not yet due) is shared
 * with it, its callers' sessions included.  now_s: wall time.  A mesh that
 * cannot be served is reported and left out, or keeps prev's identity while
 * that lasts.
 */
struct tls_identities *tls_identities_new(struct mesh_spec *const *meshes,
    size_t n, const struct tls_identities *prev, int64_t now_s,
    struct problems *pr) MUST_CHECK;
struct tls_identities *tls_identities_ref(struct tls_identities *t);
void tls_identities_unref(struct tls_identities *t);

const struct tls_mesh *tls_identities_find(
    const struct tls_identities *t, struct str mesh);

/* When the first minted one is due (4/5 of its life); INT64_MAX: never. */
int64_t tls_identities_due_s(const struct tls_identities *t);

struct tls_mesh_info {
	struct str mesh;
	struct str origin;
	bool is_minted;         /* "can impersonate mesh M" */
	int64_t not_after_s;    /* of our certificate */
	int64_t ca_not_after_s; /* earliest of the CA set */
	struct str spiffe;
};
size_t tls_identities_count(const struct tls_identities *t);
void tls_identities_info(
    const struct tls_identities *t, size_t i, struct tls_mesh_info *out);

#endif

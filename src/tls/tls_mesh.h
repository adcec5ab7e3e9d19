/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TLS_MESH_H
#define TLS_TLS_MESH_H

/*
 * As whom we answer for one mesh: certificate, CA set, what is remembered
 * of its callers, and the context made of them.  Immutable and counted: sets of
 * identities share it.
 */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"
#include "policy/mesh_spec.h"

struct callers;

struct tls_mesh {
	struct ref ref;
	struct digest spec_digest;
	char *mesh;
	char *origin;
	char *spiffe; /* our first URI SAN; may be empty */
	SSL_CTX *ctx;
	struct callers *callers;
	bool is_minted;
	int64_t not_after_s;
	int64_t ca_not_after_s;
	int64_t due_s; /* INT64_MAX: never */
};

/*
 * callers is taken from prev (may be NULL) if its CA set is the same.  NULL:
 * it cannot be made, why says what to change.
 */
struct tls_mesh *tls_mesh_new(const struct mesh_spec *spec,
    const struct tls_mesh *prev, int64_t now_s, struct text *why) MUST_CHECK;
struct tls_mesh *tls_mesh_ref(struct tls_mesh *m);
void tls_mesh_unref(struct tls_mesh *m);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_IDENTITY_H
#define POLICY_IDENTITY_H

/*
 * Who the other side is: the URI SANs of its verified certificate.  SPIFFE
 * names are compared whole; only those of the asked-for mesh count as service
 * identity, and kuma:// tags are never split (Kuma section 4.6).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* More URI SANs than this in one certificate refuse it. */
#define IDENTITY_URIS_MAX 64

struct identity {
	struct str
	    *uris; /* sorted; they and the array are the identity's own */
	size_t n_uris;
	struct str spiffe;   /* the first spiffe://<mesh>/… of the mesh */
	struct str service;  /* what follows spiffe://<mesh>/ there */
	int64_t not_after_s; /* earliest of the chain */
};

enum identity_status {
	IDENTITY_OK,
	IDENTITY_NO_SPIFFE, /* no URI SAN starts with spiffe://<mesh>/ */
	IDENTITY_BAD_SAN,   /* too many, or a byte that is no printable ASCII */
};

/* Copies uris.  On anything but OK *out is NULL. */
enum identity_status identity_new(struct str mesh, const struct str *uris,
    size_t n, int64_t not_after_s, struct identity **out) MUST_CHECK;
struct identity *identity_dup(const struct identity *id) MUST_CHECK;
void identity_free(struct identity *id);
bool identity_has(const struct identity *id, struct str uri);
/* The value of kuma://<tag>/<value>, the first one; empty when none. */
struct str identity_tag(const struct identity *id, struct str tag);

/* To keep in a session: self-contained bytes, and back. */
void identity_pack(const struct identity *id, struct text *out);
struct identity *identity_unpack(struct str packed, struct str mesh) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_MESH_SPEC_H
#define POLICY_MESH_SPEC_H

/*
 * What the egress needs to answer for one mesh: whom it trusts, and its own
 * certificate or the CA to mint one with.  Immutable, counted.
 */

#include <stdint.h>

#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"
#include "policy/blob.h"

struct mesh_spec {
	struct ref ref;
	struct digest digest;
	char *mesh;
	char *origin;    /* "file:line Mesh/name", or "identity[0]" */
	struct blob *ca; /* PEM, one or more certificates */
	/* From the configuration's identity; both or neither. */
	struct blob *cert;
	struct blob *key;
	/* Else minted with these. */
	struct blob *ca_cert;
	struct blob *ca_key;
	uint64_t leaf_life_s;
};

struct mesh_spec *mesh_spec_ref(struct mesh_spec *m);
void mesh_spec_unref(struct mesh_spec *m);

#endif

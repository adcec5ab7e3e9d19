/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_SECRET_H
#define MODEL_SECRET_H

/*
 * Secret and GlobalSecret: bytes by name (data, base64 once).  Also
 * Kubernetes' core Secret of type system.kuma.io/secret, mesh in the label
 * kuma.io/mesh, bytes under data.value.  Wiped when the store lets go.
 */

#include "model/resource.h"

struct secret {
	struct str data; /* decoded */
};

const struct secret *secret_of(const struct resource *r);
/* Before the resource is freed. */
void secret_wipe(struct resource *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MESH_H
#define MODEL_MESH_H

/* Mesh (Kuma mesh.proto): mutual TLS and routing; the rest is not used. */

#include "model/resource.h"

enum ca_type {
	CA_BUILTIN,  /* Secrets <mesh>.ca-builtin-{cert,key}-<backend> */
	CA_PROVIDED, /* conf.cert and conf.key */
	CA_OTHER     /* a plugin's; only `identity` files can serve it */
};

struct mesh_backend {
	struct str name;
	struct str type;
	struct data_source ca_cert; /* conf.cert and conf.key */
	struct data_source ca_key;
	struct str leaf_life; /* as written */
	unsigned line;
};

struct mesh {
	struct mesh_backend *backends; /* at most one */
	size_t n_backends;
	bool has_mtls;      /* mtls.enabledBackend names a backend */
	struct str backend; /* its name */
	enum ca_type ca_type;
	struct data_source ca_cert; /* of the enabled backend; provided only */
	struct data_source ca_key;
	uint64_t leaf_life_s; /* dpCert.rotation.expiration; default 24 h */
	bool zone_egress;     /* routing.zoneEgress */
	bool locality_aware;  /* routing.localityAwareLoadBalancing */
	/* routing.defaultForbidMeshExternalServiceAccess */
	bool forbid_mesh_external_services;
};

const struct mesh *mesh_of(const struct resource *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MESH_EXTERNAL_SERVICE_H
#define MODEL_MESH_EXTERNAL_SERVICE_H

/* MeshExternalService (Kuma 2.8+, api/v1alpha1/meshexternalservice). */

#include "model/resource.h"

/* As protocol versions are numbered on the wire; 0 is TLSAuto. */
enum tls_version {
	TLS_AUTO = 0,
	TLS_1_0 = 0x0301,
	TLS_1_1 = 0x0302,
	TLS_1_2 = 0x0303,
	TLS_1_3 = 0x0304
};

enum verification_mode {
	MODE_SECURED,
	MODE_SKIP_SAN,
	MODE_SKIP_CA,
	MODE_SKIP_ALL
};

struct mes_endpoint {
	struct str address; /* of a Unix socket: its path */
	bool is_address;    /* an IP address or a path, not a name */
	bool is_unix;
	uint16_t port;
	unsigned priority; /* lower is preferred */
	unsigned line;
};

struct mes_san {
	bool is_prefix;
	struct str value;
};

struct mesh_external_service {
	struct str match_type;
	struct str protocol; /* tcp, http, http2, grpc */
	uint16_t port;       /* match.port: of names and SNI, not dialled */
	bool has_extension;
	struct str extension_type;
	struct mes_endpoint *endpoints;
	size_t n_endpoints;
	bool tls_is_enabled;
	bool allow_renegotiation;
	enum tls_version min_version;
	enum tls_version max_version;
	bool has_verification;
	enum verification_mode mode;
	bool has_server_name;
	struct str server_name; /* empty: not given */
	struct mes_san *sans;
	size_t n_sans;
	struct data_source ca_cert;
	struct data_source client_cert;
	struct data_source client_key;
};

const struct mesh_external_service *mesh_external_service_of(
    const struct resource *r);

#endif

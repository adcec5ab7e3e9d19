/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MESH_ACCESS_LOG_H
#define MODEL_MESH_ACCESS_LOG_H

/* The values of a MeshAccessLog's items: outbound_policy.h. */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

enum mesh_access_log_value {
	MAL_BACKENDS /* struct mal_backend */
};

enum mal_type { MAL_UNKNOWN, MAL_FILE, MAL_TCP, MAL_OPENTELEMETRY };

enum mal_format { MAL_FORMAT_NONE, MAL_FORMAT_PLAIN, MAL_FORMAT_JSON };

struct mal_field {
	struct str key;
	struct str value;
};

struct mal_backend {
	enum mal_type type;
	struct str address; /* path of File, endpoint of OpenTelemetry */
	enum mal_format format;
	struct str plain;
	struct mal_field *fields;
	size_t n_fields;
	bool omits_empty;
	/* Of OpenTelemetry, whose body is in what is above. */
	struct mal_field *attributes;
	size_t n_attributes;
	bool has_other_body; /* of a form that is none of ours */
	bool has_ref;        /* backendRef */
};

#endif

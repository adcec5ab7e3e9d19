/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_MESH_LOG_H
#define POLICY_MESH_LOG_H

/*
 * Where a MeshAccessLog wants lines, and what a line says: text and operators
 * by turns, as Envoy writes them (%NAME(argument):length%).
 * Immutable once made.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct arena;
struct fingerprint;
struct pack;

enum mesh_log_op {
	MESH_LOG_NONE, /* text only */
#define MESH_LOG_OP(id, ...) MESH_LOG_##id,
#include "policy/mesh_log.tbl.h"
	/* What REQ() and RESP() of some names come to. */
	MESH_LOG_METHOD,
	MESH_LOG_PATH,
	MESH_LOG_AUTHORITY,
	MESH_LOG_REQUEST_ID,
	MESH_LOG_NOT_KEPT, /* a field that nobody keeps */
	MESH_LOG_OP_N
};

struct mesh_log_piece {
	struct str literal; /* before the operator */
	enum mesh_log_op op;
	uint32_t most; /* bytes of the value; 0: all */
};

/* A line, or one field of a line in JSON. */
struct mesh_log_value {
	struct str key;    /* empty: a plain line */
	struct str format; /* as it was written */
	struct mesh_log_piece *pieces;
	size_t n_pieces;
};

enum mesh_log_kind {
	MESH_LOG_KIND_FILE,
	MESH_LOG_KIND_TCP,
	MESH_LOG_KIND_OTLP
};

struct mesh_log {
	enum mesh_log_kind kind;
	struct str to;     /* path of a file, or "host:port" */
	struct str host;   /* of TCP and OTLP */
	uint16_t port;     /* likewise */
	struct str origin; /* "file:line MeshAccessLog/name" */
	bool is_json;      /* of OTLP: the body is a list of keys and values */
	bool omits_empty;
	struct mesh_log_value *values; /* one, if not is_json */
	size_t n_values;
	struct mesh_log_value *attributes; /* of OTLP */
	size_t n_attributes;
};

/* Caps of what a document may ask for. */
#define MESH_LOGS_MAX 8      /* of a service */
#define MESH_LOG_SINKS_MAX 8 /* of the configuration */
#define MESH_LOG_VALUES_MAX 64
#define MESH_LOG_PIECES_MAX 128
#define MESH_LOG_FORMAT_MAX 4096
#define MESH_LOG_JSON_MAX (4 * MESH_LOG_FORMAT_MAX) /* keys and formats */
#define MESH_LOG_PATH_MAX 1024

/* Kuma's. */
extern const char mesh_log_tcp_format[];
extern const char mesh_log_http_format[];

/* Pieces are in a, text is borrowed.  False: see why. */
bool mesh_log_parse(struct arena *a, struct str format,
    struct mesh_log_value *out, struct text *why) MUST_CHECK;
/* It asks for a field that nobody keeps. */
bool mesh_log_wants_unkept(const struct mesh_log_value *v);

/*
 * Whether path lies below folder: by its text, without "." and ".." and empty
 * parts.  The rest then begins with no slash.
 */
bool mesh_log_path_is_below(
    struct str path, struct str folder, struct str *rest) MUST_CHECK;

/*
 * "host:port" or "[IPv6]:port", as backends have it: a name or an
 * address, without its [], and a port that is not 0.  host is borrowed.
 */
bool mesh_log_sink_parse(
    struct str to, struct str *host, uint16_t *port) MUST_CHECK;

void mesh_logs_fingerprint(
    const struct mesh_log *v, size_t n, struct fingerprint *f);
struct mesh_log *mesh_logs_lay_out(
    struct pack *k, const struct mesh_log *v, size_t n);
void mesh_logs_print(const struct mesh_log *v, size_t n, struct text *out);

#endif

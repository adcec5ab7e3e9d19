/* SPDX-License-Identifier: Apache-2.0 */
/* Reading formats of MeshAccessLogs.  Main thread. */

#include "policy/mesh_log.h"

#include <stdalign.h>

#include "base/arena.h"
#include "model/scalar.h"
#include "policy/fingerprint.h"
#include "policy/pack.h"

const char mesh_log_tcp_format[] =
    "[%START_TIME%] %RESPONSE_FLAGS% %KUMA_MESH% "
    "%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%(%KUMA_SOURCE_SERVICE%)->"
    "%UPSTREAM_HOST%(%KUMA_DESTINATION_SERVICE%) took %DURATION%ms, "
    "sent %BYTES_SENT% bytes, received: %BYTES_RECEIVED% bytes";
const char mesh_log_http_format[] =
    "[%START_TIME%] %KUMA_MESH% \"%REQ(:METHOD)% "
    "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
    "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "
    "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \"%REQ(X-FORWARDED-FOR)%\" "
    "\"%REQ(USER-AGENT)%\" \"%REQ(X-B3-TRACEID?X-DATADOG-TRACEID)%\" "
    "\"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
    "\"%KUMA_SOURCE_SERVICE%\" \"%KUMA_DESTINATION_SERVICE%\" "
    "\"%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%\" \"%UPSTREAM_HOST%\"";

static const char *const names[] = {
#define MESH_LOG_OP(id, name, help) [MESH_LOG_##id] = name,
#include "policy/mesh_log.tbl.h"
};

static enum mesh_log_op
find_op(struct str name)
{
	size_t i;

	for (i = MESH_LOG_NONE + 1; i < ARRAY_LEN(names); i++)
		if (str_eq(name, str_of(names[i])))
			return (enum mesh_log_op)i;
	return MESH_LOG_NONE;
}

static void
tell_known(struct text *why)
{
	size_t i;

	for (i = MESH_LOG_NONE + 1; i < ARRAY_LEN(names); i++)
		text_addf(why, "%s%s", i == 1 ? "" : ", ", names[i]);
}

static enum mesh_log_op
find_field(enum mesh_log_op side, struct str name)
{
	static const struct {
		enum mesh_log_op side;
		const char *name;
		enum mesh_log_op op;
	} rows[] = {
		{ MESH_LOG_REQ, ":method", MESH_LOG_METHOD },
		{ MESH_LOG_REQ, ":path", MESH_LOG_PATH },
		{ MESH_LOG_REQ, ":authority", MESH_LOG_AUTHORITY },
		{ MESH_LOG_REQ, "x-request-id", MESH_LOG_REQUEST_ID },
		{ MESH_LOG_RESP, ":status", MESH_LOG_RESPONSE_CODE },
		{ MESH_LOG_RESP, "grpc-status", MESH_LOG_GRPC_STATUS },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].side == side &&
		    str_eq_nocase(name, str_of(rows[i].name)))
			return rows[i].op;
	return MESH_LOG_NOT_KEPT;
}

/* "FIRST?SECOND": the first of them that is kept. */
static enum mesh_log_op
choose_field(enum mesh_log_op side, struct str names_of)
{
	enum mesh_log_op op;
	struct str first = str_cut(&names_of, '?');

	op = find_field(side, first);
	return op == MESH_LOG_NOT_KEPT ? find_field(side, names_of) : op;
}

static size_t
count_name(struct str s)
{
	size_t i = 0;

	while (
	    i < s.len && ((s.p[i] >= 'A' && s.p[i] <= 'Z') ||
			     (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_'))
		i++;
	return i;
}

/* What stands between "%NAME" and its "%". */
struct operands {
	bool has_argument;
	struct str argument;
	uint64_t most;
};

static bool
take_operands(struct str *s, struct operands *out, struct text *why)
{
	ptrdiff_t end;

	*out = (struct operands){ .most = 0 };
	if (s->len > 0 && s->p[0] == '(') {
		end = str_index(*s, ')');
		if (end < 0) {
			text_add_z(why, "a ( without its )");
			return false;
		}
		out->has_argument = true;
		out->argument = str_from(str_first(*s, (size_t)end), 1);
		*s = str_from(*s, (size_t)end + 1);
	}
	end = str_index(*s, '%');
	if (end < 0 || (end > 0 && s->p[0] != ':')) {
		text_add_z(why, "a % without its %; %% stands for one");
		return false;
	}
	if (end > 0 && !str_to_u64(str_from(str_first(*s, (size_t)end), 1),
			   MESH_LOG_FORMAT_MAX, &out->most)) {
		text_addf(why, "a length behind : that is not 0 to %d",
		    MESH_LOG_FORMAT_MAX);
		return false;
	}
	*s = str_from(*s, (size_t)end + 1);
	return true;
}

/* s is what follows a %, and behind the operator afterwards. */
static bool
take_operator(struct str *s, struct mesh_log_piece *out, struct text *why)
{
	struct str name = str_first(*s, count_name(*s));
	enum mesh_log_op op = find_op(name);
	struct operands o;
	bool is_field = op == MESH_LOG_REQ || op == MESH_LOG_RESP;

	*s = str_from(*s, name.len);
	if (!take_operands(s, &o, why))
		return false;
	if (op == MESH_LOG_NONE) {
		text_addf(why, "no operator is named \"%.*s\"; there are ",
		    STR_ARG(name));
		tell_known(why);
		return false;
	}
	if (is_field != o.has_argument) {
		text_addf(why, "%.*s %s", STR_ARG(name),
		    is_field ? "wants a name in ()" : "takes nothing in ()");
		return false;
	}
	out->op = is_field ? choose_field(op, o.argument) : op;
	out->most = (uint32_t)o.most;
	return true;
}

bool
mesh_log_parse(struct arena *a, struct str format, struct mesh_log_value *out,
    struct text *why)
{
	struct mesh_log_piece v[MESH_LOG_PIECES_MAX], *p;
	ptrdiff_t at;

	if (format.len > MESH_LOG_FORMAT_MAX) {
		text_addf(why, "longer than %d bytes", MESH_LOG_FORMAT_MAX);
		return false;
	}
	out->format = format;
	out->n_pieces = 0;
	while (format.len > 0) {
		if (out->n_pieces == MESH_LOG_PIECES_MAX) {
			text_addf(
			    why, "more than %d operators", MESH_LOG_PIECES_MAX);
			return false;
		}
		p = &v[out->n_pieces++];
		*p = (struct mesh_log_piece){ .literal = format };
		at = str_index(format, '%');
		if (at < 0)
			break;
		p->literal = str_first(format, (size_t)at);
		format = str_from(format, (size_t)at + 1);
		if (format.len > 0 && format.p[0] == '%') {
			p->literal.len++; /* the first of both */
			format = str_from(format, 1);
		} else if (!take_operator(&format, p, why)) {
			return false;
		}
	}
	out->pieces = arena_alloc(a, (out->n_pieces + 1) * sizeof(*v));
	if (out->n_pieces > 0)
		memcpy(out->pieces, v, out->n_pieces * sizeof(*v));
	return true;
}

bool
mesh_log_wants_unkept(const struct mesh_log_value *v)
{
	size_t i;

	for (i = 0; i < v->n_pieces; i++)
		if (v->pieces[i].op == MESH_LOG_NOT_KEPT)
			return true;
	return false;
}

static bool
has_control(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return true;
	return false;
}

bool
mesh_log_path_is_below(struct str path, struct str folder, struct str *rest)
{
	struct str part, left;

	while (folder.len > 1 && folder.p[folder.len - 1] == '/')
		folder.len--;
	if (folder.len == 0 || !str_starts(path, folder) ||
	    path.len > MESH_LOG_PATH_MAX || has_control(path))
		return false;
	left = str_from(path, folder.len);
	if (folder.len > 1 && !str_starts(left, STR("/")))
		return false;
	if (folder.len > 1)
		left = str_from(left, 1);
	*rest = left;
	if (left.len == 0 || str_ends(left, STR("/")))
		return false;
	while (left.len > 0) {
		part = str_cut(&left, '/');
		if (part.len == 0 || str_eq(part, STR(".")) ||
		    str_eq(part, STR("..")))
			return false;
	}
	return true;
}

bool
mesh_log_sink_parse(struct str to, struct str *host, uint16_t *port)
{
	struct str digits;
	uint64_t n;

	if (!split_host_port(to, host, &digits) ||
	    !str_to_u64(digits, UINT16_MAX, &n) || n == 0)
		return false;
	*port = (uint16_t)n;
	return is_ip_address(*host) || is_dns_name(*host);
}

static void
add_values(struct fingerprint *f, const struct mesh_log_value *v, size_t n)
{
	size_t i;

	fingerprint_u64(f, n);
	for (i = 0; i < n; i++) {
		fingerprint_str(f, v[i].key);
		fingerprint_str(f, v[i].format);
	}
}

void
mesh_logs_fingerprint(const struct mesh_log *v, size_t n, struct fingerprint *f)
{
	size_t i;

	fingerprint_u64(f, n);
	for (i = 0; i < n; i++) {
		fingerprint_u64(f, v[i].kind);
		fingerprint_str(f, v[i].to);
		fingerprint_u64(f, v[i].is_json);
		fingerprint_u64(f, v[i].omits_empty);
		add_values(f, v[i].values, v[i].n_values);
		add_values(f, v[i].attributes, v[i].n_attributes);
	}
}

static void
lay_out_value(struct pack *k, const struct mesh_log_value *from,
    struct mesh_log_value *to)
{
	struct mesh_log_value all = *from;
	struct str literal;
	size_t i;

	all.key = pack_str(k, from->key);
	all.format = pack_str(k, from->format);
	all.pieces =
	    pack_copy(k, from->pieces, from->n_pieces * sizeof(*from->pieces),
		alignof(struct mesh_log_piece));
	for (i = 0; i < from->n_pieces; i++) {
		literal = pack_str(k, from->pieces[i].literal);
		if (all.pieces != NULL)
			all.pieces[i].literal = literal;
	}
	if (to != NULL)
		*to = all;
}

static struct mesh_log_value *
lay_out_values(struct pack *k, const struct mesh_log_value *from, size_t n)
{
	struct mesh_log_value *to = pack_copy(
	    k, from, n * sizeof(*from), alignof(struct mesh_log_value));
	size_t i;

	for (i = 0; i < n; i++)
		lay_out_value(k, &from[i], to == NULL ? NULL : &to[i]);
	return to;
}

static void
lay_out_one(struct pack *k, const struct mesh_log *from, struct mesh_log *to)
{
	struct mesh_log all = *from;

	all.to = pack_str(k, from->to);
	all.host = pack_str(k, from->host);
	all.origin = pack_str(k, from->origin);
	all.values = lay_out_values(k, from->values, from->n_values);
	all.attributes =
	    lay_out_values(k, from->attributes, from->n_attributes);
	if (to != NULL)
		*to = all;
}

struct mesh_log *
mesh_logs_lay_out(struct pack *k, const struct mesh_log *v, size_t n)
{
	struct mesh_log *to =
	    pack_copy(k, v, n * sizeof(*v), alignof(struct mesh_log));
	size_t i;

	for (i = 0; i < n; i++)
		lay_out_one(k, &v[i], to == NULL ? NULL : &to[i]);
	return to;
}

void
mesh_logs_print(const struct mesh_log *v, size_t n, struct text *out)
{
	static const char *const prefixes[] = {
		[MESH_LOG_KIND_FILE] = "",
		[MESH_LOG_KIND_TCP] = "tcp:",
		[MESH_LOG_KIND_OTLP] = "otlp:",
	};
	size_t i;

	for (i = 0; i < n; i++)
		text_addf(out, "  log %s%.*s %s (%.*s)\n", prefixes[v[i].kind],
		    STR_ARG(v[i].to), v[i].is_json ? "json" : "plain",
		    STR_ARG(v[i].origin));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators give.  Values are escaped as in our own access log, since a
 * caller chooses many of them; text between them is the policy's.
 */

#include "conn/mesh_log_line.h"

#include "base/clock.h"

/* A format may name what a caller chose again and again. */
#define VALUES_MOST (32 * 1024)

/* Of one operator, for one line. */
struct given {
	struct str text; /* p NULL: there is none */
	uint64_t number;
	bool is_number;
	char room[CLOCK_TEXT];
};

static uint64_t
number_of(const struct log_entry *e, enum log_field f)
{
	return e->has_number[f] ? e->number[f] : 0;
}

/* How a field of our own log gives an operator. */
static const struct {
	enum log_field field;
	bool is_count; /* 0 if there is none */
} fields[MESH_LOG_OP_N] = {
	[MESH_LOG_RESPONSE_CODE] = { LOG_STATUS, true },
	[MESH_LOG_RESPONSE_CODE_DETAILS] = { LOG_OUTCOME, false },
	[MESH_LOG_BYTES_RECEIVED] = { LOG_BYTES_IN, true },
	[MESH_LOG_BYTES_SENT] = { LOG_BYTES_OUT, true },
	[MESH_LOG_DURATION] = { LOG_DURATION_MS, true },
	[MESH_LOG_RESPONSE_DURATION] = { LOG_FIRST_BYTE_MS, false },
	[MESH_LOG_UPSTREAM_HOST] = { LOG_ADDRESS, false },
	[MESH_LOG_UPSTREAM_REMOTE_ADDRESS] = { LOG_ADDRESS, false },
	[MESH_LOG_REQUESTED_SERVER_NAME] = { LOG_SNI, false },
	[MESH_LOG_DOWNSTREAM_REMOTE_ADDRESS] = { LOG_SOURCE, false },
	[MESH_LOG_KUMA_SOURCE_ADDRESS] = { LOG_SOURCE, false },
	[MESH_LOG_DOWNSTREAM_LOCAL_ADDRESS] = { LOG_LISTENER, false },
	[MESH_LOG_DOWNSTREAM_PEER] = { LOG_IDENTITY, false },
	[MESH_LOG_CONNECTION_ID] = { LOG_ID, false },
	[MESH_LOG_GRPC_STATUS] = { LOG_GRPC_STATUS, false },
	[MESH_LOG_METHOD] = { LOG_METHOD, false },
	[MESH_LOG_PATH] = { LOG_PATH, false },
	[MESH_LOG_AUTHORITY] = { LOG_AUTHORITY, false },
	[MESH_LOG_REQUEST_ID] = { LOG_REQUEST_ID, false },
};

static void
give_field(
    const struct mesh_log_source *from, enum mesh_log_op op, struct given *out)
{
	enum log_field f = fields[op].field;

	if (from->e->has_number[f] || fields[op].is_count) {
		out->is_number = true;
		out->number = number_of(from->e, f);
	} else {
		out->text = from->e->text[f];
	}
}

/* "192.0.2.1:80" and "[2001:db8::1]:80" without what is not the host. */
static struct str
host_of(struct str address)
{
	size_t i = address.len;

	while (i > 0 && address.p[i - 1] != ':' && address.p[i - 1] != ']')
		i--;
	if (i == 0 || address.p[i - 1] == ']')
		return address;
	address = str_first(address, i - 1);
	if (address.len > 2 && address.p[0] == '[' &&
	    address.p[address.len - 1] == ']')
		address = str_first(str_from(address, 1), address.len - 2);
	return address;
}

/* spiffe://MESH/SERVICE is Kuma's form; others stay whole. */
static struct str
source_service(const struct mesh_log_source *from)
{
	struct str id = from->e->text[LOG_IDENTITY], rest;
	struct str mesh = from->service->mesh;

	if (id.len == 0)
		return STR("unknown");
	if (!str_starts(id, STR("spiffe://")))
		return id;
	rest = str_from(id, sizeof("spiffe://") - 1);
	if (!str_starts(rest, mesh))
		return id;
	rest = str_from(rest, mesh.len);
	if (rest.len < 2 || rest.p[0] != '/')
		return id;
	rest = str_from(rest, 1);
	return str_index(rest, '/') < 0 ? rest : id;
}

uint64_t
mesh_log_start_ms(const struct mesh_log_source *from)
{
	return (uint64_t)from->wall_ms - number_of(from->e, LOG_DURATION_MS);
}

static void
give_time(struct given *out, int64_t wall_ms)
{
	clock_print(wall_ms, out->room);
	out->text = str_of(out->room);
}

static struct str
protocol_text(struct str version)
{
	if (version.len == 0)
		return STR_NONE;
	return str_eq(version, STR("2")) ? STR("HTTP/2") : STR("HTTP/1.1");
}

static void
give(const struct mesh_log_source *from, enum mesh_log_op op, struct given *out)
{
	const struct log_entry *e = from->e;

	out->is_number = false;
	out->text = STR_NONE;
	switch ((unsigned)op) {
	case MESH_LOG_START_TIME:
		give_time(out, (int64_t)mesh_log_start_ms(from));
		break;
	case MESH_LOG_EMIT_TIME:
		give_time(out, from->wall_ms);
		break;
	case MESH_LOG_PROTOCOL:
		out->text = protocol_text(e->text[LOG_HTTP_VERSION]);
		break;
	case MESH_LOG_RESPONSE_FLAGS:
		if (!str_eq(e->text[LOG_OUTCOME], STR("ok")))
			out->text = e->text[LOG_OUTCOME];
		break;
	case MESH_LOG_UPSTREAM_CLUSTER:
		out->text = from->service->stats_name;
		break;
	case MESH_LOG_DOWNSTREAM_REMOTE_HOST:
	case MESH_LOG_KUMA_SOURCE_HOST:
		out->text = host_of(e->text[LOG_SOURCE]);
		break;
	case MESH_LOG_KUMA_MESH:
		out->text = from->service->mesh;
		break;
	case MESH_LOG_KUMA_SOURCE_SERVICE:
		out->text = source_service(from);
		break;
	case MESH_LOG_KUMA_DESTINATION_SERVICE:
		out->text = from->service->name;
		break;
	case MESH_LOG_KUMA_TRAFFIC_DIRECTION:
		out->text = STR("OUTBOUND");
		break;
	case MESH_LOG_NONE:
	case MESH_LOG_NOT_KEPT:
		break;
	default:
		give_field(from, op, out);
	}
}

/* Whether there was a value. */
static bool
add_given(struct mesh_log_source *from, const struct mesh_log_piece *p,
    struct text *out)
{
	struct given g;
	struct str s;

	give(from, p->op, &g);
	if (g.is_number)
		text_add_u64(out, g.number);
	s = str_first(g.text, from->room);
	if (p->most > 0)
		s = str_first(s, p->most);
	if (s.len > 0)
		access_log_escape(out, s);
	from->room -= s.len;
	return g.is_number || g.text.len > 0;
}

/* escapes: of literals too, since they stand in a string of JSON. */
static void
add_pieces(struct mesh_log_source *from, const struct mesh_log *log,
    const struct mesh_log_value *v, bool escapes, struct text *out)
{
	const struct mesh_log_piece *p = v->pieces, *end = p + v->n_pieces;

	for (; p < end; p++) {
		if (escapes)
			access_log_escape(out, p->literal);
		else
			text_add(out, p->literal);
		if (p->op != MESH_LOG_NONE && !add_given(from, p, out) &&
		    !log->omits_empty)
			text_add_char(out, '-');
	}
}

/* An operator by itself: numbers stay numbers, and nothing is null. */
static void
add_single(struct mesh_log_source *from, const struct mesh_log_piece *p,
    struct text *out)
{
	struct given g;

	give(from, p->op, &g);
	if (g.is_number) {
		text_add_u64(out, g.number);
	} else if (g.text.len == 0) {
		text_add_z(out, "null");
	} else {
		text_add_char(out, '"');
		(void)add_given(from, p, out);
		text_add_char(out, '"');
	}
}

static bool
is_single(const struct mesh_log_value *v)
{
	return v->n_pieces == 1 && v->pieces[0].literal.len == 0 &&
	       v->pieces[0].op != MESH_LOG_NONE;
}

static bool
is_left_out(const struct mesh_log_source *from, const struct mesh_log *log,
    const struct mesh_log_value *v)
{
	struct given g;

	if (!log->omits_empty || !is_single(v))
		return false;
	give(from, v->pieces[0].op, &g);
	return !g.is_number && g.text.len == 0;
}

static void
add_json(
    struct mesh_log_source *from, const struct mesh_log *log, struct text *out)
{
	const struct mesh_log_value *v = log->values, *end = v + log->n_values;
	const char *before = "{";

	for (; v < end; v++) {
		if (is_left_out(from, log, v))
			continue;
		text_addf(out, "%s\"", before);
		access_log_escape(out, v->key);
		text_add_z(out, "\":");
		if (is_single(v)) {
			add_single(from, v->pieces, out);
		} else {
			text_add_char(out, '"');
			add_pieces(from, log, v, true, out);
			text_add_char(out, '"');
		}
		before = ",";
	}
	text_add_z(out, before[0] == '{' ? "{}" : "}");
}

struct mesh_log_source
mesh_log_source(
    const struct service *s, const struct log_entry *e, int64_t wall_ms)
{
	return (struct mesh_log_source){
		.service = s,
		.e = e,
		.wall_ms = wall_ms,
		.room = VALUES_MOST,
	};
}

void
mesh_log_text(const struct mesh_log *log, const struct mesh_log_value *v,
    struct mesh_log_source *from, struct text *out)
{
	add_pieces(from, log, v, false, out);
}

void
mesh_log_line(const struct mesh_log *log, const struct service *s,
    const struct log_entry *e, int64_t wall_ms, struct text *out)
{
	struct mesh_log_source from = mesh_log_source(s, e, wall_ms);

	if (log->is_json)
		add_json(&from, log, out);
	else
		mesh_log_text(log, &log->values[0], &from, out);
	text_add_char(out, '\n');
}

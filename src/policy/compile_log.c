/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What MeshAccessLogs want written of a service.  Where a file may lie, and
 * which sinks there are, is said by zegressd.conf: whoever writes policies is
 * not whoever runs the host.  Main thread.
 */

#include "model/mesh_access_log.h"
#include "policy/compile.h"
#include "policy/compile_policies.h"
#include "policy/mesh_log.h"

/* The backends of one service. */
struct logs {
	struct compile *c;
	struct policy_use *use;
	struct service *draft;
	struct arena *a;
	const struct mal_backend *v;
	bool is_told; /* what is wrong was said for another service */
};

/* field: within the part that its type is about. */
static void
tell(const struct logs *l, enum problem_level level, size_t i,
    const char *field, const char *why)
{
	static const char *const parts[] = {
		[MAL_FILE] = "file",
		[MAL_TCP] = "tcp",
		[MAL_OPENTELEMETRY] = "openTelemetry",
	};
	const struct outbound_items *items =
	    &l->use->policy->items[OUTBOUND_TO];
	struct text path = TEXT_EMPTY;

	if (l->is_told)
		return;
	text_addf(&path, "spec.to[%zu].default.backends[%zu].%s%s%s",
	    (size_t)(l->use->item - items->v), i, parts[l->v[i].type],
	    field[0] != '\0' ? "." : "", field);
	problem_add(l->c->pr, level, l->use->r->file, l->use->item->line,
	    path.p, "%s", why);
	text_free(&path);
}

static bool
take_file(const struct logs *l, size_t i, struct mesh_log *out)
{
	const char *folder = l->c->set->mesh_log_folder;
	struct text why = TEXT_EMPTY;
	struct str rest;

	if (folder == NULL) {
		tell(l, PROBLEM_WARNING, i, "path",
		    "takes no effect here: mesh_access_log in zegressd.conf "
		    "names no directory for such files");
		return false;
	}
	if (mesh_log_path_is_below(out->to, str_of(folder), &rest))
		return true;
	text_addf(&why,
	    "takes no effect here: files may only be written below %s "
	    "(mesh_access_log in zegressd.conf), without \".\" and \"..\"",
	    folder);
	tell(l, PROBLEM_WARNING, i, "path", why.p);
	text_free(&why);
	return false;
}

/* A port that is not given is OTLP's. */
static struct str
endpoint_of(struct arena *a, struct str endpoint)
{
	struct str host, room;
	uint16_t port;

	if (mesh_log_sink_parse(endpoint, &host, &port))
		return endpoint;
	room.len = endpoint.len + sizeof(":4317") - 1;
	room.p = arena_printf(a, "%.*s:4317", STR_ARG(endpoint));
	return room;
}

static bool
take_sink(
    const struct logs *l, size_t i, const char *field, struct mesh_log *out)
{
	const struct build_settings *set = l->c->set;
	size_t j;

	for (j = 0; j < set->n_mesh_log_sinks; j++)
		if (str_eq_nocase(out->to, str_of(set->mesh_log_sinks[j])))
			return mesh_log_sink_parse(
			    out->to, &out->host, &out->port);
	tell(l, PROBLEM_WARNING, i, field,
	    "takes no effect here: mesh_access_log_sinks in zegressd.conf "
	    "does not name it");
	return false;
}

static bool
read_value(const struct logs *l, size_t i, const char *field, struct str format,
    struct mesh_log_value *out)
{
	struct text why = TEXT_EMPTY;
	bool is_good = mesh_log_parse(l->a, format, out, &why);

	if (!is_good)
		tell(l, PROBLEM_ERROR, i, field, why.p);
	else if (mesh_log_wants_unkept(out))
		tell(l, PROBLEM_WARNING, i, field,
		    "always \"-\" for some: of a request only :method, "
		    ":path, :authority and x-request-id are kept, of an "
		    "answer :status and grpc-status");
	text_free(&why);
	return is_good;
}

/* Keys and formats, those of list in the document. */
static bool
read_fields(const struct logs *l, size_t i, const char *list,
    const struct mal_field *v, size_t n, struct mesh_log_value **out)
{
	struct text field = TEXT_EMPTY;
	bool is_good = true;
	size_t j, bytes = 0;

	for (j = 0; j < n; j++)
		bytes += v[j].key.len + v[j].value.len;
	if (n > MESH_LOG_VALUES_MAX || bytes > MESH_LOG_JSON_MAX) {
		tell(l, PROBLEM_ERROR, i, list,
		    "more than 64 fields, or more than 16384 bytes of them");
		return false;
	}
	*out = arena_alloc(l->a, (n + 1) * sizeof(**out));
	for (j = 0; j < n && is_good; j++) {
		text_clear(&field);
		text_addf(&field, "%s[%zu].value", list, j);
		(*out)[j].key = v[j].key;
		is_good = read_value(l, i, field.p, v[j].value, &(*out)[j]);
	}
	text_free(&field);
	return is_good;
}

static bool
is_otlp(const struct logs *l, size_t i)
{
	return l->v[i].type == MAL_OPENTELEMETRY;
}

static bool
read_json(const struct logs *l, size_t i, struct mesh_log *out)
{
	const struct mal_backend *b = &l->v[i];

	out->is_json = true;
	out->n_values = b->n_fields;
	return read_fields(l, i,
	    is_otlp(l, i) ? "body.kvlistValue.values" : "format.json",
	    b->fields, b->n_fields, &out->values);
}

static bool
read_plain(const struct logs *l, size_t i, struct mesh_log *out)
{
	struct text why = TEXT_EMPTY;
	bool is_good;

	out->values = arena_alloc(l->a, sizeof(*out->values));
	out->n_values = 1;
	if (l->v[i].format == MAL_FORMAT_PLAIN)
		return read_value(l, i, is_otlp(l, i) ? "body" : "format.plain",
		    l->v[i].plain, &out->values[0]);
	/* Its own: that some of it is not kept is no news to anybody. */
	is_good = mesh_log_parse(l->a,
	    str_of(protocol_is_http(l->draft->protocol) ? mesh_log_http_format
							: mesh_log_tcp_format),
	    &out->values[0], &why);
	text_free(&why);
	return is_good;
}

static bool
take_otlp(const struct logs *l, size_t i, struct mesh_log *out)
{
	const struct mal_backend *b = &l->v[i];

	if (b->has_ref) {
		tell(l, PROBLEM_WARNING, i, "backendRef",
		    "takes no effect here: give the collector's address as "
		    "endpoint");
		return false;
	}
	if (b->has_other_body) {
		tell(l, PROBLEM_WARNING, i, "body",
		    "takes no effect here: only text, stringValue, and "
		    "kvlistValue of stringValues are sent");
		return false;
	}
	out->to = endpoint_of(l->a, b->address);
	out->n_attributes = b->n_attributes;
	return take_sink(l, i, "endpoint", out) &&
	       read_fields(l, i, "attributes", b->attributes, b->n_attributes,
		   &out->attributes);
}

static bool
take(const struct logs *l, size_t i, struct mesh_log *out)
{
	switch (l->v[i].type) {
	case MAL_FILE:
		out->kind = MESH_LOG_KIND_FILE;
		return take_file(l, i, out);
	case MAL_TCP:
		out->kind = MESH_LOG_KIND_TCP;
		return take_sink(l, i, "address", out);
	case MAL_OPENTELEMETRY:
		out->kind = MESH_LOG_KIND_OTLP;
		return take_otlp(l, i, out);
	case MAL_UNKNOWN:
		break;
	}
	return false;
}

static void
add(const struct logs *l, size_t i)
{
	const struct mal_backend *b = &l->v[i];
	struct service *draft = l->draft;
	struct mesh_log log = {
		.to = b->address,
		.omits_empty = b->omits_empty,
	};
	bool is_good;

	if (!take(l, i, &log))
		return;
	is_good = b->format == MAL_FORMAT_JSON ? read_json(l, i, &log)
					       : read_plain(l, i, &log);
	if (!is_good)
		return;
	if (draft->n_logs == MESH_LOGS_MAX) {
		tell(l, PROBLEM_ERROR, i, "",
		    "more than 8 files and sinks for one service, this one "
		    "is left out");
		return;
	}
	log.origin = resource_origin(l->a, l->use->r);
	draft->logs[draft->n_logs++] = log;
}

void
add_mesh_logs(struct compile *c, const struct policy_subject *about,
    struct service *draft, struct arena *a)
{
	struct policy_conf conf;
	struct logs l = { .c = c, .draft = draft, .a = a };
	size_t i;

	if (!policy_conf_of(about, OUTBOUND_LOG, &conf) ||
	    !conf.v[MAL_BACKENDS].is_given)
		return;
	l.use = conf.from[MAL_BACKENDS];
	l.is_told = (l.use->told & 1u << MAL_BACKENDS) != 0;
	l.use->told |= 1u << MAL_BACKENDS;
	l.v = conf.v[MAL_BACKENDS].list.items;
	draft->logs = arena_alloc(a, MESH_LOGS_MAX * sizeof(*draft->logs));
	for (i = 0; i < conf.v[MAL_BACKENDS].list.n; i++)
		add(&l, i);
}

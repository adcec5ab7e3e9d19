/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What MeshAccessLogs want written of a service.  Where a file may lie is said
 * by zegressd.conf: whoever writes policies is not whoever runs the host.  Main
 * thread.
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
	bool is_told; /* what is wrong was said for another service */
};

static void
tell(const struct logs *l, enum problem_level level, size_t i,
    const char *field, const char *why)
{
	const struct outbound_items *items =
	    &l->use->policy->items[OUTBOUND_TO];
	struct text path = TEXT_EMPTY;

	if (l->is_told)
		return;
	text_addf(&path, "spec.to[%zu].default.backends[%zu].%s",
	    (size_t)(l->use->item - items->v), i, field);
	problem_add(l->c->pr, level, l->use->r->file, l->use->item->line,
	    path.p, "%s", why);
	text_free(&path);
}

static bool
may_be_written(const struct logs *l, const struct mal_backend *b, size_t i)
{
	const char *folder = l->c->set->mesh_log_folder;
	struct text why = TEXT_EMPTY;
	struct str rest;

	if (folder == NULL) {
		tell(l, PROBLEM_WARNING, i, "file.path",
		    "takes no effect here: mesh_access_log in zegressd.conf "
		    "names no directory for such files");
		return false;
	}
	if (mesh_log_path_is_below(b->address, str_of(folder), &rest))
		return true;
	text_addf(&why,
	    "takes no effect here: files may only be written below %s "
	    "(mesh_access_log in zegressd.conf), without \".\" and \"..\"",
	    folder);
	tell(l, PROBLEM_WARNING, i, "file.path", why.p);
	text_free(&why);
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

static bool
read_json(const struct logs *l, size_t i, const struct mal_backend *b,
    struct mesh_log *out)
{
	struct text field = TEXT_EMPTY;
	bool is_good = true;
	size_t j, bytes = 0;

	for (j = 0; j < b->n_fields; j++)
		bytes += b->fields[j].key.len + b->fields[j].value.len;
	if (b->n_fields > MESH_LOG_VALUES_MAX || bytes > MESH_LOG_JSON_MAX) {
		tell(l, PROBLEM_ERROR, i, "file.format.json",
		    "more than 64 fields, or more than 16384 bytes of them");
		return false;
	}
	out->is_json = true;
	out->values = arena_alloc(l->a, b->n_fields * sizeof(*out->values));
	for (j = 0; j < b->n_fields && is_good; j++) {
		text_clear(&field);
		text_addf(&field, "file.format.json[%zu].value", j);
		out->values[j].key = b->fields[j].key;
		is_good = read_value(
		    l, i, field.p, b->fields[j].value, &out->values[j]);
	}
	out->n_values = b->n_fields;
	text_free(&field);
	return is_good;
}

static bool
read_plain(const struct logs *l, size_t i, const struct mal_backend *b,
    struct mesh_log *out)
{
	struct text why = TEXT_EMPTY;
	bool is_good;

	out->values = arena_alloc(l->a, sizeof(*out->values));
	out->n_values = 1;
	if (b->format == MAL_FORMAT_PLAIN)
		return read_value(
		    l, i, "file.format.plain", b->plain, &out->values[0]);
	/* Its own: that some of it is not kept is no news to anybody. */
	is_good = mesh_log_parse(l->a,
	    str_of(protocol_is_http(l->draft->protocol) ? mesh_log_http_format
							: mesh_log_tcp_format),
	    &out->values[0], &why);
	text_free(&why);
	return is_good;
}

static void
add_file(const struct logs *l, size_t i, const struct mal_backend *b)
{
	struct service *draft = l->draft;
	struct mesh_log log = {
		.path = b->address,
		.omits_empty = b->omits_empty,
	};
	bool is_good;

	if (!may_be_written(l, b, i))
		return;
	is_good = b->format == MAL_FORMAT_JSON ? read_json(l, i, b, &log)
					       : read_plain(l, i, b, &log);
	if (!is_good)
		return;
	if (draft->n_logs == MESH_LOGS_MAX) {
		tell(l, PROBLEM_ERROR, i, "file",
		    "more than 8 files for one service, this one is left out");
		return;
	}
	log.origin = resource_origin(l->a, l->use->r);
	draft->logs[draft->n_logs++] = log;
}

void
add_mesh_logs(struct compile *c, const struct policy_subject *about,
    struct service *draft, struct arena *a)
{
	static const char why[] = "takes no effect here: only backends of "
				  "type File are written by this version";
	struct policy_conf conf;
	struct logs l = { .c = c, .draft = draft, .a = a };
	const struct mal_backend *v;
	size_t i;

	if (!policy_conf_of(about, OUTBOUND_LOG, &conf) ||
	    !conf.v[MAL_BACKENDS].is_given)
		return;
	l.use = conf.from[MAL_BACKENDS];
	l.is_told = (l.use->told & 1u << MAL_BACKENDS) != 0;
	l.use->told |= 1u << MAL_BACKENDS;
	v = conf.v[MAL_BACKENDS].list.items;
	draft->logs = arena_alloc(a, MESH_LOGS_MAX * sizeof(*draft->logs));
	for (i = 0; i < conf.v[MAL_BACKENDS].list.n; i++)
		if (v[i].type == MAL_FILE)
			add_file(&l, i, &v[i]);
		else if (v[i].type == MAL_TCP)
			tell(&l, PROBLEM_WARNING, i, "tcp", why);
		else if (v[i].type == MAL_OPENTELEMETRY)
			tell(&l, PROBLEM_WARNING, i, "openTelemetry", why);
}

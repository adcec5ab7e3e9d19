/* SPDX-License-Identifier: Apache-2.0 */
/* What a MeshAccessLog may say.  Main thread. */

#include "model/mesh_access_log.h"

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/outbound_policy.h"
#include "model/target_bind.h"

#define BACKEND(field) offsetof(struct backend_text, field)
#define PART(field) offsetof(struct backend_part, field)
#define FIELD(field) offsetof(struct mal_field, field)

/* file or tcp, which look alike. */
struct backend_part {
	bool is_given;
	struct str address;
	bool has_format;
	enum mal_format format;
	struct str plain;
	bool has_plain;
	struct mal_field *fields;
	size_t n_fields;
	bool has_json;
	bool omits_empty;
};

struct backend_text {
	enum mal_type type;
	struct backend_part file;
	struct backend_part tcp;
	struct backend_part otel;
	bool has_otel;
	bool has_otel_ref;
	bool has_otel_endpoint;
	struct mal_field *attributes;
	size_t n_attributes;
	bool has_other_body;
};

static const struct bind field_rows[] = {
	{ .key = "key", .type = BIND_STR, .offset = FIELD(key) },
	{ .key = "value", .type = BIND_STR, .offset = FIELD(value) },
	{ .type = BIND_END },
};

static const struct bind_value format_types[] = {
	{ "Plain", MAL_FORMAT_PLAIN },
	{ "Json", MAL_FORMAT_JSON },
	{ NULL, 0 },
};

static const struct bind format_rows[] = {
	{ .key = "type",
	    .type = BIND_ENUM,
	    .offset = PART(format),
	    .values = format_types },
	{ .key = "plain",
	    .type = BIND_STR,
	    .offset = PART(plain),
	    .has_offset = PART(has_plain) },
	{ .key = "json",
	    .type = BIND_LIST,
	    .offset = PART(fields),
	    .n_offset = PART(n_fields),
	    .size = sizeof(struct mal_field),
	    .sub = field_rows,
	    .has_offset = PART(has_json) },
	{ .key = "omitEmptyValues",
	    .type = BIND_BOOL,
	    .offset = PART(omits_empty) },
	{ .type = BIND_END },
};

static const struct bind file_rows[] = {
	{ .key = "path", .type = BIND_STR, .offset = PART(address) },
	{ .key = "format",
	    .type = BIND_STRUCT,
	    .sub = format_rows,
	    .has_offset = PART(has_format) },
	{ .type = BIND_END },
};

static const struct bind tcp_rows[] = {
	{ .key = "address", .type = BIND_STR, .offset = PART(address) },
	{ .key = "format",
	    .type = BIND_STRUCT,
	    .sub = format_rows,
	    .has_offset = PART(has_format) },
	{ .type = BIND_END },
};

static void
check_json(struct binder *b, unsigned line, const struct path *at,
    const struct backend_part *part)
{
	const struct path *item;
	size_t i;

	if (part->n_fields == 0)
		bind_error(b, line, at,
		    part->has_json ? "must not be empty" : "must be defined");
	for (i = 0; i < part->n_fields; i++) {
		item = PATH_ITEM(at, i);
		if (part->fields[i].key.len == 0)
			bind_error(b, line, PATH_IN(item, "key"),
			    "key cannot be empty");
		if (part->fields[i].value.len == 0)
			bind_error(b, line, PATH_IN(item, "value"),
			    "value cannot be empty");
	}
}

/* Kuma 2.1 had no type: what is there tells it. */
static void
guess_format(struct backend_part *part)
{
	if (part->format == MAL_FORMAT_NONE && part->has_json)
		part->format = MAL_FORMAT_JSON;
	else if (part->format == MAL_FORMAT_NONE && part->has_plain)
		part->format = MAL_FORMAT_PLAIN;
}

static void
check_format(struct binder *b, unsigned line, const struct path *at,
    struct backend_part *part)
{
	guess_format(part);
	switch (part->format) {
	case MAL_FORMAT_NONE:
		bind_error(
		    b, line, PATH_IN(at, "type"), "must be one of Plain, Json");
		break;
	case MAL_FORMAT_PLAIN:
		if (part->plain.len == 0)
			bind_error(b, line, PATH_IN(at, "plain"),
			    part->has_plain ? "must not be empty"
					    : "must be defined");
		break;
	case MAL_FORMAT_JSON:
		check_json(b, line, PATH_IN(at, "json"), part);
		break;
	}
}

static void
read_part(struct binder *b, const struct node *n, const struct path *at,
    const struct bind *rows, struct backend_part *part)
{
	part->is_given = true;
	if (bind_map(b, rows, n, at, part) && part->has_format)
		check_format(b, n->line, PATH_IN(at, "format"), part);
}

static void
read_file(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct backend_part *part = field;

	read_part(b, n, at, file_rows, part);
	if (!str_starts(part->address, STR("/")))
		bind_error(b, n->line, PATH_IN(at, "path"),
		    "file backend requires a valid path");
}

static void
read_tcp(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct backend_part *part = field;

	read_part(b, n, at, tcp_rows, part);
	if (part->address.len == 0)
		bind_error(b, n->line, PATH_IN(at, "address"),
		    "tcp backend requires valid address");
}

/* Of a member { key: …, value: { stringValue: … } }; false: of no other. */
static bool
take_member(struct arena *a, const struct node *n, struct mal_field *out)
{
	const struct node *key = node_get(n, STR("key"));
	const struct node *value = node_get(n, STR("value"));
	const struct node *text =
	    value == NULL ? NULL : node_get(value, STR("stringValue"));

	if (key == NULL || key->kind != NODE_TEXT || text == NULL ||
	    text->kind != NODE_TEXT || value->n != 1)
		return false;
	out->key = arena_str(a, key->text);
	out->value = arena_str(a, text->text);
	return true;
}

/* False: not a list of values that are text. */
static bool
take_members(
    struct binder *b, const struct node *list, struct backend_part *part)
{
	const struct node_entry *e;

	part->fields =
	    arena_alloc(b->arena, (list->n + 1) * sizeof(*part->fields));
	for (e = list->first; e != NULL; e = e->next)
		if (!take_member(
			b->arena, e->value, &part->fields[part->n_fields++]))
			return false;
	return list->n > 0;
}

/*
 * Text, or a value in OTLP's JSON form: a stringValue, or a kvlistValue of
 * such.
 */
static void
read_body(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct backend_text *t = field;
	struct backend_part *part = &t->otel;
	const struct node *text = n, *list = NULL;

	(void)at;
	if (n->kind == NODE_MAP) {
		text = node_get(n, STR("stringValue"));
		list = node_get(n, STR("kvlistValue"));
		if (list != NULL)
			list = node_get(list, STR("values"));
	}
	if (text != NULL && text->kind == NODE_TEXT) {
		part->format = MAL_FORMAT_PLAIN;
		part->plain = arena_str(b->arena, text->text);
	} else if (list != NULL && list->kind == NODE_LIST &&
		   take_members(b, list, part)) {
		part->format = MAL_FORMAT_JSON;
	} else {
		t->has_other_body = n->kind != NODE_NULL && n->n > 0;
		part->n_fields = 0;
	}
}

static const struct bind otel_rows[] = {
	{ .key = "attributes",
	    .type = BIND_LIST,
	    .offset = BACKEND(attributes),
	    .n_offset = BACKEND(n_attributes),
	    .size = sizeof(struct mal_field),
	    .sub = field_rows },
	{ .key = "body", .type = BIND_READ, .offset = 0, .read = read_body },
	{ .key = "endpoint",
	    .type = BIND_STR,
	    .offset = BACKEND(otel.address),
	    .has_offset = BACKEND(has_otel_endpoint) },
	{ .key = "backendRef",
	    .type = BIND_SKIP,
	    .has_offset = BACKEND(has_otel_ref) },
	{ .type = BIND_END },
};

static const struct bind_value backend_types[] = {
	{ "Tcp", MAL_TCP },
	{ "File", MAL_FILE },
	{ "OpenTelemetry", MAL_OPENTELEMETRY },
	{ NULL, 0 },
};

static const struct bind backend_rows[] = {
	{ .key = "type",
	    .type = BIND_ENUM,
	    .offset = BACKEND(type),
	    .values = backend_types },
	{ .key = "file",
	    .type = BIND_READ,
	    .offset = BACKEND(file),
	    .read = read_file },
	{ .key = "tcp",
	    .type = BIND_READ,
	    .offset = BACKEND(tcp),
	    .read = read_tcp },
	{ .key = "openTelemetry",
	    .type = BIND_STRUCT,
	    .sub = otel_rows,
	    .has_offset = BACKEND(has_otel) },
	{ .type = BIND_END },
};

static void
take_part(struct mal_backend *out, const struct backend_part *part)
{
	out->address = part->address;
	out->format = part->format;
	out->plain = part->plain;
	out->fields = part->fields;
	out->n_fields = part->n_fields;
	out->omits_empty = part->omits_empty;
}

static void
check_otel(struct binder *b, unsigned line, const struct path *at,
    const struct backend_text *t)
{
	if (!t->has_otel)
		bind_error(
		    b, line, PATH_IN(at, "openTelemetry"), "must be defined");
	else if (!t->has_otel_ref && !t->has_otel_endpoint)
		bind_error(b, line,
		    PATH_IN(PATH_IN(at, "openTelemetry"), "backendRef"),
		    "must be defined");
}

static enum mal_type
guess_type(const struct backend_text *t)
{
	if (t->type != MAL_UNKNOWN)
		return t->type;
	if (t->file.is_given)
		return MAL_FILE;
	if (t->tcp.is_given)
		return MAL_TCP;
	return t->has_otel ? MAL_OPENTELEMETRY : MAL_UNKNOWN;
}

static void
read_backend(struct binder *b, const struct node *n, const struct path *at,
    struct mal_backend *out)
{
	struct backend_text t = { .type = MAL_UNKNOWN };

	if (!bind_map(b, backend_rows, n, at, &t))
		return;
	out->type = guess_type(&t);
	switch (out->type) {
	case MAL_UNKNOWN:
		if (node_get(n, STR("type")) == NULL)
			bind_error(b, n->line, PATH_IN(at, "type"),
			    "must be one of Tcp, File, OpenTelemetry");
		break;
	case MAL_FILE:
		take_part(out, &t.file);
		if (!t.file.is_given)
			bind_error(
			    b, n->line, PATH_IN(at, "file"), "must be defined");
		break;
	case MAL_TCP:
		take_part(out, &t.tcp);
		if (!t.tcp.is_given)
			bind_error(
			    b, n->line, PATH_IN(at, "tcp"), "must be defined");
		break;
	case MAL_OPENTELEMETRY:
		take_part(out, &t.otel);
		out->attributes = t.attributes;
		out->n_attributes = t.n_attributes;
		out->has_other_body = t.has_other_body;
		out->has_ref = t.has_otel_ref;
		check_otel(b, n->line, at, &t);
		break;
	}
}

static void
read_backends(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct policy_value *value = field;
	const struct node_entry *e;
	struct mal_backend *v;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_LIST, at))
		return;
	v = arena_alloc(b->arena, (n->n + 1) * sizeof(*v));
	for (e = n->first; e != NULL; e = e->next, i++)
		read_backend(b, e->value, PATH_ITEM(at, i), &v[i]);
	value->is_given = true;
	value->list.items = v;
	value->list.n = n->n;
}

static const struct bind default_rows[] = {
	OUTBOUND_ROW("backends", MAL_BACKENDS, read_backends),
	{ .type = BIND_END },
};

static const struct bind item_rows[] = OUTBOUND_ITEM_ROWS(default_rows);

const struct bind mesh_access_log_bind[] = {
	OUTBOUND_TARGET_ROW,
	OUTBOUND_LIST("to", OUTBOUND_TO, item_rows),
	OUTBOUND_LIST("from", OUTBOUND_FROM, item_rows),
	OUTBOUND_LIST("rules", OUTBOUND_RULES, item_rows),
	{ .type = BIND_END },
};

static void
check_item(
    const struct outbound_item *item, const char *at, struct problems *pr)
{
	if (!item->v[MAL_BACKENDS].is_given)
		outbound_error(pr, at, "backends", "must be defined");
}

void
mesh_access_log_check(struct resource *r, struct problems *pr)
{
	const struct outbound_demands demands = {
		.top = outbound_top_kinds,
		.to = outbound_to_kinds | TARGET_BIT(TARGET_MESH_HTTP_ROUTE),
		.wants_items = true,
		.check = check_item,
	};

	outbound_policy_check(r->spec, &demands, pr);
}

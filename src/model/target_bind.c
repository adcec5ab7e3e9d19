/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags, data sources and targetRefs: read by type, then checked by what Kuma
 * demands of each where it stands.  Main thread.
 */

#include "model/target_bind.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/scalar.h"
#include "model/shared_bytes.h"

#define AT(type, field) offsetof(struct type, field)

void
str_wipe(struct str s)
{
	/* Views are const; the bytes are the arena's, and about to go. */
	if (s.len > 0)
		explicit_bzero((void *)(uintptr_t)s.p, s.len);
}

static int
tag_cmp(const void *a, const void *b)
{
	const struct tag *x = a, *y = b;

	return str_cmp(x->key, y->key);
}

void
bind_tags(struct binder *b, const struct node *n, const struct path *at,
    struct tags *out)
{
	const struct node_entry *e;
	struct tag *t;

	if (!bind_expect(b, n, NODE_MAP, at) || n->n == 0)
		return;
	out->v = arena_alloc(b->arena, n->n * sizeof(*out->v));
	for (e = n->first; e != NULL; e = e->next) {
		t = &out->v[out->n];
		if (!bind_str(b, e->value, PATH_KEY(at, e->key), &t->value))
			continue;
		t->key = arena_str(b->arena, e->key);
		out->n++;
	}
	qsort(out->v, out->n, sizeof(*out->v), tag_cmp);
}

struct source_text {
	struct str secret, inline_base64, inline_string, file;
};

static const struct bind source_rows[] = {
	{ .key = "secret",
	    .type = BIND_STR,
	    .offset = AT(source_text, secret) },
	{ .key = "inline",
	    .type = BIND_STR,
	    .offset = AT(source_text, inline_base64) },
	{ .key = "inlineString",
	    .type = BIND_STR,
	    .offset = AT(source_text, inline_string) },
	{ .key = "file", .type = BIND_STR, .offset = AT(source_text, file) },
	{ .type = BIND_END },
};

static void
decode_inline(struct binder *b, struct str text, struct data_source *out)
{
	struct text bytes = TEXT_EMPTY;

	if (base64_decode(text, &bytes) && bytes.len > 0) {
		out->kind = SOURCE_INLINE;
		out->value = arena_str(b->arena, text_str(&bytes));
	} else {
		out->fault = "inline must be base64; plain text goes into "
			     "inlineString";
	}
	str_wipe(text_str(&bytes));
	text_free(&bytes);
}

static void
choose_source(
    struct binder *b, const struct source_text *t, struct data_source *out)
{
	int given = (t->secret.len > 0) + (t->inline_base64.len > 0) +
		    (t->inline_string.len > 0) + (t->file.len > 0);

	if (given == 0) {
		out->fault = "data source cannot be empty; give one of secret, "
			     "inline, inlineString, file";
	} else if (given > 1) {
		out->fault = "more than one of secret, inline, inlineString, "
			     "file; leave one";
	} else if (t->secret.len > 0) {
		out->kind = SOURCE_SECRET;
		out->value = t->secret;
	} else if (t->file.len > 0) {
		out->kind = SOURCE_FILE;
		out->value = t->file;
	} else if (t->inline_string.len > 0) {
		out->kind = SOURCE_INLINE;
		out->value = t->inline_string;
	} else {
		decode_inline(b, t->inline_base64, out);
		str_wipe(t->inline_base64);
	}
}

void
bind_source(struct binder *b, const struct node *n, const struct path *at,
    struct data_source *out)
{
	struct source_text t = { .secret = STR_NONE };

	out->line = n->line;
	if (bind_map(b, source_rows, n, at, &t))
		choose_source(b, &t, out);
}

void
bind_shared_source(struct binder *b, const struct node *n,
    const struct path *at, struct data_source *out)
{
	struct binder aside = *b;
	struct arena arena;
	struct str value;

	/* The field may stand there twice, which is an error told elsewhere. */
	source_wipe(out);
	*out = (struct data_source){ .kind = SOURCE_NONE };
	arena_init(&arena, 0);
	aside.arena = &arena;
	bind_source(&aside, n, at, out);
	value = out->value;
	out->value = shared_bytes_take(value);
	out->is_shared = true;
	str_wipe(value);
	arena_fini(&arena);
}

void
source_wipe(struct data_source *s)
{
	if (s->is_shared)
		shared_bytes_drop(s->value);
	else
		str_wipe(s->value);
	s->value = STR_NONE;
}

void
source_check(const struct data_source *s, enum problem_level level,
    const char *path, struct problems *pr)
{
	if (s->fault != NULL)
		problem_add(pr, level, NULL, s->line, path, "%s", s->fault);
}

void
source_check_pair(const struct data_source *cert, const struct data_source *key,
    enum problem_level level, const char *path, struct problems *pr)
{
	bool has_cert = cert->line != 0, has_key = key->line != 0;
	char *at;

	if (has_cert == has_key)
		return;
	if (asprintf(&at, "%s.%s", path,
		has_cert ? "clientKey" : "clientCert") == -1)
		abort();
	problem_add(pr, level, NULL, has_cert ? cert->line : key->line, at,
	    "must be defined when %s is defined",
	    has_cert ? "clientCert" : "clientKey");
	free(at);
}

static const struct bind_value target_kinds[] = {
	{ "Mesh", TARGET_MESH },
	{ "MeshSubset", TARGET_MESH_SUBSET },
	{ "MeshGateway", TARGET_MESH_GATEWAY },
	{ "MeshService", TARGET_MESH_SERVICE },
	{ "MeshServiceSubset", TARGET_MESH_SERVICE_SUBSET },
	{ "MeshExternalService", TARGET_MESH_EXTERNAL_SERVICE },
	{ "MeshMultiZoneService", TARGET_MESH_MULTI_ZONE_SERVICE },
	{ "MeshHTTPRoute", TARGET_MESH_HTTP_ROUTE },
	{ "Dataplane", TARGET_DATAPLANE },
	{ NULL, 0 },
};

/* Kuma keeps it for later, and refuses every value. */
static void
read_other_mesh(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct str mesh;

	(void)field;
	if (bind_str(b, n, at, &mesh) && mesh.len > 0)
		bind_error(b, n->line, at,
		    "must not be set; a targetRef is of its document's mesh");
}

static const struct bind target_rows[] = {
	{ .key = "kind",
	    .type = BIND_ENUM,
	    .offset = AT(target_ref, kind),
	    .values = target_kinds },
	{ .key = "name", .type = BIND_STR, .offset = AT(target_ref, name) },
	{ .key = "namespace",
	    .type = BIND_STR,
	    .offset = AT(target_ref, namespace) },
	{ .key = "sectionName",
	    .type = BIND_STR,
	    .offset = AT(target_ref, section_name) },
	{ .key = "tags", .type = BIND_TAGS, .offset = AT(target_ref, tags) },
	{ .key = "labels",
	    .type = BIND_TAGS,
	    .offset = AT(target_ref, labels) },
	{ .key = "proxyTypes", .type = BIND_SKIP },
	{ .key = "mesh", .type = BIND_READ, .read = read_other_mesh },
	{ .type = BIND_LINE, .offset = AT(target_ref, line) },
	/* Without a field that was mistyped it would mean more. */
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

void
bind_target(struct binder *b, const struct node *n, const struct path *at,
    struct target_ref *out)
{
	bind_map(b, target_rows, n, at, out);
}

static void
complain(struct problems *pr, unsigned line, const char *path,
    const char *field, const char *why)
{
	char *at;

	if (asprintf(&at, "%s.%s", path, field) == -1)
		abort();
	problem_add(pr, PROBLEM_ERROR, NULL, line, at, "%s", why);
	free(at);
}

static const char *
target_kind_name(enum target_kind kind)
{
	const struct bind_value *v = target_kinds;

	while (v->name != NULL && v->value != (int)kind)
		v++;
	return v->name != NULL ? v->name : "none";
}

static void
complain_kind(struct problems *pr, const struct target_ref *t, unsigned allowed,
    const char *path)
{
	struct text why = TEXT_EMPTY;
	const struct bind_value *v;
	const char *before = "";

	text_addf(
	    &why, "%s is not supported here; use ", target_kind_name(t->kind));
	for (v = target_kinds; v->name != NULL; v++) {
		if ((allowed & (1u << v->value)) == 0)
			continue;
		text_addf(&why, "%s%s", before, v->name);
		before = ", ";
	}
	complain(pr, t->line, path, "kind", why.p);
	text_free(&why);
}

/* The kinds that are chosen by name, or by labels. */
static void
check_name(const struct target_ref *t, const char *path, struct problems *pr)
{
	bool has_labels = t->labels.n > 0;

	switch (t->kind) {
	case TARGET_NONE:
	case TARGET_DATAPLANE:
		break;
	case TARGET_MESH:
	case TARGET_MESH_SUBSET:
		if (t->name.len > 0)
			complain(pr, t->line, path, "name",
			    "must not be set with this kind; use MeshService");
		break;
	case TARGET_MESH_GATEWAY:
	case TARGET_MESH_SERVICE:
	case TARGET_MESH_SERVICE_SUBSET:
	case TARGET_MESH_EXTERNAL_SERVICE:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
	case TARGET_MESH_HTTP_ROUTE:
		if (t->name.len == 0 && !has_labels)
			complain(pr, t->line, path, "name",
			    "must be set with this kind");
		break;
	}
}

static void
check_tags(const struct target_ref *t, const char *path, struct problems *pr)
{
	bool takes_tags = t->kind == TARGET_MESH_SUBSET ||
			  t->kind == TARGET_MESH_SERVICE_SUBSET ||
			  t->kind == TARGET_MESH_GATEWAY;
	char *at;

	if (t->tags.n == 0)
		return;
	if (asprintf(&at, "%s.tags", path) == -1)
		abort();
	if (takes_tags)
		tags_check(&t->tags, TAGS_SELECTOR, at, pr);
	else
		problem_add(pr, PROBLEM_ERROR, NULL, t->line, at,
		    "must not be set with this kind; use %s",
		    t->kind == TARGET_MESH_SERVICE ? "MeshServiceSubset"
						   : "MeshSubset");
	free(at);
}

void
target_check(const struct target_ref *t, unsigned allowed, const char *path,
    struct problems *pr)
{
	if (t->kind == TARGET_NONE) {
		complain(pr, t->line, path, "kind", "must be set");
		return;
	}
	if ((TARGET_BIT(t->kind) & allowed) == 0) {
		complain_kind(pr, t, allowed, path);
		return;
	}
	check_name(t, path, pr);
	check_tags(t, path, pr);
}

static void
check_tag(const struct tag *t, enum tag_rules rules, const char *path,
    struct problems *pr)
{
	struct str key = str_first(t->key, 128);
	char *at;

	if (asprintf(&at, "%s[\"%.*s\"]", path, STR_ARG(key)) == -1)
		abort();
	if (t->key.len > 0 && !is_tag_key(t->key))
		problem_add(pr, PROBLEM_ERROR, NULL, 0, at,
		    "a tag name consists of letters, digits and . - _ : /");
	if (t->value.len == 0)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, at,
		    "tag value must be non-empty");
	else if (!is_tag_value(t->value) &&
		 !(rules == TAGS_SELECTOR && str_eq(t->value, STR("*"))))
		problem_add(pr, PROBLEM_ERROR, NULL, 0, at,
		    "a tag value consists of letters, digits and . - _ :");
	free(at);
}

void
tags_check(const struct tags *t, enum tag_rules rules, const char *path,
    struct problems *pr)
{
	size_t i;

	if (rules == TAGS_OF_SERVICE &&
	    tags_get(t, STR("kuma.io/service")).p == NULL)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, path,
		    "mandatory tag \"kuma.io/service\" is missing");
	if (rules == TAGS_SELECTOR && t->n == 0)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, path,
		    "must have at least one tag");
	for (i = 0; i < t->n; i++) {
		if (t->v[i].key.len == 0)
			problem_add(pr, PROBLEM_ERROR, NULL, 0, path,
			    "tag name must be non-empty");
		check_tag(&t->v[i], rules, path, pr);
	}
}

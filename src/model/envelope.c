/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two forms side by side.  Legacy kinds have `mesh:` beside metadata in
 * Kubernetes, newer ones the label kuma.io/mesh; a mesh that is not given is
 * "default".  Objects of other groups are not Kuma's, and not looked into.
 */

#include "model/envelope.h"

#include "base/arena.h"
#include "model/nearest.h"
#include "model/scalar.h"
#include "model/target_bind.h"

#define MOST_NAME 253

#define KEY(k)                                \
	{                                     \
		.key = (k), .type = BIND_SKIP \
	}

static const struct bind universal_rows[] = {
	KEY("type"),
	KEY("mesh"),
	KEY("name"),
	KEY("labels"),
	KEY("creationTime"),
	KEY("modificationTime"),
	KEY("kri"),
	KEY("status"),
	KEY("spec"),
	{ .type = BIND_END },
};

static const struct bind kube_rows[] = {
	KEY("apiVersion"),
	KEY("kind"),
	KEY("metadata"),
	KEY("spec"),
	KEY("status"),
	KEY("mesh"),
	{ .type = BIND_END },
};

static const struct bind core_secret_rows[] = {
	KEY("apiVersion"),
	KEY("kind"),
	KEY("metadata"),
	KEY("type"),
	KEY("immutable"),
	{ .type = BIND_END },
};

static const struct node empty_map = { .kind = NODE_MAP, .weight = 1 };

static bool
read_text(struct binder *b, const struct node *map, const char *key,
    const struct path *at, struct str *out)
{
	const struct node *n = node_get(map, str_of(key));

	return !node_is_given(n) ||
	       bind_str(
		   b, n, &(struct path){ .up = at, .key = str_of(key) }, out);
}

static void
read_labels(struct binder *b, const struct node *map, const struct path *at,
    struct tags *out)
{
	const struct node *n = node_get(map, STR("labels"));

	if (node_is_given(n))
		bind_tags(b, n, PATH_IN(at, "labels"), out);
}

static void
refuse_kind(
    struct binder *b, const struct node *n, const char *key, struct str written)
{
	struct nearest near = nearest_to(written);
	struct path at = { .key = str_of(key) };
	int k;

	for (k = 0; k < KIND_N; k++)
		nearest_try(&near, kind_row((enum kind)k)->name);
	bind_error(b, n->line, &at, "\"%.*s\" is no kind of Kuma%s%s%s",
	    STR_ARG(str_first(written, 64)),
	    near.best != NULL ? "; did you mean " : "",
	    near.best != NULL ? near.best : "", near.best != NULL ? "?" : "");
}

/* A list would hide permissions inside a document of another kind. */
static bool
refuse_list(struct binder *b, const struct node *root)
{
	if (node_get(root, STR("items")) == NULL)
		return false;
	bind_error(b, root->line, PATH_IN(NULL, "items"),
	    "a list is not taken; make each item a document of its own, "
	    "separated by ---");
	return true;
}

/* The name a kind goes by; false when there is none to go by. */
static bool
read_kind(struct binder *b, const struct node *root, struct envelope *env)
{
	if (!read_text(
		b, root, env->is_kube ? "kind" : "type", NULL, &env->kind_text))
		return false;
	if (str_ends(env->kind_text, STR("List")) && refuse_list(b, root))
		return false;
	if (env->kind_text.len > 0)
		return true;
	if (!refuse_list(b, root))
		bind_error(b, root->line, NULL,
		    "is no resource: it has neither type: (Universal) nor "
		    "kind: (Kubernetes)");
	return false;
}

static void
find_kind(struct binder *b, const struct node *root, struct envelope *env,
    const char *key)
{
	env->kind = kind_find(env->kind_text);
	if (env->kind == KIND_N)
		refuse_kind(
		    b, node_get(root, str_of(key)), key, env->kind_text);
}

static enum kind
core_kind(const struct node *root, struct str kind, struct str version)
{
	const struct node *type = node_get(root, STR("type"));

	if (!str_eq(version, STR("v1")) || !str_eq(kind, STR("Secret")) ||
	    type == NULL || type->kind != NODE_TEXT)
		return KIND_FOREIGN;
	if (str_eq(type->text, STR("system.kuma.io/secret")))
		return KIND_SECRET;
	if (str_eq(type->text, STR("system.kuma.io/global-secret")))
		return KIND_GLOBAL_SECRET;
	return KIND_FOREIGN;
}

static void
find_kube_kind(struct binder *b, const struct node *root, struct envelope *env)
{
	struct str version = STR_NONE;
	bool is_text = read_text(b, root, "apiVersion", NULL, &version);

	if (is_text && version.len > 0 &&
	    !str_starts(version, STR("kuma.io/"))) {
		env->kind = core_kind(root, env->kind_text, version);
		env->is_core_secret = env->kind != KIND_FOREIGN;
		return;
	}
	find_kind(b, root, env, "kind");
	if (is_text && !str_eq(version, STR("kuma.io/v1alpha1")))
		bind_error(b, root->line, PATH_IN(NULL, "apiVersion"),
		    "must be kuma.io/v1alpha1");
}

static void
check_name(struct binder *b, const struct node *map, struct str name,
    const struct path *at)
{
	const struct node *n = node_get(map, STR("name"));
	unsigned line = n != NULL ? n->line : map->line;
	size_t i;

	at = PATH_IN(at, "name");
	if (name.len == 0) {
		if (n == NULL || n->kind == NODE_NULL || n->kind == NODE_TEXT)
			bind_error(b, line, at, "cannot be empty");
		return;
	}
	if (name.len > MOST_NAME)
		bind_error(b, line, at, "is longer than 253 characters");
	for (i = 0; i < name.len; i++) {
		if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 127 ||
		    name.p[i] == '/') {
			bind_error(b, line, at,
			    "cannot hold blanks, control characters or /");
			return;
		}
	}
	if (!is_plain_name(name))
		bind_warn(b, line, at,
		    "names consist of lower-case letters, "
		    "digits and - . _ in Kuma");
}

/* False: given, but not readable, so that it may be any. */
static bool
read_mesh(struct binder *b, const struct node *root, struct envelope *env)
{
	const struct kind_row *row = kind_row(env->kind);
	bool by_label = env->is_core_secret || (env->is_kube && row->has_spec);
	const struct node *n = node_get(root, STR("mesh"));

	if (row->scope == SCOPE_GLOBAL)
		return true;
	if (by_label) {
		env->mesh = tags_get(&env->labels, STR("kuma.io/mesh"));
		if (node_is_given(n))
			bind_warn(b, n->line, PATH_IN(NULL, "mesh"),
			    "ignored here: the mesh of this kind is in the "
			    "label kuma.io/mesh, \"default\" without it");
	} else if (!read_text(b, root, "mesh", NULL, &env->mesh)) {
		return false;
	}
	if (env->mesh.len == 0)
		env->mesh = STR("default");
	return true;
}

static void
warn_misplaced_spec(
    struct binder *b, const struct node *root, const struct envelope *env)
{
	const struct node *spec = node_get(root, STR("spec"));

	if (node_is_given(spec))
		bind_warn(b, spec->line, PATH_IN(NULL, "spec"),
		    "ignored: in the Universal form the fields of %s stand at "
		    "the top",
		    kind_row(env->kind)->name);
}

static void
find_body(struct binder *b, const struct node *root, struct envelope *env)
{
	static const struct path spec = { .key = { .p = "spec", .len = 4 } };
	const struct kind_row *row = kind_row(env->kind);
	char unused;

	if (env->is_core_secret) {
		env->body = root;
		env->also = core_secret_rows;
		return;
	}
	if (!env->is_kube && !row->has_spec) {
		env->body = root;
		env->also = universal_rows;
		if (row->use != KIND_NOT_USED)
			warn_misplaced_spec(b, root, env);
		return;
	}
	/* Around a spec nothing is read, but unknown fields are told. */
	if (row->use != KIND_NOT_USED)
		bind_map(b, env->is_kube ? kube_rows : universal_rows, root,
		    NULL, &unused);
	env->body = node_get(root, STR("spec"));
	env->body_path = row->has_spec ? &spec : NULL;
	if (!node_is_given(env->body))
		env->body = &empty_map;
}

/* Kinds that live in a namespace of Kubernetes may share a name there. */
static bool
is_namespaced(const struct envelope *env)
{
	if (!env->is_kube || env->is_core_secret || env->kind == KIND_N)
		return false;
	return kind_row(env->kind)->has_spec || env->kind == KIND_ZONE_EGRESS ||
	       env->kind == KIND_ZONE_INGRESS || env->kind == KIND_DATAPLANE;
}

static void
add_namespace(struct binder *b, const struct node *meta, const struct path *at,
    struct envelope *env)
{
	struct str space = STR_NONE;
	char *name;

	if (!is_namespaced(env) || env->name.len == 0 ||
	    !read_text(b, meta, "namespace", at, &space) || space.len == 0)
		return;
	name = arena_printf(
	    b->arena, "%.*s.%.*s", STR_ARG(env->name), STR_ARG(space));
	env->name = str_of(name);
}

static void
read_names(struct binder *b, const struct node *root, struct envelope *env)
{
	const struct path *at = env->is_kube ? PATH_IN(NULL, "metadata") : NULL;
	const struct node *meta = root;

	if (env->is_kube) {
		meta = node_get(root, STR("metadata"));
		if (!node_is_given(meta))
			meta = &empty_map;
		else if (!bind_expect(b, meta, NODE_MAP, at))
			return;
	}
	if (read_text(b, meta, "name", at, &env->name))
		check_name(b, meta == &empty_map ? root : meta, env->name, at);
	read_labels(b, meta, at, &env->labels);
	env->shown_name = tags_get(&env->labels, STR("kuma.io/display-name"));
	if (env->shown_name.len == 0)
		env->shown_name = env->name;
	add_namespace(b, meta, at, env);
}

/* What it is called is for people only. */
static void
name_foreign(struct binder *b, const struct node *root, struct envelope *env)
{
	const struct node *meta = node_get(root, STR("metadata"));
	const struct node *name = node_get(meta, STR("name"));
	struct str text = name != NULL ? name->text : STR("");

	env->name.p = arena_printf(
	    b->arena, "%.*s/%.*s", STR_ARG(env->kind_text), STR_ARG(text));
	env->name.len = strlen(env->name.p);
	env->body = &empty_map;
	env->mesh_is_known = true;
}

/* Of a kind we do not know, so we do not know where it has its mesh. */
static void
guess_mesh(const struct node *root, struct envelope *env)
{
	const struct node *n = node_get(root, STR("mesh"));

	env->mesh = tags_get(&env->labels, STR("kuma.io/mesh"));
	if (n != NULL && n->kind == NODE_TEXT)
		env->mesh = n->text;
	if (env->mesh.len == 0)
		env->mesh = STR("default");
}

bool
envelope_read(struct binder *b, const struct node *root, struct envelope *env)
{
	*env = (struct envelope){
		.kind = KIND_N,
		.is_kube = node_get(root, STR("kind")) != NULL ||
			   node_get(root, STR("apiVersion")) != NULL,
		.body = &empty_map,
	};
	if (!read_kind(b, root, env))
		return false;
	if (env->is_kube)
		find_kube_kind(b, root, env);
	else
		find_kind(b, root, env, "type");
	if (env->kind == KIND_FOREIGN) {
		name_foreign(b, root, env);
		return true;
	}
	read_names(b, root, env);
	if (env->kind == KIND_N) {
		guess_mesh(root, env);
		return true;
	}
	env->mesh_is_known = read_mesh(b, root, env);
	find_body(b, root, env);
	return true;
}

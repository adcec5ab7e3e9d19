/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a Secret.  In Universal form they stand in data, in base64; in
 * Kubernetes' core Secret under data.value.  secret_wipe() is called by
 * whoever frees the resource.  Main thread.
 */

#include "model/secret.h"

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/target_bind.h"

static void
read_base64(struct binder *b, const struct node *n, const struct path *at,
    struct secret *secret)
{
	struct text bytes = TEXT_EMPTY;

	if (!bind_expect(b, n, NODE_TEXT, at))
		return;
	if (base64_decode(n->text, &bytes))
		secret->data = arena_str(b->arena, text_str(&bytes));
	else
		bind_error(b, n->line, at, "must be base64");
	str_wipe(text_str(&bytes));
	text_free(&bytes);
}

static void
read_data(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	const struct node *value = node_get(n, STR("value"));

	if (n->kind != NODE_MAP)
		read_base64(b, n, at, field);
	else if (node_is_given(value))
		read_base64(b, value, PATH_IN(at, "value"), field);
}

/* Kubernetes turns stringData into data when it takes the Secret. */
static void
read_string_data(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	const struct node *value = node_get(n, STR("value"));
	struct secret *secret = field;

	if (bind_expect(b, n, NODE_MAP, at) && node_is_given(value))
		bind_str(b, value, PATH_IN(at, "value"), &secret->data);
}

const struct bind secret_bind[] = {
	{ .key = "data", .type = BIND_READ, .offset = 0, .read = read_data },
	{ .key = "stringData",
	    .type = BIND_READ,
	    .offset = 0,
	    .read = read_string_data },
	{ .type = BIND_END },
};

void
secret_check(struct resource *r, struct problems *pr)
{
	const struct secret *secret = r->spec;

	if (secret->data.len == 0)
		problem_add(
		    pr, PROBLEM_ERROR, NULL, 0, "data", "cannot be empty");
}

void
secret_wipe(struct resource *r)
{
	struct secret *secret = r->spec;

	if (secret != NULL && secret_of(r) != NULL)
		str_wipe(secret->data);
}

const struct secret *
secret_of(const struct resource *r)
{
	bool is_secret = r != NULL && (r->kind == KIND_SECRET ||
					  r->kind == KIND_GLOBAL_SECRET);

	return is_secret ? r->spec : NULL;
}

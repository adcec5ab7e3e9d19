/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_ENVELOPE_H
#define MODEL_ENVELOPE_H

/*
 * What stands around the fields of a kind: type, mesh and name in Universal
 * form; apiVersion, kind, metadata and spec in Kubernetes' form.  For
 * document.c; main thread.
 */

#include "model/bind.h"
#include "model/resource.h"

struct envelope {
	bool is_kube;
	bool is_core_secret; /* Kubernetes' own Secret, with Kuma's type */
	enum kind kind;      /* KIND_N: none of ours */
	struct str kind_text;
	struct str name; /* in Kubernetes NAME.NAMESPACE, where it has one */
	struct str shown_name;
	struct str mesh;
	struct tags labels;
	bool mesh_is_known;
	/* The kind's fields, and the path they have in problems. */
	const struct node *body;
	const struct path *body_path;
	const struct bind *also;
};

/*
 * Read it from root, a map; values live in b's arena.  False when not even
 * the kind can be told.
 */
bool envelope_read(
    struct binder *b, const struct node *root, struct envelope *env);

#endif

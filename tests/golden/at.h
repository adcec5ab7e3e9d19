/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_AT_H
#define GOLDEN_AT_H

/* Ways through the tree of a YAML or JSON document. */

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

#include "base/str.h"

/* A node and the document it is of; node NULL: there is none. */
struct at {
	yaml_document_t *doc;
	yaml_node_t *node;
};

/* doc is to be deleted when this is true. */
bool at_parse(struct str yaml, yaml_document_t *doc, struct at *root);
/* Empty where there is no text. */
const char *at_text(struct at a);
/* key as fieldName, which field_name is too. */
struct at at_field(struct at a, const char *key);
/* The i-th item of a list, or value of a map; node NULL behind the end. */
struct at at_item(struct at a, size_t i);
/* a.b.c; a number picks an item. */
struct at at_walk(struct at a, const char *path);

#endif

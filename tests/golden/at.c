/* SPDX-License-Identifier: Apache-2.0 */
/* See at.h. */

#include "at.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

bool
at_parse(struct str yaml, yaml_document_t *doc, struct at *root)
{
	yaml_parser_t parser;
	bool is_good;

	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)yaml.p, yaml.len);
	is_good = yaml_parser_load(&parser, doc) == 1;
	yaml_parser_delete(&parser);
	*root = (struct at){ .doc = doc };
	if (is_good)
		root->node = yaml_document_get_root_node(doc);
	return is_good;
}

const char *
at_text(struct at a)
{
	if (a.node == NULL || a.node->type != YAML_SCALAR_NODE)
		return "";
	return (const char *)a.node->data.scalar.value;
}

static bool
is_key(const char *written, const char *meant)
{
	for (; *meant != '\0'; written++, meant++) {
		if (*written == *meant)
			continue;
		if (*written++ != '_' || *written != ascii_lower_char(*meant))
			return false;
	}
	return *written == '\0';
}

struct at
at_field(struct at a, const char *key)
{
	struct at none = { .doc = a.doc }, k = { .doc = a.doc };
	yaml_node_pair_t *p;

	if (a.node == NULL || a.node->type != YAML_MAPPING_NODE)
		return none;
	for (p = a.node->data.mapping.pairs.start;
	     p < a.node->data.mapping.pairs.top; p++) {
		k.node = yaml_document_get_node(a.doc, p->key);
		if (!is_key(at_text(k), key))
			continue;
		none.node = yaml_document_get_node(a.doc, p->value);
		return none;
	}
	return none;
}

struct at
at_item(struct at a, size_t i)
{
	struct at got = { .doc = a.doc };
	yaml_node_item_t *v;
	yaml_node_pair_t *p;

	if (a.node == NULL)
		return got;
	if (a.node->type == YAML_SEQUENCE_NODE) {
		v = a.node->data.sequence.items.start + i;
		if (v < a.node->data.sequence.items.top)
			got.node = yaml_document_get_node(a.doc, *v);
	} else if (a.node->type == YAML_MAPPING_NODE) {
		p = a.node->data.mapping.pairs.start + i;
		if (p < a.node->data.mapping.pairs.top)
			got.node = yaml_document_get_node(a.doc, p->value);
	}
	return got;
}

struct at
at_walk(struct at a, const char *path)
{
	char *copy = xstrdup(path), *rest = copy, *word;

	while ((word = strsep(&rest, ".")) != NULL)
		a = word[0] >= '0' && word[0] <= '9'
			? at_item(a, strtoul(word, NULL, 10))
			: at_field(a, word);
	free(copy);
	return a;
}

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SNI_H
#define POLICY_SNI_H

/*
 * Server names of the mesh: tags (Kuma section 4.2) and hashed (4.3).  Names
 * are folded to ASCII lower case on both sides.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct tag; /* model/target.h */

/* service{k=v,…}: tags sorted by key, mesh among them; kuma.io/service not. */
void sni_print_tags(struct str service, struct str mesh, const struct tag *tags,
    size_t n, struct text *out);
/* a<hash>.<name>.<port>.<mesh>.<type>; type is "mes", "ms" or "mzms". */
void sni_print_hashed(struct str name, struct str mesh, uint16_t port,
    const char *type, const struct tag *extra, size_t n, struct text *out);

#define SNI_TAGS_MAX 32

/* The parts of a tag name, for logs and tools; views into sni. */
struct sni_tags {
	struct str service;
	struct str mesh; /* of mesh=; empty without it */
	struct str keys[SNI_TAGS_MAX];
	struct str values[SNI_TAGS_MAX];
	size_t n;
};
bool sni_parse_tags(struct str sni, struct sni_tags *out) MUST_CHECK;

struct sni_hashed {
	uint64_t hash;
	struct str name; /* cut to 62 bytes and an x when longer */
	uint16_t port;
	struct str mesh;
	struct str type;
};
bool sni_parse_hashed(struct str sni, struct sni_hashed *out) MUST_CHECK;

#endif

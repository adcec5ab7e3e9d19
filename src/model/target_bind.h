/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_TARGET_BIND_H
#define MODEL_TARGET_BIND_H

/*
 * Reads the pieces of target.h from a tree, and says what is wrong with tags.
 * For bind.c and for the kinds; main thread.
 */

#include "model/bind.h"
#include "model/target.h"

void bind_tags(struct binder *b, const struct node *n, const struct path *at,
    struct tags *out);
void bind_source(struct binder *b, const struct node *n, const struct path *at,
    struct data_source *out);
/* One copy of equal values; bind_wipe() has to give it back. */
void bind_shared_source(struct binder *b, const struct node *n,
    const struct path *at, struct data_source *out);
void source_wipe(struct data_source *s);
void bind_target(struct binder *b, const struct node *n, const struct path *at,
    struct target_ref *out);

/* Which targetRefs a policy takes where: bits by enum target_kind. */
#define TARGET_BIT(kind) (1u << (kind))
/* What Kuma demands of a targetRef; path is where it stands. */
void target_check(const struct target_ref *t, unsigned allowed,
    const char *path, struct problems *pr);

enum tag_rules {
	TAGS_OF_SERVICE, /* kuma.io/service is mandatory */
	TAGS_SELECTOR    /* "*" is a value; at least one tag */
};
void tags_check(const struct tags *t, enum tag_rules rules, const char *path,
    struct problems *pr);

/* A source that cannot be used is a problem of that level. */
void source_check(const struct data_source *s, enum problem_level level,
    const char *path, struct problems *pr);
/* A certificate without its key, or a key without its certificate. */
void source_check_pair(const struct data_source *cert,
    const struct data_source *key, enum problem_level level, const char *path,
    struct problems *pr);

/* Overwrites bytes that an arena owns. */
void str_wipe(struct str s);

#endif

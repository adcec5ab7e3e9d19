/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_FEED_TREE_H
#define UNIT_FEED_TREE_H

/* A directory of one test, and files in it. */

struct tree {
	char path[64];
};

void tree_init(struct tree *t);
/* Removes it with all that is in it. */
void tree_fini(struct tree *t);
/* The path of name in it (static, the last four are valid). */
const char *tree_path(const struct tree *t, const char *name);
void tree_mkdir(const struct tree *t, const char *name);
/* In place, by open, write and close. */
void tree_write(const struct tree *t, const char *name, const char *text);
/* Under another name first, then renamed. */
void tree_replace(const struct tree *t, const char *name, const char *text);
void tree_remove(const struct tree *t, const char *name);
void tree_rename(const struct tree *t, const char *from, const char *to);
void tree_link(const struct tree *t, const char *target, const char *name);

#endif

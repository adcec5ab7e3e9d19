/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a test.  Whatever goes wrong ends it. */

#include "unit/feed/tree.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
tree_init(struct tree *t)
{
	snprintf(t->path, sizeof(t->path), "/tmp/zegress-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(t->path));
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void
tree_fini(struct tree *t)
{
	nftw(t->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
tree_path(const struct tree *t, const char *name)
{
	static char paths[4][256];
	static unsigned next;
	char *p = paths[next++ % 4];

	snprintf(p, sizeof(paths[0]), "%s/%s", t->path, name);
	return p;
}

void
tree_mkdir(const struct tree *t, const char *name)
{
	cr_assert_eq(mkdir(tree_path(t, name), 0755), 0);
}

void
tree_write(const struct tree *t, const char *name, const char *text)
{
	FILE *f = fopen(tree_path(t, name), "w");

	cr_assert_not_null(f);
	cr_assert_eq(fwrite(text, 1, strlen(text), f), strlen(text));
	cr_assert_eq(fclose(f), 0);
}

void
tree_replace(const struct tree *t, const char *name, const char *text)
{
	tree_write(t, ".new", text);
	tree_rename(t, ".new", name);
}

void
tree_remove(const struct tree *t, const char *name)
{
	cr_assert_eq(remove(tree_path(t, name)), 0);
}

void
tree_rename(const struct tree *t, const char *from, const char *to)
{
	cr_assert_eq(rename(tree_path(t, from), tree_path(t, to)), 0);
}

void
tree_link(const struct tree *t, const char *target, const char *name)
{
	cr_assert_eq(symlink(target, tree_path(t, name)), 0);
}

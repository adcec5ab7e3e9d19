/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of files by path.  A touched file is read at the next fill; what the
 * fill finds decides whether it was changed or removed, so that every kind of
 * event is a touch.  A file in the middle of being written is left alone until
 * it is closed, for half of it could be a valid document that revokes all that
 * is missing.  Main thread.
 */

#include "feed/dir_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "feed/read_file.h"
#include "model/store.h"

#define RESOURCES_MOST_BYTES ((size_t)256 << 20)
#define SECRET_MOST_BYTES ((size_t)1 << 20)

/* What is known of a file's content. */
enum file_state {
	FILE_CURRENT,
	FILE_TOUCHED,
	FILE_BUSY,
	FILE_UNSEEN /* during a scan: not come across yet */
};

struct dir_file {
	char *path;
	char *mesh; /* NULL: resources */
	char *name;
	enum file_state state;
	bool has_failed;
	bool was_short; /* of what reading takes */
	UT_hash_handle hh;
};

struct dir_files {
	struct dir_file *by_path;
	bool was_short; /* for some of them */
};

struct dir_files *
dir_files_new(void)
{
	return xcalloc(1, sizeof(struct dir_files));
}

static void
forget(struct dir_files *d, struct dir_file *f)
{
	HASH_DEL(d->by_path, f);
	free(f->path);
	free(f->mesh);
	free(f->name);
	free(f);
}

void
dir_files_free(struct dir_files *d)
{
	struct dir_file *f, *next;

	if (d == NULL)
		return;
	for (f = d->by_path; f != NULL; f = next) {
		next = f->hh.next;
		forget(d, f);
	}
	free(d);
}

static struct dir_file *
find(const struct dir_files *d, const char *path)
{
	struct dir_file *f;

	HASH_FIND_STR(d->by_path, path, f);
	return f;
}

void
dir_files_touch(
    struct dir_files *d, const char *path, const char *mesh, const char *name)
{
	struct dir_file *f = find(d, path);

	if (f == NULL) {
		f = xcalloc(1, sizeof(*f));
		f->path = xstrdup(path);
		if (mesh != NULL) {
			f->mesh = xstrdup(mesh);
			f->name = xstrdup(name);
		}
		HASH_ADD_KEYPTR(hh, d->by_path, f->path, strlen(f->path), f);
	}
	f->state = FILE_TOUCHED;
}

void
dir_files_see(
    struct dir_files *d, const char *path, const char *mesh, const char *name)
{
	const struct dir_file *f = find(d, path);

	if (f == NULL || f->state != FILE_BUSY)
		dir_files_touch(d, path, mesh, name);
}

void
dir_files_busy(struct dir_files *d, const char *path)
{
	struct dir_file *f = find(d, path);

	if (f != NULL)
		f->state = FILE_BUSY;
}

bool
dir_files_has_failed(const struct dir_files *d, const char *path)
{
	const struct dir_file *f = find(d, path);

	return f != NULL && f->has_failed;
}

bool
dir_files_try_again(struct dir_files *d)
{
	struct dir_file *f;

	if (!d->was_short)
		return false;
	d->was_short = false;
	for (f = d->by_path; f != NULL; f = f->hh.next)
		if (f->was_short && f->state == FILE_CURRENT)
			f->state = FILE_TOUCHED;
	return true;
}

void
dir_files_begin_scan(struct dir_files *d, bool has_lost_events)
{
	struct dir_file *f;

	for (f = d->by_path; f != NULL; f = f->hh.next)
		if (f->state != FILE_BUSY || has_lost_events)
			f->state = FILE_UNSEEN;
}

/* A file that is gone is found to be so when it is read. */
void
dir_files_end_scan(struct dir_files *d, const char *root)
{
	struct dir_file *f;
	size_t len = strlen(root);

	for (f = d->by_path; f != NULL; f = f->hh.next)
		if (f->state == FILE_UNSEEN &&
		    strncmp(f->path, root, len) == 0 && f->path[len] == '/')
			f->state = FILE_TOUCHED;
}

static void
put(struct dir_file *f, struct store *st, struct str bytes)
{
	if (f->mesh == NULL)
		store_put_file(st, f->path, bytes);
	else
		store_put_secret(
		    st, str_of(f->mesh), str_of(f->name), f->path, bytes);
}

static void
drop(struct dir_file *f, struct store *st)
{
	if (f->mesh == NULL)
		store_drop_file(st, f->path);
	else
		store_drop_secret(st, str_of(f->mesh), str_of(f->name));
}

static void
read_one(struct dir_files *d, struct dir_file *f, struct store *st)
{
	struct text bytes = TEXT_EMPTY, why = TEXT_EMPTY;
	size_t most =
	    f->mesh == NULL ? RESOURCES_MOST_BYTES : SECRET_MOST_BYTES;

	f->state = FILE_CURRENT;
	f->has_failed = f->was_short = false;
	switch (read_file(f->path, most, &bytes, &why)) {
	case READ_OK:
		put(f, st, text_str(&bytes));
		break;
	case READ_GONE:
		drop(f, st);
		forget(d, f);
		break;
	case READ_CHANGED:
		/* Its writer closes it yet: that will be heard. */
		f->state = FILE_BUSY;
		break;
	case READ_SHORT:
		f->was_short = d->was_short = true;
		/* FALLTHROUGH */
	case READ_FAILED:
		f->has_failed = true;
		store_fail_file(st, f->path, why.p);
		break;
	}
	text_wipe(&bytes);
	text_free(&why);
}

static int
by_path(const struct dir_file *a, const struct dir_file *b)
{
	return strcmp(a->path, b->path);
}

/* In the order of paths: of duplicates at the start the first one serves. */
void
dir_files_read(struct dir_files *d, struct store *st)
{
	struct dir_file *f, *next;

	HASH_SORT(d->by_path, by_path);
	for (f = d->by_path; f != NULL; f = next) {
		next = f->hh.next;
		if (f->state == FILE_TOUCHED)
			read_one(d, f, st);
	}
}

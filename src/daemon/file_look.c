/* SPDX-License-Identifier: Apache-2.0 */
/* What stat(2) says, compared.  Main thread. */

#include "daemon/file_look.h"

#include <stdbool.h>

static struct file_stamp
stamp(const char *path)
{
	struct file_stamp s = { .ino = 0 };
	struct stat st;

	if (path == NULL || stat(path, &st) == -1)
		return s;
	s.dev = st.st_dev;
	s.ino = st.st_ino;
	s.size = st.st_size;
	s.written = st.st_mtim;
	s.changed = st.st_ctim;
	return s;
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

static bool
is_same(const struct file_stamp *a, const struct file_stamp *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       is_same_time(&a->written, &b->written) &&
	       is_same_time(&a->changed, &b->changed);
}

void
file_look_first(struct file_look *l, const char *path)
{
	l->read = l->last = stamp(path);
}

enum file_state
file_look_again(struct file_look *l, const char *path)
{
	struct file_stamp now = stamp(path);
	bool is_moving = !is_same(&now, &l->last);

	l->last = now;
	if (is_moving)
		return FILE_MOVING;
	return is_same(&now, &l->read) ? FILE_SAME : FILE_CHANGED;
}

enum file_state
file_state_of_both(enum file_state a, enum file_state b)
{
	return a > b ? a : b;
}

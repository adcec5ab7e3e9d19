/* SPDX-License-Identifier: Apache-2.0 */
/* Reading credentials of a parent proxy; the worker's user has to be able to.
 */

#include "upstream/parent_auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MOST 1024

static void
forget(struct parent_auth *a)
{
	if (a->is.p != NULL)
		explicit_bzero(a->is.p, a->is.cap);
	text_free(&a->is);
	a->is_good = false;
}

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* NULL: a->is holds its first line. */
static const char *
take_in(struct parent_auth *a, int fd)
{
	ssize_t n;

	if (!S_ISREG(a->seen.st_mode))
		return "it is no file";
	if (a->seen.st_size > FILE_MOST)
		return "it is too long";
	n = read(fd, text_reserve(&a->is, FILE_MOST), FILE_MOST);
	if (n < 0)
		return strerror(errno);
	a->is.len = (size_t)n;
	while (a->is.len > 0 && (a->is.p[a->is.len - 1] == '\n' ||
				    a->is.p[a->is.len - 1] == '\r'))
		a->is.len--;
	return NULL;
}

static bool
read_anew(
    struct parent_auth *a, int fd, enum parent_kind kind, struct text *why)
{
	const char *wrong;

	forget(a);
	wrong = take_in(a, fd);
	if (wrong == NULL && !parent_auth_is_good(kind, text_str(&a->is)))
		wrong = "wants USER:PASSWORD in one line, each of at most 255 "
			"bytes";
	if (wrong != NULL) {
		text_addf(why, "proxy_auth_file %s: %s", a->path, wrong);
		forget(a);
		return false;
	}
	a->is_good = true;
	return true;
}

bool
parent_auth_get(struct parent_auth *a, enum parent_kind kind, struct text *out,
    struct text *why)
{
	struct stat now;
	bool is_good = true;
	int fd;

	if (a->path == NULL)
		return true;
	fd = open(a->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd == -1 || fstat(fd, &now) == -1) {
		text_addf(
		    why, "proxy_auth_file %s: %s", a->path, strerror(errno));
		if (fd != -1)
			close(fd);
		return false;
	}
	if (!a->is_good || !is_same(&a->seen, &now)) {
		a->seen = now;
		is_good = read_anew(a, fd, kind, why);
	}
	close(fd);
	if (is_good)
		text_add(out, text_str(&a->is));
	return is_good;
}

void
parent_auth_fini(struct parent_auth *a)
{
	forget(a);
	free(a->path);
	a->path = NULL;
}

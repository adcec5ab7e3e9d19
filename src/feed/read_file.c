/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading a file of the operator.  A file that grows or shrinks under our
 * hands is reported as such, for half a document may be a valid one.  Nothing
 * but regular files is opened for long: a FIFO would never end.  Any thread.
 */

#include "feed/read_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/sock.h"

static bool
is_same(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static enum read_status
fail(struct text *why, int error)
{
	text_clear(why);
	text_add_z(why, strerror(error));
	if (sock_is_short(error))
		return READ_SHORT;
	return error == ENOENT || error == ENOTDIR ? READ_GONE : READ_FAILED;
}

static enum read_status
read_all(int fd, size_t size, struct text *out, struct text *why)
{
	ssize_t n;

	/* In one piece, so that growing leaves no copy of a key behind. */
	text_reserve(out, size + 1);
	while (out->len < size) {
		n = read(fd, text_reserve(out, 1), size - out->len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return fail(why, errno);
		if (n == 0)
			return READ_CHANGED;
		out->len += (size_t)n;
	}
	/* The terminator that a text promises. */
	*text_reserve(out, 1) = '\0';
	return READ_OK;
}

static enum read_status
read_fd(int fd, size_t max, struct text *out, struct text *why)
{
	struct stat before, after;
	enum read_status s;

	if (fstat(fd, &before) == -1)
		return fail(why, errno);
	if (!S_ISREG(before.st_mode)) {
		text_clear(why);
		text_add_z(why, "not a regular file");
		return READ_FAILED;
	}
	if ((uint64_t)before.st_size > max) {
		text_clear(why);
		text_addf(why, "larger than %zu bytes", max);
		return READ_FAILED;
	}
	s = read_all(fd, (size_t)before.st_size, out, why);
	if (s != READ_OK)
		return s;
	if (fstat(fd, &after) == -1)
		return fail(why, errno);
	return is_same(&before, &after) ? READ_OK : READ_CHANGED;
}

enum read_status
read_file(const char *path, size_t max, struct text *out, struct text *why)
{
	enum read_status s;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	text_wipe(out);
	if (fd == -1)
		return fail(why, errno);
	s = read_fd(fd, max, out, why);
	close(fd);
	if (s != READ_OK)
		text_wipe(out);
	if (s == READ_CHANGED) {
		text_clear(why);
		text_add_z(why, "changed while it was read");
	}
	return s;
}

void
text_wipe(struct text *t)
{
	if (t->p != NULL)
		explicit_bzero(t->p, t->cap);
	text_free(t);
	*t = TEXT_EMPTY;
}

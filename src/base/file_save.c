/* SPDX-License-Identifier: Apache-2.0 */
/* See file_save.h. */

#include "base/file_save.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/xalloc.h"

/* The first reason counts. */
static bool
close_after(int fd, bool is_good)
{
	int why = errno;

	if (close(fd) == 0 || !is_good)
		errno = why;
	else
		is_good = false;
	return is_good;
}

static bool
write_all(int fd, struct str s)
{
	ssize_t n;

	while (s.len > 0) {
		n = write(fd, s.p, s.len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return false;
		s = str_from(s, (size_t)n);
	}
	return true;
}

bool
file_write(const char *path, struct str bytes)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);

	return fd != -1 &&
	       close_after(fd, write_all(fd, bytes) && fsync(fd) == 0);
}

static bool
sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? xstrdup(".")
				  : str_dup((struct str){ .p = path,
					.len = (size_t)(slash - path) + 1 });
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(dir);
	return fd != -1 && close_after(fd, fsync(fd) == 0);
}

bool
file_put_in_place(const char *from, const char *to)
{
	return rename(from, to) == 0 && sync_folder_of(to);
}

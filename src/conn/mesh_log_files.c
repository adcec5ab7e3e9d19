/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At most FILES_MAX files are open; which was not written for longest is
 * closed for the next.  A file that cannot be opened is tried again after a
 * while, and its lines are lost till then.
 */

#include "conn/mesh_log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "conn/access_log.h"
#include "policy/mesh_log.h"

#define FILES_MAX 32
#define WRITE_AT (32 * 1024)
#define RETRY_MS 5000

struct file {
	char *path;
	int fd; /* -1: it could not be opened */
	uint64_t tried_ms;
	uint64_t used; /* number of the line */
	struct text lines;
	uint64_t n_lines; /* in it */
};

struct mesh_log_files {
	char *folder;
	struct loop *loop;
	struct file files[FILES_MAX];
	size_t n_files;
	uint64_t n_lines;
	struct stats_set *lost;
	struct log_limit complaints;
};

struct mesh_log_files *
mesh_log_files_new(const char *folder, struct loop *l, struct stats_set *lost)
{
	struct mesh_log_files *m = xcalloc(1, sizeof(*m));

	m->folder = xstrdup(folder);
	m->loop = l;
	m->lost = lost;
	return m;
}

static void
complain(struct mesh_log_files *m, const char *path, const char *why)
{
	unsigned kept_back;

	if (log_limit_take(
		&m->complaints, loop_now_ms(m->loop), 10000, 1, &kept_back))
		log_error(
		    "mesh_access_log", "%s: lines were lost: %s", path, why);
}

/* Takes fd over.  The part of the path below it, without following links. */
static int
open_below(int fd, struct str rest)
{
	char name[MESH_LOG_PATH_MAX + 1];
	struct str part;
	int next, error;

	for (;;) {
		part = str_cut(&rest, '/');
		memcpy(name, part.p, part.len);
		name[part.len] = '\0';
		next =
		    rest.len > 0
			? openat(fd, name,
			      O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			: openat(fd, name,
			      O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW |
				  O_NONBLOCK | O_CLOEXEC,
			      0640);
		error = errno;
		(void)close(fd);
		errno = error;
		if (next == -1 || rest.len == 0)
			return next;
		fd = next;
	}
}

/* -1 and why. */
static int
open_file(const struct mesh_log_files *m, const char *path, const char **why)
{
	struct str rest;
	struct stat st;
	int fd;

	*why = "it is not below mesh_access_log";
	if (!mesh_log_path_is_below(str_of(path), str_of(m->folder), &rest))
		return -1;
	fd = open(m->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd != -1)
		fd = open_below(fd, rest);
	if (fd == -1) {
		*why = errno == ELOOP ? "it is a link, which is not followed"
				      : strerror(errno);
		return -1;
	}
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1)
		return fd;
	(void)close(fd);
	*why = "it is not a regular file with one name";
	return -1;
}

static void
try_open(struct mesh_log_files *m, struct file *f)
{
	const char *why;

	f->tried_ms = loop_now_ms(m->loop);
	f->fd = open_file(m, f->path, &why);
	if (f->fd == -1)
		complain(m, f->path, why);
}

static void
flush(struct mesh_log_files *m, struct file *f)
{
	if (f->lines.len > 0 && f->fd != -1 &&
	    !access_log_write_all(f->fd, text_str(&f->lines))) {
		complain(m, f->path, strerror(errno));
		stat_add(m->lost, STAT_MESH_LOG_LOST, f->n_lines);
	}
	text_clear(&f->lines);
	f->n_lines = 0;
}

static void
shut(struct mesh_log_files *m, struct file *f)
{
	flush(m, f);
	if (f->fd != -1)
		(void)close(f->fd);
	text_free(&f->lines);
	free(f->path);
}

void
mesh_log_files_flush(struct mesh_log_files *m)
{
	size_t i;

	for (i = 0; i < m->n_files; i++)
		flush(m, &m->files[i]);
}

void
mesh_log_files_reopen(struct mesh_log_files *m)
{
	size_t i;

	for (i = 0; i < m->n_files; i++)
		shut(m, &m->files[i]);
	m->n_files = 0;
}

void
mesh_log_files_free(struct mesh_log_files *m)
{
	if (m == NULL)
		return;
	mesh_log_files_reopen(m);
	free(m->folder);
	free(m);
}

/* A place for one more. */
static struct file *
make_room(struct mesh_log_files *m)
{
	struct file *oldest = &m->files[0];
	size_t i;

	if (m->n_files < FILES_MAX)
		return &m->files[m->n_files++];
	for (i = 1; i < m->n_files; i++)
		if (m->files[i].used < oldest->used)
			oldest = &m->files[i];
	shut(m, oldest);
	return oldest;
}

static struct file *
find_file(struct mesh_log_files *m, struct str path)
{
	struct file *f;
	size_t i;

	for (i = 0; i < m->n_files; i++) {
		f = &m->files[i];
		if (!str_eq(str_of(f->path), path))
			continue;
		if (f->fd == -1 &&
		    loop_now_ms(m->loop) - f->tried_ms >= RETRY_MS)
			try_open(m, f);
		return f;
	}
	f = make_room(m);
	*f = (struct file){ .path = str_dup(path) };
	try_open(m, f);
	return f;
}

struct text *
mesh_log_files_lines(struct mesh_log_files *m, struct str path)
{
	struct file *f = find_file(m, path);

	f->used = ++m->n_lines;
	if (f->fd == -1)
		return NULL;
	if (f->lines.len >= WRITE_AT)
		flush(m, f);
	f->n_lines++;
	return &f->lines;
}

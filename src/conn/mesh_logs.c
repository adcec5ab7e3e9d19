/* SPDX-License-Identifier: Apache-2.0 */
/*
 * At most FILES_MAX files are open; which was not written for longest is
 * closed for the next.  A file that cannot be opened is tried again after a
 * while, and its lines are lost till then.
 */

#include "conn/mesh_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "conn/mesh_log_line.h"

#define FILES_MAX 32
#define WRITE_AT (32 * 1024)
#define RETRY_MS 5000

struct file {
	char *path;
	int fd; /* -1: it could not be opened */
	uint64_t tried_ms;
	uint64_t used; /* number of the line */
	struct text lines;
};

struct mesh_logs {
	char *folder;
	struct loop *loop;
	struct file files[FILES_MAX];
	size_t n_files;
	uint64_t n_lines;
	bool is_due;
	struct log_limit complaints;
};

struct mesh_logs *
mesh_logs_new(const char *folder, struct loop *l)
{
	struct mesh_logs *m = xcalloc(1, sizeof(*m));

	m->folder = xstrdup(folder);
	m->loop = l;
	return m;
}

static void
complain(struct mesh_logs *m, const char *path, const char *why)
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
open_file(const struct mesh_logs *m, const char *path, const char **why)
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
try_open(struct mesh_logs *m, struct file *f)
{
	const char *why;

	f->tried_ms = loop_now_ms(m->loop);
	f->fd = open_file(m, f->path, &why);
	if (f->fd == -1)
		complain(m, f->path, why);
}

static void
flush(struct mesh_logs *m, struct file *f)
{
	if (f->lines.len > 0 && f->fd != -1 &&
	    !access_log_write_all(f->fd, text_str(&f->lines)))
		complain(m, f->path, strerror(errno));
	text_clear(&f->lines);
}

static void
shut(struct mesh_logs *m, struct file *f)
{
	flush(m, f);
	if (f->fd != -1)
		(void)close(f->fd);
	text_free(&f->lines);
	free(f->path);
}

static void
flush_all(void *arg)
{
	struct mesh_logs *m = arg;
	size_t i;

	m->is_due = false;
	for (i = 0; i < m->n_files; i++)
		flush(m, &m->files[i]);
}

void
mesh_logs_reopen(struct mesh_logs *m)
{
	size_t i;

	for (i = 0; i < m->n_files; i++)
		shut(m, &m->files[i]);
	m->n_files = 0;
}

void
mesh_logs_free(struct mesh_logs *m)
{
	if (m == NULL)
		return;
	mesh_logs_reopen(m);
	free(m->folder);
	loop_later(m->loop, free, m); /* behind flush_all(), if that is due */
}

/* A place for one more. */
static struct file *
make_room(struct mesh_logs *m)
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
find_file(struct mesh_logs *m, struct str path)
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

void
mesh_logs_write(
    struct mesh_logs *m, const struct service *s, const struct log_entry *e)
{
	int64_t now = clock_wall_ms();
	struct file *f;
	size_t i;

	for (i = 0; i < s->n_logs; i++) {
		f = find_file(m, s->logs[i].path);
		f->used = ++m->n_lines;
		if (f->fd == -1)
			continue;
		mesh_log_line(&s->logs[i], s, e, now, &f->lines);
		if (f->lines.len >= WRITE_AT)
			flush(m, f);
	}
	if (s->n_logs > 0 && !m->is_due) {
		m->is_due = true;
		loop_later(m->loop, flush_all, m);
	}
}

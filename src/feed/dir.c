/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories, watched by inotify.  A change counts when the file is closed
 * after writing, moved in or out, or deleted; a link or a directory also when
 * it is made.  Whatever cannot be told by a file's name (a directory that came
 * or went, the "..data" link of a Kubernetes volume, an overflow of the queue)
 * has everything scanned again.
 *
 * Inotify does not see that a directory above was exchanged, nor that
 * permissions changed there, so the roots are looked at once a second too.  A
 * root that cannot be read keeps all that was read from it.
 *
 * Reading files is dir_files.c's.  Main thread.
 */

#include "feed/dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "feed/dir_files.h"
#include "model/store.h"
#include "net/sock.h"

#define POLL_MS 1000
#define EVENTS                                                      \
	(IN_CLOSE_WRITE | IN_MODIFY | IN_MOVED_TO | IN_MOVED_FROM | \
	    IN_DELETE | IN_CREATE | IN_ATTRIB | IN_DELETE_SELF |    \
	    IN_MOVE_SELF | IN_ONLYDIR)

/* What the names in a directory stand for. */
enum place {
	PLACE_RESOURCES, /* files and sub-directories of resources */
	PLACE_PART,      /* files of resources */
	PLACE_SECRETS,   /* meshes */
	PLACE_MESH       /* Secrets of one mesh */
};

struct place_dir {
	int wd;
	enum place place;
	char *path;
	char *mesh; /* of a PLACE_MESH */
	bool was_seen;
	UT_hash_handle hh;
};

struct root {
	char *path; /* NULL: there is none */
	enum place place;
	dev_t dev;
	ino_t ino;
	int error; /* errno of the last scan; 0: readable */
};

struct dir {
	struct feed feed;
	int fd;
	struct watch watch;
	struct timer poll;
	struct place_dir *dirs; /* by wd */
	struct dir_files *files;
	struct root roots[2];
	struct text error;
	bool has_lost_events; /* the queue of inotify ran over */
	bool is_deaf;         /* inotify refused a watch; said once */
	bool was_short;       /* of descriptors, so that a scan is not whole */
};

static struct dir *
dir_of(struct feed *f)
{
	return CONTAINER_OF(f, struct dir, feed);
}

static bool
is_resource_name(const char *name)
{
	struct str s = str_of(name);

	return str_ends(s, STR(".yaml")) || str_ends(s, STR(".yml")) ||
	       str_ends(s, STR(".json"));
}

static void
forget_dir(struct dir *d, struct place_dir *p)
{
	HASH_DEL(d->dirs, p);
	free(p->path);
	free(p->mesh);
	free(p);
}

/* The same directory by another path keeps its number. */
static void
watch_dir(struct dir *d, const char *path, enum place place, const char *mesh)
{
	struct place_dir *p;
	int wd = inotify_add_watch(d->fd, path, EVENTS);

	if (wd == -1) {
		if (!d->is_deaf)
			log_warn(path,
			    "changes are not noticed (%s); SIGHUP "
			    "or `zegressctl reload` reads them",
			    strerror(errno));
		d->is_deaf = true;
		return;
	}
	HASH_FIND_INT(d->dirs, &wd, p);
	if (p == NULL) {
		p = xcalloc(1, sizeof(*p));
		p->wd = wd;
		HASH_ADD_INT(d->dirs, wd, p);
	}
	free(p->path);
	free(p->mesh);
	p->path = xstrdup(path);
	p->mesh = mesh != NULL ? xstrdup(mesh) : NULL;
	p->place = place;
	p->was_seen = true;
}

static void scan_dir(
    struct dir *d, const char *path, enum place place, const char *mesh);

/* What one name in a directory means when everything is scanned. */
static void
scan_name(struct dir *d, const char *path, enum place place, const char *mesh,
    const char *name)
{
	struct stat st;
	bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);

	switch (place) {
	case PLACE_RESOURCES:
	case PLACE_PART:
		if (is_dir && place == PLACE_RESOURCES)
			scan_dir(d, path, PLACE_PART, NULL);
		else if (!is_dir && is_resource_name(name))
			dir_files_see(d->files, path, NULL, NULL);
		break;
	case PLACE_SECRETS:
		if (is_dir)
			scan_dir(d, path, PLACE_MESH, name);
		break;
	case PLACE_MESH:
		if (!is_dir)
			dir_files_see(d->files, path, mesh, name);
		break;
	}
}

/* Watched before it is read, so that no change falls in between. */
static void
scan_dir(struct dir *d, const char *path, enum place place, const char *mesh)
{
	struct dirent *e;
	DIR *dp;
	char *sub;

	watch_dir(d, path, place, mesh);
	dp = opendir(path);
	if (dp == NULL) {
		d->was_short |= sock_is_short(errno);
		log_warn(path, "cannot be read: %s", strerror(errno));
		return;
	}
	while ((e = readdir(dp)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		sub = xasprintf("%s/%s", path, e->d_name);
		scan_name(d, sub, place, mesh, e->d_name);
		free(sub);
	}
	closedir(dp);
}

/* 0 or an errno, and which directory it is now. */
static int
look_at_root(const struct root *r, dev_t *dev, ino_t *ino)
{
	struct stat st;

	*dev = 0;
	*ino = 0;
	if (stat(r->path, &st) == -1)
		return errno;
	if (!S_ISDIR(st.st_mode))
		return ENOTDIR;
	*dev = st.st_dev;
	*ino = st.st_ino;
	/* Not access(2): that one asks for the real user. */
	return faccessat(AT_FDCWD, r->path, R_OK | X_OK, AT_EACCESS) == 0
		   ? 0
		   : errno;
}

static void
scan_root(struct dir *d, struct root *r, struct store *st)
{
	r->error = look_at_root(r, &r->dev, &r->ino);
	if (r->error != 0) {
		store_fail_file(st, r->path, strerror(r->error));
		text_addf(&d->error, "%s%s: %s", d->error.len > 0 ? ", " : "",
		    r->path, strerror(r->error));
		return;
	}
	store_drop_file(st, r->path);
	scan_dir(d, r->path, r->place, NULL);
	dir_files_end_scan(d->files, r->path);
}

static void
scan(struct dir *d, struct store *st)
{
	struct place_dir *p, *next;
	size_t i;

	text_clear(&d->error);
	d->is_deaf = false;
	for (p = d->dirs; p != NULL; p = p->hh.next)
		p->was_seen = false;
	dir_files_begin_scan(d->files, d->has_lost_events);
	d->has_lost_events = false;
	for (i = 0; i < ARRAY_LEN(d->roots); i++)
		if (d->roots[i].path != NULL)
			scan_root(d, &d->roots[i], st);
	for (p = d->dirs; p != NULL; p = next) {
		next = p->hh.next;
		if (p->was_seen)
			continue;
		inotify_rm_watch(d->fd, p->wd);
		forget_dir(d, p);
	}
}

static void
fill(struct feed *f, struct store *st, bool everything)
{
	struct dir *d = dir_of(f);

	if (everything)
		scan(d, st);
	dir_files_read(d->files, st);
}

static bool
is_link_or_dir(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 &&
	       (!S_ISREG(st.st_mode) || st.st_nlink > 1);
}

/* A name that stands for a file. */
static bool
hear_file(struct dir *d, const struct place_dir *p, const char *name,
    uint32_t mask, const char *path)
{
	if (mask & IN_MODIFY) {
		dir_files_busy(d->files, path);
		return false;
	}
	/* Ordinary files are closed yet; a link is complete as it is. */
	if ((mask & IN_CREATE) && !is_link_or_dir(path))
		return false;
	if ((mask & IN_ATTRIB) && !dir_files_has_failed(d->files, path))
		return false;
	dir_files_touch(d->files, path, p->mesh, name);
	return true;
}

static bool
hear_name(
    struct dir *d, const struct place_dir *p, const char *name, uint32_t mask)
{
	bool is_file = p->place == PLACE_MESH ||
		       (p->place != PLACE_SECRETS && is_resource_name(name));
	bool is_heard = false;
	char *path;

	if (name[0] == '.' && name[1] != '.')
		return false;
	path = xasprintf("%s/%s", p->path, name);
	if (!(mask & IN_ISDIR) && is_file && name[0] != '.') {
		is_heard = hear_file(d, p, name, mask, path);
	} else if (name[0] == '.' || (mask & IN_ISDIR) ||
		   ((mask & (IN_CREATE | IN_MOVED_TO)) &&
		       is_link_or_dir(path))) {
		feed_rescan(&d->feed);
		is_heard = true;
	}
	free(path);
	return is_heard;
}

static bool
hear(struct dir *d, const struct inotify_event *e)
{
	struct place_dir *p;

	if (e->mask & IN_Q_OVERFLOW) {
		d->has_lost_events = true;
		feed_rescan(&d->feed);
		return true;
	}
	HASH_FIND_INT(d->dirs, &e->wd, p);
	if (p == NULL)
		return false;
	if (e->mask & IN_IGNORED)
		forget_dir(d, p);
	if (e->mask &
	    (IN_IGNORED | IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)) {
		feed_rescan(&d->feed);
		return true;
	}
	return e->len > 0 && hear_name(d, p, e->name, e->mask);
}

static void
on_inotify(void *arg, int fd, bool can_read, bool can_write)
{
	_Alignas(struct inotify_event) char buf[16384];
	struct dir *d = arg;
	const struct inotify_event *e;
	bool is_heard = false;
	ssize_t n;
	size_t at;

	(void)can_read;
	(void)can_write;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		for (at = 0; at < (size_t)n; at += sizeof(*e) + e->len) {
			e = (const void *)(buf + at);
			is_heard |= hear(d, e);
		}
	if (is_heard)
		feed_heard(&d->feed);
}

/* What could not be opened for want of descriptors. */
static void
try_again(struct dir *d)
{
	bool is_heard = dir_files_try_again(d->files) || d->was_short;

	if (d->was_short)
		feed_rescan(&d->feed);
	d->was_short = false;
	if (is_heard)
		feed_heard(&d->feed);
}

static void
on_poll(void *arg)
{
	struct dir *d = arg;
	struct root *r;
	dev_t dev;
	ino_t ino;
	size_t i;
	int error;

	for (i = 0; i < ARRAY_LEN(d->roots); i++) {
		r = &d->roots[i];
		if (r->path == NULL)
			continue;
		error = look_at_root(r, &dev, &ino);
		if (error == r->error && dev == r->dev && ino == r->ino)
			continue;
		/* Told once a change, not once a second. */
		*r = (struct root){ .path = r->path,
			.place = r->place,
			.dev = dev,
			.ino = ino,
			.error = error };
		feed_rescan(&d->feed);
		feed_heard(&d->feed);
	}
	try_again(d);
	timer_set(&d->poll, POLL_MS);
}

static void
start(struct feed *f)
{
	struct dir *d = dir_of(f);

	if (d->fd != -1)
		watch_start(
		    &d->watch, f->loop, d->fd, true, false, on_inotify, d);
	timer_set(&d->poll, POLL_MS);
}

static const char *
error_text(const struct feed *f)
{
	const struct dir *d =
	    (const void *)((const char *)f - offsetof(struct dir, feed));

	return d->error.len > 0 ? d->error.p : NULL;
}

static void
free_dir(struct feed *f)
{
	struct dir *d = dir_of(f);
	struct place_dir *p, *next;
	size_t i;

	if (f->on_change != NULL && d->fd != -1)
		watch_stop(&d->watch);
	timer_stop(&d->poll);
	if (d->fd != -1)
		close(d->fd);
	for (p = d->dirs; p != NULL; p = next) {
		next = p->hh.next;
		forget_dir(d, p);
	}
	dir_files_free(d->files);
	for (i = 0; i < ARRAY_LEN(d->roots); i++)
		free(d->roots[i].path);
	text_free(&d->error);
	free(d);
}

static const struct feed_ops dir_ops = {
	.name = "directory",
	.start = start,
	.fill = fill,
	.error = error_text,
	.free = free_dir,
};

/* Without the slashes at its end: paths are compared below. */
static char *
root_path(const char *path)
{
	struct str s = str_of(path);

	while (s.len > 1 && s.p[s.len - 1] == '/')
		s.len--;
	return s.len > 0 ? str_dup(s) : NULL;
}

struct feed *
feed_dir_new(struct loop *l, const char *resources, const char *secrets)
{
	struct dir *d = xcalloc(1, sizeof(*d));

	feed_init(&d->feed, &dir_ops, l);
	timer_init(&d->poll, l, on_poll, d);
	d->files = dir_files_new();
	d->roots[0] = (struct root){ .path = root_path(resources),
		.place = PLACE_RESOURCES };
	d->roots[1] =
	    (struct root){ .path = root_path(secrets), .place = PLACE_SECRETS };
	d->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (d->fd == -1)
		log_warn("inotify", "%s", strerror(errno));
	return &d->feed;
}

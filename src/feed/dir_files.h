/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_DIR_FILES_H
#define FEED_DIR_FILES_H

/*
 * The files that a directory feed knows of, and which of them are to be read
 * again.  Hearing of changes is dir.c's.  Main thread.
 */

#include <stdbool.h>

#include "base/attr.h"

struct dir_files;
struct store;

struct dir_files *dir_files_new(void) MUST_CHECK;
void dir_files_free(struct dir_files *d);

/* mesh NULL: a file of resources; else Secret name of that mesh. */
void dir_files_touch(
    struct dir_files *d, const char *path, const char *mesh, const char *name);
/* It is being written: not read before it is touched again. */
void dir_files_busy(struct dir_files *d, const char *path);
/* Whether reading it failed the last time. */
bool dir_files_has_failed(const struct dir_files *d, const char *path);

/*
 * Touch what could not be read because descriptors were short.  False: there
 * is no such file.
 */
bool dir_files_try_again(struct dir_files *d);

/*
 * Around a scan of everything: what is below root and not seen in between is
 * gone.  has_lost_events: a busy file may have been closed unheard.
 */
void dir_files_begin_scan(struct dir_files *d, bool has_lost_events);
/* As dir_files_touch(), but a busy file stays so. */
void dir_files_see(
    struct dir_files *d, const char *path, const char *mesh, const char *name);
void dir_files_end_scan(struct dir_files *d, const char *root);

/* Read what was touched, sorted by path, into st. */
void dir_files_read(struct dir_files *d, struct store *st);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_FILE_LOOK_H
#define DAEMON_FILE_LOOK_H

/*
 * Was a file changed since it was read?  Asked of stat(2) now and then, not
 * heard of: a path may lead through links and directories that are exchanged
 * above it, which inotify does not see.  Main thread.
 */

#include <sys/stat.h>
#include <time.h>

/* What tells one state of a file from another; all zero: it is not there. */
struct file_stamp {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec written;
	struct timespec changed;
};

struct file_look {
	struct file_stamp read;
	struct file_stamp last;
};

enum file_state {
	FILE_SAME,
	FILE_CHANGED, /* and all has been quiet since the last look */
	FILE_MOVING   /* something changed since the last look */
};

/* Before the file is read: a change meanwhile is seen at the next look. */
void file_look_first(struct file_look *l, const char *path);
enum file_state file_look_again(struct file_look *l, const char *path);
/* Of several files: one that moves is waited for. */
enum file_state file_state_of_both(enum file_state a, enum file_state b);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_FILE_SAVE_H
#define BASE_FILE_SAVE_H

/*
 * A file that is written anew so that a crash at any moment leaves the old one
 * or the new one, whole: beside it first, then under its name.  errno says why
 * something failed.  Blocks for the disk; no state; any thread.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/str.h"

/* Made for us alone to read, or cut off; on the disk when this returns. */
bool file_write(const char *path, struct str bytes) MUST_CHECK;
/* Rename, which is on the disk when its folder is.  Both in one folder. */
bool file_put_in_place(const char *from, const char *to) MUST_CHECK;

#endif

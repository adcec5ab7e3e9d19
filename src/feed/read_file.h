/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_READ_FILE_H
#define FEED_READ_FILE_H

/* A whole file into memory, if it is one and holds still meanwhile. */

#include <stddef.h>

#include "base/str.h"

enum read_status {
	READ_OK,
	READ_GONE,    /* there is no such file */
	READ_CHANGED, /* it was written to while we read */
	READ_SHORT,   /* no descriptor or no memory is left: later, perhaps */
	READ_FAILED   /* why says so */
};

/* out is replaced; no byte of the file stays behind when it is not READ_OK. */
enum read_status read_file(const char *path, size_t max, struct text *out,
    struct text *why) MUST_CHECK;
/* For what may be a key: overwrite, then free. */
void text_wipe(struct text *t);

#endif

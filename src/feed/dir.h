/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FEED_DIR_H
#define FEED_DIR_H

/*
 * The feed that reads directories: *.yaml, *.yml and *.json under resources
 * (and in its sub-directories, one level deep), raw Secrets as
 * secrets/MESH/NAME.  Names that begin with a dot are passed over.  Main
 * thread.
 */

#include "feed/feed.h"

/* secrets may be NULL: there is no such directory. */
struct feed *feed_dir_new(
    struct loop *l, const char *resources, const char *secrets) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_IDENTITY_FILES_H
#define DAEMON_IDENTITY_FILES_H

/*
 * The files that `identity` names.  A certificate and its key are taken
 * together, or the pair that was good before stays.  Main thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "policy/snapshot.h"

struct config;
struct identity_files;
struct problems;

struct identity_files *identity_files_new(void) MUST_CHECK;
/* Keys are wiped.  NULL is fine. */
void identity_files_free(struct identity_files *f);

/* Read them all again. */
void identity_files_read(
    struct identity_files *f, const struct config *c, struct problems *pr);
/*
 * For struct build_settings; valid until the next read.  An identity that was
 * never good has no certificate: its mesh is refused, not minted for.
 */
const struct given_identity *identity_files_get(
    const struct identity_files *f, size_t *n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_TLS_FILES_H
#define DAEMON_TLS_FILES_H

/*
 * The files that tls.ca and tls.crl of services name.  Of each the last good
 * content stays.  Main thread.
 */

#include <stddef.h>

#include "base/attr.h"
#include "daemon/file_look.h"
#include "policy/snapshot.h"

struct config;
struct problems;
struct tls_files;

struct tls_files *tls_files_new(void) MUST_CHECK;
/* NULL is fine. */
void tls_files_free(struct tls_files *f);

/* Read them all again. */
void tls_files_read(
    struct tls_files *f, const struct config *c, struct problems *pr);
/* Compare with what was there when they were read; nothing is opened. */
enum file_state tls_files_look(struct tls_files *f);
/* How many there are to look at. */
size_t tls_files_count(const struct tls_files *f);
/* For struct build_settings; valid until the next read. */
const struct given_file *tls_files_get(const struct tls_files *f, size_t *n);

#endif

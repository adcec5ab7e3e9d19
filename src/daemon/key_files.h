/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_KEY_FILES_H
#define DAEMON_KEY_FILES_H

/*
 * Certificates and keys that the configuration names: those of `identity`, and
 * tls.cert and tls.key of `services`.  A certificate and its key are taken
 * together, or the pair that was good before stays.  Main thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "daemon/file_look.h"
#include "policy/snapshot.h"

struct config;
struct key_files;
struct problems;

struct key_files *key_files_new(void) MUST_CHECK;
/* Keys are wiped.  NULL is fine. */
void key_files_free(struct key_files *f);

/* Read them all again. */
void key_files_read(
    struct key_files *f, const struct config *c, struct problems *pr);

/* Compare with what was there when they were read; nothing is opened. */
enum file_state key_files_look(struct key_files *f);
/* How many there are to look at. */
size_t key_files_count(const struct key_files *f);

/*
 * For struct build_settings; valid until the next read.  An identity that was
 * never good has no certificate: its mesh is refused, not minted for.  Nor has
 * a pair that was never good.  Pairs are in the order of given_pair_cmp().
 */
const struct given_identity *key_files_identities(
    const struct key_files *f, size_t *n);
const struct given_pair *key_files_pairs(const struct key_files *f, size_t *n);

#endif

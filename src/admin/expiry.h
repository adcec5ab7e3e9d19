/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_EXPIRY_H
#define ADMIN_EXPIRY_H

/*
 * When what ends: our certificates, CAs, and the chains that servers have
 * shown.  Told as metrics (zegress_not_after_seconds), by the log when an end
 * comes near, and to whoever asks.  Main thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct chain_book;
struct expiry;
struct service;
struct snapshot;
struct stats_shard;
struct tls_identities;

/* Days before the end at which the log warns, most first. */
#define EXPIRY_DAYS_MOST 16
struct expiry_days {
	unsigned v[EXPIRY_DAYS_MOST];
	size_t n;
};
/* Of "30 7 1", in any order; false: it is not of that form. */
bool expiry_days_parse(struct str text, struct expiry_days *out) MUST_CHECK;

/* Both outlive it; stats is main's. */
struct expiry *expiry_new(
    struct stats_shard *stats, struct chain_book *chains) MUST_CHECK;
/* NULL is fine. */
void expiry_free(struct expiry *e);

/* These are in force now; t may be NULL. */
void expiry_follow(
    struct expiry *e, const struct snapshot *s, const struct tls_identities *t);
/* Once a second or so: what servers have shown, and who is to be warned. */
void expiry_look(
    struct expiry *e, const struct expiry_days *days, int64_t now_s);

/* A line for each that the log has warned of and that is not mended. */
void expiry_print_near(const struct expiry *e, int64_t now_s, struct text *out);
/* All that is known of one service, a line each. */
void expiry_print_service(
    const struct expiry *e, const struct service *s, struct text *out);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_SHARE_H
#define POLICY_SHARE_H

/*
 * What the objects of one build share with each other and with the snapshot
 * before: blobs by content, TLS settings, options, relays, rules and
 * traffic policies by digest.  It also remembers which PEM was checked, so that
 * ten thousand services with one CA check it once.  Lives as long as the build.
 * Main thread.
 */

#include <stdbool.h>

#include "policy/service.h"

struct fingerprint;
struct share;
struct snapshot;
struct tls_ops;

/* tls may be NULL: then all PEM is taken as good.  Borrows both. */
struct share *share_new(
    const struct tls_ops *tls, struct fingerprint *f) MUST_CHECK;
void share_free(struct share *sh);
/* All that prev holds was checked when it was made.  prev may be NULL. */
void share_seed(struct share *sh, const struct snapshot *prev);

/* Borrowed: lives as long as sh, or as a reference that is taken. */
struct blob *share_blob(struct share *sh, struct str bytes);
/* False: the reason is added to why. */
bool share_check_ca(struct share *sh, struct blob *ca, struct text *why);
bool share_check_pair(struct share *sh, const struct blob *cert,
    const struct blob *key, struct text *why);

/* A reference each, equal to the draft; the draft keeps what it holds. */
struct tls_spec *share_tls(
    struct share *sh, const struct tls_spec *draft) MUST_CHECK;
struct service_options *share_options(
    struct share *sh, struct service_options *value) MUST_CHECK;
struct rule_block *share_rules(
    struct share *sh, struct rule_block *draft) MUST_CHECK;
struct traffic_policy *share_traffic(
    struct share *sh, struct traffic_policy *draft) MUST_CHECK;
/* For endpoints without TLS that many services have in common. */
struct endpoint *share_relay(
    struct share *sh, struct endpoint *draft) MUST_CHECK;

#endif

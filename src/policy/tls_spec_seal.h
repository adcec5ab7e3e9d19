/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TLS_SPEC_SEAL_H
#define POLICY_TLS_SPEC_SEAL_H

/* From a draft of TLS settings to the counted object; see share.h. */

#include "policy/tls_spec.h"

struct fingerprint;

struct digest tls_spec_digest(const struct tls_spec *t, struct fingerprint *f);
/* A copy of all that draft points to; its blobs get a reference more. */
struct tls_spec *tls_spec_new(
    const struct tls_spec *draft, const struct digest *digest) MUST_CHECK;

#endif

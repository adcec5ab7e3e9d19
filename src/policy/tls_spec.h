/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TLS_SPEC_H
#define POLICY_TLS_SPEC_H

/*
 * How TLS towards one external server is to be set up: everything that makes a
 * difference, and nothing else, so that equal specs (by digest) share one
 * context.  Immutable, counted.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/ref.h"
#include "base/str.h"
#include "policy/blob.h"

enum tls_name_match { TLS_NAME_EXACT, TLS_NAME_PREFIX };

struct tls_name {
	enum tls_name_match match;
	struct str value; /* DNS name, IP address or URI: compared as such */
};

struct tls_spec {
	struct ref ref;
	struct digest digest;
	struct str sni; /* empty: none is sent */
	bool verify_chain;
	bool verify_names;  /* one of names must match a SAN */
	bool use_system_ca; /* else ca; only with verify_chain */
	struct blob *ca;
	struct tls_name *names;
	size_t n_names;
	struct blob *cert; /* both or neither */
	struct blob *key;
	uint16_t min_version; /* 0x0303 … */
	uint16_t max_version;
	bool allow_renegotiation;
	struct str alpn; /* ids in order, by comma; empty: none offered */
};

struct tls_spec *tls_spec_ref(struct tls_spec *t);
void tls_spec_unref(struct tls_spec *t);

#endif

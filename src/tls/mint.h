/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_MINT_H
#define TLS_MINT_H

/*
 * The egress's certificate for one mesh, issued by the mesh's CA: a fresh
 * ECDSA P-256 key, the names of Kuma section 4.6, a short life.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct mint_request {
	struct str mesh;
	struct str ca_cert_pem; /* the first certificate issues */
	struct str ca_key_pem;
	uint64_t life_s;
	int64_t now_s;
};

/* False: why says what is wrong with the CA and what to do. */
bool mint_leaf(const struct mint_request *rq, X509 **leaf, EVP_PKEY **key,
    struct text *why) MUST_CHECK;

#endif

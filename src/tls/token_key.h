/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TOKEN_KEY_H
#define TLS_TOKEN_KEY_H

/* From the name of a token's key to the key: for whoever reads PEM. */

#include <openssl/evp.h>

#include "base/str.h"

/* A reference, or NULL: it is no such name. */
EVP_PKEY *token_find(struct str name) MUST_CHECK;

#endif

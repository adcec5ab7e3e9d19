/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_LEAN_KDF_H
#define TLS_LEAN_KDF_H

/*
 * The key derivations of TLS 1.2 and 1.3 as algorithms of an OpenSSL provider:
 * what libssl asks for by name in every handshake of the lean context.
 */

#include <openssl/core.h>

/* Ends with a row without names. */
extern const OSSL_ALGORITHM lean_kdfs[];

#endif

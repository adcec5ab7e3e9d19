/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_LEAN_H
#define TLS_LEAN_H

/*
 * A library context for connections: the default provider's own code, with no
 * more to choose from than certificates and handshakes of TLS can name.
 */

#include <openssl/crypto.h>
#include <openssl/provider.h>

/*
 * from: the loaded provider whose code it is; it must stay loaded for as long
 * as the process lives.  One call a process.  NULL: cannot be made.
 */
OSSL_LIB_CTX *lean_new(OSSL_PROVIDER *from);

/* The process's own one, and that which offers everything. */
OSSL_LIB_CTX *lean_library(void);
OSSL_LIB_CTX *lean_whole_library(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

/*
 * Is the other side who it must be?  Chain and purpose by OpenSSL, names and
 * SPIFFE by us, and which alert says no as recorded from the real egress.
 * Both are for SSL_CTX_set_cert_verify_callback(); what they find goes to the
 * connection's struct tls_peer.
 */

#include <openssl/ssl.h>

int verify_caller(X509_STORE_CTX *x, void *arg);
int verify_server(X509_STORE_CTX *x, void *arg);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_VERIFY_NAME_H
#define TLS_VERIFY_NAME_H

/*
 * The names that a server may show.  Only subjectAltName counts, never the
 * common name (RFC 9525).
 */

#include <openssl/x509.h>
#include <stdbool.h>

#include "base/str.h"
#include "policy/tls_spec.h"

/* "api.example or *.other.example", bounded. */
void verify_name_print(
    const struct tls_name *names, size_t n, struct text *out);
/* Does one of the names stand in the certificate?  Else why lists both. */
bool verify_names(const X509 *leaf, const struct tls_name *names, size_t n,
    struct text *why) MUST_CHECK;

#endif

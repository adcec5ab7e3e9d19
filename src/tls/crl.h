/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_CRL_H
#define TLS_CRL_H

/* Certificate revocation lists (RFC 5280, section 5) out of PEM. */

#include <openssl/x509.h>
#include <stdint.h>

#include "base/str.h"

/* At least one; NULL with the reason in why.  Caller frees. */
STACK_OF(X509_CRL) * crl_read(struct str pem, struct text *why) MUST_CHECK;
void crl_free(STACK_OF(X509_CRL) * crls);
/* The earliest nextUpdate, seconds since 1970; INT64_MAX: none has one. */
int64_t crl_earliest_end(const STACK_OF(X509_CRL) * crls);

#endif

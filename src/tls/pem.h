/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_PEM_H
#define TLS_PEM_H

/* Checks of PEM at build time, given to policy as its struct tls_ops. */

#include "policy/snapshot.h"

extern const struct tls_ops pem_ops;

/* notAfter of the first certificate, seconds since 1970; 0 when unreadable. */
int64_t pem_not_after(struct str cert_pem);
/* The earliest of all that are in it, likewise. */
int64_t pem_earliest_end(struct str certs_pem);

#endif

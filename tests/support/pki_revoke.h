/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PKI_REVOKE_H
#define SUPPORT_PKI_REVOKE_H

/*
 * What a CA says of certificates that it issued: revocation lists and answers
 * of OCSP, right ones and wrong ones.  Whatever cannot be made ends the
 * program.  Any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/pki.h"

/*
 * A list of ca, PEM, to free(); next_s: from now, 0: in a day, negative: it is
 * out of date.  The revoked follow, NULL ends them.
 */
char *pki_crl(const struct pki *ca, int64_t next_s, ...);

enum pki_status { PKI_GOOD, PKI_REVOKED, PKI_UNKNOWN };

struct pki_staple {
	const struct pki *issuer;
	const struct pki *leaf;   /* that it is about */
	const struct pki *signer; /* NULL: the issuer */
	enum pki_status status;
	int64_t from_s;     /* from now; 0: a minute ago */
	int64_t next_s;     /* from now; 0: in an hour */
	bool is_open_ended; /* without the time of the next one */
	bool by_sha256;
	bool is_error; /* "try later" */
};

/* DER, to free(). */
unsigned char *pki_staple_new(const struct pki_staple *o, size_t *n);

#endif

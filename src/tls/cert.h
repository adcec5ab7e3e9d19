/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_CERT_H
#define TLS_CERT_H

/* What a certificate says, as numbers, views and text for people.  Pure. */

#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* Seconds since 1970; 0 when unreadable. */
int64_t cert_seconds(const ASN1_TIME *t);
int64_t cert_not_before(const X509 *c);
int64_t cert_not_after(const X509 *c);
/* The earliest notAfter; INT64_MAX when the list is empty. */
int64_t cert_earliest_end(const STACK_OF(X509) * certs);
/* The latest notBefore; INT64_MIN when the list is empty. */
int64_t cert_latest_start(const STACK_OF(X509) * certs);

enum san_kind { SAN_DNS, SAN_URI, SAN_IP, SAN_EMAIL };

struct san {
	enum san_kind kind;
	struct str value; /* SAN_IP: 4 or 16 bytes */
};

struct sans {
	struct san *v;
	size_t n;
	bool is_odd; /* unreadable, doubled, or with a NUL or non-ASCII byte */
	GENERAL_NAMES *owner; /* the views are into it */
};
void cert_sans(const X509 *c, struct sans *out);
void cert_sans_free(struct sans *s);

/*
 * For people, bounded, only printable ASCII: the subject, or the first name if
 * there is no subject; the issuer; all names; a day as "2026-11-23 10:00 UTC".
 */
void cert_print_subject(const X509 *c, struct text *out);
void cert_print_issuer(const X509 *c, struct text *out);
void cert_print_sans(const struct sans *s, struct text *out);
void cert_print_time(int64_t s, struct text *out);
/* s with everything but printable ASCII as '?', cut at max. */
void cert_print_clean(struct str s, size_t max, struct text *out);

#endif

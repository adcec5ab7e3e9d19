/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_WILDCARD_H
#define POLICY_WILDCARD_H

/*
 * Services that stand for all names under a suffix, as "*.s3.example": which
 * name does a caller ask for, and is it one of them?  The star is for one or
 * more labels, so the suffix alone is none.  What is let through is a plain
 * name of DNS in lower case, at most 253 bytes long; every other way to write
 * one (a dot at the end, an address, other bytes than ASCII) is refused, and
 * never mended.  Pure.
 */

#include <stdint.h>

#include "base/str.h"

#define WILDCARD_NAME_MAX 253 /* RFC 1035, section 2.3.4 */

enum wildcard_fit {
	WILDCARD_FITS,
	WILDCARD_NO_NAME, /* nothing was asked for */
	WILDCARD_BAD_NAME,
	WILDCARD_OUTSIDE, /* a name, and not under the suffix */
	WILDCARD_OTHER_PORT
};

/* May an operator write this?  "*." and a name of two labels or more. */
bool wildcard_is_valid(struct str pattern) MUST_CHECK;

/* out: the name, folded and terminated, if it fits; else empty. */
enum wildcard_fit wildcard_name(struct str pattern, struct str name,
    char out[WILDCARD_NAME_MAX + 1]) MUST_CHECK;
/* The same of a Host or :authority, whose port is this one or not given. */
enum wildcard_fit wildcard_authority(struct str pattern, struct str authority,
    uint16_t port, char out[WILDCARD_NAME_MAX + 1]) MUST_CHECK;

/* For the log and for people. */
const char *wildcard_fit_text(enum wildcard_fit f);

#endif

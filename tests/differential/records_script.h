/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_RECORDS_SCRIPT_H
#define DIFFERENTIAL_RECORDS_SCRIPT_H

/*
 * What goes to the wire in one stream: what OpenSSL would send, what it never
 * would, and bytes that were changed on their way.
 */

#include "differential/records_pair.h"

/* Writes, key updates, tickets, padding, and perhaps the end. */
void script_honest(struct pair *p, struct dice *d);
/* Sealed as it should be, but odd inside. */
void script_forged(struct pair *p, struct dice *d);
/* Flip, cut, drop, double, swap, insert. */
void script_change(struct pair *p, struct dice *d);

#endif

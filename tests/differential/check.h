/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_CHECK_H
#define DIFFERENTIAL_CHECK_H

/*
 * What must hold between readings of the same bytes, and between what was read
 * and what was sent on.  NULL: it holds; else in a few words what does not.
 */

#include "differential/gateway.h"
#include "differential/reading.h"

/*
 * In one piece it is the same; both are ours.  Of a head that is not complete a
 * bad line may be noticed later in pieces: it is not read again for each.
 */
const char *check_pieces(
    const struct reading *ours, const struct reading *whole, struct str bytes);
/* The parser and the session are one reader. */
const char *check_session(
    const struct reading *ours, const struct reading *session);

/* Where we accept and they do not, and why that is right. */
struct exception {
	const char *what;
	const char *reason; /* of RFC 9110 or 9112 */
	uint64_t times;     /* that it was met */
};
#define EXCEPTIONS 3
extern struct exception exceptions[EXCEPTIONS];

/* What we take, they take and read alike. */
const char *check_theirs(
    const struct reading *ours, const struct reading *theirs);
/* What was sent is what was taken, made ours, to both readers. */
const char *check_sent(const struct passage *p, const struct stream_kind *kind);

#endif

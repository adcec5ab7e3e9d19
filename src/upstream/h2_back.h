/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_H2_BACK_H
#define UPSTREAM_H2_BACK_H

/* An HTTP/2 connection to a server, shared by as many exchanges as it takes. */

#include "http/h2_session.h"
#include "upstream/back.h"
#include "upstream/reach.h"

/*
 * Takes wire and guard out of r.  expected: how many streams the server will
 * allow, until its SETTINGS have said so; 0: nothing is known.
 */
struct back *h2_back_new(struct reached *r, const struct http_limits *http,
    const struct h2_limits *limits, unsigned expected) MUST_CHECK;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_H1_BACK_H
#define UPSTREAM_H1_BACK_H

/* An HTTP/1.1 connection to a server, for one exchange at a time. */

#include "http/h1_session.h"
#include "upstream/back.h"
#include "upstream/reach.h"

/* Takes wire and guard out of r. */
struct back *h1_back_new(
    struct reached *r, const struct http_limits *limits) MUST_CHECK;

#endif

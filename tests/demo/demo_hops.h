/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DEMO_DEMO_HOPS_H
#define DEMO_DEMO_HOPS_H

/* What an egress wrote into its access log, in plain words. */

#include <stdbool.h>

#include "support/egress.h"

/*
 * Waits for the line of this kind ("connection", "request") for service that
 * comes after the first `skip` of them, and tells it.  False: none came.
 */
bool hops_tell(
    struct egress *e, const char *kind, const char *service, unsigned skip);

#endif

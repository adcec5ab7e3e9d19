/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_NAME_H
#define UPSTREAM_NAME_H

/*
 * For whoever reaches a service: which name is wanted, if the service is a
 * wildcard.  Own thread.
 */

#include "base/str.h"
#include "upstream/cluster.h"

struct upstream_name;

enum name_asked {
	NAME_AUTHORITY, /* Host or :authority, perhaps with a port */
	NAME_SNI
};

enum name_result {
	NAME_GIVEN,
	NAME_REFUSED, /* the wildcard is not for it */
	NAME_FULL     /* wildcard_names is reached */
};

/*
 * What the cluster's service makes of what was asked for.  NAME_GIVEN: *out is
 * a reference for the want of a reach or a lease, which take their own; NULL
 * if the service has no wildcard.  Else *why is a sentence for the log.
 */
enum name_result upstream_name_get(struct cluster *c, enum name_asked how,
    struct str asked, struct upstream_name **out, const char **why) MUST_CHECK;
/* NULL is fine.  Before the reference to the cluster goes. */
void upstream_name_unref(struct upstream_name *n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_ADMIN_ROUTE_H
#define ADMIN_ADMIN_ROUTE_H

/* What the admin address answers.  It only shows: nothing changes by it. */

#include "admin/source.h"
#include "http/server.h"

/* For server_new(): arg is the struct admin_source. */
void admin_route_handle(
    void *arg, const struct server_request *q, struct server_answer *a);

#endif

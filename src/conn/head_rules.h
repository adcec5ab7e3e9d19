/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_HEAD_RULES_H
#define CONN_HEAD_RULES_H

/*
 * What a gateway makes of the heads that pass it, and what it reads in them.
 * Pure but for the random number of an id.
 */

#include <stdbool.h>

#include "http/head.h"

#define REQUEST_ID_TEXT 37

/*
 * A request that leaves is our own: nothing of the caller's connection,
 * nothing of the mesh.  True: it had no x-request-id, and got one, which is
 * written to id and has to live as long as the head.
 */
bool head_make_ours(struct head *q, char id[REQUEST_ID_TEXT]);
/* Sent twice it does what it does once (RFC 9110, section 9.2.2). */
bool method_is_idempotent(struct str method);
/* The server will take the connection for the caller (NTLM, Negotiate). */
bool head_binds_connection(const struct head *h);

#endif

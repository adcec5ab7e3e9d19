/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_HEAD_RULES_H
#define CONN_HEAD_RULES_H

/*
 * What a gateway makes of the heads that pass it, and what it reads in them.
 * Pure but for the random number of an id.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "http/head.h"
#include "http/stream.h"
#include "net/addr.h"
#include "policy/identity.h"
#include "policy/service_options.h"

#define REQUEST_ID_TEXT 37

/* What the rules need to know of a message's way. */
struct head_rules {
	const struct service_options
	    *options; /* its strings outlive the head */
	/* The side that the message came from speaks it. */
	enum http_version version;
	/* Of requests only. */
	const struct identity *identity; /* the caller's */
	const struct addr *from;         /* likewise */
	struct str own_spiffe;           /* our name in its mesh; empty: none */
	/* Values that are made live here: as long as the head. */
	struct arena *arena;
};

/*
 * A request that leaves is our own: nothing of the caller's connection,
 * nothing of the mesh but what the options say.  True: it had no x-request-id
 * worth keeping, and got one, which is written to id and has to live as long
 * as the head.
 */
bool head_make_ours(
    struct head *q, char id[REQUEST_ID_TEXT], const struct head_rules *r);
/* A final answer on its way to the caller, likewise; interim ones stay. */
void head_answer_ours(struct head *a, const struct head_rules *r);
/* Sent twice it does what it does once (RFC 9110, section 9.2.2). */
bool method_is_idempotent(struct str method);
/* The server will take the connection for the caller (NTLM, Negotiate). */
bool head_binds_connection(const struct head *h);

#endif

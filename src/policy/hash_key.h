/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_HASH_KEY_H
#define POLICY_HASH_KEY_H

/*
 * One thing of a caller or a request that an endpoint is chosen by, as
 * balance.hash of a service names it: "KIND[:NAME] [ttl=SECONDS] [path=PATH]
 * [terminal]".  Pure.
 */

#include <stdbool.h>

#include "base/str.h"

enum hash_of {
	HASH_OF_CALLER, /* its SPIFFE identity */
	HASH_OF_SOURCE, /* its address */
	HASH_OF_HEADER,
	HASH_OF_COOKIE,
	HASH_OF_QUERY, /* a parameter */
	HASH_OF_PATH,
	HASH_OF_HOST
};

struct hash_key {
	enum hash_of of;
	struct str name; /* of a header, cookie, parameter; within the text */
	/* Those behind it count only while there is nothing yet. */
	bool is_terminal;
	/* Of a cookie: whoever has none is given one. */
	bool is_given;
	unsigned ttl_s;  /* 0: for the caller's session */
	struct str path; /* empty: not said */
};

/* "caller", "header:x-user" and so on; false: it is none. */
bool hash_key_parse(struct str text, struct hash_key *out) MUST_CHECK;
/* Only a request has it, a connection has not. */
bool hash_key_is_of_request(const struct hash_key *k);

#endif

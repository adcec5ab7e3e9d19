/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_PRINCIPAL_H
#define POLICY_PRINCIPAL_H

/*
 * Whom a rule speaks of, by the URIs in the certificate of the caller
 * (spiffe://mesh/service, kuma://tag/value), and by the server name that it
 * asked for.  Pure; any thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct fingerprint;
struct identity;
struct pack;

/* One thing that must be so of the caller's URIs. */
struct uri_test {
	struct str uri;
	bool is_prefix;  /* one of them begins so; else: is it, whole */
	bool is_negated; /* none does */
	/* Of the server name instead, in lower case; neither of the above. */
	bool is_sni;
};

/* All tests hold. */
struct principal {
	struct uri_test *tests;
	size_t n_tests; /* 0: any caller of the mesh */
};

/* sni: in lower case; empty where nothing asks for it. */
bool principal_matches(
    const struct principal *p, const struct identity *id, struct str sni);
/* One of them does. */
bool principals_match(const struct principal *v, size_t n,
    const struct identity *id, struct str sni);

/* For people: "spiffe://mesh/web and not kuma://version/1". */
void principal_print(const struct principal *p, struct text *out);

/* To make shared objects of them: see pack.h. */
void principal_fingerprint(const struct principal *p, struct fingerprint *f);
struct principal *principals_lay_out(
    struct pack *k, const struct principal *v, size_t n);

#endif

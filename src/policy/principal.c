/* SPDX-License-Identifier: Apache-2.0 */
/* See principal.h. */

#include "policy/principal.h"

#include <stdalign.h>

#include "policy/fingerprint.h"
#include "policy/identity.h"
#include "policy/pack.h"

static bool
has_prefix(const struct identity *id, struct str prefix)
{
	for (size_t i = 0; i < id->n_uris; i++)
		if (str_starts(id->uris[i], prefix))
			return true;
	return false;
}

static bool
holds(const struct uri_test *t, const struct identity *id, struct str sni)
{
	bool has;

	if (t->is_sni)
		return str_eq(t->uri, sni);
	has = t->is_prefix ? has_prefix(id, t->uri) : identity_has(id, t->uri);
	return has != t->is_negated;
}

bool
principal_matches(
    const struct principal *p, const struct identity *id, struct str sni)
{
	for (size_t i = 0; i < p->n_tests; i++)
		if (!holds(&p->tests[i], id, sni))
			return false;
	return true;
}

bool
principals_match(const struct principal *v, size_t n, const struct identity *id,
    struct str sni)
{
	for (size_t i = 0; i < n; i++)
		if (principal_matches(&v[i], id, sni))
			return true;
	return false;
}

void
principal_print(const struct principal *p, struct text *out)
{
	if (p->n_tests == 0)
		text_add_z(out, "any caller of the mesh");
	for (size_t i = 0; i < p->n_tests; i++)
		text_addf(out, "%s%s%s%.*s%s", i == 0 ? "" : " and ",
		    p->tests[i].is_negated ? "not " : "",
		    p->tests[i].is_sni ? "sni " : "", STR_ARG(p->tests[i].uri),
		    p->tests[i].is_prefix ? "*" : "");
}

void
principal_fingerprint(const struct principal *p, struct fingerprint *f)
{
	fingerprint_u64(f, p->n_tests);
	for (size_t i = 0; i < p->n_tests; i++) {
		fingerprint_str(f, p->tests[i].uri);
		fingerprint_u64(f, p->tests[i].is_prefix);
		fingerprint_u64(f, p->tests[i].is_negated);
		fingerprint_u64(f, p->tests[i].is_sni);
	}
}

static struct uri_test *
lay_out_tests(struct pack *k, const struct principal *p)
{
	struct uri_test *copy = pack_copy(k, p->tests,
	    p->n_tests * sizeof(*p->tests), alignof(struct uri_test));

	for (size_t i = 0; i < p->n_tests; i++) {
		struct str uri = pack_str(k, p->tests[i].uri);

		if (copy != NULL)
			copy[i].uri = uri;
	}
	return copy;
}

struct principal *
principals_lay_out(struct pack *k, const struct principal *v, size_t n)
{
	struct principal *copy =
	    pack_copy(k, v, n * sizeof(*v), alignof(struct principal));

	for (size_t i = 0; i < n; i++) {
		struct uri_test *tests = lay_out_tests(k, &v[i]);

		if (copy != NULL)
			copy[i].tests = tests;
	}
	return copy;
}

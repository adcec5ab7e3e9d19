/* SPDX-License-Identifier: Apache-2.0 */
/* See head_rules.h.  No state; any thread. */

#include "conn/head_rules.h"

#include "base/rng.h"

/* Only we could say these, and nobody outside needs to know. */
static const enum field_id dropped[] = {
	FIELD_X_FORWARDED_CLIENT_CERT,
	FIELD_X_KUMA_TAGS,
};

bool
head_make_ours(struct head *q, char id[REQUEST_ID_TEXT])
{
	head_remove_hop_by_hop(q);
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		head_remove(q, dropped[i]);
	if (head_get(q, FIELD_X_FORWARDED_PROTO).p == NULL)
		head_add(q, STR("x-forwarded-proto"), STR("https"));
	if (head_get(q, FIELD_X_REQUEST_ID).p != NULL)
		return false;
	rng_uuid(id);
	head_add(q, STR("x-request-id"), str_of(id));
	return true;
}

bool
method_is_idempotent(struct str method)
{
	static const struct str idempotent[] = { STR("GET"), STR("HEAD"),
		STR("OPTIONS"), STR("TRACE"), STR("PUT"), STR("DELETE") };

	for (size_t i = 0; i < ARRAY_LEN(idempotent); i++)
		if (str_eq(method, idempotent[i]))
			return true;
	return false;
}

/*
 * Challenges and their parameters stand in one list (RFC 9110, section 11.6.1),
 * so each element is looked at.  A comma within quotes makes us see one too
 * many, which only costs a connection.
 */
static bool
names_binding_scheme(struct str challenges)
{
	struct str element, scheme;

	while (challenges.p != NULL) {
		element = str_trim(str_cut(&challenges, ','));
		scheme = str_cut(&element, ' ');
		if (str_eq_nocase(scheme, STR("NTLM")) ||
		    str_eq_nocase(scheme, STR("Negotiate")))
			return true;
	}
	return false;
}

bool
head_binds_connection(const struct head *h)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (h->fields[i].id == FIELD_WWW_AUTHENTICATE &&
		    names_binding_scheme(h->fields[i].value))
			return true;
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An endpoint for a name.  A resource that checks no names (skipHostname-
 * Verification, SkipSAN) does so for each name alike; one that does expects
 * the name that was asked for, and nothing beside it: what subjectAltNames
 * lists would let any of these servers pose as each other.  What tls.sni and
 * tls.names of the configuration say holds for all of them.
 */

#include "policy/endpoint_named.h"

#include "policy/fingerprint.h"
#include "policy/service_seal.h"
#include "policy/tls_spec_seal.h"

static struct tls_spec *
tls_named(
    const struct tls_spec *resource, struct str name, struct fingerprint *f)
{
	struct tls_name expected = { .match = TLS_NAME_EXACT, .value = name };
	struct tls_spec draft;
	struct digest d;

	if (resource == NULL)
		return NULL;
	draft = *resource;
	if (!draft.is_sni_given)
		draft.sni = name;
	if (!draft.are_names_given) {
		draft.names = &expected;
		draft.n_names = draft.verify_names ? 1 : 0;
	}
	d = tls_spec_digest(&draft, f);
	return tls_spec_new(&draft, &d);
}

struct digest
endpoint_named_digest(
    const struct endpoint *resource, struct str name, struct fingerprint *f)
{
	fingerprint_digest(f, &resource->digest);
	fingerprint_str(f, name);
	return fingerprint_take(f);
}

struct endpoint *
endpoint_named(
    const struct endpoint *resource, struct str name, struct fingerprint *f)
{
	struct endpoint draft = *resource, *e;
	struct text key = TEXT_EMPTY;

	text_addf(&key, "%.*s@%.*s", STR_ARG(resource->key), STR_ARG(name));
	draft.key = text_str(&key);
	draft.host = name;
	draft.host_is_address = false;
	draft.tls = tls_named(resource->tls, name, f);
	e = endpoint_seal(&draft, NULL, f);
	e->digest = endpoint_named_digest(resource, name, f);
	text_free(&key);
	return e;
}

/* No name has an "@". */
struct str
endpoint_named_resource(struct str key)
{
	size_t i = key.len;

	while (i > 0 && key.p[i - 1] != '@')
		i--;
	return i > 0 ? str_first(key, i - 1) : key;
}

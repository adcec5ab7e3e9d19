/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life and digest of a TLS setting.  What resources mean by it is decided in
 * compile_tls.c; contexts are made of it in tls/.  Any thread may take and
 * drop references.
 */

#include "policy/tls_spec.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "policy/fingerprint.h"
#include "policy/pack.h"
#include "policy/tls_spec_seal.h"

struct tls_spec *
tls_spec_ref(struct tls_spec *t)
{
	ref_up(&t->ref);
	return t;
}

void
tls_spec_unref(struct tls_spec *t)
{
	if (t == NULL || !ref_down(&t->ref))
		return;
	blob_unref(t->ca);
	blob_unref(t->crl);
	blob_unref(t->cert);
	blob_unref(t->key);
	free(t);
}

struct str
tls_spec_choice(const struct tls_spec *t, enum tls_choice what)
{
	return t->choices != NULL ? t->choices[what] : STR_NONE;
}

static void
add_blob(struct fingerprint *f, const struct blob *b)
{
	fingerprint_u64(f, b != NULL);
	if (b != NULL)
		fingerprint_digest(f, &b->digest);
}

static void
add_switches(struct fingerprint *f, const struct tls_spec *t)
{
	enum tls_choice i;

	fingerprint_u64(f, t->is_sni_given);
	fingerprint_u64(f, t->are_names_given);
	fingerprint_u64(f, t->is_weak);
	fingerprint_u64(f, t->renegotiations);
	fingerprint_u64(f, t->no_resumption);
	add_blob(f, t->crl);
	fingerprint_u64(f, t->crl_whole_chain);
	fingerprint_u64(f, t->ocsp);
	for (i = 0; i < TLS_CHOICE_N; i++)
		fingerprint_str(f, tls_spec_choice(t, i));
}

struct digest
tls_spec_digest(const struct tls_spec *t, struct fingerprint *f)
{
	size_t i;

	fingerprint_str(f, t->sni);
	fingerprint_u64(f, t->verify_chain);
	fingerprint_u64(f, t->verify_names);
	fingerprint_u64(f, t->use_system_ca);
	add_blob(f, t->ca);
	fingerprint_u64(f, t->n_names);
	for (i = 0; i < t->n_names; i++) {
		fingerprint_u64(f, t->names[i].match);
		fingerprint_u64(f, t->names[i].kind);
		fingerprint_str(f, t->names[i].value);
	}
	add_blob(f, t->cert);
	add_blob(f, t->key);
	fingerprint_u64(f, t->min_version);
	fingerprint_u64(f, t->max_version);
	fingerprint_u64(f, t->allow_renegotiation);
	fingerprint_str(f, t->alpn);
	add_switches(f, t);
	return fingerprint_take(f);
}

static struct tls_spec *
lay_out(struct pack *k, const struct tls_spec *draft)
{
	struct tls_spec all = *draft;
	struct tls_spec *t;
	struct str value;
	size_t i;

	t = pack_copy(k, draft, sizeof(*draft), alignof(struct tls_spec));
	all.sni = pack_str(k, draft->sni);
	all.alpn = pack_str(k, draft->alpn);
	if (draft->choices != NULL)
		all.choices = pack_strs(k, draft->choices, TLS_CHOICE_N);
	all.names = pack_copy(k, draft->names,
	    draft->n_names * sizeof(*draft->names), alignof(struct tls_name));
	for (i = 0; i < draft->n_names; i++) {
		value = pack_str(k, draft->names[i].value);
		if (all.names != NULL)
			all.names[i].value = value;
	}
	if (t != NULL)
		*t = all;
	return t;
}

struct tls_spec *
tls_spec_new(const struct tls_spec *draft, const struct digest *digest)
{
	struct pack count = { .base = NULL }, k = { .base = NULL };
	struct tls_spec *t;

	lay_out(&count, draft);
	k.base = xcalloc(1, count.used);
	t = lay_out(&k, draft);
	ref_init(&t->ref);
	t->digest = *digest;
	if (t->ca != NULL)
		blob_ref(t->ca);
	if (t->crl != NULL)
		blob_ref(t->crl);
	if (t->cert != NULL)
		blob_ref(t->cert);
	if (t->key != NULL)
		blob_ref(t->key);
	return t;
}

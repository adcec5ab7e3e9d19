/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts together as whom we answer for one mesh.  The certificate is given by
 * the configuration or minted; either way only the context keeps the key.
 * Made in the main thread, read and released in any.
 */

#include "tls/tls_mesh.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "tls/callers.h"
#include "tls/cert.h"
#include "tls/context.h"
#include "tls/mint.h"
#include "tls/pem_read.h"

/* Sessions and verified chains count where this is the same, nowhere else. */
static struct digest
scope_of(const char *mesh, STACK_OF(X509) * ca)
{
	struct digester *d = digester_new();
	struct digest result;
	unsigned char *der;
	int i, len;

	digester_add(d, str_of(mesh));
	for (i = 0; i < sk_X509_num(ca); i++) {
		der = NULL;
		len = i2d_X509(sk_X509_value(ca, i), &der);
		if (len < 0)
			abort();
		digester_add(d,
		    (struct str){ .p = (const void *)der, .len = (size_t)len });
		OPENSSL_free(der);
	}
	result = digester_take(d);
	digester_free(d);
	return result;
}

static struct callers *
callers_for(const struct tls_mesh *prev, const struct digest *scope)
{
	if (prev != NULL && digest_eq(callers_scope(prev->callers), scope))
		return callers_ref(prev->callers);
	return callers_new(scope);
}

static bool
mint_chain(const struct mesh_spec *spec, int64_t now_s, struct server_setup *s,
    struct text *why)
{
	struct mint_request rq = {
		.mesh = str_of(spec->mesh),
		.ca_cert_pem = blob_str(spec->ca_cert),
		.ca_key_pem = blob_str(spec->ca_key),
		.life_s = spec->leaf_life_s,
		.now_s = now_s,
	};
	X509 *leaf;

	if (!mint_leaf(&rq, &leaf, &s->key, why))
		return false;
	s->chain = sk_X509_new_null();
	if (s->chain == NULL || sk_X509_push(s->chain, leaf) == 0)
		abort();
	return true;
}

static bool
find_chain(const struct mesh_spec *spec, int64_t now_s, struct server_setup *s,
    struct text *why)
{
	int64_t end;

	if (spec->cert == NULL && spec->ca_key != NULL)
		return mint_chain(spec, now_s, s, why);
	if (spec->cert == NULL) {
		text_add(why, STR("the key of its CA is not among the "
				  "resources; add that Secret, or an entry to "
				  "identity in the configuration"));
		return false;
	}
	text_add(why, STR("the configured identity: "));
	if (!pem_read_pair(blob_str(spec->cert), blob_str(spec->key), &s->chain,
		&s->key, why))
		return false;
	end = cert_not_after(sk_X509_value(s->chain, 0));
	if (end > now_s) {
		text_free(why);
		return true;
	}
	text_add(why, STR("the certificate expired on "));
	cert_print_time(end, why);
	text_add(why, STR("; put a new one in its place"));
	return false;
}

static char *
first_uri(X509 *leaf)
{
	struct sans sans;
	struct str uri = STR("");
	char *copy;
	size_t i;

	cert_sans(leaf, &sans);
	for (i = 0; i < sans.n && uri.len == 0; i++)
		if (sans.v[i].kind == SAN_URI)
			uri = sans.v[i].value;
	copy = str_dup(uri);
	cert_sans_free(&sans);
	return copy;
}

/* Nobody could be verified any more once all of the set has expired. */
static bool
ca_is_alive(STACK_OF(X509) * ca, int64_t now_s, struct text *why)
{
	int i;

	for (i = 0; i < sk_X509_num(ca); i++)
		if (cert_not_after(sk_X509_value(ca, i)) > now_s)
			return true;
	text_add(why, STR("the CA certificate expired on "));
	cert_print_time(cert_not_after(sk_X509_value(ca, 0)), why);
	text_add(why, STR("; renew the mesh's CA"));
	return false;
}

static struct tls_mesh *
assemble(const struct mesh_spec *spec, struct server_setup *s, int64_t now_s,
    struct text *why)
{
	SSL_CTX *ctx = context_server_new(s, why);
	struct tls_mesh *m;
	X509 *leaf = sk_X509_value(s->chain, 0);

	if (ctx == NULL)
		return NULL;
	m = xcalloc(1, sizeof(*m));
	ref_init(&m->ref);
	m->spec_digest = spec->digest;
	m->mesh = xstrdup(spec->mesh);
	m->origin = xstrdup(spec->origin != NULL ? spec->origin : spec->mesh);
	m->spiffe = first_uri(leaf);
	m->ctx = ctx;
	m->callers = callers_ref(s->callers);
	m->is_minted = spec->cert == NULL;
	m->not_after_s = cert_not_after(leaf);
	m->ca_not_after_s = cert_earliest_end(s->ca);
	m->due_s = INT64_MAX;
	if (m->is_minted)
		m->due_s = now_s + 1 + (m->not_after_s - now_s - 1) * 4 / 5;
	return m;
}

struct tls_mesh *
tls_mesh_new(const struct mesh_spec *spec, const struct tls_mesh *prev,
    int64_t now_s, struct text *why)
{
	struct server_setup s = { .ca = NULL };
	struct tls_mesh *m = NULL;
	struct digest scope;

	text_add(why, STR("its CA set: "));
	s.ca = pem_read_certs(blob_str(spec->ca), why);
	if (s.ca != NULL)
		text_free(why);
	if (s.ca != NULL && ca_is_alive(s.ca, now_s, why) &&
	    find_chain(spec, now_s, &s, why)) {
		scope = scope_of(spec->mesh, s.ca);
		s.callers = callers_for(prev, &scope);
		m = assemble(spec, &s, now_s, why);
	}
	callers_unref(s.callers);
	pem_free_certs(s.ca);
	pem_free_certs(s.chain);
	EVP_PKEY_free(s.key);
	return m;
}

struct tls_mesh *
tls_mesh_ref(struct tls_mesh *m)
{
	ref_up(&m->ref);
	return m;
}

void
tls_mesh_unref(struct tls_mesh *m)
{
	if (m == NULL || !ref_down(&m->ref))
		return;
	SSL_CTX_free(m->ctx);
	callers_unref(m->callers);
	free(m->mesh);
	free(m->origin);
	free(m->spiffe);
	free(m);
}

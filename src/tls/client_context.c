/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's cache of client contexts and of the sessions made with them.  A
 * thousand services with equal settings share one context; one that nobody
 * used for a while is forgotten.  Sessions, and servers' chains that were
 * verified, are kept beside the contexts, so that they outlive them.  One
 * thread.
 */

#include "tls/client_context.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "tls/chain_table.h"
#include "tls/context.h"
#include "tls/crl.h"
#include "tls/peer.h"
#include "tls/session.h"

/* Endpoints whose sessions a worker keeps. */
#define SESSION_KEYS_MAX 1024

struct client_context {
	UT_hash_handle hh;
	struct tls_clients *owner; /* NULL: on its own, or outlived */
	struct tls_spec *spec;
	SSL_CTX *ctx;
	STACK_OF(X509_CRL) * crls; /* or NULL */
	unsigned refs;             /* the cache has one of them */
	uint64_t used_ms;
};

struct tls_clients {
	struct client_context *contexts;
	struct session_cache *sessions;
	struct chain_table *chains;
};

/* The digest of the settings, and the endpoint. */
static void
print_key(const struct client_context *c, struct str key, struct text *out)
{
	const struct digest *d = &c->spec->digest;

	text_add(
	    out, (struct str){ .p = (const void *)d->b, .len = sizeof(d->b) });
	text_add(out, key);
}

/* OpenSSL has a session for us: 1 says that we took its reference. */
static int
on_session(SSL *ssl, SSL_SESSION *s)
{
	struct tls_peer *p = peer_of(ssl);
	struct text key = TEXT_EMPTY;

	if (p->client->owner == NULL || p->session_key.len == 0)
		return 0;
	print_key(p->client, p->session_key, &key);
	session_put(
	    p->client->owner->sessions, text_str(&key), s, p->session_end_s);
	text_free(&key);
	return 1;
}

struct client_context *
client_context_new(struct tls_spec *spec, struct text *why)
{
	STACK_OF(X509_CRL) *crls = NULL;
	struct client_context *c;
	SSL_CTX *ctx;

	if (spec->crl != NULL) {
		crls = crl_read(blob_str(spec->crl), why);
		if (crls == NULL)
			return NULL;
	}
	ctx = context_client_new(spec, why);
	if (ctx == NULL) {
		crl_free(crls);
		return NULL;
	}
	SSL_CTX_sess_set_new_cb(ctx, on_session);
	c = xcalloc(1, sizeof(*c));
	c->spec = tls_spec_ref(spec);
	c->ctx = ctx;
	c->crls = crls;
	c->refs = 1;
	return c;
}

struct client_context *
client_context_get(
    struct tls_clients *clients, struct tls_spec *spec, struct text *why)
{
	struct client_context *c;

	HASH_FIND(
	    hh, clients->contexts, &spec->digest, sizeof(spec->digest), c);
	if (c == NULL) {
		c = client_context_new(spec, why);
		if (c == NULL)
			return NULL;
		c->owner = clients;
		HASH_ADD_KEYPTR(hh, clients->contexts, &c->spec->digest,
		    sizeof(c->spec->digest), c);
	}
	c->refs++;
	c->used_ms = clock_ms();
	return c;
}

void
client_context_unref(struct client_context *c)
{
	if (c == NULL)
		return;
	c->used_ms = clock_ms();
	if (--c->refs > 0)
		return;
	SSL_CTX_free(c->ctx);
	crl_free(c->crls);
	tls_spec_unref(c->spec);
	free(c);
}

SSL_CTX *
client_context_ssl(const struct client_context *c)
{
	return c->ctx;
}

const struct tls_spec *
client_context_spec(const struct client_context *c)
{
	return c->spec;
}

STACK_OF(X509_CRL) * client_context_crls(const struct client_context *c)
{
	return c->crls;
}

struct chain_table *
client_context_chains(const struct client_context *c)
{
	return c->owner != NULL ? c->owner->chains : NULL;
}

bool
client_context_resume(
    struct client_context *c, struct str key, SSL *ssl, int64_t *end_s)
{
	struct text full = TEXT_EMPTY;
	SSL_SESSION *s;
	bool is_offered;

	if (c->owner == NULL || key.len == 0)
		return false;
	print_key(c, key, &full);
	s = session_take(
	    c->owner->sessions, text_str(&full), clock_wall_s(), end_s);
	text_free(&full);
	is_offered = s != NULL && SSL_set_session(ssl, s) == 1;
	SSL_SESSION_free(s);
	return is_offered;
}

void
client_context_forget(struct client_context *c, struct str key)
{
	struct text full = TEXT_EMPTY;

	if (c->owner == NULL)
		return;
	print_key(c, key, &full);
	session_drop(c->owner->sessions, text_str(&full));
	text_free(&full);
}

struct tls_clients *
tls_clients_new(void)
{
	struct tls_clients *clients = xcalloc(1, sizeof(*clients));

	clients->sessions = session_cache_new(SESSION_KEYS_MAX);
	clients->chains = chain_table_new();
	return clients;
}

static void
drop(struct tls_clients *clients, struct client_context *c)
{
	HASH_DEL(clients->contexts, c);
	c->owner = NULL;
	client_context_unref(c);
}

void
tls_clients_free(struct tls_clients *clients)
{
	if (clients == NULL)
		return;
	while (clients->contexts != NULL)
		drop(clients, clients->contexts);
	session_cache_free(clients->sessions);
	chain_table_free(clients->chains);
	free(clients);
}

void
tls_clients_forget(struct tls_clients *clients, const struct tls_spec *spec)
{
	struct client_context *c;

	HASH_FIND(
	    hh, clients->contexts, &spec->digest, sizeof(spec->digest), c);
	if (c != NULL && c->refs == 1)
		drop(clients, c);
}

void
tls_clients_sweep(struct tls_clients *clients, uint64_t idle_ms)
{
	uint64_t now = clock_ms();
	struct client_context *c, *next;

	HASH_ITER(hh, clients->contexts, c, next)
	if (c->refs == 1 && now - c->used_ms >= idle_ms)
		drop(clients, c);
}

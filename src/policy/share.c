/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tables of what is shared, by content or digest.  Each entry holds one
 * reference until the build is over.  Main thread.
 */

#include "policy/share.h"

#include "base/hash.h"
#include "base/xalloc.h"
#include "policy/fingerprint.h"
#include "policy/service_option.h"
#include "policy/service_seal.h"
#include "policy/snapshot.h"
#include "policy/tls_spec_seal.h"

enum checked { UNCHECKED, GOOD, BAD };

struct blob_entry {
	struct blob *blob;
	enum checked as_ca;
	struct str why;
	UT_hash_handle hh; /* by content */
};

struct pair_entry {
	struct digest both[2]; /* certificate, key */
	bool is_good;
	struct str why;
	UT_hash_handle hh;
};

/* One of them; the key is a copy, for the object may be replaced. */
struct shared_entry {
	struct digest digest;
	struct tls_spec *tls;
	struct rule_block *rules;
	struct endpoint *relay;
	struct service_options *options;
	struct traffic_policy *traffic;
	UT_hash_handle hh;
};

struct share {
	const struct tls_ops *tls;
	struct fingerprint *fingerprint;
	struct blob_entry *blobs;
	struct pair_entry *pairs;
	struct shared_entry *specs;
	struct shared_entry *rules;
	struct shared_entry *relays;
	struct shared_entry *options;
	struct shared_entry *traffic;
	struct arena arena;
};

struct share *
share_new(const struct tls_ops *tls, struct fingerprint *f)
{
	struct share *sh = xcalloc(1, sizeof(*sh));

	sh->tls = tls;
	sh->fingerprint = f;
	arena_init(&sh->arena, 4096);
	return sh;
}

static void
drop_entries(struct shared_entry **table)
{
	struct shared_entry *e;

	for (e = *table; e != NULL; e = e->hh.next) {
		tls_spec_unref(e->tls);
		rule_block_unref(e->rules);
		endpoint_unref(e->relay);
		service_options_unref(e->options);
		traffic_policy_unref(e->traffic);
	}
	HASH_CLEAR(hh, *table);
}

void
share_free(struct share *sh)
{
	struct blob_entry *b;

	if (sh == NULL)
		return;
	for (b = sh->blobs; b != NULL; b = b->hh.next)
		blob_unref(b->blob);
	HASH_CLEAR(hh, sh->blobs);
	HASH_CLEAR(hh, sh->pairs);
	drop_entries(&sh->specs);
	drop_entries(&sh->rules);
	drop_entries(&sh->relays);
	drop_entries(&sh->options);
	drop_entries(&sh->traffic);
	arena_fini(&sh->arena);
	free(sh);
}

static struct blob_entry *
find_blob(struct share *sh, struct str bytes)
{
	struct blob_entry *e;

	HASH_FIND(hh, sh->blobs, bytes.p, bytes.len, e);
	return e;
}

/* Takes the reference over. */
static struct blob_entry *
add_blob(struct share *sh, struct blob *b)
{
	struct blob_entry *e = arena_alloc(&sh->arena, sizeof(*e));

	e->blob = b;
	HASH_ADD_KEYPTR(hh, sh->blobs, b->b, b->len, e);
	return e;
}

static struct blob_entry *
entry_of(struct share *sh, struct blob *b)
{
	struct blob_entry *e = find_blob(sh, blob_str(b));

	return e != NULL ? e : add_blob(sh, blob_ref(b));
}

struct blob *
share_blob(struct share *sh, struct str bytes)
{
	struct blob_entry *e;

	if (bytes.p == NULL)
		bytes = STR("");
	e = find_blob(sh, bytes);
	if (e == NULL)
		e = add_blob(sh, blob_new(bytes));
	return e->blob;
}

bool
share_check_ca(struct share *sh, struct blob *ca, struct text *why)
{
	struct blob_entry *e = entry_of(sh, ca);
	struct text said = TEXT_EMPTY;

	if (e->as_ca == UNCHECKED) {
		e->as_ca =
		    sh->tls == NULL || sh->tls->check_ca(blob_str(ca), &said)
			? GOOD
			: BAD;
		e->why = arena_str(&sh->arena, text_str(&said));
		text_free(&said);
	}
	if (e->as_ca == BAD)
		text_add(why, e->why);
	return e->as_ca == GOOD;
}

static struct pair_entry *
find_pair(struct share *sh, const struct digest both[2])
{
	struct pair_entry *e;

	HASH_FIND(hh, sh->pairs, both, sizeof(e->both), e);
	return e;
}

static struct pair_entry *
add_pair(struct share *sh, const struct digest both[2], bool is_good)
{
	struct pair_entry *e = arena_alloc(&sh->arena, sizeof(*e));

	memcpy(e->both, both, sizeof(e->both));
	e->is_good = is_good;
	HASH_ADD(hh, sh->pairs, both, sizeof(e->both), e);
	return e;
}

bool
share_check_pair(struct share *sh, const struct blob *cert,
    const struct blob *key, struct text *why)
{
	const struct digest both[2] = { cert->digest, key->digest };
	struct pair_entry *e = find_pair(sh, both);
	struct text said = TEXT_EMPTY;

	if (e == NULL) {
		e = add_pair(sh, both,
		    sh->tls == NULL || sh->tls->check_pair(blob_str(cert),
					   blob_str(key), &said));
		e->why = arena_str(&sh->arena, text_str(&said));
		text_free(&said);
	}
	if (!e->is_good)
		text_add(why, e->why);
	return e->is_good;
}

static struct shared_entry *
find_shared(struct shared_entry *table, const struct digest *d)
{
	struct shared_entry *e;

	HASH_FIND(hh, table, d, sizeof(*d), e);
	return e;
}

static struct shared_entry *
add_shared(
    struct share *sh, struct shared_entry **table, const struct digest *d)
{
	struct shared_entry *e = arena_alloc(&sh->arena, sizeof(*e));

	e->digest = *d;
	HASH_ADD(hh, *table, digest, sizeof(e->digest), e);
	return e;
}

struct tls_spec *
share_tls(struct share *sh, const struct tls_spec *draft)
{
	struct digest d = tls_spec_digest(draft, sh->fingerprint);
	struct shared_entry *e = find_shared(sh->specs, &d);

	if (e == NULL) {
		e = add_shared(sh, &sh->specs, &d);
		e->tls = tls_spec_new(draft, &d);
	}
	return tls_spec_ref(e->tls);
}

struct service_options *
share_options(struct share *sh, struct service_options *value)
{
	struct shared_entry *e;

	service_options_digest(value, sh->fingerprint);
	e = find_shared(sh->options, &value->key);
	if (e == NULL) {
		e = add_shared(sh, &sh->options, &value->key);
		e->options = service_options_new(value);
	}
	return service_options_ref(e->options);
}

/* Equal rules that were found elsewhere make a new object. */
struct rule_block *
share_rules(struct share *sh, struct rule_block *draft)
{
	struct shared_entry *e;

	rule_block_digest(draft, sh->fingerprint);
	e = find_shared(sh->rules, &draft->digest);
	if (e == NULL)
		e = add_shared(sh, &sh->rules, &draft->digest);
	if (e->rules == NULL || e->rules->origins != draft->origins) {
		rule_block_unref(e->rules);
		e->rules = rule_block_new(draft);
	}
	return rule_block_ref(e->rules);
}

struct traffic_policy *
share_traffic(struct share *sh, struct traffic_policy *draft)
{
	struct shared_entry *e;

	traffic_policy_digest(draft, sh->fingerprint);
	e = find_shared(sh->traffic, &draft->digest);
	if (e == NULL)
		e = add_shared(sh, &sh->traffic, &draft->digest);
	if (e->traffic == NULL || e->traffic->origins != draft->origins) {
		traffic_policy_unref(e->traffic);
		e->traffic = traffic_policy_new(draft);
	}
	return traffic_policy_ref(e->traffic);
}

struct endpoint *
share_relay(struct share *sh, struct endpoint *draft)
{
	struct endpoint *made = endpoint_seal(draft, NULL, sh->fingerprint);
	struct shared_entry *e = find_shared(sh->relays, &made->digest);

	if (e == NULL)
		e = add_shared(sh, &sh->relays, &made->digest);
	if (e->relay != NULL && str_eq(e->relay->origin, made->origin)) {
		endpoint_unref(made);
	} else {
		endpoint_unref(e->relay);
		e->relay = made;
	}
	return endpoint_ref(e->relay);
}

static void
seed_pair(struct share *sh, struct blob *cert, struct blob *key)
{
	struct digest both[2];

	if (cert == NULL || key == NULL)
		return;
	entry_of(sh, cert);
	entry_of(sh, key);
	both[0] = cert->digest;
	both[1] = key->digest;
	if (find_pair(sh, both) == NULL)
		add_pair(sh, both, true);
}

static void
seed_ca(struct share *sh, struct blob *ca)
{
	if (ca != NULL)
		entry_of(sh, ca)->as_ca = GOOD;
}

static void
seed_tls(struct share *sh, struct tls_spec *t)
{
	if (t == NULL || find_shared(sh->specs, &t->digest) != NULL)
		return;
	add_shared(sh, &sh->specs, &t->digest)->tls = tls_spec_ref(t);
	seed_ca(sh, t->ca);
	seed_pair(sh, t->cert, t->key);
}

static void
seed_service(struct share *sh, const struct service *s)
{
	struct rule_block *b;
	struct endpoint *e;
	size_t i;

	for (i = 0; i < s->n_local; i++)
		seed_tls(sh, s->local[i].endpoint->tls);
	for (i = 0; i < s->n_remote; i++) {
		e = s->remote[i].endpoint;
		if (find_shared(sh->relays, &e->digest) == NULL)
			add_shared(sh, &sh->relays, &e->digest)->relay =
			    endpoint_ref(e);
	}
	if (find_shared(sh->options, &s->options->key) == NULL)
		add_shared(sh, &sh->options, &s->options->key)->options =
		    service_options_ref(s->options);
	if (s->traffic != NULL &&
	    find_shared(sh->traffic, &s->traffic->digest) == NULL)
		add_shared(sh, &sh->traffic, &s->traffic->digest)->traffic =
		    traffic_policy_ref(s->traffic);
	for (i = 0; i < s->n_rulesets; i++) {
		b = s->rulesets[i].block;
		if (find_shared(sh->rules, &b->digest) == NULL)
			add_shared(sh, &sh->rules, &b->digest)->rules =
			    rule_block_ref(b);
	}
}

void
share_seed(struct share *sh, const struct snapshot *prev)
{
	struct mesh_spec *const *meshes;
	struct service *const *services;
	size_t i, n;

	if (prev == NULL)
		return;
	meshes = snapshot_meshes(prev, &n);
	for (i = 0; i < n; i++) {
		seed_ca(sh, meshes[i]->ca);
		seed_pair(sh, meshes[i]->cert, meshes[i]->key);
		seed_pair(sh, meshes[i]->ca_cert, meshes[i]->ca_key);
	}
	services = snapshot_services(prev, &n);
	for (i = 0; i < n; i++)
		seed_service(sh, services[i]);
}

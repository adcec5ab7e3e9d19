/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests of services, endpoints and rules, and how they lie in memory.  What
 * they mean is decided in compile_*.c.  Main thread.
 */

#include "policy/service_seal.h"

#include <stdalign.h>

#include "policy/fingerprint.h"
#include "policy/pack.h"
#include "policy/rule_finder.h"

/* "file:line Kind/name" without the place. */
static struct str
label_of(struct str origin)
{
	size_t i = origin.len;

	while (i > 0 && origin.p[i - 1] != ' ')
		i--;
	return str_from(origin, i);
}

void
rule_block_digest(struct rule_block *draft, struct fingerprint *f)
{
	size_t i, j;

	for (i = 0; i < draft->n_rules; i++)
		fingerprint_str(f, draft->rules[i].origin.text);
	draft->origins = fingerprint_take_hash(f);
	for (i = 0; i < draft->n_rules; i++) {
		fingerprint_u64(f, draft->rules[i].effect);
		fingerprint_u64(f, draft->rules[i].is_report);
		fingerprint_u64(f, (uint64_t)draft->rules[i].until_s);
		fingerprint_str(f, draft->rules[i].is_grant
				       ? draft->rules[i].origin.text
				       : label_of(draft->rules[i].origin.text));
		fingerprint_u64(f, draft->rules[i].n_principals);
		for (j = 0; j < draft->rules[i].n_principals; j++)
			principal_fingerprint(
			    &draft->rules[i].principals[j], f);
	}
	draft->digest = fingerprint_take(f);
}

static struct rule_block *
lay_out_rules(struct pack *k, const struct rule_block *draft,
    const struct rule_finder *finder)
{
	struct rule_block all = *draft;
	struct rule_block *b;
	struct rule rule;
	size_t i;

	b = pack_copy(k, draft, sizeof(*draft), alignof(struct rule_block));
	all.rules = pack_copy(k, draft->rules,
	    draft->n_rules * sizeof(*draft->rules), alignof(struct rule));
	for (i = 0; i < draft->n_rules; i++) {
		rule = draft->rules[i];
		rule.principals =
		    principals_lay_out(k, rule.principals, rule.n_principals);
		rule.origin.text = pack_str(k, rule.origin.text);
		if (all.rules != NULL)
			all.rules[i] = rule;
	}
	all.finder = rule_finder_lay_out(k, finder);
	if (b != NULL)
		*b = all;
	return b;
}

struct rule_block *
rule_block_new(const struct rule_block *draft)
{
	struct rule_finder *finder =
	    rule_finder_new(draft->rules, draft->n_rules);
	struct pack count = { .base = NULL }, k;
	struct rule_block *b;
	struct arena arena;

	lay_out_rules(&count, draft, finder);
	k = pack_in(&arena, &count);
	b = lay_out_rules(&k, draft, finder);
	rule_finder_free(finder);
	ref_init(&b->ref);
	b->arena = arena;
	return b;
}

static struct endpoint *
lay_out_endpoint(struct pack *k, const struct endpoint *draft)
{
	struct endpoint all = *draft;
	struct endpoint *e;

	e = pack_copy(k, draft, sizeof(*draft), alignof(struct endpoint));
	all.key = pack_str(k, draft->key);
	all.origin = pack_str(k, draft->origin);
	all.host = pack_str(k, draft->host);
	all.zone = pack_str(k, draft->zone);
	if (e != NULL)
		*e = all;
	return e;
}

static struct digest
endpoint_digest(const struct endpoint *e, struct fingerprint *f)
{
	fingerprint_str(f, e->key);
	fingerprint_str(f, e->host);
	fingerprint_u64(f, e->port);
	fingerprint_u64(f, e->host_is_address);
	fingerprint_str(f, e->zone);
	fingerprint_u64(f, e->weight);
	fingerprint_u64(f, e->priority);
	fingerprint_u64(f, e->tls != NULL);
	if (e->tls != NULL)
		fingerprint_digest(f, &e->tls->digest);
	return fingerprint_take(f);
}

/* Endpoints of ExternalServices are sorted by key; others are few. */
struct endpoint *
service_find_local(const struct service *s, struct str key)
{
	size_t low = 0, high = s->n_local, mid;
	int order;

	while (low < high && s->kind == SERVICE_EXTERNAL) {
		mid = low + (high - low) / 2;
		order = str_cmp(s->local[mid].endpoint->key, key);
		if (order == 0)
			return s->local[mid].endpoint;
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (s->kind == SERVICE_EXTERNAL)
		return NULL;
	for (low = 0; low < s->n_local; low++)
		if (str_eq(s->local[low].endpoint->key, key))
			return s->local[low].endpoint;
	return NULL;
}

struct endpoint *
endpoint_seal(
    struct endpoint *draft, const struct service *prev, struct fingerprint *f)
{
	struct pack count = { .base = NULL }, k;
	struct endpoint *e;
	struct arena arena;

	draft->digest = endpoint_digest(draft, f);
	e = prev == NULL ? NULL : service_find_local(prev, draft->key);
	if (e != NULL && digest_eq(&e->digest, &draft->digest) &&
	    str_eq(e->origin, draft->origin)) {
		tls_spec_unref(draft->tls);
		return endpoint_ref(e);
	}
	lay_out_endpoint(&count, draft);
	k = pack_in(&arena, &count);
	e = lay_out_endpoint(&k, draft);
	ref_init(&e->ref);
	e->arena = arena;
	return e;
}

static void
add_endpoints(struct fingerprint *f, const struct service_endpoint *v, size_t n)
{
	size_t i;

	fingerprint_u64(f, n);
	for (i = 0; i < n; i++) {
		fingerprint_digest(f, &v[i].endpoint->digest);
		fingerprint_u64(f, v[i].ruleset);
		fingerprint_u64(f, v[i].is_zoned);
	}
}

static void
digest_service(struct service *s, struct fingerprint *f)
{
	size_t i;

	fingerprint_u64(f, s->kind);
	fingerprint_u64(f, s->protocol);
	fingerprint_str(f, s->key);
	fingerprint_str(f, s->mesh);
	fingerprint_str(f, s->name);
	fingerprint_str(f, s->stats_name);
	fingerprint_u64(f, s->n_snis);
	for (i = 0; i < s->n_snis; i++)
		fingerprint_str(f, s->snis[i]);
	fingerprint_u64(f, s->scopes != NULL);
	for (i = 0; s->scopes != NULL && i < s->n_snis; i++) {
		fingerprint_u64(f, s->scopes[i].rulesets);
		fingerprint_u64(f, s->scopes[i].relays);
	}
	for (i = 0; i < s->n_relay_sets; i++)
		fingerprint_digest(f, &s->relay_sets[i]);
	add_endpoints(f, s->local, s->n_local);
	add_endpoints(f, s->remote, s->n_remote);
	fingerprint_str(f, s->unreachable_zone);
	fingerprint_u64(f, s->is_locality_aware);
	fingerprint_u64(f, s->report);
	fingerprint_digest(f, &s->options->digest);
	if (s->traffic != NULL)
		fingerprint_digest(f, &s->traffic->digest);
	for (i = 0; i < s->n_rulesets; i++)
		fingerprint_digest(f, &s->rulesets[i].digest);
	mesh_logs_fingerprint(s->logs, s->n_logs, f);
	s->digest = fingerprint_take(f);

	fingerprint_str(f, s->origin);
	for (i = 0; i < s->n_local; i++)
		fingerprint_str(f, s->local[i].endpoint->origin);
	for (i = 0; i < s->n_remote; i++)
		fingerprint_str(f, s->remote[i].endpoint->origin);
	for (i = 0; i < s->n_rulesets; i++)
		fingerprint_u64(f, s->rulesets[i].block->origins);
	fingerprint_digest(f, &s->options->key);
	if (s->traffic != NULL)
		fingerprint_u64(f, s->traffic->origins);
	for (i = 0; i < s->n_logs; i++)
		fingerprint_str(f, s->logs[i].origin);
	s->origins = fingerprint_take_hash(f);
}

static struct service *
lay_out_service(struct pack *k, const struct service *draft)
{
	struct service all = *draft;
	struct service *s;

	s = pack_copy(k, draft, sizeof(*draft), alignof(struct service));
	all.local =
	    pack_copy(k, draft->local, draft->n_local * sizeof(*draft->local),
		alignof(struct service_endpoint));
	all.remote = pack_copy(k, draft->remote,
	    draft->n_remote * sizeof(*draft->remote),
	    alignof(struct service_endpoint));
	all.rulesets = pack_copy(k, draft->rulesets,
	    draft->n_rulesets * sizeof(*draft->rulesets),
	    alignof(struct ruleset));
	all.logs = mesh_logs_lay_out(k, draft->logs, draft->n_logs);
	all.snis = pack_strs(k, draft->snis, draft->n_snis);
	if (draft->scopes != NULL)
		all.scopes = pack_copy(k, draft->scopes,
		    draft->n_snis * sizeof(*draft->scopes),
		    alignof(struct sni_scope));
	all.relay_sets = pack_copy(k, draft->relay_sets,
	    draft->n_relay_sets * sizeof(*draft->relay_sets),
	    alignof(struct digest));
	all.key = pack_str(k, draft->key);
	all.mesh = pack_str(k, draft->mesh);
	all.name = pack_str(k, draft->name);
	all.stats_name = pack_str(k, draft->stats_name);
	all.origin = pack_str(k, draft->origin);
	all.unreachable_zone = pack_str(k, draft->unreachable_zone);
	if (s != NULL)
		*s = all;
	return s;
}

static void
drop_draft(struct service *draft)
{
	size_t i;

	for (i = 0; i < draft->n_local; i++)
		endpoint_unref(draft->local[i].endpoint);
	for (i = 0; i < draft->n_remote; i++)
		endpoint_unref(draft->remote[i].endpoint);
	for (i = 0; i < draft->n_rulesets; i++)
		rule_block_unref(draft->rulesets[i].block);
	service_options_unref(draft->options);
	traffic_policy_unref(draft->traffic);
}

bool
service_same(const struct service *a, const struct service *b)
{
	return a->origins == b->origins && digest_eq(&a->digest, &b->digest);
}

struct service *
service_seal(struct service *draft, struct service *prev, struct fingerprint *f)
{
	struct pack count = { .base = NULL }, k;
	struct service *s;
	struct arena arena;

	digest_service(draft, f);
	if (prev != NULL && service_same(draft, prev)) {
		drop_draft(draft);
		return service_ref(prev);
	}
	lay_out_service(&count, draft);
	k = pack_in(&arena, &count);
	s = lay_out_service(&k, draft);
	ref_init(&s->ref);
	s->arena = arena;
	return s;
}

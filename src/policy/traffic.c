/* SPDX-License-Identifier: Apache-2.0 */
/* See traffic.h.  What documents lead to it is in compile_traffic.c. */

#include "policy/traffic.h"

#include <stdalign.h>

#include "policy/fingerprint.h"
#include "policy/pack.h"

struct traffic_policy *
traffic_policy_ref(struct traffic_policy *t)
{
	ref_up(&t->ref);
	return t;
}

void
traffic_policy_unref(struct traffic_policy *t)
{
	struct arena arena;

	if (t == NULL || !ref_down(&t->ref))
		return;
	/* The object lies in it. */
	arena = t->arena;
	arena_fini(&arena);
}

static void
add_callers(struct fingerprint *f, const struct principal *v, size_t n)
{
	fingerprint_u64(f, n);
	for (size_t i = 0; i < n; i++)
		principal_fingerprint(&v[i], f);
}

static void
add_rate(struct fingerprint *f, const struct rate_rule *r)
{
	fingerprint_u64(f, r->of);
	add_callers(f, r->callers, r->n_callers);
	add_callers(f, r->except, r->n_except);
	fingerprint_u64(f, r->num);
	fingerprint_u64(f, r->interval_ms);
	fingerprint_u64(f, r->status);
	fingerprint_u64(f, r->n_headers);
	for (size_t i = 0; i < r->n_headers; i++) {
		fingerprint_str(f, r->headers[i].name);
		fingerprint_str(f, r->headers[i].value);
		fingerprint_u64(f, r->headers[i].is_added);
	}
	fingerprint_digest(f, &r->bucket);
}

static void
add_fault(struct fingerprint *f, const struct fault_rule *r)
{
	add_callers(f, r->callers, r->n_callers);
	add_callers(f, r->except, r->n_except);
	fingerprint_u64(f, r->abort_status);
	fingerprint_u64(f, r->abort_chance);
	fingerprint_u64(f, r->delay_ms);
	fingerprint_u64(f, r->delay_chance);
	fingerprint_u64(f, r->bytes_per_s);
	fingerprint_u64(f, r->bandwidth_chance);
}

void
traffic_policy_digest(struct traffic_policy *draft, struct fingerprint *f)
{
	fingerprint_u64(f, draft->n_rates);
	for (size_t i = 0; i < draft->n_rates; i++)
		add_rate(f, &draft->rates[i]);
	fingerprint_u64(f, draft->n_faults);
	for (size_t i = 0; i < draft->n_faults; i++)
		add_fault(f, &draft->faults[i]);
	draft->digest = fingerprint_take(f);
	for (size_t i = 0; i < draft->n_rates; i++)
		fingerprint_str(f, draft->rates[i].origin);
	for (size_t i = 0; i < draft->n_faults; i++)
		fingerprint_str(f, draft->faults[i].origin);
	draft->origins = fingerprint_take_hash(f);
}

static struct header_change *
lay_out_headers(struct pack *k, const struct header_change *v, size_t n)
{
	struct header_change *copy =
	    pack_copy(k, v, n * sizeof(*v), alignof(struct header_change));

	for (size_t i = 0; i < n; i++) {
		struct header_change one = v[i];

		one.name = pack_str(k, v[i].name);
		one.value = pack_str(k, v[i].value);
		if (copy != NULL)
			copy[i] = one;
	}
	return copy;
}

static struct rate_rule *
lay_out_rates(struct pack *k, const struct rate_rule *v, size_t n)
{
	struct rate_rule *copy =
	    pack_copy(k, v, n * sizeof(*v), alignof(struct rate_rule));

	for (size_t i = 0; i < n; i++) {
		struct rate_rule one = v[i];

		one.callers =
		    principals_lay_out(k, v[i].callers, v[i].n_callers);
		one.except = principals_lay_out(k, v[i].except, v[i].n_except);
		one.headers = lay_out_headers(k, v[i].headers, v[i].n_headers);
		one.origin = pack_str(k, v[i].origin);
		if (copy != NULL)
			copy[i] = one;
	}
	return copy;
}

static struct fault_rule *
lay_out_faults(struct pack *k, const struct fault_rule *v, size_t n)
{
	struct fault_rule *copy =
	    pack_copy(k, v, n * sizeof(*v), alignof(struct fault_rule));

	for (size_t i = 0; i < n; i++) {
		struct fault_rule one = v[i];

		one.callers =
		    principals_lay_out(k, v[i].callers, v[i].n_callers);
		one.except = principals_lay_out(k, v[i].except, v[i].n_except);
		one.origin = pack_str(k, v[i].origin);
		if (copy != NULL)
			copy[i] = one;
	}
	return copy;
}

static struct traffic_policy *
lay_out(struct pack *k, const struct traffic_policy *draft)
{
	struct traffic_policy all = *draft;
	struct traffic_policy *t =
	    pack_copy(k, draft, sizeof(*draft), alignof(struct traffic_policy));

	all.rates = lay_out_rates(k, draft->rates, draft->n_rates);
	all.faults = lay_out_faults(k, draft->faults, draft->n_faults);
	if (t != NULL)
		*t = all;
	return t;
}

struct traffic_policy *
traffic_policy_new(const struct traffic_policy *draft)
{
	struct pack count = { .base = NULL }, k;
	struct traffic_policy *t;
	struct arena arena;

	lay_out(&count, draft);
	k = pack_in(&arena, &count);
	t = lay_out(&k, draft);
	ref_init(&t->ref);
	t->arena = arena;
	return t;
}

static bool
is_of_rate(const struct rate_rule *r, const struct identity *id)
{
	return principals_match(r->callers, r->n_callers, id, STR_NONE) &&
	       !principals_match(r->except, r->n_except, id, STR_NONE);
}

static bool
is_of_fault(const struct fault_rule *r, const struct identity *id)
{
	return principals_match(r->callers, r->n_callers, id, STR_NONE) &&
	       !principals_match(r->except, r->n_except, id, STR_NONE);
}

const struct rate_rule *
traffic_rate(
    const struct traffic_policy *t, enum rate_of of, const struct identity *id)
{
	for (size_t i = 0; t != NULL && i < t->n_rates; i++)
		if (t->rates[i].of == of && is_of_rate(&t->rates[i], id))
			return &t->rates[i];
	return NULL;
}

const struct fault_rule *
traffic_fault(const struct traffic_policy *t, const struct fault_rule *prev,
    const struct identity *id)
{
	const struct fault_rule *r;

	if (t == NULL)
		return NULL;
	r = prev == NULL ? t->faults : prev + 1;
	for (; r < t->faults + t->n_faults; r++)
		if (is_of_fault(r, id))
			return r;
	return NULL;
}

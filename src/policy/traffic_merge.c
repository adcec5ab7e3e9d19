/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of rates; faults are in traffic_faults.c.  See traffic_merge.h. */

#include "policy/traffic_merge.h"

#include "base/arena.h"
#include "model/rate_limit.h"
#include "policy/compile_traffic.h"
#include "policy/fingerprint.h"
#include "policy/traffic_cells.h"
#include "policy/traffic_faults.h"

/* Envoy's, when nothing is said, or what is said is no failure. */
#define STATUS_TOO_MANY 429

/* An item of `from`, or all of a RateLimit. */
struct limit_item {
	struct principal who;
	const struct limit_conf *conf;
	const struct traffic_doc *doc;
};

struct limit_items {
	struct limit_item *v; /* from highest to lowest precedence */
	size_t n;
};

static unsigned
to_ms(uint64_t us)
{
	return (unsigned)((us + 999) / 1000);
}

static struct str
in_lower_case(struct arena *a, struct str s)
{
	char *copy = arena_alloc(a, s.len + 1);

	memcpy(copy, s.p, s.len);
	ascii_lower(copy, s.len);
	return (struct str){ .p = copy, .len = s.len };
}

static void
add_headers(struct arena *a, struct rate_rule *r, const struct limit_header *v,
    size_t n, bool is_added)
{
	for (size_t i = 0; i < n; i++)
		r->headers[r->n_headers++] = (struct header_change){
			.name = in_lower_case(a, v[i].name),
			.value = v[i].value,
			.is_added = is_added || v[i].is_added,
		};
}

/*
 * Whoever says how many owns the bucket: combinations of callers that get
 * their number from one item share it, for it says what all of them may do
 * together, at one service: see upstream/rates.h.
 */
static struct digest
bucket_of(const struct traffic_merge *m, const struct rate_rule *r,
    const struct traffic_doc *doc, const struct principal *who, size_t n)
{
	struct fingerprint *f = m->f;

	fingerprint_u64(f, r->of);
	fingerprint_str(f, m->mesh);
	fingerprint_str(f, str_of(kind_row(doc->r->kind)->name));
	fingerprint_str(f, doc->r->name);
	for (size_t i = 0; i < n; i++)
		principal_fingerprint(&who[i], f);
	fingerprint_u64(f, r->num);
	fingerprint_u64(f, r->interval_ms);
	return fingerprint_take(f);
}

static struct rate_rule
make_rule(
    const struct traffic_merge *m, enum rate_of of, const struct limit_conf *c)
{
	struct rate_rule r = {
		.of = of,
		.num = c->num,
		.interval_ms = to_ms(c->interval_us),
		.status = c->has_status && c->status >= 400 ? c->status
							    : STATUS_TOO_MANY,
		.headers = arena_alloc(m->a,
		    (c->n_set + c->n_add + 1) * sizeof(struct header_change)),
	};

	add_headers(m->a, &r, c->set, c->n_set, false);
	add_headers(m->a, &r, c->add, c->n_add, true);
	return r;
}

/* The most specific source first, which is the order of rank. */
static void
add_legacy(const struct traffic_merge *m, struct traffic_policy *draft)
{
	const struct rate_limit *rl;
	struct traffic_doc *d;
	struct rate_rule *r;

	for (size_t i = 0; i < m->n_docs; i++) {
		d = m->docs[i];
		rl = rate_limit_of(d->r);
		if (rl == NULL || !rl->has_http)
			continue;
		r = &draft->rates[draft->n_rates++];
		*r = make_rule(m, RATE_OF_REQUESTS, &rl->http);
		r->callers = d->callers;
		r->n_callers = d->n_callers;
		r->origin = d->origin;
		r->bucket = bucket_of(m, r, d, d->callers, d->n_callers);
	}
}

static void
override(struct limit_conf *sum, const struct limit_conf *c)
{
	if (c->has_disabled) {
		sum->has_disabled = true;
		sum->is_disabled = c->is_disabled;
	}
	if (c->has_rate) {
		sum->has_rate = true;
		sum->num = c->num;
		sum->interval_us = c->interval_us;
	}
	if (c->has_status) {
		sum->has_status = true;
		sum->status = c->status;
	}
	if (c->has_set) {
		sum->set = c->set;
		sum->n_set = c->n_set;
	}
	if (c->has_add) {
		sum->add = c->add;
		sum->n_add = c->n_add;
	}
}

/* What all items say together of such a caller; NULL: no limit. */
static const struct limit_item *
sum_up(const struct limit_items *items, const struct principal *who,
    struct limit_conf *sum)
{
	const struct limit_item *of_rate = NULL;

	*sum = (struct limit_conf){ .num = 0 };
	for (size_t i = items->n; i-- > 0;) {
		if (!principal_covers(&items->v[i].who, who))
			continue;
		override(sum, items->v[i].conf);
		if (items->v[i].conf->has_rate)
			of_rate = &items->v[i];
	}
	return sum->is_disabled ? NULL : of_rate;
}

static void
add_cells(const struct traffic_merge *m, enum rate_of of,
    const struct limit_items *items, const struct cells *cells,
    struct traffic_policy *draft)
{
	struct principal *exempt =
	    arena_alloc(m->a, (cells->n + 1) * sizeof(*exempt));
	const struct limit_item *of_rate;
	struct limit_conf sum;
	struct rate_rule *r;
	size_t n_exempt = 0;

	for (size_t i = 0; i < cells->n; i++) {
		of_rate = sum_up(items, &cells->v[i], &sum);
		if (of_rate == NULL) {
			exempt[n_exempt++] = cells->v[i];
			continue;
		}
		r = &draft->rates[draft->n_rates++];
		*r = make_rule(m, of, &sum);
		r->callers = &cells->v[i];
		r->n_callers = 1;
		r->except =
		    principals_widest(m->a, exempt, n_exempt, &r->n_except);
		r->origin = of_rate->doc->origin;
		r->bucket = bucket_of(m, r, of_rate->doc, &of_rate->who, 1);
	}
}

static void
add_items(const struct traffic_doc *d, enum rate_of of, struct limit_items *to)
{
	const struct mesh_rate_limit *mrl = mesh_rate_limit_of(d->r);
	const struct mrl_from *from;

	/* Later items of one document have the higher precedence. */
	for (size_t i = d->n_callers; i-- > 0;) {
		from = &mrl->from[i];
		if (of == RATE_OF_REQUESTS ? !from->has_http : !from->has_tcp)
			continue;
		to->v[to->n++] = (struct limit_item){
			.who = d->callers[i],
			.conf =
			    of == RATE_OF_REQUESTS ? &from->http : &from->tcp,
			.doc = d,
		};
	}
}

static size_t
count_items(const struct traffic_merge *m, enum kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n_docs; i++)
		if (m->docs[i]->r->kind == kind)
			n += m->docs[i]->n_callers;
	return n;
}

static struct cells
find_cells(const struct traffic_merge *m, const struct limit_items *items)
{
	const struct principal **who = arena_alloc(
	    m->a, (items->n + 1) * sizeof(const struct principal *));

	for (size_t i = 0; i < items->n; i++)
		who[i] = &items->v[i].who;
	return cells_of(m->a, who, items->n);
}

static void
merge_rates(
    struct traffic_merge *m, enum rate_of of, struct traffic_policy *draft)
{
	size_t most = count_items(m, KIND_MESH_RATE_LIMIT);
	struct limit_items items = {
		.v = arena_alloc(m->a, (most + 1) * sizeof(*items.v)),
	};
	struct cells cells;

	for (size_t i = 0; i < m->n_docs; i++)
		if (m->docs[i]->r->kind == KIND_MESH_RATE_LIMIT)
			add_items(m->docs[i], of, &items);
	if (items.n == 0)
		return;
	cells = find_cells(m, &items);
	m->is_crowded = m->is_crowded || cells.is_crowded;
	add_cells(m, of, &items, &cells, draft);
}

void
traffic_merge(struct traffic_merge *m, struct traffic_policy *draft)
{
	size_t most = count_items(m, KIND_MESH_RATE_LIMIT);

	most = m->n_docs + 2 * (most + TRAFFIC_CELLS_MAX);
	draft->rates = arena_alloc(m->a, most * sizeof(*draft->rates));
	merge_rates(m, RATE_OF_CONNECTIONS, draft);
	if (!m->has_requests)
		return;
	/* A limit of a RateLimit is kept where one of the other kind is. */
	add_legacy(m, draft);
	merge_rates(m, RATE_OF_REQUESTS, draft);
	merge_faults(m, draft);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults: every FaultInjection applies by itself, and of MeshFaultInjections
 * the list with the highest precedence that means the caller, as lists are
 * merged by taking the other one.  Both kinds apply beside each other, as they
 * do in Kuma.  Main thread.
 */

#include "policy/traffic_faults.h"

#include "base/arena.h"
#include "model/fault_injection.h"
#include "policy/compile_traffic.h"
#include "policy/traffic_cells.h"
#include "policy/traffic_merge.h"

static void
add_fault(struct traffic_policy *draft, const struct fault *f,
    const struct fault_rule *whose)
{
	struct fault_rule r = *whose;

	if (f->has_abort && f->abort_status >= 200) {
		r.abort_status = f->abort_status;
		r.abort_chance = f->abort_chance;
	}
	if (f->has_delay) {
		r.delay_ms = (unsigned)((f->delay_us + 999) / 1000);
		r.delay_chance = f->delay_chance;
	}
	if (f->has_bandwidth) {
		r.bytes_per_s = f->bytes_per_s;
		r.bandwidth_chance = f->bandwidth_chance;
	}
	draft->faults[draft->n_faults++] = r;
}

static void
add_legacy(const struct traffic_doc *d, struct traffic_policy *draft)
{
	const struct fault_rule whose = {
		.callers = d->callers,
		.n_callers = d->n_callers,
		.origin = d->origin,
	};

	add_fault(draft, &fault_injection_of(d->r)->fault, &whose);
}

/* Callers whose list was taken already, from higher precedence downwards. */
struct taken {
	struct principal *v;
	size_t n;
};

/*
 * Those of the taken that may also be who; false: all are.  Callers with two
 * values of one tag are not looked for, as Kuma does not either.
 */
static bool
leave_out(const struct traffic_merge *m, const struct taken *t,
    struct fault_rule *whose)
{
	struct principal *others =
	    arena_alloc(m->a, (t->n + 1) * sizeof(*others));
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		if (principal_covers(&t->v[i], whose->callers))
			return false;
		if (!principals_exclude(&t->v[i], whose->callers))
			others[n++] = t->v[i];
	}
	whose->except = principals_widest(m->a, others, n, &whose->n_except);
	return true;
}

static void
add_list(const struct traffic_merge *m, const struct traffic_doc *d, size_t i,
    struct taken *t, struct traffic_policy *draft)
{
	const struct mfi_from *from = &mesh_fault_injection_of(d->r)->from[i];
	struct fault_rule whose = {
		.callers = &d->callers[i],
		.n_callers = 1,
		.origin = d->origin,
	};

	if (!from->has_faults || !leave_out(m, t, &whose))
		return;
	t->v[t->n++] = d->callers[i];
	for (size_t k = 0; k < from->n_faults; k++)
		add_fault(draft, &from->faults[k], &whose);
}

/* How many faults a document may make, and how many lists. */
static size_t
count(const struct traffic_doc *d, size_t *lists)
{
	const struct mesh_fault_injection *mfi = mesh_fault_injection_of(d->r);
	size_t n = 0;

	if (mfi == NULL)
		return fault_injection_of(d->r) != NULL;
	for (size_t i = 0; i < mfi->n_from; i++)
		n += mfi->from[i].n_faults;
	*lists += mfi->n_from;
	return n;
}

void
merge_faults(const struct traffic_merge *m, struct traffic_policy *draft)
{
	struct taken taken = { .n = 0 };
	size_t i, k, n = 0, lists = 0;
	const struct traffic_doc *d;

	for (i = 0; i < m->n_docs; i++)
		n += count(m->docs[i], &lists);
	if (n == 0)
		return;
	draft->faults = arena_alloc(m->a, n * sizeof(*draft->faults));
	taken.v = arena_alloc(m->a, (lists + 1) * sizeof(*taken.v));
	for (i = 0; i < m->n_docs; i++) {
		d = m->docs[i];
		if (fault_injection_of(d->r) != NULL)
			add_legacy(d, draft);
		if (mesh_fault_injection_of(d->r) == NULL)
			continue;
		for (k = d->n_callers; k-- > 0;)
			add_list(m, d, k, &taken, draft);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What faults on purpose may say.  Main thread. */

#include "model/fault_injection.h"

#include <stdio.h>

#include "model/kind_rows.h"
#include "model/policy_form.h"
#include "model/quantity.h"

#define FAULT(field) offsetof(struct fault, field)
#define FI(field) offsetof(struct fault_injection, field)
#define FROM(field) offsetof(struct mfi_from, field)
#define MFI(field) offsetof(struct mesh_fault_injection, field)

/* default.http[] of one item. */
#define MOST_FAULTS 32
#define MOST_DELAY_US (UINT32_MAX * UINT64_C(1000))

static const struct bind abort_rows[] = {
	{ .key = "httpStatus",
	    .type = BIND_UNSIGNED,
	    .offset = FAULT(abort_status),
	    .has_offset = FAULT(has_abort_status) },
	{ .key = "percentage",
	    .type = BIND_READ,
	    .offset = FAULT(abort_chance),
	    .has_offset = FAULT(has_abort_chance),
	    .read = read_percentage },
	{ .type = BIND_END },
};

static const struct bind delay_rows[] = {
	{ .key = "value",
	    .type = BIND_READ,
	    .offset = FAULT(delay_us),
	    .has_offset = FAULT(has_delay_value),
	    .read = read_duration },
	{ .key = "percentage",
	    .type = BIND_READ,
	    .offset = FAULT(delay_chance),
	    .has_offset = FAULT(has_delay_chance),
	    .read = read_percentage },
	{ .type = BIND_END },
};

static const struct bind bandwidth_rows[] = {
	{ .key = "limit",
	    .type = BIND_READ,
	    .offset = FAULT(bytes_per_s),
	    .has_offset = FAULT(has_limit),
	    .read = read_bandwidth },
	{ .key = "percentage",
	    .type = BIND_READ,
	    .offset = FAULT(bandwidth_chance),
	    .has_offset = FAULT(has_bandwidth_chance),
	    .read = read_percentage },
	{ .type = BIND_END },
};

static const struct bind fault_rows[] = {
	{ .key = "abort",
	    .type = BIND_STRUCT,
	    .sub = abort_rows,
	    .has_offset = FAULT(has_abort) },
	{ .key = "delay",
	    .type = BIND_STRUCT,
	    .sub = delay_rows,
	    .has_offset = FAULT(has_delay) },
	{ .key = "responseBandwidth",
	    .type = BIND_STRUCT,
	    .sub = bandwidth_rows,
	    .has_offset = FAULT(has_bandwidth) },
	{ .type = BIND_END },
};

static void
read_fault(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	bind_map(b, fault_rows, n, at, field);
}

const struct bind fault_injection_bind[] = {
	POLICY_SELECTORS("sources", FI(sources), FI(n_sources)),
	POLICY_SELECTORS("destinations", FI(destinations), FI(n_destinations)),
	{ .key = "conf",
	    .type = BIND_READ,
	    .offset = FI(fault),
	    .read = read_fault },
	{ .type = BIND_END },
};

static const struct bind default_rows[] = {
	{ .key = "http",
	    .type = BIND_LIST,
	    .offset = FROM(faults),
	    .n_offset = FROM(n_faults),
	    .has_offset = FROM(has_faults),
	    .size = sizeof(struct fault),
	    .sub = fault_rows },
	{ .type = BIND_END },
};

static const struct bind from_rows[] = {
	{ .key = "targetRef", .type = BIND_TARGET, .offset = FROM(target) },
	{ .key = "default", .type = BIND_STRUCT, .sub = default_rows },
	{ .type = BIND_LINE, .offset = FROM(line) },
	{ .type = BIND_END },
};

const struct bind mesh_fault_injection_bind[] = {
	{ .key = "targetRef", .type = BIND_TARGET, .offset = MFI(target) },
	{ .key = "from",
	    .type = BIND_LIST,
	    .offset = MFI(from),
	    .n_offset = MFI(n_from),
	    .size = sizeof(struct mfi_from),
	    .sub = from_rows },
	{ .key = "to", .type = BIND_SKIP, .has_offset = MFI(has_to) },
	{ .key = "rules", .type = BIND_SKIP, .has_offset = MFI(has_rules) },
	{ .type = BIND_END },
};

static void
check_chance(
    bool is_given, const char *at, const char *what, struct problems *pr)
{
	if (!is_given)
		policy_complain(
		    pr, "must be set", "%s.%s.percentage", at, what);
}

static void
check_abort(const struct fault *f, const char *at, struct problems *pr)
{
	char path[96];

	check_chance(f->has_abort_chance, at, "abort", pr);
	snprintf(path, sizeof(path), "%s.abort.httpStatus", at);
	if (!f->has_abort_status)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "must be set");
	else if (!is_http_status(f->abort_status))
		problem_add(pr, PROBLEM_ERROR, NULL, 0, path,
		    "must be in the range [100, 599]");
	else if (f->abort_status < 200)
		problem_add(pr, PROBLEM_WARNING, NULL, 0, path,
		    "%u ends no request, so nothing is aborted: use 200 to 599",
		    f->abort_status);
}

static void
check_delay(const struct fault *f, const char *at, struct problems *pr)
{
	check_chance(f->has_delay_chance, at, "delay", pr);
	if (!f->has_delay_value)
		policy_complain(pr, "must be set", "%s.delay.value", at);
	else if (f->delay_us > MOST_DELAY_US)
		policy_complain(pr, "must not be longer than 49 days",
		    "%s.delay.value", at);
}

static void
check_fault(const struct fault *f, const char *at, struct problems *pr)
{
	if (f->has_abort)
		check_abort(f, at, pr);
	if (f->has_delay)
		check_delay(f, at, pr);
	if (!f->has_bandwidth)
		return;
	check_chance(f->has_bandwidth_chance, at, "responseBandwidth", pr);
	if (!f->has_limit)
		policy_complain(
		    pr, "must be set", "%s.responseBandwidth.limit", at);
}

static bool
is_protocol_with_requests(struct str s)
{
	return str_eq_nocase(s, STR("http")) ||
	       str_eq_nocase(s, STR("http2")) || str_eq_nocase(s, STR("grpc"));
}

/* Faults are of requests, and a destination has to say that it has some. */
static void
check_protocols(const struct fault_injection *fi, struct problems *pr)
{
	struct str protocol;

	for (size_t i = 0; i < fi->n_destinations && i < POLICY_ITEMS_MAX;
	     i++) {
		protocol =
		    tags_get(&fi->destinations[i], STR("kuma.io/protocol"));
		if (!is_protocol_with_requests(protocol))
			policy_complain(pr,
			    "kuma.io/protocol must be one of http, http2, grpc",
			    "destinations[%zu].match", i);
	}
}

void
fault_injection_check(struct resource *r, struct problems *pr)
{
	const struct fault_injection *fi = r->spec;
	const struct fault *f = &fi->fault;

	policy_shadow_check(r, pr);
	policy_selectors_check(
	    fi->sources, fi->n_sources, POLICY_ITEMS_MAX, "sources", pr);
	policy_selectors_check(fi->destinations, fi->n_destinations,
	    POLICY_ITEMS_MAX, "destinations", pr);
	check_protocols(fi, pr);
	if (!f->has_abort && !f->has_delay && !f->has_bandwidth)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "conf",
		    "must have at least one of abort, delay, "
		    "responseBandwidth");
	check_fault(f, "conf", pr);
}

static void
check_from(const struct mfi_from *from, size_t i, struct problems *pr)
{
	char path[64];

	snprintf(path, sizeof(path), "spec.from[%zu].targetRef", i);
	target_check(&from->target, POLICY_FROM_KINDS, path, pr);
	if (from->n_faults > MOST_FAULTS)
		policy_complain(pr, "must not have more than 32 elements",
		    "spec.from[%zu].default.http", i);
	for (size_t k = 0; k < from->n_faults && k < MOST_FAULTS; k++) {
		snprintf(path, sizeof(path), "spec.from[%zu].default.http[%zu]",
		    i, k);
		check_fault(&from->faults[k], path, pr);
	}
}

void
mesh_fault_injection_check(struct resource *r, struct problems *pr)
{
	const struct mesh_fault_injection *mfi = r->spec;
	const struct policy_form form = { .n_from = mfi->n_from,
		.has_to = mfi->has_to,
		.has_rules = mfi->has_rules };

	policy_form_check(&form, &mfi->target, r, pr);
	for (size_t i = 0; i < mfi->n_from && i < POLICY_ITEMS_MAX; i++)
		check_from(&mfi->from[i], i, pr);
}

const struct fault_injection *
fault_injection_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_FAULT_INJECTION ? r->spec : NULL;
}

const struct mesh_fault_injection *
mesh_fault_injection_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_MESH_FAULT_INJECTION ? r->spec
								 : NULL;
}

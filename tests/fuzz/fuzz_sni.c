/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server names: the parts of a name, printed again, are read as the same
 * parts.  Names come folded, as the daemon folds them; matching a name folds
 * it by itself, and finds no other service than the one of that name.
 */

#include "base/problem.h"
#include "base/xalloc.h"
#include "fuzz.h"
#include "model/target.h"
#include "policy/fingerprint.h"
#include "policy/plan.h"
#include "policy/service_option.h"
#include "policy/service_seal.h"
#include "policy/snapshot.h"
#include "policy/sni.h"

static void
check_inside(struct str view, struct str sni)
{
	if (view.len == 0)
		return;
	FUZZ_CHECK(view.p >= sni.p);
	FUZZ_CHECK(view.p + view.len <= sni.p + sni.len);
}

static void
print(const struct sni_tags *t, struct text *out)
{
	struct tag tags[SNI_TAGS_MAX];
	size_t i;

	for (i = 0; i < t->n; i++)
		tags[i] = (struct tag){ t->keys[i], t->values[i] };
	sni_print_tags(t->service, t->mesh, tags, t->n, out);
}

static bool
has_service_tag(const struct sni_tags *t)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (str_eq(t->keys[i], STR("kuma.io/service")))
			return true;
	return false;
}

static void
try_tags(struct str sni)
{
	struct text once = TEXT_EMPTY, twice = TEXT_EMPTY;
	struct sni_tags t, again;
	size_t i;

	if (!sni_parse_tags(sni, &t))
		return;
	FUZZ_CHECK(t.n <= SNI_TAGS_MAX);
	check_inside(t.service, sni);
	check_inside(t.mesh, sni);
	for (i = 0; i < t.n; i++) {
		check_inside(t.keys[i], sni);
		check_inside(t.values[i], sni);
	}
	/* A name that we print has a mesh, and its service stands in front. */
	if (t.mesh.len == 0 || has_service_tag(&t))
		return;
	print(&t, &once);
	FUZZ_CHECK(sni_parse_tags(text_str(&once), &again));
	FUZZ_CHECK(str_eq(t.service, again.service));
	FUZZ_CHECK(str_eq(t.mesh, again.mesh));
	FUZZ_CHECK(t.n == again.n);
	print(&again, &twice);
	FUZZ_CHECK(str_eq(text_str(&once), text_str(&twice)));
	text_free(&once);
	text_free(&twice);
}

static void
try_hashed(struct str sni)
{
	struct sni_hashed h;

	if (!sni_parse_hashed(sni, &h))
		return;
	check_inside(h.name, sni);
	check_inside(h.mesh, sni);
	check_inside(h.type, sni);
	FUZZ_CHECK(h.port > 0 && h.name.len > 0 && h.mesh.len > 0);
}

/* A snapshot with one service, by these names. */
static struct snapshot *
make_snapshot(struct str *names, size_t n)
{
	struct problems pr = PROBLEMS_NONE;
	struct plan *plan = plan_new();
	struct fingerprint f;
	struct service draft = {
		.key = STR("m/ES/a"),
		.snis = names,
		.n_snis = n,
	};

	fingerprint_init(&f);
	draft.options = service_options_seal(service_options_standard(), &f);
	plan_add_service(plan, service_seal(&draft, NULL, &f));
	fingerprint_fini(&f);
	return snapshot_freeze(plan, NULL, &pr);
}

static void
try_match(struct str sni, struct str folded)
{
	struct str names[] = { STR("a{mesh=m}"),
		STR("ae10a8071b8a8eeb8.backend.8080.demo.ms") };
	struct snapshot *s = make_snapshot(names, 2);
	bool is_ours = str_eq(folded, names[0]) || str_eq(folded, names[1]);

	FUZZ_CHECK((snapshot_match(s, sni) != NULL) == is_ours);
	snapshot_unref(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *raw = xmemdup(data, n), *folded = xmemdup(data, n);
	struct str sni = { .p = folded, .len = n };

	ascii_lower(folded, n);
	try_match((struct str){ .p = raw, .len = n }, sni);
	try_tags(sni);
	try_hashed(sni);
	free(folded);
	free(raw);
	return 0;
}

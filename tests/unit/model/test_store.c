/* SPDX-License-Identifier: Apache-2.0 */
/* What is in force, whatever happens to the files. */

#include "model/external_service.h"
#include "model/permission.h"
#include "model/secret.h"
#include "unit/model/model_load.h"

#define ES(name, host)                                                         \
	"type: ExternalService\nmesh: m\nname: " name                          \
	"\ntags: {kuma.io/service: s-" name "}\nnetworking:\n  address: " host \
	":80\n"
#define TP(name, service)                                  \
	"type: TrafficPermission\nmesh: m\nname: " name    \
	"\nsources: [{match: {kuma.io/service: \"*\"}}]\n" \
	"destinations: [{match: {kuma.io/service: " service "}}]\n"
#define BAD_TP(name)                                    \
	"type: TrafficPermission\nmesh: m\nname: " name \
	"\ndestinations: [{match: {kuma.io/service: a}}]\n"
#define CUT "---\n"

static struct store *st;

static void
setup(void)
{
	st = store_new();
}

static void
teardown(void)
{
	store_free(st);
}

TestSuite(store, .init = setup, .fini = teardown);

static bool
change(const char *path, const char *text)
{
	put(st, path, text);
	return store_commit(st);
}

/* The host of an ExternalService in force, or "-". */
static const char *
host(const char *name)
{
	static char out[64];
	const struct external_service *es =
	    external_service_of(find(st, KIND_EXTERNAL_SERVICE, "m", name));

	snprintf(out, sizeof(out), "%.*s", STR_ARG(es->host));
	return out;
}

#define expect_host(name, text)                                                \
	do {                                                                   \
		cr_assert_not_null(find(st, KIND_EXTERNAL_SERVICE, "m", name), \
		    "%s is not in force", name);                               \
		cr_expect_str_eq(host(name), text);                            \
	} while (0)
#define expect_gone(name)                                          \
	cr_expect_null(find(st, KIND_EXTERNAL_SERVICE, "m", name), \
	    "%s is in force", name)

static void
expect_refused(size_t n, bool has_last_good)
{
	const struct refused *list;
	size_t i, got;

	list = store_refused(st, &got);
	cr_expect_eq(got, n, "%zu refused", got);
	for (i = 0; i < got; i++)
		cr_expect_eq(list[i].has_last_good, has_last_good, "%s:%u",
		    list[i].file, list[i].line);
}

static void
expect_said(const char *words)
{
	char *all = print_problems(st);

	cr_expect_not_null(strstr(all, words), "not said: %s\n%s", words, all);
	free(all);
}

Test(store, nothing_heard_is_no_change)
{
	size_t n;

	cr_expect_not(store_commit(st));
	store_list(st, KIND_MESH, &n);
	cr_expect_eq(n, 0u);
	cr_expect_eq(store_problems(st)->n, 0u);
	store_files(st, &n);
	cr_expect_eq(n, 0u);
}

Test(store, nothing_takes_effect_before_the_commit)
{
	put(st, "a", ES("a", "a.example"));
	expect_gone("a");
	cr_expect(store_commit(st));
	expect_host("a", "a.example");
}

Test(store, lists_are_sorted_by_mesh_and_name)
{
	const struct resource *const *list;
	size_t n;

	change("x", "type: TrafficRoute\nmesh: b\nname: a\nconf: {}\n" CUT
		    "type: Mesh\nname: z\n" CUT "type: Mesh\nname: a\n" CUT
		    "type: TrafficRoute\nmesh: a\nname: z\nconf: {}\n" CUT
		    "type: TrafficRoute\nmesh: a\nname: b\nconf: {}\n");
	list = store_list(st, KIND_TRAFFIC_ROUTE, &n);
	cr_assert_eq(n, 3u);
	expect_str(list[0]->name, "b");
	expect_str(list[1]->name, "z");
	expect_str(list[2]->mesh, "b");
	list = store_list(st, KIND_MESH, &n);
	cr_assert_eq(n, 2u);
	expect_str(list[0]->name, "a");
	store_list(st, KIND_DATAPLANE, &n);
	cr_expect_eq(n, 0u);
}

Test(store, equal_bytes_do_nothing)
{
	const struct resource *r;

	cr_expect(change("a", ES("a", "a.example")));
	r = find(st, KIND_EXTERNAL_SERVICE, "m", "a");
	cr_expect_not(change("a", ES("a", "a.example")));
	cr_expect_eq(find(st, KIND_EXTERNAL_SERVICE, "m", "a"), r);
}

Test(store, only_changed_documents_are_parsed_again)
{
	const struct resource *r;

	change("f", ES("a", "a.example") CUT ES("b", "b.example"));
	r = find(st, KIND_EXTERNAL_SERVICE, "m", "b");
	cr_expect(change("f", ES("a", "aa.example") CUT ES("b", "b.example")));
	cr_expect_eq(find(st, KIND_EXTERNAL_SERVICE, "m", "b"), r);
	expect_host("a", "aa.example");
}

#define WITH_TLS                                                              \
	CUT ES("b", "b.example") "  tls:\n    caCert: {secret: x}\n    sni: " \
				 "x\n"

Test(store, a_document_that_moves_takes_its_lines_along)
{
	const struct resource *r;

	change("f", "type: Mesh\nname: m\n" WITH_TLS);
	r = find(st, KIND_EXTERNAL_SERVICE, "m", "b");
	cr_assert_not_null(r);
	cr_expect_eq(r->line, 4u);
	cr_expect_eq(external_service_of(r)->tls.ca_cert.line, 11u);
	expect_said("f:12: networking.tls.sni");
	cr_expect_not(change("f", "# new\n# lines\n---\n"
				  "type: Mesh\nname: m\n" WITH_TLS));
	cr_expect_eq(find(st, KIND_EXTERNAL_SERVICE, "m", "b"), r);
	cr_expect_eq(r->line, 7u);
	cr_expect_eq(external_service_of(r)->tls.ca_cert.line, 14u);
	expect_said("f:15: networking.tls.sni");
}

Test(store, a_move_alone_is_no_change)
{
	change("f", CUT ES("a", "a.example"));
	cr_expect_not(change("f", "# a comment\n" CUT ES("a", "a.example")));
	cr_expect_eq(find(st, KIND_EXTERNAL_SERVICE, "m", "a")->line, 3u);
}

Test(store, a_renamed_file_is_no_change)
{
	change("a", ES("a", "a.example"));
	store_drop_file(st, "a");
	cr_expect_not(change("b", ES("a", "a.example")));
	expect_host("a", "a.example");
	cr_expect_str_eq(find(st, KIND_EXTERNAL_SERVICE, "m", "a")->file, "b");
}

Test(store, a_dropped_file_takes_its_documents_along)
{
	const char *const *files;
	size_t n;

	put(st, "b", ES("b", "b.example"));
	put(st, "a", ES("a", "a.example"));
	store_commit(st);
	files = store_files(st, &n);
	cr_assert_eq(n, 2u);
	cr_expect_str_eq(files[0], "a");
	store_drop_file(st, "a");
	store_drop_file(st, "never-heard-of");
	files = store_files(st, &n);
	cr_assert_eq(n, 1u);
	cr_expect_str_eq(files[0], "b");
	cr_expect(store_commit(st));
	expect_gone("a");
	expect_host("b", "b.example");
}

Test(store, a_refused_document_keeps_its_last_good_version)
{
	change("f", ES("a", "a.example") CUT ES("b", "b.example"));
	cr_expect(change("f", ES("a", "not a host") CUT ES("b", "bb.example")));
	expect_host("a", "a.example");
	expect_host("b", "bb.example");
	expect_refused(1, true);
	expect_said("f:6: networking.address");
	/* And keeps it, however often it is refused. */
	cr_expect_not(
	    change("f", ES("a", "nor this") CUT ES("b", "bb.example")));
	expect_host("a", "a.example");
	cr_expect(change("f", ES("a", "aa.example") CUT ES("b", "bb.example")));
	expect_host("a", "aa.example");
	expect_refused(0, false);
	cr_expect_eq(store_problems(st)->n, 0u);
}

Test(store, the_last_good_version_goes_with_its_document)
{
	change("f", ES("a", "a.example") CUT ES("b", "b.example"));
	change("f", ES("a", "not a host") CUT ES("b", "b.example"));
	cr_expect(change("f", ES("b", "b.example")));
	expect_gone("a");
	change("g", ES("a", "a.example"));
	change("g", ES("a", "not a host"));
	expect_host("a", "a.example");
	store_drop_file(st, "g");
	cr_expect(store_commit(st));
	expect_gone("a");
}

Test(store, a_document_that_moves_and_breaks_keeps_its_last_good_version)
{
	change("a", ES("a", "a.example"));
	store_drop_file(st, "a");
	cr_expect_not(change("b", ES("a", "not a host")));
	expect_host("a", "a.example");
	expect_refused(1, true);
}

Test(store, one_bad_document_never_takes_the_others_down)
{
	cr_expect(change("f", ES("a", "a.example") CUT
	    "type: [\n" CUT ES("b", "b.example") CUT "type: Nope\nname: x\n"));
	expect_host("a", "a.example");
	expect_host("b", "b.example");
	expect_refused(2, false);
}

Test(store, a_file_that_cannot_be_parsed_keeps_all_of_its_documents)
{
	put(st, "g", ES("c", "c.example"));
	change("f", ES("a", "a.example") CUT ES("b", "b.example"));
	put(st, "g", ES("c", "cc.example"));
	cr_expect(change("f", ES("a", "aa.example") CUT "type: [\n"));
	expect_host("a", "a.example");
	expect_host("b", "b.example");
	expect_host("c", "cc.example");
	expect_said("f: cannot be read in full; what it held before stays");
	expect_said("f:8: not YAML or JSON");
	/* The same damage again, and then mended. */
	cr_expect_not(change("f", ES("a", "aa.example") CUT "type: [\n"));
	cr_expect_not(change("f", ES("a", "ab.example") CUT "type: [\n"));
	expect_host("a", "a.example");
	cr_expect(change("f", ES("a", "aa.example")));
	expect_host("a", "aa.example");
	expect_gone("b");
	cr_expect_eq(store_problems(st)->n, 0u);
}

/* Known damage does not freeze the rest of the file. */
Test(store, a_file_that_was_always_bad_can_change)
{
	change("f", ES("a", "a.example") CUT "what: is this\n");
	cr_expect(change("f", ES("b", "b.example") CUT "what: is this\n"));
	expect_gone("a");
	expect_host("b", "b.example");
}

Test(store, an_empty_file_keeps_what_it_held)
{
	change("f", ES("a", "a.example"));
	cr_expect_not(change("f", ""));
	expect_host("a", "a.example");
	expect_said("f: is empty or cut off");
	cr_expect_not(change("f", "\n \n"));
	expect_host("a", "a.example");
	cr_expect(change("f", "# nothing here, on purpose\n"));
	expect_gone("a");
	cr_expect_eq(store_problems(st)->n, 0u);
}

static size_t
permissions(void)
{
	const struct resource *const *list;
	size_t n, i, good = 0;

	list = store_list(st, KIND_TRAFFIC_PERMISSION, &n);
	for (i = 0; i < n; i++)
		good += !list[i]->is_broken;
	return good;
}

/* Wherever a file is cut off, what it permitted stays permitted. */
Test(store, a_truncated_file_revokes_nobody)
{
	static const char whole[] =
	    TP("a", "one") CUT TP("b", "two") CUT TP("c", "three");
	static const char second[] = TP("a", "one") CUT;
	size_t i, boundary_1 = strlen(TP("a", "one"));
	size_t boundary_2 = boundary_1 + strlen(CUT TP("b", "two"));
	bool is_boundary;

	for (i = 0; i < sizeof(whole) - 1; i++) {
		store_free(st);
		st = store_new();
		change("f", whole);
		store_put_file(st, "f", str_first(str_of(whole), i));
		store_commit(st);
		/* A cut between documents cannot be told from an edit. */
		is_boundary =
		    (i >= boundary_1 && i <= strlen(second)) ||
		    (i >= boundary_2 && i <= boundary_2 + strlen(CUT));
		if (!is_boundary)
			cr_expect_eq(permissions(), 3u, "%zu bytes: %zu", i,
			    permissions());
	}
}

Test(store, a_file_that_cannot_be_read_keeps_what_it_held)
{
	change("f", ES("a", "a.example"));
	store_fail_file(st, "f", "Permission denied");
	cr_expect_not(store_commit(st));
	expect_host("a", "a.example");
	expect_said("f: Permission denied; what it held before stays");
	cr_expect_not(change("f", ES("a", "a.example")));
	cr_expect_eq(store_problems(st)->n, 0u);
	store_fail_file(st, "new", "Permission denied");
	store_commit(st);
	expect_said("new: Permission denied");
}

Test(store, of_two_the_first_by_path_is_in_force_at_the_start)
{
	put(st, "b", ES("a", "b.example"));
	put(st, "a", ES("x", "x.example") CUT ES("a", "a.example"));
	store_commit(st);
	expect_host("a", "a.example");
	expect_refused(1, true);
	expect_said("b:1: name: ExternalService m/a stands in a:8 too");
}

Test(store, of_two_the_one_in_force_stays)
{
	change("b", ES("a", "b.example"));
	cr_expect_not(change("a", ES("a", "a.example")));
	expect_host("a", "b.example");
	/* Its own file may change it. */
	cr_expect(change("b", ES("a", "bb.example")));
	expect_host("a", "bb.example");
	/* The other one steps in when it goes. */
	store_drop_file(st, "b");
	cr_expect(store_commit(st));
	expect_host("a", "a.example");
	expect_refused(0, false);
}

Test(store, two_in_one_file)
{
	change("f", ES("a", "a.example"));
	change("f", ES("a", "new.example") CUT ES("a", "a.example"));
	expect_host("a", "a.example");
	expect_said("f:1: name: ExternalService m/a stands in f:8 too");
}

Test(store, a_double_steps_in_for_a_refused_document)
{
	change("a", ES("a", "not a host"));
	cr_expect(change("b", ES("a", "b.example")));
	expect_host("a", "b.example");
	expect_refused(1, true);
}

Test(store, names_are_of_a_mesh_and_a_kind)
{
	change("f", ES("a", "a.example") CUT
	    "type: ExternalService\nmesh: n\nname: a\n"
	    "tags: {kuma.io/service: s}\nnetworking: {address: \"h:1\"}\n" CUT
		TP("a", "one"));
	cr_expect_eq(count_in_force(st), 3u);
	cr_expect_eq(store_problems(st)->n, 0u);
}

Test(store, foreign_objects_are_listed_and_may_repeat)
{
	size_t n;

	change("f", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n" CUT
		    "apiVersion: v1\nkind: ConfigMap\n"
		    "metadata: {name: a, namespace: b}\n" CUT
		    "type: MeshTrace\nname: t\nspec: {}\n");
	store_list(st, KIND_FOREIGN, &n);
	cr_expect_eq(n, 2u);
	store_list(st, KIND_MESH_TRACE, &n);
	cr_expect_eq(n, 1u);
	cr_expect_eq(store_problems(st)->n, 0u);
}

static const struct resource *
permission(const char *name)
{
	return find(st, KIND_TRAFFIC_PERMISSION, "m", name);
}

Test(store, a_permission_never_understood_is_in_force_as_broken)
{
	cr_expect(change("f", BAD_TP("p")));
	cr_assert_not_null(permission("p"));
	cr_expect(permission("p")->is_broken);
	cr_expect(permission("p")->target_is_known);
	cr_expect_eq(
	    traffic_permission_of(permission("p"))->n_destinations, 1u);
	expect_refused(1, false);
	cr_expect(change("f", TP("p", "one")));
	cr_expect_not(permission("p")->is_broken);
	/* Now it has a last good version, which a mistake leaves in force. */
	cr_expect_not(change("f", BAD_TP("p")));
	cr_expect_not(permission("p")->is_broken);
	expect_refused(1, true);
	store_drop_file(st, "f");
	cr_expect(store_commit(st));
	cr_expect_null(permission("p"));
}

Test(store, a_broken_permission_is_no_double)
{
	change("a", BAD_TP("p"));
	cr_expect(permission("p")->is_broken);
	cr_expect(change("b", TP("p", "one")));
	cr_expect_not(permission("p")->is_broken);
	expect_refused(1, true);
}

Test(store, garbled_permissions_deny_unless_an_earlier_one_serves)
{
	const struct resource *const *list;
	size_t n;

	/* Of a file that was good, the version before serves. */
	change("a", TP("p", "one"));
	cr_expect_not(change("a", "type: TrafficPermission\nmesh: m\n[\n"));
	cr_expect_eq(permissions(), 1u);
	expect_refused(1, true);
	/* A second one was never there. */
	cr_expect(change(
	    "a", TP("p", "one") CUT "type: TrafficPermission\nmesh: m\n[\n"));
	list = store_list(st, KIND_TRAFFIC_PERMISSION, &n);
	cr_assert_eq(n, 2u);
	cr_expect(list[0]->is_broken);
	expect_str(list[0]->mesh, "m");
	cr_expect_not(list[1]->is_broken);
	expect_refused(1, false);
	/* Beside one that is garbled too, and has an earlier version. */
	change("a", TP("p", "one"));
	change("a", "kind: TrafficPermission\n[\n" CUT
		    "type: TrafficPermission\nmesh: m\n[\n");
	list = store_list(st, KIND_TRAFFIC_PERMISSION, &n);
	cr_expect_eq(n, 2u);
	cr_expect_eq(permissions(), 1u);
}

Test(store, many_garbled_permissions_all_deny)
{
	size_t n;

	put(st, "a", "type: TrafficPermission\nmesh: m\n[\n");
	put(st, "b", "type: TrafficPermission\nmesh: m\n[\n");
	put(st, "c", BAD_TP("p") CUT BAD_TP("p") "# again\n");
	store_commit(st);
	store_list(st, KIND_TRAFFIC_PERMISSION, &n);
	cr_expect_eq(n, 4u);
}

Test(store, a_misspelt_kind_is_its_document_all_the_same)
{
	change("f", TP("p", "one") CUT TP("q", "two"));
	cr_expect_not(
	    change("f", "type: TrafficPermision\nmesh: m\nname: p\n"
			"sources: []\ndestinations: []\n" CUT TP("q", "two")));
	cr_expect_eq(permissions(), 2u);
	expect_said("did you mean TrafficPermission?");
	cr_expect(change("f", TP("q", "two")));
	cr_expect_eq(permissions(), 1u);
}

Test(store, secrets_come_as_files_of_their_own)
{
	const struct resource *r;

	store_put_secret(st, STR("m"), STR("ca"), "/s/m/ca", STR("pem\n"));
	cr_expect(store_commit(st));
	r = find(st, KIND_SECRET, "m", "ca");
	cr_assert_not_null(r);
	expect_str(secret_of(r)->data, "pem\n");
	cr_expect_str_eq(r->file, "/s/m/ca");
	store_put_secret(st, STR("m"), STR("ca"), "/s/m/ca", STR("pem\n"));
	cr_expect_not(store_commit(st));
	store_put_secret(st, STR("m"), STR("ca"), "/s/m/ca", STR("new"));
	cr_expect(store_commit(st));
	expect_str(secret_of(find(st, KIND_SECRET, "m", "ca"))->data, "new");
	/* Cut off to nothing: the last content stays. */
	store_put_secret(st, STR("m"), STR("ca"), "/s/m/ca", STR(""));
	cr_expect_not(store_commit(st));
	expect_str(secret_of(find(st, KIND_SECRET, "m", "ca"))->data, "new");
	expect_said("/s/m/ca: is empty");
	store_drop_secret(st, STR("m"), STR("ca"));
	cr_expect(store_commit(st));
	cr_expect_null(find(st, KIND_SECRET, "m", "ca"));
	cr_expect_eq(store_problems(st)->n, 0u);
}

Test(store, a_secret_that_is_a_resource_too_is_a_double)
{
	change("r.yaml", "type: Secret\nmesh: m\nname: ca\ndata: aGVsbG8=\n");
	store_put_secret(st, STR("m"), STR("ca"), "/s/m/ca", STR("pem"));
	cr_expect_not(store_commit(st));
	expect_str(secret_of(find(st, KIND_SECRET, "m", "ca"))->data, "hello");
	expect_said("/s/m/ca: name: Secret m/ca stands in r.yaml:1 too");
	store_drop_file(st, "r.yaml");
	cr_expect(store_commit(st));
	expect_str(secret_of(find(st, KIND_SECRET, "m", "ca"))->data, "pem");
}

Test(store, files_of_secrets_are_not_among_the_files)
{
	size_t n;

	store_put_secret(st, STR("m"), STR("ca"), "/s/m/ca", STR("pem"));
	store_commit(st);
	store_files(st, &n);
	cr_expect_eq(n, 0u);
}

Test(store, no_problem_shows_a_key)
{
	char *all;

	change("f",
	    "type: Secret\nname: s\ndata: \"%hush-hush%\"\n" CUT ES("a",
		"a.example") "  tls: {enabled: true, clientKey: {inline: "
			     "\"%hush-hush%\", inlineString: hush-hush}}\n" CUT
			     "type: Secret\nname: t\ndata: [hush-hush\n");
	all = print_problems(st);
	cr_expect_null(strstr(all, "hush"), "%s", all);
	free(all);
}

Test(store, problems_come_by_file_and_line)
{
	const struct problems *pr;
	size_t i;

	put(st, "b", ES("b", "not a host") CUT "type: Nope\nname: n\n");
	put(st, "a", "x: y\n" CUT ES("a", "not a host"));
	store_commit(st);
	pr = store_problems(st);
	cr_assert_eq(pr->n, 4u);
	cr_expect_eq(pr->errors, pr->n);
	for (i = 1; i < pr->n; i++)
		cr_expect(strcmp(pr->v[i - 1].file, pr->v[i].file) < 0 ||
			      (strcmp(pr->v[i - 1].file, pr->v[i].file) == 0 &&
				  pr->v[i - 1].line <= pr->v[i].line),
		    "%zu", i);
}

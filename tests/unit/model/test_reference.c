/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Against resources of Kuma itself, in the folder that ZEGRESS_REFERENCE
 * names: what its documentation shows loads, or is refused for a reason that
 * is listed here; its own cases of validation give the same fields.  Without
 * the folder there is nothing to compare, and the tests are skipped.
 */

#include <glob.h>
#include <unistd.h>

#include "unit/model/model_load.h"

static const char *
reference(void)
{
	const char *dir = getenv("ZEGRESS_REFERENCE");

	if (dir == NULL)
		cr_skip_test("ZEGRESS_REFERENCE is not set");
	return dir;
}

static void
read_file(const char *path, struct text *out)
{
	FILE *f = fopen(path, "r");
	size_t n;

	cr_assert_not_null(f, "%s", path);
	while ((n = fread(text_reserve(out, 4096), 1, 4096, f)) > 0)
		out->len += n;
	fclose(f);
}

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

/* The files of a pattern below the folder. */
static void
each_file(const char *pattern, glob_t *found)
{
	char *whole;

	cr_assert_neq(asprintf(&whole, "%s/%s", reference(), pattern), -1);
	cr_assert_eq(glob(whole, 0, NULL, found), 0, "%s", whole);
	free(whole);
}

#define FRAGMENT "has neither type:"
#define PLACEHOLDER "is no kind of Kuma"
#define TEMPLATE "spec.to[0].targetRef._port: unknown field"

/* What the documentation shows and is not a resource that could be used. */
static const struct {
	const char *file;
	const char *why;
	size_t errors;
} refused[] = {
	{ "networking-meshexternalservice-03.yaml", FRAGMENT, 1 },
	{ "networking-meshservice-06.yaml", FRAGMENT, 1 },
	{ "policies-introduction-03.yaml", PLACEHOLDER, 2 },
	{ "policies-introduction-04.yaml", PLACEHOLDER, 1 },
	{ "policies-introduction-05.yaml", PLACEHOLDER, 1 },
	{ "policies-introduction-06.yaml", FRAGMENT, 1 },
	{ "policies-introduction-16.yaml", FRAGMENT, 1 },
	{ "policies-introduction-42.yaml", PLACEHOLDER, 1 },
	{ "policies-introduction-47.yaml", PLACEHOLDER, 1 },
	/* http is left out around them. */
	{ "policies-introduction-new-01.yaml",
	    "at least one of the 'tcp', 'http', 'grpc' must be specified", 1 },
	/* Neither name nor labels. */
	{ "policies-introduction-new-07.yaml", "must be set with this kind",
	    1 },
	/* Without to: or from: around its default. */
	{ "resources-meshopentelemetrybackend-00.yaml",
	    "at least one of 'from', 'to' or 'rules' has to be defined", 1 },
	{ "policies-targetref-05.yaml", FRAGMENT, 1 },
	/* Fields below spec in the Universal form: Kuma reads none of them. */
	{ "policies-traffic-metrics-27.yaml", "must have at least one element",
	    4 },
	/* _port is no field that Kuma has. */
	{ "policies-meshloadbalancingstrategy-04.yaml", TEMPLATE, 1 },
	{ "policies-meshloadbalancingstrategy-06.yaml", TEMPLATE, 1 },
	{ "policies-meshloadbalancingstrategy-08.yaml", TEMPLATE, 1 },
	{ "policies-meshloadbalancingstrategy-12.yaml", TEMPLATE, 1 },
	{ "policies-meshtimeout-08.yaml", TEMPLATE, 1 },
	{ "policies-meshtimeout-09.yaml", TEMPLATE, 1 },
	/* Kuma refuses a name with Mesh too. */
	{ "policies-meshfaultinjection-06.yaml",
	    "spec.from[0].targetRef.name: must not be set", 1 },
	{ "policies-meshfaultinjection-07.yaml",
	    "spec.from[0].targetRef.name: must not be set", 1 },
	{ "policies-meshfaultinjection-09.yaml",
	    "spec.from[0].targetRef.name: must not be set", 1 },
	/* Kuma wants a text here too. */
	{ "production-upgrades-tuning-fine-tuning-01.yaml",
	    "tags[\"customTag\"]: must be a text", 1 },
	/* A command to run, where its output belongs. */
	{ "using-mesh-managing-ingress-traffic-builtin-listeners-11.yaml",
	    "data: must be base64", 1 },
};

static void
expect_as_listed(const struct store *st, const char *file)
{
	size_t i, n, errors = 0;
	char *said = print_problems(st);

	for (i = 0; i < ARRAY_LEN(refused); i++) {
		if (strcmp(file, refused[i].file) != 0)
			continue;
		errors = refused[i].errors;
		cr_expect_not_null(strstr(said, refused[i].why), "%s", said);
	}
	cr_expect_eq(store_problems(st)->errors, errors, "%s", said);
	store_refused(st, &n);
	if (errors == 0)
		cr_expect(n == 0 && count_in_force(st) > 0, "%s", file);
	else
		cr_expect_gt(n, 0u, "%s", file);
	free(said);
}

Test(reference, the_documentation_loads_or_is_refused_as_listed)
{
	struct text bytes;
	struct store *st;
	glob_t found;
	size_t i;

	each_file("kuma-docs/*.yaml", &found);
	cr_expect_geq(found.gl_pathc, 164u);
	for (i = 0; i < found.gl_pathc; i++) {
		bytes = TEXT_EMPTY;
		st = store_new();
		read_file(found.gl_pathv[i], &bytes);
		store_put_file(
		    st, base_name(found.gl_pathv[i]), text_str(&bytes));
		store_commit(st);
		expect_as_listed(st, base_name(found.gl_pathv[i]));
		store_free(st);
		text_free(&bytes);
	}
	globfree(&found);
}

static void
expect_clean(const char *pattern, const char *warnings)
{
	struct text bytes;
	struct store *st;
	char *said, *paths;
	glob_t found;
	size_t i;

	each_file(pattern, &found);
	for (i = 0; i < found.gl_pathc; i++) {
		bytes = TEXT_EMPTY;
		st = store_new();
		read_file(found.gl_pathv[i], &bytes);
		store_put_file(
		    st, base_name(found.gl_pathv[i]), text_str(&bytes));
		cr_expect(store_commit(st), "%s", found.gl_pathv[i]);
		said = print_problems(st);
		paths = paths_of(st, PROBLEM_WARNING);
		cr_expect_eq(store_problems(st)->errors, 0u, "%s", said);
		cr_expect(paths[0] == '\0' || strcmp(paths, warnings) == 0,
		    "%s", said);
		free(said);
		free(paths);
		store_free(st);
		text_free(&bytes);
	}
	globfree(&found);
}

Test(reference, resources_that_were_run_load)
{
	expect_clean("kuma/resources/*.yaml", "");
	expect_clean("kuma-cases/egress/input/*.yaml", "networking.tls.sni");
	expect_clean("kuma-cases/matching/*/*.policies.yaml", "");
	expect_clean("kuma-cases/matching/*/*.es.yaml", "");
}

/* The input is what stands below spec; the output lists fields and why. */
static struct store *
load_case(const char *path, const char *name)
{
	struct text bytes = TEXT_EMPTY, whole = TEXT_EMPTY;
	struct store *st = store_new();
	struct str rest, line;

	read_file(path, &bytes);
	text_addf(&whole,
	    "type: MeshExternalService\nmesh: default\nname: %s\nspec:\n",
	    name);
	rest = text_str(&bytes);
	while (rest.p != NULL) {
		line = str_cut(&rest, '\n');
		text_addf(&whole, "  %.*s\n", STR_ARG(line));
	}
	store_put_file(st, "case.yaml", text_str(&whole));
	store_commit(st);
	text_free(&bytes);
	text_free(&whole);
	return st;
}

/* Each "- field: X" of the output, in its order. */
static size_t
expect_fields(const struct store *st, const char *path)
{
	struct text bytes = TEXT_EMPTY;
	const struct problems *pr = store_problems(st);
	struct str rest, line, field;
	size_t n = 0, i;

	read_file(path, &bytes);
	rest = text_str(&bytes);
	while (rest.p != NULL) {
		line = str_cut(&rest, '\n');
		if (!str_starts(line, STR("- field: ")))
			continue;
		field = str_trim(str_from(line, 9));
		for (i = 0; i < pr->n; i++) {
			if (pr->v[i].level == PROBLEM_ERROR &&
			    str_eq(field, str_of(pr->v[i].path)))
				break;
		}
		cr_expect_lt(
		    i, pr->n, "%s: %.*s is not refused", path, STR_ARG(field));
		n++;
	}
	text_free(&bytes);
	return n;
}

static const char *
name_for(const char *file)
{
	if (strstr(file, "name-too-long") != NULL)
		return "a2345678901234567890123456789012345678901234567890123"
		       "45678901234";
	if (strstr(file, "name-length-63") != NULL)
		return "a2345678901234567890123456789012345678901234567890123"
		       "4567890123";
	return "case";
}

static char *
output_of(const char *input)
{
	char *path;

	cr_assert_neq(asprintf(&path, "%.*s.output.yaml",
			  (int)(strlen(input) - strlen(".input.yaml")), input),
	    -1);
	return path;
}

Test(reference, validation_refuses_the_same_fields)
{
	size_t i, expected;
	struct store *st;
	char *output, *said;
	glob_t found;

	each_file("kuma-cases/meshexternalservice/*.input.yaml", &found);
	for (i = 0; i < found.gl_pathc; i++) {
		st = load_case(found.gl_pathv[i], name_for(found.gl_pathv[i]));
		output = output_of(found.gl_pathv[i]);
		expected =
		    access(output, R_OK) == 0 ? expect_fields(st, output) : 0;
		free(output);
		said = print_problems(st);
		cr_expect_eq(store_problems(st)->errors, expected, "%s\n%s",
		    found.gl_pathv[i], said);
		free(said);
		store_free(st);
	}
	cr_expect_geq(i, 10u);
	globfree(&found);
}

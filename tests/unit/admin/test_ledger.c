/* SPDX-License-Identifier: Apache-2.0 */
/* admin/ledger.h: the file, whole and damaged, and what is suggested. */

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/ledger.h"
#include "admin/ledger_file.h"
#include "admin/ledger_print.h"
#include "base/xalloc.h"

#define USES 4

static void
add(struct uses *u, char kind, const char *service, const char *who)
{
	const uint64_t n[USE_COUNTS] = { 1, 2, 3, 4, 5, 6 };
	const struct use_name name = {
		.kind = kind,
		.service = str_of(service),
		.identity = str_of(who),
		.host = STR("127.0.0.1:443"),
	};

	uses_add(u, &name, 1700000000, 1800000000, n);
}

/* Lines: one of the ledger, one a use. */
static struct uses *
make(struct text *file)
{
	struct uses *u = uses_new(100);

	add(u, USE_OF_SERVICE, "default/ES/raw", "spiffe://default/web");
	add(u, USE_OF_SERVICE, "default/ES/raw", "spiffe://default/batch");
	add(u, USE_OF_SERVICE, "default/MES/mes", "spiffe://default/ns/x/sa/y");
	add(u, USE_OF_RULE, "", "a.yaml TrafficPermission/a");
	ledger_file_print(u, 1600000000, file);
	return u;
}

static size_t
read_back(struct str bytes, struct ledger_read *r)
{
	struct uses *u = uses_new(100);
	size_t n;

	ledger_file_read(bytes, u, r);
	n = HASH_COUNT(u->table);
	uses_free(u);
	return n;
}

Test(ledger_file, is_read_as_it_was_written)
{
	struct text file = TEXT_EMPTY, again = TEXT_EMPTY;
	struct uses *u = make(&file), *v = uses_new(100);
	struct ledger_read r;

	ledger_file_read(text_str(&file), v, &r);
	cr_expect_eq(r.good, USES + 1);
	cr_expect_eq(r.bad, 0);
	cr_expect_eq(r.since_s, 1600000000);
	ledger_file_print(v, r.since_s, &again);
	cr_expect_str_eq(again.p, file.p);
	uses_free(u);
	uses_free(v);
	text_free(&file);
	text_free(&again);
}

/* Every line before the cut is there, and a cut one is told. */
Test(ledger_file, cut_anywhere)
{
	struct text file = TEXT_EMPTY;
	struct uses *u = make(&file);
	size_t lines = 0, n, at, begin = 0;
	struct ledger_read r;

	for (at = 0; at <= file.len; at++) {
		if (at > 0 && file.p[at - 1] == '\n') {
			lines++;
			begin = at;
		}
		n = read_back(str_first(text_str(&file), at), &r);
		if (at < file.len && file.p[at] == '\n') {
			cr_expect_eq(r.good, lines + 1, "cut at %zu", at);
			continue; /* only its end is missing */
		}
		cr_expect_eq(r.good, lines, "cut at %zu", at);
		cr_expect_eq(r.bad, at > begin, "cut at %zu", at);
		cr_expect_eq(n, lines > 0 ? lines - 1 : 0, "cut at %zu", at);
	}
	uses_free(u);
	text_free(&file);
}

/* Whatever happens to a byte costs its line, or the two it stands between. */
Test(ledger_file, garbled_anywhere)
{
	static const char to[] = { '\0', '\n', '\t', 'x', '\xff' };
	struct text file = TEXT_EMPTY;
	struct uses *u = make(&file);
	struct ledger_read r;

	for (size_t at = 0; at < file.len; at++)
		for (size_t i = 0; i < sizeof(to); i++) {
			char was = file.p[at];
			bool is_end = was == '\n' && at + 1 < file.len;

			if (was == to[i])
				continue;
			file.p[at] = to[i];
			(void)read_back(text_str(&file), &r);
			cr_expect_eq(r.good, USES + 1 - (is_end ? 2 : 1),
			    "byte %zu as %d: %zu", at, to[i], r.good);
			cr_expect_geq(r.bad, 1, "byte %zu", at);
			file.p[at] = was;
		}
	uses_free(u);
	text_free(&file);
}

static char path[128];

static void
make_folder(void)
{
	char dir[64] = "/tmp/zegress-ledger-XXXXXX";

	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/ledger", dir);
}

static void
remove_folder(void)
{
	(void)unlink(path);
	*strrchr(path, '/') = '\0';
	cr_expect_eq(rmdir(path), 0, "something is left in %s", path);
}

static struct ledger *
open_ledger(struct loop *l)
{
	return ledger_new(l, &(struct ledger_settings){
				 .file = path,
				 .entries = 100,
				 .interval_s = 30,
			     });
}

static void
put_file(const char *bytes)
{
	FILE *f = fopen(path, "w");

	cr_assert_not_null(f);
	fputs(bytes, f);
	cr_assert_eq(fclose(f), 0);
}

Test(ledger, survives, .init = make_folder, .fini = remove_folder)
{
	struct text file = TEXT_EMPTY;
	struct loop *l = loop_new();
	struct ledger *g = open_ledger(l);
	int64_t since_s = ledger_since_s(g);

	ledger_take(g, make(&file));
	ledger_free(g);
	g = open_ledger(l);
	cr_expect_eq(HASH_COUNT(ledger_uses(g)->table), USES);
	cr_expect_eq(ledger_since_s(g), since_s);
	ledger_free(g);
	/* What is half written is not looked at. */
	put_file("");
	g = open_ledger(l);
	cr_expect_eq(HASH_COUNT(ledger_uses(g)->table), 0);
	ledger_free(g);
	loop_free(l);
	text_free(&file);
}

Test(ledger, leaves_other_files_alone, .init = make_folder,
    .fini = remove_folder)
{
	struct text file = TEXT_EMPTY;
	struct loop *l = loop_new();
	struct ledger *g;
	char said[64] = "";
	FILE *f;

	put_file("somebody's notes\n");
	g = open_ledger(l);
	ledger_take(g, make(&file));
	ledger_free(g);
	f = fopen(path, "r");
	cr_assert_not_null(f);
	cr_expect_not_null(fgets(said, sizeof(said), f));
	cr_expect_str_eq(said, "somebody's notes\n");
	fclose(f);
	loop_free(l);
	text_free(&file);
}

static void
expect_said(const struct admin_state *s, const char *args, bool is_good,
    const char *want)
{
	struct text out = TEXT_EMPTY;

	cr_expect_eq(ledger_print(s, str_of(args), &out), is_good, "%s", args);
	cr_expect(strstr(out.p, want) != NULL, "%s: %s", args, out.p);
	text_free(&out);
}

Test(ledger, is_printed, .init = make_folder, .fini = remove_folder)
{
	struct admin_state s = { .ledger = NULL };
	struct text file = TEXT_EMPTY;
	struct loop *l = loop_new();
	struct ledger *g = open_ledger(l);

	expect_said(&s, "", false, "no ledger is kept");
	s.ledger = g;
	expect_said(&s, "suggest", true, "# nothing was used\n");
	ledger_take(g, make(&file));
	expect_said(&s, "", true,
	    "spiffe://default/web default/ES/raw 127.0.0.1:443 connections=1 "
	    "requests=2 bytes_in=3 bytes_out=4 denied=5 would_deny=6 "
	    "first=2023-11-14T22:13:20.000Z last=2027-01-15T08:00:00.000Z\n");
	expect_said(&s, "top connections 1", true, "and 2 more\n");
	expect_said(&s, "top bytes 3", true, "default/MES/mes");
	expect_said(&s, "--csv", true,
	    "identity,service,host,first,last,connections,requests,bytes_in,"
	    "bytes_out,denied,would_deny\n\"spiffe://default/");
	expect_said(&s, "--json", true,
	    "{\"identity\":\"spiffe://default/web\",\"service\":\"default/ES/"
	    "raw\",\"host\":\"127.0.0.1:443\",\"first\":");
	expect_said(&s, "top x", false, "\"x\" is not understood");
	expect_said(&s, "unused x", false, "\"x\" is not understood");
	expect_said(&s, "bogus", false, "\"bogus\" is not understood");
	ledger_free(g);
	loop_free(l);
	text_free(&file);
}

/* Callers by tags where all have them, else by SPIFFE ids. */
Test(ledger, suggests, .init = make_folder, .fini = remove_folder)
{
	struct admin_state s = { .ledger = NULL };
	struct text file = TEXT_EMPTY, out = TEXT_EMPTY;
	struct loop *l = loop_new();
	struct ledger *g = open_ledger(l);

	s.ledger = g;
	ledger_take(g, make(&file));
	ledger_print_suggest(&s, &out);
	cr_expect_str_eq(out.p,
	    "---\n"
	    "type: MeshTrafficPermission\n"
	    "mesh: \"default\"\n"
	    "name: used-es-raw\n"
	    "spec:\n"
	    "  targetRef: { kind: MeshService, name: \"raw\" }\n"
	    "  from:\n"
	    "  - targetRef: { kind: MeshSubset, tags: { kuma.io/service: "
	    "\"batch\" } }\n"
	    "    default: { action: Allow }\n"
	    "  - targetRef: { kind: MeshSubset, tags: { kuma.io/service: "
	    "\"web\" } }\n"
	    "    default: { action: Allow }\n"
	    "---\n"
	    "type: MeshTrafficPermission\n"
	    "mesh: \"default\"\n"
	    "name: used-mes-mes\n"
	    "spec:\n"
	    "  targetRef: { kind: MeshExternalService, name: \"mes\" }\n"
	    "  rules:\n"
	    "  - default:\n"
	    "      allow:\n"
	    "      - spiffeID: { type: Exact, value: "
	    "\"spiffe://default/ns/x/sa/y\" }\n");
	ledger_free(g);
	loop_free(l);
	text_free(&file);
	text_free(&out);
}

static char *
suggest(struct uses *u)
{
	struct admin_state s = { .ledger = NULL };
	struct text out = TEXT_EMPTY;
	struct loop *l = loop_new();
	struct ledger *g = open_ledger(l);

	s.ledger = g;
	ledger_take(g, u);
	ledger_print_suggest(&s, &out);
	ledger_free(g);
	loop_free(l);
	return out.p;
}

/* Two services of Kubernetes that differ in what no name may have. */
Test(ledger, suggests_names_that_differ, .init = make_folder,
    .fini = remove_folder)
{
	static const char *const services[] = { "default/ES/a-b_c_svc_80",
		"default/ES/a_b-c_svc_80", "default/ES/a-b-c-svc-80" };
	struct uses *u = uses_new(100);
	char *names[3], *out, *at;

	for (size_t i = 0; i < 3; i++)
		add(u, USE_OF_SERVICE, services[i], "spiffe://default/web");
	at = out = suggest(u);
	for (size_t i = 0; i < 3; i++) {
		at = strstr(at, "\nname: ");
		cr_assert_not_null(at, "%s", out);
		at += strlen("\nname: ");
		names[i] = xasprintf("%.*s", (int)strcspn(at, "\n"), at);
	}
	cr_expect_str_neq(names[0], names[1]);
	cr_expect_str_neq(names[0], names[2]);
	cr_expect_str_neq(names[1], names[2]);
	cr_expect_not_null(strstr(out, "\nname: used-es-a-b-c-svc-80\n"));
	for (size_t i = 0; i < 3; i++)
		free(names[i]);
	free(out);
}

/* A name that would be a pattern is named whole. */
Test(ledger, suggests_no_pattern, .init = make_folder, .fini = remove_folder)
{
	struct uses *u = uses_new(100);
	char *out;

	add(u, USE_OF_SERVICE, "default/ES/raw", "spiffe://default/*");
	out = suggest(u);
	cr_expect_null(strstr(out, "kuma.io/service"), "%s", out);
	cr_expect_not_null(
	    strstr(out, "type: Exact, value: \"spiffe://default/*\""), "%s",
	    out);
	free(out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* admin/command.h: each line, what it answers, and whether it failed. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "admin/command.h"
#include "unit/admin/admin_rig.h"

/* The answer, to free. */
static char *
run(struct rig *r, const char *line, bool want)
{
	struct text out = TEXT_EMPTY;
	bool is_good = command_run(&r->source, str_of(line), &out);

	cr_expect_eq(is_good, want, "%s: %s", line, out.p);
	return text_take(&out);
}

static void
expect(struct rig *r, const char *line, bool want, const char *part)
{
	char *out = run(r, line, want);

	cr_expect_not_null(strstr(out, part), "%s: %s", line, out);
	free(out);
}

Test(command, answers)
{
	static const struct {
		const char *line;
		bool is_good;
		const char *part;
	} rows[] = {
		{ "status", true, "serving for 5 s, zone z1\n" },
		{ "  status  ", true, "serving" },
		{ "status", true, "127.0.0.1:10002 egress\n" },
		{ "status", true, "connections 7\n" },
		{ "status", true, "records     our own, AES-GCM by " },
		{ "status", true, "services    2\n" },
		{ "status", true, "spiffe://m/zone-egress" },
		{ "status", true, "minted: can impersonate the mesh" },
		{ "status", true,
		    "ExternalService m/bad, nothing serves in its place" },
		{ "services", true,
		    "m/ES/one tcp local=0 remote=1 "
		    "one{mesh=m}\n" },
		{ "services two", true, "m/ES/two http local=1 remote=0" },
		{ "services m/ES/two", true, "two{mesh=m}" },
		{ "services -v one", true, "192.0.2.9:1" },
		{ "services -v two", true,
		    "  options: host=keep request_ms=15000\n" },
		{ "services none", false, "no service none\n" },
		{ "clusters", true, "clusters\n" },
		{ "grants", true, "grants\n" },
		{ "grant --for 2h web two --reason a b  c", true,
		    "|web|two|a b  c|7200|0|9\n" },
		{ "grant --mesh m --until 2030-12-31T18:00:00Z web two "
		  "--reason --for x",
		    true, "m|web|two|--for x|0|1924970400|9\n" },
		{ "grant --for 1d2h3m4s web two --reason x", true,
		    "|93784|0|9" },
		{ "grant --revoke 7", true, "7 over by 9\n" },
		{ "grant --revoke 0", false, "--revoke" },
		{ "grant --revoke x", false, "--revoke" },
		{ "grant", false, "are wanted" },
		{ "grant --for 2h web two", false, "are wanted" },
		{ "grant --for 2h web two --reason", false, "--reason" },
		{ "grant --for 2h web --reason x", false, "are wanted" },
		{ "grant web two --reason x", false, "are wanted" },
		{ "grant --for 2h --until 2030-12-31T18:00:00Z web two "
		  "--reason x",
		    false, "are wanted" },
		{ "grant --for 2 web two --reason x", false, "--for" },
		{ "grant --for h web two --reason x", false, "--for" },
		{ "grant --for 0s web two --reason x", false, "--for" },
		{ "grant --for -2h web two --reason x", false, "--for" },
		{ "grant --for 99999999999d web two --reason x", false,
		    "--for" },
		{ "grant --until never web two --reason x", false, "--until" },
		{ "grant --four 2h web two --reason x", false, "--four" },
		{ "grant --for 2h web two three --reason x", false, "three" },
		{ "check", false, "networking.address" },
		{ "dump", true, "\"zone\": \"z1\"" },
		{ "help", true, "services [-v] [NAME]" },
		{ "", false, "no command" },
		{ "sttus", false, "there is no command sttus" },
		{ "conns many", false, "a number" },
		{ "callers", true, "callers\n" },
		{ "callers x", false,
		    "callers: a number up to 1000000 is wanted\n" },
		{ "dns", true, "names\n" },
		{ "dns flush", true, "flushed \"\"\n" },
		{ "dns flush a.example", true, "flushed \"a.example\"\n" },
		{ "dns a.example", false, "dns: a number" },
	};
	struct rig r;
	size_t i;

	rig_init(&r);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		expect(&r, rows[i].line, rows[i].is_good, rows[i].part);
	rig_fini(&r);
}

Test(command, services_by_name_are_only_that_one)
{
	struct rig r;
	char *out;

	rig_init(&r);
	out = run(&r, "services two", true);
	cr_expect_null(strstr(out, "one{"), "%s", out);
	free(out);
	rig_fini(&r);
}

Test(command, conns_has_a_number)
{
	struct rig r;

	rig_init(&r);
	expect(&r, "conns", true, "conns\n");
	cr_expect_eq(r.collect_max, 1000);
	expect(&r, "conns 7", true, "conns\n");
	cr_expect_eq(r.collect_max, 7);
	expect(&r, "dns", true, "names\n");
	cr_expect_eq(r.collect_max, 1000);
	expect(&r, "dns 9", true, "names\n");
	cr_expect_eq(r.collect_max, 9);
	r.has_late_worker = true;
	expect(&r, "conns 7", false, "conns\n");
	expect(&r, "dns flush", false, "flushed");
	rig_fini(&r);
}

Test(command, reload_says_what_is_refused)
{
	struct rig r;

	rig_init(&r);
	expect(&r, "reload", false, "networking.address");
	cr_expect_eq(r.reloads, 1);
	r.state.refused = 0;
	problems_free(&r.problems);
	expect(&r, "reload", true, "nothing is refused\n");
	r.refuses_reload = true;
	expect(&r, "reload", false, "c:1: zone: bad\n");
	cr_expect_eq(r.reloads, 3);
	rig_fini(&r);
}

Test(command, check_fails_when_the_source_cannot_be_read)
{
	struct rig r;

	rig_init(&r);
	r.state.refused = 0;
	problems_free(&r.problems);
	expect(&r, "check", true, "nothing is refused\n");
	r.state.feed_error = "/resources: Permission denied";
	expect(&r, "check", false, "/resources: Permission denied\n");
	rig_fini(&r);
}

Test(command, drain_drains)
{
	struct rig r;

	rig_init(&r);
	expect(&r, "drain", true, "draining\n");
	cr_expect_eq(r.drains, 1);
	expect(&r, "status", true, "draining for");
	rig_fini(&r);
}

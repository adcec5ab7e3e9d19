/* SPDX-License-Identifier: Apache-2.0 */
/* admin/expiry.h: what is near its end, as a metric and for people. */

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "admin/expiry.h"
#include "base/clock.h"
#include "base/stats.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "unit/admin/admin_rig.h"
#include "upstream/chain_book.h"

#define DAY_S 86400

static const struct expiry_days days = { .v = { 30, 7, 1 }, .n = 3 };

static bool
near(const struct rig *r, int64_t now_s, const char *wanted)
{
	struct text out = TEXT_EMPTY;
	bool has;

	text_add_z(&out, "");
	expiry_print_near(r->expiry, now_s, &out);
	has = strstr(out.p, wanted) != NULL;
	if (!has)
		fprintf(stderr, "no \"%s\" in: %s\n", wanted, out.p);
	text_free(&out);
	return has;
}

static bool
says_nothing(const struct rig *r, int64_t now_s)
{
	struct text out = TEXT_EMPTY;
	bool is_empty;

	expiry_print_near(r->expiry, now_s, &out);
	is_empty = out.len == 0;
	text_free(&out);
	return is_empty;
}

static const struct service *
service_two(const struct rig *r)
{
	const struct service *s = snapshot_find(r->snapshot, STR("m/ES/two"));

	cr_assert_not_null(s);
	return s;
}

Test(expiry, days)
{
	struct expiry_days d;

	cr_expect(expiry_days_parse(STR("1 30  7 "), &d));
	cr_assert_eq(d.n, 3);
	cr_expect(d.v[0] == 30 && d.v[1] == 7 && d.v[2] == 1);
	cr_expect(expiry_days_parse(STR(""), &d));
	cr_expect_eq(d.n, 0);
	cr_expect_not(expiry_days_parse(STR("30,7"), &d));
	cr_expect_not(expiry_days_parse(STR("-1"), &d));
	cr_expect_not(expiry_days_parse(STR("4000"), &d));
	cr_expect_not(expiry_days_parse(
	    STR("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), &d));
}

/* Ours, the mesh's, and the one that a service shows. */
Test(expiry, what_is_in_force_is_measured)
{
	struct tls_mesh_info m;
	struct text out = TEXT_EMPTY;
	struct rig r;
	char line[128];

	rig_init(&r);
	tls_identities_info(r.identities, 0, &m);
	cr_expect_eq(stats_sum(SCOPE_EXPIRY, "identity m", STAT_NOT_AFTER),
	    (uint64_t)m.not_after_s);
	cr_expect_eq(stats_sum(SCOPE_EXPIRY, "mesh_ca m", STAT_NOT_AFTER),
	    (uint64_t)m.ca_not_after_s);
	stats_render(&out);
	(void)snprintf(line, sizeof(line),
	    "\nzegress_not_after_seconds{kind=\"identity\",name=\"m\"} "
	    "%" PRId64 "\n",
	    m.not_after_s);
	cr_expect_not_null(strstr(out.p, line), "no %s", line);
	cr_expect_not_null(
	    strstr(out.p, "{kind=\"client_certificate\",name=\""));
	text_clear(&out);
	expiry_print_service(r.expiry, service_two(&r), &out);
	cr_expect_not_null(strstr(out.p, " client_certificate "), "%s", out.p);
	text_free(&out);
	rig_fini(&r);
}

/* One warning a threshold; a renewed chain is warned of anew. */
Test(expiry, chains_of_servers)
{
	const int64_t end_s = 1000 * DAY_S, new_s = 2000 * DAY_S;
	struct text out = TEXT_EMPTY;
	struct rig r;
	struct str name;

	rig_init(&r);
	name = service_two(&r)->stats_name;
	chain_book_note(r.chains, name, end_s, end_s - 31 * DAY_S);
	expiry_look(r.expiry, &days, end_s - 31 * DAY_S);
	cr_expect(says_nothing(&r, end_s - 31 * DAY_S));
	cr_expect_eq(
	    stats_sum(SCOPE_EXPIRY, "server_chain m_two", STAT_NOT_AFTER),
	    (uint64_t)end_s);
	expiry_look(r.expiry, &days, end_s - 30 * DAY_S);
	cr_expect(near(&r, end_s - 30 * DAY_S,
	    "servers of m_two expires in 30 days: 1972-09-27T"));
	expiry_look(r.expiry, &days, end_s - DAY_S);
	cr_expect(near(&r, end_s - DAY_S, "expires in 24 hours"));
	expiry_look(r.expiry, &days, end_s);
	cr_expect(near(&r, end_s, "has expired"));
	expiry_print_service(r.expiry, service_two(&r), &out);
	cr_expect_not_null(
	    strstr(out.p, "  until 1972-09-27T00:00:00.000Z server_chain"),
	    "%s", out.p);
	text_free(&out);
	/* Another hour, another certificate. */
	chain_book_note(r.chains, name, new_s, end_s);
	expiry_look(r.expiry, &days, end_s + 1);
	cr_expect(says_nothing(&r, end_s + 1));
	/* What is not in force any more is not told of. */
	expiry_follow(r.expiry, r.snapshot, NULL);
	cr_expect_eq(stats_sum(SCOPE_EXPIRY, "identity m", STAT_NOT_AFTER), 0);
	cr_expect_eq(
	    stats_sum(SCOPE_EXPIRY, "server_chain m_two", STAT_NOT_AFTER),
	    (uint64_t)new_s);
	rig_fini(&r);
}

Test(expiry, never_means_never)
{
	static const struct expiry_days none = { .n = 0 };
	struct rig r;

	rig_init(&r);
	chain_book_note(r.chains, service_two(&r)->stats_name, 5, 1);
	expiry_look(r.expiry, &none, 10);
	cr_expect(says_nothing(&r, 10));
	rig_fini(&r);
}

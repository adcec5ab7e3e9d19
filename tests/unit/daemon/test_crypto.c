/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/crypto.h: without a validated module there is no fips. */

#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "base/problem.h"
#include "daemon/config.h"
#include "daemon/crypto.h"
#include "tls/tls_records.h"
#include "unit/feed/tree.h"

static struct config *
load(struct tree *t, const char *text)
{
	struct problems pr = PROBLEMS_NONE;
	struct config *c;

	tree_write(t, "c", text);
	c = config_load(tree_path(t, "c"), &pr);
	problems_free(&pr);
	return c;
}

Test(crypto, refuses_fips_without_its_provider)
{
	struct problems pr = PROBLEMS_NONE;
	struct config *c;
	struct tree t;

	if (access("/usr/lib/ssl/fipsmodule.cnf", F_OK) == 0)
		cr_skip("this host has OpenSSL's FIPS provider");
	tree_init(&t);
	c = load(&t, "\nfips = true;\n");
	cr_assert_not_null(c);
	cr_expect_not(crypto_start(c, &pr));
	cr_assert_eq(pr.errors, 1);
	cr_expect_eq(pr.v[0].line, 2);
	cr_expect_str_eq(pr.v[0].path, "fips");
	cr_expect_not_null(
	    strstr(pr.v[0].message, "fips"), "%s", pr.v[0].message);
	/* Nobody goes on as if nothing had been said. */
	cr_expect_not(tls_records_may_be_own());
	problems_free(&pr);
	config_free(c);
	tree_fini(&t);
}

static void
expect_taken(struct tree *t, const char *text, bool is_taken)
{
	struct config *c = load(t, text);

	cr_expect_eq(c != NULL, is_taken, "%s", text);
	config_free(c);
}

/* Only the library was validated. */
Test(crypto, records_stay_with_the_library)
{
	struct tree t;

	tree_init(&t);
	expect_taken(&t, "fips = true;", true);
	expect_taken(&t, "fips = true; tls_records = \"openssl\";", true);
	expect_taken(&t, "fips = true; tls_records = \"own\";", false);
	expect_taken(&t, "fips = true; tls_records = \"kernel\";", false);
	expect_taken(&t, "tls_records = \"own\";", true);
	expect_taken(&t, "tls_records = \"kernel\";", true);
	tree_fini(&t);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * With fips, what we do ourselves with secrets is left to the library, which
 * was validated.  Main thread.
 */

#include "daemon/crypto.h"

#include "base/problem.h"
#include "daemon/config.h"
#include "tls/tls_init.h"
#include "tls/tls_records.h"

static bool
start_fips(const struct config *c, struct problems *pr)
{
	const struct option_place *at = &c->places[option_find("fips")];
	struct text why = TEXT_EMPTY;
	bool is_good = tls_init_fips(&why);

	if (!is_good)
		problem_add(pr, PROBLEM_ERROR, at->file, at->line, "fips",
		    "%s, or take fips out", why.p);
	text_free(&why);
	tls_records_choose(TLS_RECORDS_OPENSSL);
	return is_good;
}

bool
crypto_start(const struct config *c, struct problems *pr)
{
	if (c->is_fips)
		return start_fips(c, pr);
	tls_init();
	tls_records_choose(c->tls_records);
	return true;
}

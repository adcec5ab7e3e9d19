/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/problem_log.h: a problem is told when it comes, and once. */

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <string.h>

#include "base/problem.h"
#include "base/str.h"
#include "daemon/problem_log.h"

static unsigned
count(const char *in, const char *what)
{
	unsigned n = 0;

	for (in = strstr(in, what); in != NULL; in = strstr(in + 1, what))
		n++;
	return n;
}

Test(problem_log, tells_what_is_new, .init = cr_redirect_stderr)
{
	struct problem_log *l = problem_log_new();
	struct problems pr = PROBLEMS_NONE;
	static char buf[65536];
	size_t n, i;
	FILE *f;

	problem_add(&pr, PROBLEM_ERROR, "a", 1, NULL, "stays");
	problem_log_tell(l, &pr);
	for (i = 0; i < 150; i++)
		problem_add(&pr, PROBLEM_ERROR, "b", (unsigned)i, NULL, "many");
	problem_log_tell(l, &pr);
	problems_free(&pr);
	problem_log_tell(l, &pr);
	problem_log_free(l);
	fflush(stderr);
	f = cr_get_redirected_stderr();
	n = fread(buf, 1, sizeof(buf) - 1, f);
	buf[n] = '\0';
	cr_expect_eq(count(buf, "a:1: stays"), 1);
	cr_expect_eq(count(buf, ": many"), 100);
	cr_expect_eq(count(buf, "and 50 more"), 1);
	cr_expect_eq(count(buf, "151 problems mended"), 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* base/xalloc.h and base/ref.h. */

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/ref.h"
#include "base/xalloc.h"

Test(xalloc, nothing_is_still_a_pointer)
{
	void *p = xmalloc(0);

	cr_expect_not_null(p);
	p = xreallocarray(p, 0, 8);
	cr_expect_not_null(p);
	free(p);
	p = xcalloc(0, 0);
	cr_expect_not_null(p);
	free(p);
	p = xmemdup(NULL, 0);
	cr_expect_not_null(p);
	free(p);
}

Test(xalloc, copies)
{
	char *a = xstrdup("abc"), *b = xasprintf("%s-%d", a, 5);

	cr_expect_str_eq(a, "abc");
	cr_expect_str_eq(b, "abc-5");
	free(a);
	free(b);
}

#if !defined(__SANITIZE_ADDRESS__)
/* The address sanitizer ends the process in its own way here. */
Test(xalloc, a_product_that_wraps_ends_the_process, .signal = SIGABRT)
{
	volatile size_t half = SIZE_MAX / 2 + 2;

	free(xreallocarray(NULL, half, 2));
}
#endif

Test(ref, only_the_last_down_is_true)
{
	struct ref r;

	ref_init(&r);
	ref_up(&r);
	ref_up(&r);
	cr_expect_not(ref_down(&r));
	cr_expect_not(ref_down(&r));
	cr_expect(ref_down(&r));
}

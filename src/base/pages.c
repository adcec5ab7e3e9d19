/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  From malloc(3)'s memory, not mappings of their own, of
 * which a process may have only so many.
 */

#include "base/pages.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t
in_pages(size_t n)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (n > SIZE_MAX - page)
		abort();
	return (n + page - 1) / page * page;
}

void *
pages_alloc(size_t n)
{
	void *p = aligned_alloc((size_t)sysconf(_SC_PAGESIZE), in_pages(n));

	if (p == NULL)
		abort();
	pages_forget(p, n);
	return p;
}

void
pages_forget(void *p, size_t n)
{
	/* If it cannot be, they are kept, which is as good for the owner. */
	(void)madvise(p, in_pages(n), MADV_DONTNEED);
}

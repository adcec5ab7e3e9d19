/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_XALLOC_H
#define BASE_XALLOC_H

/*
 * Allocation that does not fail: out of memory ends the process with a
 * message.  Whatever a peer can make grow has a cap elsewhere.
 */

#include <stddef.h>

#include "base/attr.h"

void *xmalloc(size_t n) MUST_CHECK;
void *xcalloc(size_t n, size_t size) MUST_CHECK;
/* n * size is checked for overflow. */
void *xreallocarray(void *p, size_t n, size_t size) MUST_CHECK;
char *xstrdup(const char *s) MUST_CHECK;
void *xmemdup(const void *p, size_t n) MUST_CHECK;
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2) MUST_CHECK;

#endif

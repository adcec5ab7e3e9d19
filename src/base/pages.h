/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

/*
 * Big blocks of which little is used: whole pages, so that those which nobody
 * touches cost nothing, and what was used can be given back without freeing
 * the block.  No state; any thread.
 */

#include <stddef.h>

#include "base/attr.h"

/* To free().  What it holds is not known. */
void *pages_alloc(size_t n) MUST_CHECK;
/* What it holds is lost, and costs nothing until it is touched again. */
void pages_forget(void *p, size_t n);

#endif

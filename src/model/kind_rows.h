/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_KIND_ROWS_H
#define MODEL_KIND_ROWS_H

/*
 * What each kind's module gives to the table of kinds: its rows and its check.
 * For kind.c and those modules.
 */

#include "model/bind.h"

struct resource;

#define none_bind NULL
#define none_check NULL
/* A row without a module declares what nothing defines. */
#define KIND(id, name, scope, use, has_spec, module) KIND_DECLARE_##use(module)
#define KIND_DECLARE_KIND_USED(module)            \
	extern const struct bind module##_bind[]; \
	void module##_check(struct resource *r, struct problems *pr);
#define KIND_DECLARE_KIND_NAMES_ONLY(module) KIND_DECLARE_KIND_USED(module)
#define KIND_DECLARE_KIND_NOT_USED(module)
#include "model/kind.tbl.h"

#endif

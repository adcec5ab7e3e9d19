/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_NEAREST_H
#define MODEL_NEAREST_H

/* The known word that someone probably meant.  Pure. */

#include "base/str.h"

struct nearest {
	struct str written;
	const char *best; /* NULL: nothing is near */
	size_t distance;
};

struct nearest nearest_to(struct str written);
void nearest_try(struct nearest *n, const char *known);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_STR_LIST_H
#define POLICY_STR_LIST_H

/* Texts that belong to somebody else. */

#include <stddef.h>

#include "base/str.h"

struct str_list {
	const struct str *v;
	size_t n;
};

#endif

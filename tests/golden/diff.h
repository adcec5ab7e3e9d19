/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_DIFF_H
#define GOLDEN_DIFF_H

#include "base/str.h"

/* Lines that differ, "-" what was expected and "+" what came instead. */
void print_diff(struct str expected, struct str got, struct text *out);

#endif

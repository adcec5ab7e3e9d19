/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

/*
 * The one function of a driver, by the name that libFuzzer calls.  A finding
 * is a crash, a sanitizer's report, or abort() by FUZZ_CHECK.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

#define FUZZ_CHECK(is_true)      \
	do {                     \
		if (!(is_true))  \
			abort(); \
	} while (0)

#endif

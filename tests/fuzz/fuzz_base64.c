/* SPDX-License-Identifier: Apache-2.0 */
/* Base64: what decodes, encodes to one text that decodes to the same. */

#include "base/str.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str in = { .p = (const void *)data, .len = n };
	struct text plain = TEXT_EMPTY, coded = TEXT_EMPTY, again = TEXT_EMPTY;

	if (base64_decode(in, &plain)) {
		base64_encode(text_str(&plain), &coded);
		FUZZ_CHECK(base64_decode(text_str(&coded), &again));
		FUZZ_CHECK(str_eq(text_str(&plain), text_str(&again)));
	}
	text_free(&plain);
	text_free(&coded);
	text_free(&again);
	return 0;
}

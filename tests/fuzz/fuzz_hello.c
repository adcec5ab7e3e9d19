/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ClientHello: what a part of the bytes was enough to decide, all of them
 * decide alike, so that the way TCP cuts them changes nothing.
 */

#include <string.h>

#include "fuzz.h"
#include "tls/hello.h"

static enum hello_status
parse(const uint8_t *data, size_t n, struct hello *h)
{
	struct str bytes = { .p = (const void *)data, .len = n };
	enum hello_status status = hello_parse(bytes, h);

	if (status == HELLO_OK) {
		FUZZ_CHECK(h->sni_len < sizeof(h->sni));
		FUZZ_CHECK(h->sni[h->sni_len] == '\0');
		FUZZ_CHECK(h->n_alpn <= HELLO_ALPN_MAX);
	}
	(void)hello_looks_like_tls(bytes);
	return status;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	enum hello_status whole, part;
	struct hello h, of_part;
	size_t i, step = n / 64 + 1;

	whole = parse(data, n, &h);
	for (i = 0; i < n; i += step) {
		part = parse(data, i, &of_part);
		if (part == HELLO_MORE)
			continue;
		FUZZ_CHECK(part == whole);
		if (whole == HELLO_OK)
			FUZZ_CHECK(strcmp(of_part.sni, h.sni) == 0);
	}
	return 0;
}

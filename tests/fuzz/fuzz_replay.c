/* SPDX-License-Identifier: Apache-2.0 */
/* A line of an access log that somebody hands to replay. */

#include "daemon/replay_line.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = { .p = (const void *)data, .len = n };
	struct replay_line l;
	size_t i;

	if (replay_line_read(s, &l) == REPLAY_DECIDED) {
		FUZZ_CHECK(l.n_uris > 0 && l.n_uris <= ARRAY_LEN(l.uris));
		FUZZ_CHECK(l.identity.len > 0 && l.sni.len > 0);
		for (i = 0; i < l.n_uris; i++)
			FUZZ_CHECK(l.uris[i].len <= n + 32);
	}
	replay_line_free(&l);
	return 0;
}

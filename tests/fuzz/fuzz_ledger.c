/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's file as a crash or a disk may leave it: read, written, read. */

#include "admin/ledger_file.h"
#include "fuzz.h"

#define MOST 64

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str s = { .p = (const void *)data, .len = n };
	struct uses *u = uses_new(MOST), *v = uses_new(MOST);
	struct text first = TEXT_EMPTY, second = TEXT_EMPTY;
	struct ledger_read r, again;

	ledger_file_read(s, u, &r);
	FUZZ_CHECK(HASH_COUNT(u->table) <= MOST);
	FUZZ_CHECK(HASH_COUNT(u->table) <= r.good);
	ledger_file_print(u, r.since_s, &first);
	ledger_file_read(text_str(&first), v, &again);
	FUZZ_CHECK(again.bad == 0 && again.since_s == r.since_s);
	ledger_file_print(v, again.since_s, &second);
	FUZZ_CHECK(str_eq(text_str(&first), text_str(&second)));
	uses_free(u);
	uses_free(v);
	text_free(&first);
	text_free(&second);
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A response that is accepted is written as one that reads the same, to GET
 * and to HEAD.  Its body is then read from what is left.
 */

#include "h1_again.h"

static char written[AGAIN_ROOM];

static void
write_and_read(const struct head *h)
{
	static struct field fields[HEAD_FIELDS_MAX];
	size_t scanned = 0, used, n;
	struct head again;

	n = h1_write_head(h, h->wants_close, written, sizeof(written));
	FUZZ_CHECK(n > 0);
	if (n > again_limits.head_bytes ||
	    h->n_fields + 5 > again_limits.fields)
		return;
	FUZZ_CHECK(
	    h1_parse_response((struct str){ written, n }, &again_limits,
		&scanned, h->is_head_request, fields, &again, &used) == H1_OK);
	FUZZ_CHECK(used == n);
	again_check(h, &again);
}

static void
read_one(struct str bytes, bool is_head)
{
	static struct field fields[HEAD_FIELDS_MAX];
	size_t scanned = 0, used;
	struct head h;

	if (h1_parse_response(bytes, &again_limits, &scanned, is_head, fields,
		&h, &used) != H1_OK)
		return;
	FUZZ_CHECK(!is_head || h.body == BODY_NONE);
	write_and_read(&h);
	h.has_lines = false;
	write_and_read(&h);
	again_check_body(&h, str_from(bytes, used));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str bytes = { .p = (const void *)data, .len = n };

	read_one(bytes, false);
	read_one(bytes, true);
	return 0;
}

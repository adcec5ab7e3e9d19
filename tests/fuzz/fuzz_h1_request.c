/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request that is accepted is written as one that reads the same: whoever is
 * behind us sees what we saw.  Its body is then read from what is left.
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
	/* What is written anew may be longer than it was. */
	if (n > again_limits.head_bytes ||
	    h->n_fields + 5 > again_limits.fields)
		return;
	FUZZ_CHECK(h1_parse_request((struct str){ written, n }, &again_limits,
		       &scanned, fields, &again, &used) == H1_OK);
	FUZZ_CHECK(used == n);
	again_check(h, &again);
}

static void
remove_some(struct head *h)
{
	size_t i;

	for (i = 0; i < h->n_fields; i++)
		if (i % 3 == 1 && h->fields[i].id == FIELD_OTHER)
			h->fields[i].is_removed = true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct field fields[HEAD_FIELDS_MAX];
	struct str bytes = { .p = (const void *)data, .len = n };
	size_t scanned = 0, used;
	struct head h;

	if (h1_parse_request(
		bytes, &again_limits, &scanned, fields, &h, &used) != H1_OK)
		return 0;
	FUZZ_CHECK(h.authority.len > 0);
	write_and_read(&h);
	remove_some(&h);
	write_and_read(&h);
	h.has_lines = false;
	write_and_read(&h);
	head_remove_hop_by_hop(&h);
	FUZZ_CHECK(head_get(&h, FIELD_CONNECTION).p == NULL);
	FUZZ_CHECK(h1_write_head(&h, false, written, sizeof(written)) > 0);
	again_check_body(&h, str_from(bytes, used));
	return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers of parent proxies: how they come in pieces changes nothing, what is
 * used is never more than came, and nothing goes on after the end.  The first
 * byte says which kind of talk it is, and where the first piece ends.
 */

#include <string.h>

#include "fuzz.h"
#include "upstream/parent.h"

static enum parent_says
hear(struct parent_talk *t, struct str all, size_t cut, size_t *used)
{
	struct text out = TEXT_EMPTY;
	enum parent_says says;
	size_t n = 0;

	*used = 0;
	parent_begin(t, &out);
	says = parent_hear(t, str_first(all, cut), &n, &out);
	FUZZ_CHECK(n <= cut && (says != PARENT_FAILED || t->why[0] != '\0'));
	*used += n;
	if (says == PARENT_MORE) {
		says = parent_hear(t, str_from(all, n), &n, &out);
		*used += n;
	}
	FUZZ_CHECK(*used <= all.len);
	FUZZ_CHECK((says == PARENT_MORE) == (t->stage != PARENT_IS_OVER));
	text_free(&out);
	return says;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct parent_talk whole = { .host = STR("bank.example"), .port = 443 };
	struct parent_talk parts;
	struct str all;
	size_t cut, used, used_too;
	enum parent_says says;

	if (n == 0)
		return 0;
	all = (struct str){ .p = (const char *)data + 1, .len = n - 1 };
	whole.kind = (data[0] & 1) != 0 ? PARENT_SOCKS5 : PARENT_HTTP;
	if ((data[0] & 2) != 0)
		whole.auth = STR("me:secret");
	cut = data[0] >> 2;
	if (cut > all.len)
		cut = all.len;
	parts = whole;
	says = hear(&whole, all, all.len, &used);
	FUZZ_CHECK(says == hear(&parts, all, cut, &used_too));
	FUZZ_CHECK(says != PARENT_FAILED || whole.failure == parts.failure);
	FUZZ_CHECK(says != PARENT_OPEN || used == used_too);
	return 0;
}

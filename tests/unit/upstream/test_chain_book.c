/* SPDX-License-Identifier: Apache-2.0 */
/* upstream/chain_book.h: which end of a service's chains holds. */

#include <criterion/criterion.h>

#include "upstream/chain_book.h"

struct found {
	unsigned n;
	int64_t end_s; /* of "a" */
};

static void
visit(void *arg, struct str service, int64_t end_s)
{
	struct found *f = arg;

	f->n++;
	if (str_eq(service, STR("a")))
		f->end_s = end_s;
}

static struct found
look(struct chain_book *b)
{
	struct found f = { .n = 0 };

	chain_book_each(b, visit, &f);
	return f;
}

Test(chain_book, the_earliest_holds_until_it_was_replaced)
{
	struct chain_book *b = chain_book_new();
	uint64_t version = chain_book_version(b);

	cr_expect_eq(look(b).n, 0);
	chain_book_note(b, STR("a"), 5000, 100);
	chain_book_note(b, STR("b"), 70, 100);
	cr_expect_eq(look(b).n, 2);
	cr_expect_eq(look(b).end_s, 5000);
	cr_expect_neq(chain_book_version(b), version);
	chain_book_note(b, STR("a"), 4000, 200);
	cr_expect_eq(look(b).end_s, 4000, "an earlier one");
	version = chain_book_version(b);
	chain_book_note(b, STR("a"), 5000, 300);
	cr_expect_eq(look(b).end_s, 4000, "another server, a later one");
	cr_expect_eq(chain_book_version(b), version);
	/* Seen again, so it is in use. */
	chain_book_note(b, STR("a"), 4000, 3000);
	chain_book_note(b, STR("a"), 5000, 6599);
	cr_expect_eq(look(b).end_s, 4000);
	/* An hour without it. */
	chain_book_note(b, STR("a"), 5000, 6600);
	cr_expect_eq(look(b).end_s, 5000, "it was renewed");
	cr_expect_neq(chain_book_version(b), version);
	chain_book_forget(b, STR("a"));
	chain_book_forget(b, STR("never seen"));
	cr_expect_eq(look(b).n, 1);
	chain_book_free(b);
	chain_book_free(NULL);
}

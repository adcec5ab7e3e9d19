/* SPDX-License-Identifier: Apache-2.0 */
/* feed/read_file.h: whole files, and nothing else. */

#include <criterion/criterion.h>
#include <sys/stat.h>

#include "feed/read_file.h"
#include "unit/feed/tree.h"

Test(read_file, reads_all_or_says_why_not)
{
	static const struct {
		const char *name;
		size_t max;
		enum read_status want;
		const char *why;
	} rows[] = {
		{ "file", 100, READ_OK, NULL },
		{ "file", 5, READ_OK, NULL },
		{ "file", 4, READ_FAILED, "larger than 4 bytes" },
		{ "empty", 0, READ_OK, NULL },
		{ "link", 100, READ_OK, NULL },
		{ "none", 100, READ_GONE, "No such file or directory" },
		{ "dangling", 100, READ_GONE, "No such file or directory" },
		{ "file/x", 100, READ_GONE, "Not a directory" },
		{ "dir", 100, READ_FAILED, "not a regular file" },
		{ "fifo", 100, READ_FAILED, "not a regular file" },
	};
	struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
	enum read_status s;
	struct tree t;
	size_t i;

	tree_init(&t);
	tree_write(&t, "file", "12345");
	tree_write(&t, "empty", "");
	tree_mkdir(&t, "dir");
	tree_link(&t, "file", "link");
	tree_link(&t, "nowhere", "dangling");
	cr_assert_eq(mkfifo(tree_path(&t, "fifo"), 0600), 0);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		s = read_file(
		    tree_path(&t, rows[i].name), rows[i].max, &out, &why);
		cr_expect_eq(s, rows[i].want, "%s: %d", rows[i].name, s);
		if (rows[i].why != NULL)
			cr_expect_str_eq(
			    why.p, rows[i].why, "%s: %s", rows[i].name, why.p);
		else if (rows[i].max > 0)
			cr_expect_str_eq(out.p, "12345");
		if (s != READ_OK)
			cr_expect_eq(out.len, 0);
	}
	text_wipe(&out);
	text_free(&why);
	tree_fini(&t);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file_save.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[96], fresh[96];

static void
setup(void)
{
	snprintf(dir, sizeof(dir), "/tmp/zfile_save.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	snprintf(fresh, sizeof(fresh), "%s/file.new", dir);
}

static void
teardown(void)
{
	unlink(path);
	unlink(fresh);
	rmdir(dir);
}

TestSuite(file_save, .init = setup, .fini = teardown);

static void
expect_content(const char *want)
{
	char got[64] = "";
	FILE *f = fopen(path, "r");

	cr_assert_not_null(f);
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	cr_expect_str_eq(got, want);
}

Test(file_save, the_new_one_takes_its_place)
{
	struct stat st;

	cr_expect(file_write(path, STR("a long first text")));
	cr_expect(file_write(fresh, STR("second")));
	expect_content("a long first text");
	cr_expect(file_put_in_place(fresh, path));
	expect_content("second");
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_expect_eq(access(fresh, F_OK), -1);
	/* What was there is cut off. */
	cr_expect(file_write(path, STR("x")));
	expect_content("x");
}

Test(file_save, what_cannot_be_says_why)
{
	char elsewhere[128];

	snprintf(elsewhere, sizeof(elsewhere), "%s/none/file", dir);
	cr_expect_not(file_write(elsewhere, STR("x")));
	cr_expect_eq(errno, ENOENT);
	cr_expect(file_write(fresh, STR("x")));
	cr_expect_not(file_put_in_place(fresh, elsewhere));
	cr_expect_eq(errno, ENOENT);
	/* Nobody may lead us elsewhere. */
	cr_assert_eq(symlink(fresh, path), 0);
	cr_expect_not(file_write(path, STR("y")));
	cr_expect_eq(errno, ELOOP);
}

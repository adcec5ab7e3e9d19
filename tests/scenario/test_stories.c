/* SPDX-License-Identifier: Apache-2.0 */
/* Every story of the folder is a test in a process of its own. */

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenario/story.h"

#define FOLDER "scenario/stories"
#define MOST 200
#define LEAST_STORIES 15

struct param {
	char path[320];
};

static int
is_story(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot != NULL && strcmp(dot, ".story") == 0;
}

static size_t
find_stories(struct param *v)
{
	struct dirent **entries;
	int n = scandir(FOLDER, &entries, is_story, alphasort);
	size_t found = 0;

	for (int i = 0; i < n; i++) {
		if (found < MOST)
			(void)snprintf(v[found].path, sizeof(v[0].path),
			    FOLDER "/%s", entries[i]->d_name);
		found++;
		free(entries[i]);
	}
	if (n >= 0)
		free(entries);
	return found;
}

/* The current directory is that of all tests. */
Test(stories, are_found)
{
	static struct param v[MOST];
	size_t n = find_stories(v);

	cr_expect_geq(n, LEAST_STORIES, "%zu stories", n);
	cr_expect_leq(n, MOST);
}

ParameterizedTestParameters(stories, story)
{
	struct param *v = cr_calloc(MOST, sizeof(*v));

	return cr_make_param_array(struct param, v, find_stories(v));
}

ParameterizedTest(struct param *p, stories, story)
{
	struct text why = TEXT_EMPTY;

	cr_expect(story_run(p->path, &why), "%s", why.p);
	text_free(&why);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that differ between two texts, by their longest common part. */

#include "diff.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct lines {
	struct str *v;
	size_t n;
};

static struct lines
split(struct str s)
{
	struct lines l = { .n = 0 };

	l.v = xcalloc(s.len + 1, sizeof(*l.v));
	while (s.len > 0)
		l.v[l.n++] = str_cut(&s, '\n');
	return l;
}

/* At [i][j]: how many lines are common from a's i and b's j on. */
static size_t *
count_common(const struct lines *a, const struct lines *b)
{
	size_t width = b->n + 1, i, j, down, right;
	size_t *common = xcalloc((a->n + 1) * width, sizeof(*common));

	for (i = a->n; i-- > 0;)
		for (j = b->n; j-- > 0;) {
			down = common[(i + 1) * width + j];
			right = common[i * width + j + 1];
			if (str_eq(a->v[i], b->v[j]))
				down = common[(i + 1) * width + j + 1] + 1;
			common[i * width + j] = down > right ? down : right;
		}
	return common;
}

void
print_diff(struct str expected, struct str got, struct text *out)
{
	struct lines a = split(expected), b = split(got);
	size_t *common = count_common(&a, &b);
	size_t width = b.n + 1, i = 0, j = 0;

	while (i < a.n || j < b.n) {
		if (i < a.n && j < b.n && str_eq(a.v[i], b.v[j])) {
			i++;
			j++;
		} else if (j == b.n ||
			   (i < a.n && common[(i + 1) * width + j] >=
					   common[i * width + j + 1])) {
			text_addf(out, "%zu: -%.*s\n", i + 1, STR_ARG(a.v[i]));
			i++;
		} else {
			text_addf(out, "%zu: +%.*s\n", i + 1, STR_ARG(b.v[j]));
			j++;
		}
	}
	free(common);
	free(a.v);
	free(b.v);
}

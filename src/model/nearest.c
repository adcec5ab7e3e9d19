/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Edit distance (one letter more, less, other, or two swapped), for "did you
 * mean".  Case and _ do not count.  Words longer than the table are not
 * compared: nobody mistypes them.  Pure, any thread.
 */

#include "model/nearest.h"

#define MOST 40

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static bool
same(char a, char b)
{
	return ascii_lower_char(a) == ascii_lower_char(b);
}

static size_t
distance(struct str a, struct str b)
{
	size_t d[MOST + 1][MOST + 1], i, j;

	for (i = 0; i <= a.len; i++)
		d[i][0] = i;
	for (j = 0; j <= b.len; j++)
		d[0][j] = j;
	for (i = 1; i <= a.len; i++) {
		for (j = 1; j <= b.len; j++) {
			d[i][j] = least(d[i - 1][j] + 1, d[i][j - 1] + 1);
			d[i][j] = least(d[i][j],
			    d[i - 1][j - 1] + !same(a.p[i - 1], b.p[j - 1]));
			if (i > 1 && j > 1 && same(a.p[i - 1], b.p[j - 2]) &&
			    same(a.p[i - 2], b.p[j - 1]))
				d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
		}
	}
	return d[a.len][b.len];
}

struct nearest
nearest_to(struct str written)
{
	/* Further away than a third of the word is another word. */
	return (struct nearest){
		.written = written,
		.distance = written.len / 3 + 2,
	};
}

void
nearest_try(struct nearest *n, const char *known)
{
	struct str s = str_of(known);
	size_t d;

	if (n->written.len > MOST || s.len > MOST)
		return;
	d = distance(n->written, s);
	if (d < n->distance && d < s.len) {
		n->distance = d;
		n->best = known;
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Where a file is cut, and what is guessed of a text that is no YAML. */

#include <criterion/criterion.h>

#include "model/cut.h"
#include "model/guess.h"

/* "line:text|" of every document, newlines as /; to free(). */
static char *
cuts(const char *file)
{
	struct cut c = cut_start(str_of(file));
	struct text out = TEXT_EMPTY;
	struct str text;
	unsigned line;
	size_t i;

	while (cut_next(&c, &text, &line))
		text_addf(&out, "%u:%.*s|", line, STR_ARG(text));
	for (i = 0; i < out.len; i++) {
		if (out.p[i] == '\n')
			out.p[i] = '/';
	}
	return text_take(&out);
}

Test(cut, at_markers_in_column_0_only)
{
	static const struct {
		const char *file, *expected;
	} rows[] = {
		{ "", "" },
		{ "a: 1", "1:a: 1|" },
		{ "a: 1\n", "1:a: 1/|" },
		{ "---\na: 1\n", "2:a: 1/|" },
		{ "a: 1\n---\nb: 1\n", "1:a: 1/|3:b: 1/|" },
		{ "a: 1\n--- {b: 1}\n", "1:a: 1/|2:--- {b: 1}/|" },
		{ "a: 1\r\n---\r\nb: 1", "1:a: 1\r/|3:b: 1|" },
		{ "# x\n\n---\n# y\n---\na: 1\n---\n", "6:a: 1/|" },
		{ "%YAML 1.1\n---\na: 1\n", "3:a: 1/|" },
		{ "a: 1\n...\n---\nb: 1\n", "1:a: 1/.../|4:b: 1/|" },
		{ "a: |\n  x\n  ---\n  y\n", "1:a: |/  x/  ---/  y/|" },
		{ "a: |\n -----BEGIN\n-----BEGIN X-----\n",
		    "1:a: |/ -----BEGIN/-----BEGIN X-----/|" },
		{ "\xef\xbb\xbf"
		  "a: 1\n",
		    "1:a: 1/|" },
		{ "---\n---\n---", "" },
	};
	char *got;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		got = cuts(rows[i].file);
		cr_expect_str_eq(got, rows[i].expected, "row %zu: %s", i, got);
		free(got);
	}
}

Test(guess, reads_the_starts_of_lines)
{
	static const struct {
		const char *text, *kind, *mesh, *name;
	} rows[] = {
		{ "type: TrafficPermission\nmesh: m\nname: n\n",
		    "TrafficPermission", "m", "n" },
		{ "kind: 'X'  # y\n", "X", "", "" },
		{ "metadata:\n  name: a-b\n  labels:\n    kuma.io/mesh: m\n",
		    "", "m", "a-b" },
		{ "{\"type\": \"X\",\n\"mesh\" : \"m\",\r\n", "X", "m", "" },
		{ "# type: X\nkinds: Y\n", "", "", "" },
		{ "kind: List\nmesh: m\nitems:\n- kind: TrafficPermission\n",
		    "TrafficPermission", "", "" },
		{ "type: Mesh\nspec:\n  kind: X\n", "Mesh", "", "" },
		{ "type:\n", "", "", "" },
	};
	struct guess g;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		g = guess_from_text(str_of(rows[i].text));
		cr_expect(str_eq(g.kind, str_of(rows[i].kind)),
		    "row %zu: kind %.*s", i, STR_ARG(g.kind));
		cr_expect(str_eq(g.mesh, str_of(rows[i].mesh)),
		    "row %zu: mesh %.*s", i, STR_ARG(g.mesh));
		cr_expect(str_eq(g.name, str_of(rows[i].name)),
		    "row %zu: name %.*s", i, STR_ARG(g.name));
	}
}

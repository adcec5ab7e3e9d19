/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A marker is --- in column 0 before a blank or the end: -----BEGIN is none.
 * YAML allows no such line inside a scalar, so no scalar is cut in two.  Pure,
 * any thread.
 */

#include "model/cut.h"

struct cut
cut_start(struct str file)
{
	/* The mark that some editors put at the start of UTF-8. */
	if (str_starts(file, STR("\xef\xbb\xbf")))
		file = str_from(file, 3);
	return (struct cut){
		.rest = file.len > 0 ? file : STR_NONE,
		.line = 1,
	};
}

static bool
is_marker(struct str line)
{
	return str_starts(line, STR("---")) &&
	       (line.len == 3 || line.p[3] == ' ' || line.p[3] == '\t' ||
		   line.p[3] == '\r');
}

/* A line that is no content by itself. */
static bool
is_idle(struct str line)
{
	if (is_marker(line))
		line = str_from(line, 3);
	if (str_starts(line, STR("%")))
		return true;
	line = str_trim(line);
	return line.len == 0 || line.p[0] == '#' || str_eq(line, STR("..."));
}

/*
 * Up to the next marker, which may not be the first line; from its first line
 * with content, so that a document has the same text wherever it stands.
 */
static bool
take_document(struct cut *c, struct str *text, unsigned *first_line)
{
	struct str line, after;
	bool is_first = true;

	*text = STR_NONE;
	for (; c->rest.p != NULL; is_first = false) {
		after = c->rest;
		line = str_cut(&after, '\n');
		if (!is_first && is_marker(line))
			break;
		if (text->p == NULL && !is_idle(line)) {
			*text = c->rest;
			*first_line = c->line;
		}
		c->rest = after;
		c->line++;
	}
	if (text->p != NULL && c->rest.p != NULL)
		*text = str_first(*text, (size_t)(c->rest.p - text->p));
	return text->p != NULL;
}

bool
cut_next(struct cut *c, struct str *text, unsigned *line)
{
	while (c->rest.p != NULL) {
		if (take_document(c, text, line))
			return true;
	}
	return false;
}

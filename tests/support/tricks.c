/* SPDX-License-Identifier: Apache-2.0 */
/* See tricks.h. */

#include "support/tricks.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

static bool
read_file(const char *path, struct text *out)
{
	FILE *f = fopen(path, "rb");
	size_t n = 1;
	bool is_fine;

	if (f == NULL)
		return false;
	while (n > 0) {
		n = fread(text_reserve(out, 65536), 1, 65536, f);
		out->len += n;
	}
	is_fine = ferror(f) == 0;
	fclose(f);
	return is_fine;
}

static struct str
cut_line(struct str *rest)
{
	return str_cut(rest, '\n');
}

/* The number up to end, which is taken, too. */
static bool
take_number(struct str *s, char end, uint64_t *out)
{
	struct str digits = str_cut(s, end);

	return s->p != NULL && str_to_u64(digits, 1000000, out);
}

static bool
take_hex(struct str *s, char *out)
{
	char digits[3] = "", *end;

	if (s->len < 2)
		return false;
	memcpy(digits, s->p, 2);
	*out = (char)strtoul(digits, &end, 16);
	*s = str_from(*s, 2);
	return end == digits + 2;
}

static bool
take_escape(struct str *s, char *out, uint64_t *times)
{
	static const char letters[] = "rnt\\", bytes[] = "\r\n\t\\";
	const char *letter;
	char c;

	if (s->len == 0)
		return false;
	c = s->p[0];
	*s = str_from(*s, 1);
	if (c == 'x')
		return take_hex(s, out);
	if (c == '{') {
		if (!take_number(s, '}', times) || s->len == 0)
			return false;
		*out = s->p[0];
		*s = str_from(*s, 1);
		return true;
	}
	letter = strchr(letters, c);
	if (letter == NULL || c == '\0')
		return false;
	*out = bytes[letter - letters];
	return true;
}

static bool
add_bytes(struct text *out, struct str s)
{
	uint64_t times;
	char c;

	while (s.len > 0) {
		times = 1;
		c = s.p[0];
		s = str_from(s, 1);
		if (c == '\\' && !take_escape(&s, &c, &times))
			return false;
		for (; times > 0; times--)
			text_add_char(out, c);
	}
	return true;
}

static bool
add_line(struct text *out, struct str line)
{
	uint64_t times = 1;
	bool is_fine = true;

	if (str_starts(line, STR("\\["))) {
		line = str_from(line, 2);
		if (!take_number(&line, ']', &times))
			return false;
	}
	for (; times > 0 && is_fine; times--)
		is_fine = add_bytes(out, line);
	return is_fine;
}

/* "MESSAGES STATUS NAME" */
static bool
add_trick(struct tricks *t, struct str line)
{
	uint64_t messages, status = 0;
	struct trick *k;
	struct str word;

	if (!take_number(&line, ' ', &messages))
		return false;
	word = str_cut(&line, ' ');
	if (!str_eq(word, STR("-")) && !str_to_u64(word, 599, &status))
		return false;
	t->v = xreallocarray(t->v, t->n + 1, sizeof(*t->v));
	k = &t->v[t->n++];
	*k = (struct trick){ .name = line, .bytes = TEXT_EMPTY };
	k->messages = (size_t)messages;
	k->status = (unsigned)status;
	k->answers_head = str_starts(line, STR("HEAD:"));
	return line.len > 0;
}

bool
tricks_read(struct tricks *t, const char *path, size_t *line)
{
	struct str rest, s;
	bool is_fine = true;

	*t = (struct tricks){ .file = TEXT_EMPTY };
	*line = 0;
	if (!read_file(path, &t->file))
		return false;
	rest = text_str(&t->file);
	while (rest.len > 0 && is_fine) {
		s = cut_line(&rest);
		++*line;
		if (s.len == 0 || s.p[0] == '#')
			continue;
		if (str_starts(s, STR("-- ")))
			is_fine = add_trick(t, str_from(s, 3));
		else
			is_fine =
			    t->n > 0 && add_line(&t->v[t->n - 1].bytes, s);
	}
	return is_fine && t->n > 0;
}

void
tricks_free(struct tricks *t)
{
	for (size_t i = 0; i < t->n; i++)
		text_free(&t->v[i].bytes);
	free(t->v);
	text_free(&t->file);
	*t = (struct tricks){ .file = TEXT_EMPTY };
}

void
trick_print(struct str bytes, struct text *out)
{
	for (size_t i = 0; i < bytes.len; i++) {
		if (bytes.p[i] == '\r')
			text_add_z(out, "\\r");
		else if (bytes.p[i] == '\n')
			text_add_z(out, "\\n");
		else if (bytes.p[i] == '\t')
			text_add_z(out, "\\t");
		else if (bytes.p[i] == '\\')
			text_add_z(out, "\\\\");
		else if (bytes.p[i] < 0x20 || bytes.p[i] == 0x7f)
			text_addf(out, "\\x%02x", (unsigned char)bytes.p[i]);
		else
			text_add_char(out, bytes.p[i]);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See reading.h. */

#include "differential/reading.h"

#include <stdio.h>

#include "support/tricks.h"

void
reading_init(struct reading *r)
{
	r->n = 0;
	r->ending = READING_OPEN;
	r->code = 0;
	r->why = "";
	arena_init(&r->arena, 65536);
}

void
reading_fini(struct reading *r)
{
	for (size_t i = 0; i < r->n; i++)
		text_free(&r->v[i]->body);
	arena_fini(&r->arena);
}

struct message *
reading_add(struct reading *r)
{
	if (r->n == READING_MESSAGES) {
		r->ending = READING_FULL;
		return NULL;
	}
	r->v[r->n] = arena_alloc(&r->arena, sizeof(struct message));
	return r->v[r->n++];
}

void
reading_field(
    struct reading *r, struct fields *f, struct str name, struct str value)
{
	if (f->n == READING_FIELDS) {
		reading_refuse(r, 0, "no room for its fields");
		return;
	}
	f->v[f->n++] = (struct named){ arena_str(&r->arena, name),
		arena_str(&r->arena, str_trim(value)) };
}

void
reading_refuse(struct reading *r, int code, const char *why)
{
	r->ending = READING_REFUSED;
	r->code = code;
	r->why = why;
}

size_t
reading_whole(const struct reading *r)
{
	return r->n > 0 && !r->v[r->n - 1]->is_whole ? r->n - 1 : r->n;
}

struct str
fields_get(const struct fields *f, const char *name)
{
	for (size_t i = 0; i < f->n; i++)
		if (str_eq_nocase(f->v[i].name, str_of(name)))
			return f->v[i].value;
	return STR_NONE;
}

size_t
fields_count(const struct fields *f, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += str_eq_nocase(f->v[i].name, str_of(name));
	return n;
}

const char *
fields_differ(const struct fields *a, const struct fields *b)
{
	if (a->n != b->n)
		return "the number of fields";
	for (size_t i = 0; i < a->n; i++) {
		if (!str_eq(a->v[i].name, b->v[i].name))
			return "the name of a field";
		if (!str_eq(a->v[i].value, b->v[i].value))
			return "the value of a field";
	}
	return NULL;
}

const char *
message_head_differs(const struct message *a, const struct message *b)
{
	if (!str_eq(a->method, b->method))
		return "the method";
	if (!str_eq(a->target, b->target))
		return "the target";
	if (a->status != b->status)
		return "the status";
	return fields_differ(&a->fields, &b->fields);
}

bool
bodies_agree(const struct message *a, const struct message *b)
{
	struct str one = text_str(&a->body), other = text_str(&b->body);

	return str_starts(one, other) || str_starts(other, one);
}

static void
print_str(const char *what, struct str s)
{
	struct text t = TEXT_EMPTY;

	trick_print(str_first(s, 2000), &t);
	printf("%s%.*s", what, STR_ARG(text_str(&t)));
	text_free(&t);
}

static void
print_fields(const char *what, const struct fields *f)
{
	for (size_t i = 0; i < f->n; i++) {
		print_str(what, f->v[i].name);
		print_str(": ", f->v[i].value);
		printf("\n");
	}
}

static void
print_message(const struct message *m)
{
	if (m->status > 0)
		printf("    %u", m->status);
	print_str("    ", m->method);
	print_str(" ", m->target);
	printf("%s\n", m->closes ? ", the last" : "");
	print_fields("      ", &m->fields);
	print_str("      body ", text_str(&m->body));
	printf(" (%zu)\n", m->body.len);
	print_fields("      trailer ", &m->trailers);
	if (m->is_whole)
		printf("      ends at %zu\n", m->end);
	else
		printf("      not whole\n");
}

void
reading_print(const char *who, const struct reading *r)
{
	static const char *const endings[] = { "open", "closed", "refused",
		"switched", "full" };

	printf("  %s: %zu messages, %s %s\n", who, r->n, endings[r->ending],
	    r->why);
	for (size_t i = 0; i < r->n; i++)
		print_message(r->v[i]);
}

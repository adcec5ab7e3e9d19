/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One option at a time: the table, and what each type of value may look like.
 * A message names the place, the option, what was found and what is wanted.
 * Main thread.
 */

#include "daemon/config_option.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/paths.h"
#include "model/nearest.h"

const struct option_row option_rows[CONFIG_OPTIONS] = {
#define ROW(scope, in, name, type, member, ...)                    \
	{ scope, name, OPTION_##type, offsetof(struct in, member), \
		__VA_ARGS__ },
#define OPTION(...) ROW(OPTION_IN_CONFIG, config, __VA_ARGS__)
#define LISTENER_OPTION(...) \
	ROW(OPTION_IN_LISTENER, config_listener, __VA_ARGS__)
#define IDENTITY_OPTION(...) \
	ROW(OPTION_IN_IDENTITY, config_identity, __VA_ARGS__)
#define SERVICE_OPTION(...) ROW(OPTION_IN_SERVICE, service_entry, __VA_ARGS__)
#define GRANT_OPTION(...) ROW(OPTION_IN_GRANT, config_grant, __VA_ARGS__)
#include "daemon/config.tbl.h"
#undef ROW
};

size_t
option_find(const char *name)
{
	size_t i;

	for (i = 0; i < CONFIG_OPTIONS; i++)
		if (strcmp(option_rows[i].name, name) == 0)
			break;
	return i;
}

bool
option_is_group(const char *name)
{
	size_t len = strlen(name), i;

	for (i = 0; i < CONFIG_OPTIONS; i++)
		if (strncmp(option_rows[i].name, name, len) == 0 &&
		    option_rows[i].name[len] == '.')
			return true;
	return false;
}

/* A row's part behind the group, up to the next dot: an option or a group. */
char *
option_nearest(const char *name)
{
	const char *dot = strrchr(name, '.');
	size_t group = dot != NULL ? (size_t)(dot - name) + 1 : 0, i;
	char *words[CONFIG_OPTIONS];
	struct nearest near = nearest_to(str_of(name + group));
	char *best = NULL;
	struct str rest;
	size_t n = 0;

	for (i = 0; i < CONFIG_OPTIONS; i++) {
		if (strncmp(option_rows[i].name, name, group) != 0)
			continue;
		rest = str_of(option_rows[i].name + group);
		words[n] = str_dup(str_cut(&rest, '.'));
		nearest_try(&near, words[n++]);
	}
	if (near.best != NULL)
		best = xasprintf("%.*s%s", (int)group, name, near.best);
	for (i = 0; i < n; i++)
		free(words[i]);
	return best;
}

static void *
member(const struct option_row *r, void *base)
{
	return (char *)base + r->offset;
}

static const void *
const_member(const struct option_row *r, const void *base)
{
	return (const char *)base + r->offset;
}

static void
complain(struct problems *pr, const struct option_row *r,
    const config_setting_t *s, const char *wants)
{
	problem_add(pr, PROBLEM_ERROR, config_setting_source_file(s),
	    config_setting_source_line(s), r->name, "%s", wants);
}

/* Which of the words in the unit column, first|second|third. */
static bool
to_one_of(const struct option_row *r, struct str word, unsigned *out)
{
	struct str words = str_of(r->unit);
	unsigned i;

	for (i = 0; words.p != NULL; i++)
		if (str_eq(str_cut(&words, '|'), word)) {
			*out = i;
			return true;
		}
	return false;
}

static bool
to_choice(const struct option_row *r, struct str word, bool *out)
{
	unsigned i = 0;
	bool is_known = to_one_of(r, word, &i);

	*out = i > 0;
	return is_known;
}

static struct str
one_of(const struct option_row *r, unsigned i)
{
	struct str words = str_of(r->unit);

	while (i-- > 0)
		(void)str_cut(&words, '|');
	return str_cut(&words, '|');
}

static struct option_texts
standard_texts(struct str words, struct arena *a)
{
	struct option_texts v = { .v = arena_alloc(
				      a, (words.len + 1) * sizeof(*v.v)) };

	while (words.len > 0)
		v.v[v.n++] = arena_strdup(a, str_cut(&words, ' '));
	return v;
}

static struct str_list
standard_strs(struct str words, struct arena *a)
{
	struct str *v = arena_alloc(a, (words.len + 1) * sizeof(*v));
	struct str_list list = { .v = v };

	while (words.len > 0)
		v[list.n++] = arena_str(a, str_cut(&words, ' '));
	return list;
}

void
option_set_default(const struct option_row *r, void *base, struct arena *a)
{
	struct str text = str_of(r->standard);
	void *to = member(r, base);
	uint64_t n = 0;

	/* Defaults are ours, and a test walks them all. */
	if (r->type == OPTION_UINT || r->type == OPTION_SIZE)
		if (!str_to_u64(text, SIZE_MAX, &n))
			abort();
	switch (r->type) {
	case OPTION_TEXT:
		*(const char **)to = arena_strdup(a, text);
		break;
	case OPTION_UINT:
		*(unsigned *)to = (unsigned)n;
		break;
	case OPTION_SIZE:
		*(size_t *)to = n;
		break;
	case OPTION_BOOL:
		*(bool *)to = str_eq(text, STR("true"));
		break;
	case OPTION_CHOICE:
		if (!to_choice(r, text, to))
			abort();
		break;
	case OPTION_ONE_OF:
		if (!to_one_of(r, text, to))
			abort();
		break;
	case OPTION_TEXTS:
		*(struct option_texts *)to = standard_texts(text, a);
		break;
	case OPTION_STR:
		*(struct str *)to = arena_str(a, text);
		break;
	case OPTION_STRS:
		*(struct str_list *)to = standard_strs(text, a);
		break;
	case OPTION_NETWORKS:
		*(struct option_networks *)to =
		    (struct option_networks){ .n = 0 };
		break;
	}
}

static bool
set_text(const struct option_row *r, const char **to, struct arena *a,
    const config_setting_t *s, struct problems *pr)
{
	const char *text = config_setting_get_string(s);

	if (text == NULL) {
		complain(pr, r, s, "wants a text in double quotes");
		return false;
	}
	if (r->least > 0 && text[0] == '\0') {
		complain(pr, r, s, "may not be empty");
		return false;
	}
	*to = arena_strdup(a, str_of(text));
	return true;
}

static bool
set_str(const struct option_row *r, struct str *to, struct arena *a,
    const config_setting_t *s, struct problems *pr)
{
	const char *text;

	if (!set_text(r, &text, a, s, pr))
		return false;
	*to = str_of(text);
	return true;
}

static bool
get_number(const struct option_row *r, size_t *to, const config_setting_t *s,
    struct problems *pr)
{
	long long n = config_setting_get_int64(s);
	int type = config_setting_type(s);
	const char *unit = r->unit != NULL ? r->unit : "";

	if ((type == CONFIG_TYPE_INT || type == CONFIG_TYPE_INT64) && n >= 0 &&
	    (size_t)n >= r->least && (size_t)n <= r->most) {
		*to = (size_t)n;
		return true;
	}
	problem_add(pr, PROBLEM_ERROR, config_setting_source_file(s),
	    config_setting_source_line(s), r->name,
	    "wants a whole number from %zu to %zu%s%s", r->least, r->most,
	    unit[0] != '\0' ? " " : "", unit);
	return false;
}

static bool
set_number(const struct option_row *r, void *to, const config_setting_t *s,
    struct problems *pr)
{
	size_t n;

	if (!get_number(r, &n, s, pr))
		return false;
	if (r->type == OPTION_UINT)
		*(unsigned *)to = (unsigned)n;
	else
		*(size_t *)to = n;
	return true;
}

static bool
set_bool(const struct option_row *r, bool *to, const config_setting_t *s,
    struct problems *pr)
{
	if (config_setting_type(s) != CONFIG_TYPE_BOOL) {
		complain(pr, r, s, "wants true or false");
		return false;
	}
	*to = config_setting_get_bool(s);
	return true;
}

/* "a", "b" or "c" */
static void
complain_of_words(
    const struct option_row *r, const config_setting_t *s, struct problems *pr)
{
	struct text wants = TEXT_EMPTY;
	struct str words = str_of(r->unit), word;

	text_add_z(&wants, "wants ");
	for (word = str_cut(&words, '|'); words.p != NULL;
	     word = str_cut(&words, '|'))
		text_addf(&wants, "\"%.*s\"%s", STR_ARG(word),
		    str_index(words, '|') != -1 ? ", " : " or ");
	text_addf(&wants, "\"%.*s\"", STR_ARG(word));
	complain(pr, r, s, wants.p);
	text_free(&wants);
}

static bool
set_choice(const struct option_row *r, bool *to, const config_setting_t *s,
    struct problems *pr)
{
	const char *word = config_setting_get_string(s);

	if (word != NULL && to_choice(r, str_of(word), to))
		return true;
	complain_of_words(r, s, pr);
	return false;
}

static bool
set_one_of(const struct option_row *r, unsigned *to, const config_setting_t *s,
    struct problems *pr)
{
	const char *word = config_setting_get_string(s);

	if (word != NULL && to_one_of(r, str_of(word), to))
		return true;
	complain_of_words(r, s, pr);
	return false;
}

/* The text of element i of a list, or NULL. */
static const char *
element(const struct option_row *r, const config_setting_t *s, unsigned i,
    struct problems *pr)
{
	const config_setting_t *e = config_setting_get_elem(s, i);
	const char *text = config_setting_get_string(e);

	if (text == NULL || text[0] == '\0') {
		complain(pr, r, e, "wants texts in double quotes");
		return NULL;
	}
	return text;
}

static bool
is_list(const config_setting_t *s)
{
	return config_setting_is_array(s) || config_setting_is_list(s);
}

static bool
set_texts(const struct option_row *r, struct option_texts *to, struct arena *a,
    const config_setting_t *s, struct problems *pr)
{
	unsigned n = (unsigned)config_setting_length(s), i;
	const char *text;
	bool is_good = true;

	*to = (struct option_texts){
		.v = arena_alloc(a, (n + 1) * sizeof(*to->v)),
	};
	for (i = 0; i < n; i++) {
		text = element(r, s, i, pr);
		if (text == NULL)
			is_good = false;
		else
			to->v[to->n++] = arena_strdup(a, str_of(text));
	}
	return is_good;
}

static bool
set_strs(const struct option_row *r, struct str_list *to, struct arena *a,
    const config_setting_t *s, struct problems *pr)
{
	struct option_texts texts;
	struct str *v;
	size_t i;

	if (!set_texts(r, &texts, a, s, pr))
		return false;
	v = arena_alloc(a, (texts.n + 1) * sizeof(*v));
	for (i = 0; i < texts.n; i++)
		v[i] = str_of(texts.v[i]);
	*to = (struct str_list){ .v = v, .n = texts.n };
	return true;
}

static bool
set_networks(const struct option_row *r, struct option_networks *to,
    struct arena *a, const config_setting_t *s, struct problems *pr)
{
	unsigned n = (unsigned)config_setting_length(s), i;
	const char *text;
	bool is_good = true;

	*to = (struct option_networks){
		.v = arena_alloc(a, (n + 1) * sizeof(*to->v)),
	};
	for (i = 0; i < n; i++) {
		text = element(r, s, i, pr);
		if (text != NULL && cidr_parse(str_of(text), &to->v[to->n])) {
			to->n++;
			continue;
		}
		if (text != NULL)
			complain(pr, r, config_setting_get_elem(s, i),
			    "wants addresses or networks, as \"10.0.0.0/8\"");
		is_good = false;
	}
	return is_good;
}

bool
option_set(const struct option_row *r, void *base, struct arena *a,
    const config_setting_t *s, struct problems *pr)
{
	void *to = member(r, base);
	bool wants_list = r->type == OPTION_TEXTS || r->type == OPTION_STRS ||
			  r->type == OPTION_NETWORKS;

	if (wants_list && !is_list(s)) {
		complain(pr, r, s, "wants a list: [ \"…\", \"…\" ]");
		return false;
	}
	switch (r->type) {
	case OPTION_TEXT:
		return set_text(r, to, a, s, pr);
	case OPTION_UINT:
	case OPTION_SIZE:
		return set_number(r, to, s, pr);
	case OPTION_BOOL:
		return set_bool(r, to, s, pr);
	case OPTION_CHOICE:
		return set_choice(r, to, s, pr);
	case OPTION_ONE_OF:
		return set_one_of(r, to, s, pr);
	case OPTION_TEXTS:
		return set_texts(r, to, a, s, pr);
	case OPTION_STR:
		return set_str(r, to, a, s, pr);
	case OPTION_STRS:
		return set_strs(r, to, a, s, pr);
	case OPTION_NETWORKS:
		return set_networks(r, to, a, s, pr);
	}
	return false;
}

static void
print_texts(const struct option_texts *v, struct text *out)
{
	size_t i;

	text_add_char(out, '[');
	for (i = 0; i < v->n; i++)
		text_addf(out, "%s \"%s\"", i > 0 ? "," : "", v->v[i]);
	text_add_z(out, v->n > 0 ? " ]" : "]");
}

static void
print_strs(const struct str_list *list, struct text *out)
{
	size_t i;

	text_add_char(out, '[');
	for (i = 0; i < list->n; i++)
		text_addf(
		    out, "%s \"%.*s\"", i > 0 ? "," : "", STR_ARG(list->v[i]));
	text_add_z(out, list->n > 0 ? " ]" : "]");
}

static void
print_networks(const struct option_networks *v, struct text *out)
{
	char host[ADDR_TEXT];
	size_t i;

	text_add_char(out, '[');
	for (i = 0; i < v->n; i++) {
		addr_print_host(&v->v[i].net, host);
		text_addf(
		    out, "%s \"%s/%u\"", i > 0 ? "," : "", host, v->v[i].bits);
	}
	text_add_z(out, v->n > 0 ? " ]" : "]");
}

void
option_print(const struct option_row *r, const void *base, struct text *out)
{
	const void *v = const_member(r, base);

	switch (r->type) {
	case OPTION_TEXT:
		text_addf(out, "\"%s\"", *(const char *const *)v);
		break;
	case OPTION_UINT:
		text_add_u64(out, *(const unsigned *)v);
		break;
	case OPTION_SIZE:
		text_add_u64(out, *(const size_t *)v);
		break;
	case OPTION_BOOL:
		text_add_z(out, *(const bool *)v ? "true" : "false");
		break;
	case OPTION_CHOICE:
		text_addf(
		    out, "\"%.*s\"", STR_ARG(one_of(r, *(const bool *)v)));
		break;
	case OPTION_ONE_OF:
		text_addf(
		    out, "\"%.*s\"", STR_ARG(one_of(r, *(const unsigned *)v)));
		break;
	case OPTION_TEXTS:
		print_texts(v, out);
		break;
	case OPTION_STR:
		text_addf(out, "\"%.*s\"", STR_ARG(*(const struct str *)v));
		break;
	case OPTION_STRS:
		print_strs(v, out);
		break;
	case OPTION_NETWORKS:
		print_networks(v, out);
		break;
	}
}

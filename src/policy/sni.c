/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server names of the mesh, written and read.  Which names a service has is
 * decided in compile_service.c and compile_mes.c.  Pure; any thread.
 */

#include "policy/sni.h"

#include "model/target.h"

/* Longer names and meshes are cut and marked in a hashed name. */
#define CUT 62
#define HASH_DIGITS 16

/* The least key above last, mesh counted as a tag of its own; or NULL. */
static const struct tag *
next_tag(const struct tag *tags, size_t n, const struct tag *mesh,
    const struct tag *last)
{
	const struct tag *next = NULL;
	size_t i;

	for (i = 0; i <= n; i++) {
		const struct tag *t = i < n ? &tags[i] : mesh;

		if (i < n && (str_eq(t->key, STR("kuma.io/service")) ||
				 str_eq(t->key, mesh->key)))
			continue;
		if (i == n && t->value.len == 0)
			continue;
		if (last != NULL && str_cmp(t->key, last->key) <= 0)
			continue;
		if (next == NULL || str_cmp(t->key, next->key) < 0)
			next = t;
	}
	return next;
}

void
sni_print_tags(struct str service, struct str mesh, const struct tag *tags,
    size_t n, struct text *out)
{
	const struct tag mesh_tag = { .key = STR("mesh"), .value = mesh };
	const struct tag *t = NULL;
	char before = '{';

	text_add(out, service);
	while ((t = next_tag(tags, n, &mesh_tag, t)) != NULL) {
		text_add_char(out, before);
		text_add(out, t->key);
		text_add_char(out, '=');
		text_add(out, t->value);
		before = ',';
	}
	if (before == ',')
		text_add_char(out, '}');
}

static void
add_cut(struct text *out, struct str s)
{
	text_add(out, str_first(s, CUT));
	if (s.len > CUT)
		text_add_char(out, 'x');
}

/* The hash is over the whole names; port and type are not in it. */
void
sni_print_hashed(struct str name, struct str mesh, uint16_t port,
    const char *type, const struct tag *extra, size_t n, struct text *out)
{
	const struct tag none = { .key = STR(""), .value = STR_NONE };
	struct text whole = TEXT_EMPTY;
	const struct tag *t = NULL;

	text_add(&whole, name);
	text_add_char(&whole, ';');
	text_add(&whole, mesh);
	text_add_char(&whole, ';');
	while ((t = next_tag(extra, n, &none, t)) != NULL) {
		if (text_str(&whole).p[whole.len - 1] != ';')
			text_add_char(&whole, ',');
		text_add(&whole, t->key);
		text_add_char(&whole, '=');
		text_add(&whole, t->value);
	}
	text_addf(out, "a%016llx.",
	    (unsigned long long)str_fnv1a64(text_str(&whole)));
	add_cut(out, name);
	text_addf(out, ".%u.", port);
	add_cut(out, mesh);
	text_add_char(out, '.');
	text_add_z(out, type);
	text_free(&whole);
}

static bool
has_key(const struct sni_tags *t, struct str key)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (str_eq(t->keys[i], key))
			return true;
	return false;
}

static bool
take_pair(struct sni_tags *t, struct str pair)
{
	struct str key = str_cut(&pair, '=');

	if (key.len == 0 || pair.len == 0 || str_index(pair, '=') != -1)
		return false;
	if (str_eq(key, STR("mesh"))) {
		if (t->mesh.len > 0)
			return false;
		t->mesh = pair;
		return true;
	}
	if (t->n == SNI_TAGS_MAX || has_key(t, key))
		return false;
	t->keys[t->n] = key;
	t->values[t->n++] = pair;
	return true;
}

bool
sni_parse_tags(struct str sni, struct sni_tags *out)
{
	struct str rest = sni;

	*out = (struct sni_tags){ .service = str_cut(&rest, '{') };
	if (out->service.len == 0 || str_index(out->service, '}') != -1)
		return false;
	if (rest.p == NULL)
		return true;
	if (rest.len < 2 || rest.p[rest.len - 1] != '}')
		return false;
	rest.len--;
	if (str_index(rest, '{') != -1 || str_index(rest, '}') != -1)
		return false;
	while (rest.p != NULL)
		if (!take_pair(out, str_cut(&rest, ',')))
			return false;
	return true;
}

static bool
parse_hex(struct str s, uint64_t *out)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;
	size_t i;

	if (s.len != HASH_DIGITS)
		return false;
	for (*out = 0, i = 0; i < s.len; i++) {
		at = memchr(digits, ascii_lower_char(s.p[i]), 16);
		if (at == NULL)
			return false;
		*out = *out << 4 | (uint64_t)(at - digits);
	}
	return true;
}

/* What follows the last dot; *s keeps what precedes it. */
static struct str
cut_last(struct str *s)
{
	struct str last;
	size_t i = s->len;

	while (i > 0 && s->p[i - 1] != '.')
		i--;
	last = str_from(*s, i);
	*s = str_first(*s, i > 0 ? i - 1 : 0);
	return last;
}

static bool
is_type(struct str s)
{
	return str_eq_nocase(s, STR("mes")) || str_eq_nocase(s, STR("ms")) ||
	       str_eq_nocase(s, STR("mzms"));
}

/*
 * Name and mesh may hold dots: the mesh starts behind the last label that is
 * a port and has a label behind it.
 */
bool
sni_parse_hashed(struct str sni, struct sni_hashed *out)
{
	struct str rest = sni, label, tail;
	uint64_t port;

	*out = (struct sni_hashed){ .hash = 0 };
	out->type = cut_last(&rest);
	if (!is_type(out->type) || rest.len < HASH_DIGITS + 2 ||
	    ascii_lower_char(rest.p[0]) != 'a' ||
	    rest.p[HASH_DIGITS + 1] != '.' ||
	    !parse_hex(str_first(str_from(rest, 1), HASH_DIGITS), &out->hash))
		return false;
	rest = str_from(rest, HASH_DIGITS + 2);
	tail = cut_last(&rest);
	while (rest.len > 0) {
		label = cut_last(&rest);
		if (rest.len > 0 && tail.len > 0 &&
		    str_to_u64(label, UINT16_MAX, &port) && port > 0) {
			out->name = rest;
			out->port = (uint16_t)port;
			out->mesh = tail;
			return true;
		}
		tail.len += (size_t)(tail.p - label.p);
		tail.p = label.p;
	}
	return false;
}

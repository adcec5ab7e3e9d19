/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One option of a service by its row: copied, compared, printed, hashed, laid
 * out.  Which entry of the configuration it comes from is in
 * service_options.c, what may be written in daemon/config_services.c.
 */

#include "policy/service_option.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "policy/fingerprint.h"
#include "policy/pack.h"

const struct service_option_row service_option_rows[SERVICE_OPTION_N] = {
#define SERVICE_ROW(                                                       \
    id, type, member, name, standard, words, least, most, whom, help)      \
	[SERVICE_OPTION_##id] = { name, SERVICE_VALUE_##type,              \
		offsetof(struct service_options, member), standard, words, \
		SERVICE_FOR_##whom, least, most },
#include "policy/service_option.tbl.h"
};

static const void *
at(enum service_option i, const struct service_options *o)
{
	return (const char *)o + service_option_rows[i].offset;
}

static size_t
size_of(enum service_value type)
{
	switch (type) {
	case SERVICE_VALUE_STR:
		return sizeof(struct str);
	case SERVICE_VALUE_STRS:
		return sizeof(struct str_list);
	case SERVICE_VALUE_UINT:
	case SERVICE_VALUE_ONE_OF:
		return sizeof(unsigned);
	case SERVICE_VALUE_BOOL:
		return sizeof(bool);
	}
	return 0;
}

static const void *
at_if(enum service_option i, const struct service_options *o,
    enum service_value type)
{
	return service_option_rows[i].type == type ? at(i, o) : NULL;
}

const struct str *
service_option_str(enum service_option i, const struct service_options *o)
{
	return at_if(i, o, SERVICE_VALUE_STR);
}

const struct str_list *
service_option_strs(enum service_option i, const struct service_options *o)
{
	return at_if(i, o, SERVICE_VALUE_STRS);
}

const unsigned *
service_option_uint(enum service_option i, const struct service_options *o)
{
	return at_if(i, o, SERVICE_VALUE_UINT);
}

const bool *
service_option_bool(enum service_option i, const struct service_options *o)
{
	return at_if(i, o, SERVICE_VALUE_BOOL);
}

struct str
service_option_word(enum service_option i, const struct service_options *o)
{
	struct str words = str_of(service_option_rows[i].words);
	unsigned n = *(const unsigned *)at(i, o);

	while (n-- > 0)
		(void)str_cut(&words, '|');
	return str_cut(&words, '|');
}

void
service_option_copy(enum service_option i, const struct service_options *from,
    struct service_options *to)
{
	memcpy((char *)to + service_option_rows[i].offset, at(i, from),
	    size_of(service_option_rows[i].type));
}

static bool
list_eq(const struct str_list *a, const struct str_list *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (!str_eq(a->v[i], b->v[i]))
			return false;
	return a->n == b->n;
}

bool
service_option_eq(enum service_option i, const struct service_options *a,
    const struct service_options *b)
{
	enum service_value type = service_option_rows[i].type;

	switch (type) {
	case SERVICE_VALUE_STR:
		return str_eq(
		    *service_option_str(i, a), *service_option_str(i, b));
	case SERVICE_VALUE_STRS:
		return list_eq(
		    service_option_strs(i, a), service_option_strs(i, b));
	case SERVICE_VALUE_UINT:
	case SERVICE_VALUE_BOOL:
	case SERVICE_VALUE_ONE_OF:
		return memcmp(at(i, a), at(i, b), size_of(type)) == 0;
	}
	return false;
}

static void
print_str(struct text *out, struct str s)
{
	const char *quote = s.len == 0 || str_index(s, ' ') != -1 ? "\"" : "";

	text_addf(out, "%s%.*s%s", quote, STR_ARG(s), quote);
}

static void
print_list(struct text *out, const struct str_list *list)
{
	size_t i;

	text_add_char(out, '[');
	for (i = 0; i < list->n; i++) {
		if (i > 0)
			text_add_char(out, ',');
		print_str(out, list->v[i]);
	}
	text_add_char(out, ']');
}

void
service_option_print(
    enum service_option i, const struct service_options *o, struct text *out)
{
	switch (service_option_rows[i].type) {
	case SERVICE_VALUE_STR:
		print_str(out, *service_option_str(i, o));
		break;
	case SERVICE_VALUE_STRS:
		print_list(out, service_option_strs(i, o));
		break;
	case SERVICE_VALUE_UINT:
		text_add_u64(out, *service_option_uint(i, o));
		break;
	case SERVICE_VALUE_BOOL:
		text_add_z(out, *service_option_bool(i, o) ? "true" : "false");
		break;
	case SERVICE_VALUE_ONE_OF:
		text_add(out, service_option_word(i, o));
		break;
	}
}

static void
add_value(struct fingerprint *f, enum service_option i,
    const struct service_options *o)
{
	const struct str_list *list = service_option_strs(i, o);
	size_t j;

	switch (service_option_rows[i].type) {
	case SERVICE_VALUE_STR:
		fingerprint_str(f, *service_option_str(i, o));
		break;
	case SERVICE_VALUE_STRS:
		fingerprint_u64(f, list->n);
		for (j = 0; j < list->n; j++)
			fingerprint_str(f, list->v[j]);
		break;
	case SERVICE_VALUE_UINT:
		fingerprint_u64(f, *service_option_uint(i, o));
		break;
	case SERVICE_VALUE_BOOL:
		fingerprint_u64(f, *service_option_bool(i, o));
		break;
	case SERVICE_VALUE_ONE_OF:
		fingerprint_str(f, service_option_word(i, o));
		break;
	}
}

void
service_options_digest(struct service_options *o, struct fingerprint *f)
{
	enum service_option i;
	size_t j;

	for (i = 0; i < SERVICE_OPTION_N; i++)
		add_value(f, i, o);
	o->digest = fingerprint_take(f);
	o->key = o->digest;
	if (o->n_sources == 0)
		return;
	fingerprint_digest(f, &o->digest);
	for (j = 0; j < o->n_sources; j++) {
		fingerprint_u64(f, o->sources[j].option);
		fingerprint_str(f, o->sources[j].place);
	}
	o->key = fingerprint_take(f);
}

static void
lay_out_value(struct pack *k, enum service_option i,
    const struct service_options *from, struct service_options *to)
{
	const struct str *s = service_option_str(i, from);
	const struct str_list *list = service_option_strs(i, from);
	char *member = (char *)to + service_option_rows[i].offset;
	struct str_list copy;
	struct str text;

	if (s != NULL) {
		text = pack_str(k, *s);
		memcpy(member, &text, sizeof(text));
	} else if (list != NULL) {
		copy.v = pack_strs(k, list->v, list->n);
		copy.n = list->n;
		memcpy(member, &copy, sizeof(copy));
	}
}

static void
lay_out_sources(struct pack *k, const struct service_options *from,
    struct service_options *to)
{
	struct option_source *v;
	struct str place;
	size_t i;

	v = pack_copy(k, from->sources, from->n_sources * sizeof(*v),
	    alignof(struct option_source));
	for (i = 0; i < from->n_sources; i++) {
		place = pack_str(k, from->sources[i].place);
		if (v != NULL)
			v[i].place = place;
	}
	to->sources = v;
}

static struct service_options *
lay_out(struct pack *k, const struct service_options *value)
{
	struct service_options all = *value, *o;
	enum service_option i;

	o = pack_copy(
	    k, value, sizeof(*value), alignof(struct service_options));
	for (i = 0; i < SERVICE_OPTION_N; i++)
		lay_out_value(k, i, value, &all);
	lay_out_sources(k, value, &all);
	if (o != NULL)
		*o = all;
	return o;
}

struct service_options *
service_options_new(const struct service_options *value)
{
	struct pack count = { .base = NULL }, k = { .base = NULL };
	struct service_options *o;

	(void)lay_out(&count, value);
	k.base = xcalloc(1, count.used);
	o = lay_out(&k, value);
	ref_init(&o->ref);
	service_options_derive(o);
	return o;
}

struct service_options *
service_options_seal(const struct service_options *value, struct fingerprint *f)
{
	struct service_options all = *value;

	service_options_digest(&all, f);
	return service_options_new(&all);
}

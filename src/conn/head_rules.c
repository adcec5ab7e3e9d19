/* SPDX-License-Identifier: Apache-2.0 */
/* See head_rules.h.  No state; any thread. */

#include "conn/head_rules.h"

#include "base/rng.h"

/* More than any known scheme needs, and no more than a log wants. */
#define REQUEST_ID_MOST 128

/* Only we could say these, and nobody outside needs to know. */
static const struct str dropped[] = {
	STR("x-forwarded-client-cert"),
	STR("x-kuma-tags"),
};

static char
as_in_cgi(char c)
{
	return c == '_' ? '-' : ascii_lower_char(c);
}

/* To servers in the manner of CGI (RFC 3875, section 4.1.18) it is the same. */
static bool
is_read_as(struct str name, struct str field)
{
	if (name.len != field.len)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if (as_in_cgi(name.p[i]) != field.p[i])
			return false;
	return true;
}

static void
drop(struct head *q)
{
	for (size_t i = 0; i < q->n_fields; i++)
		for (size_t k = 0; k < ARRAY_LEN(dropped); k++)
			if (is_read_as(q->fields[i].name, dropped[k]))
				q->fields[i].is_removed = true;
}

static bool
is_visible(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	return true;
}

/* The caller's stays if it can be an id; two of them are none. */
static bool
make_request_id(struct head *q, char id[REQUEST_ID_TEXT])
{
	struct str theirs = STR_NONE;
	size_t found = 0;

	for (size_t i = 0; i < q->n_fields; i++) {
		if (q->fields[i].is_removed ||
		    q->fields[i].id != FIELD_X_REQUEST_ID)
			continue;
		theirs = q->fields[i].value;
		found++;
	}
	if (found == 1 && theirs.len > 0 && theirs.len <= REQUEST_ID_MOST &&
	    is_visible(theirs))
		return false;
	head_remove(q, FIELD_X_REQUEST_ID);
	rng_uuid(id);
	head_add(q, STR("x-request-id"), str_of(id));
	return true;
}

/*
 * In one field, with what was there before: of several fields some recipients
 * look at one only.
 */
static void
append_forwarded_for(struct head *q, const struct head_rules *r)
{
	char from[ADDR_TEXT];
	struct text all = TEXT_EMPTY;

	for (size_t i = 0; i < q->n_fields; i++) {
		if (q->fields[i].is_removed ||
		    q->fields[i].id != FIELD_X_FORWARDED_FOR ||
		    q->fields[i].value.len == 0)
			continue;
		text_add(&all, q->fields[i].value);
		text_add_z(&all, ", ");
	}
	addr_print_host(r->from, from);
	text_add_z(&all, from);
	head_remove(q, FIELD_X_FORWARDED_FOR);
	head_add(
	    q, STR("x-forwarded-for"), arena_str(r->arena, text_str(&all)));
	text_free(&all);
}

static void
rule_forwarded_for(struct head *q, const struct head_rules *r)
{
	switch (r->options->forwarded_for) {
	case FORWARDED_FOR_KEEP:
		break;
	case FORWARDED_FOR_APPEND:
		append_forwarded_for(q, r);
		break;
	case FORWARDED_FOR_REMOVE:
		head_remove(q, FIELD_X_FORWARDED_FOR);
		break;
	}
}

static bool
needs_quotes(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.p[i] == ',' || s.p[i] == ';' || s.p[i] == '=' ||
		    s.p[i] == '"' || s.p[i] == '\\')
			return true;
	return false;
}

/* In quotes where the value could be taken for more of the field. */
static void
add_pair(struct text *t, const char *key, struct str value)
{
	if (t->len > 0)
		text_add_char(t, ';');
	text_add_z(t, key);
	text_add_char(t, '=');
	if (!needs_quotes(value)) {
		text_add(t, value);
		return;
	}
	text_add_char(t, '"');
	for (size_t i = 0; i < value.len; i++) {
		if (value.p[i] == '"' || value.p[i] == '\\')
			text_add_char(t, '\\');
		text_add_char(t, value.p[i]);
	}
	text_add_char(t, '"');
}

/*
 * In the form that Envoy gave it.  Only the SPIFFE name: the caller's other
 * names are tags of the mesh, which is nobody's business outside.
 */
static void
add_client_cert(struct head *q, const struct head_rules *r)
{
	struct text t = TEXT_EMPTY;

	if (r->own_spiffe.len > 0)
		add_pair(&t, "By", r->own_spiffe);
	add_pair(&t, "URI", r->identity->spiffe);
	head_add(q, STR("x-forwarded-client-cert"),
	    arena_str(r->arena, text_str(&t)));
	text_free(&t);
}

/*
 * Behind those that are there: several fields are one list (RFC 9110, section
 * 7.6.3).
 */
static void
add_via(struct head *h, const struct head_rules *r)
{
	const char *version = "1.1";
	char *value;

	if (r->options->via.len == 0)
		return;
	switch (r->version) {
	case HTTP_1_1:
		break;
	case HTTP_2:
		version = "2";
		break;
	}
	value = arena_printf(
	    r->arena, "%s %.*s", version, STR_ARG(r->options->via));
	head_add(h, STR("via"), str_of(value));
}

bool
head_make_ours(
    struct head *q, char id[REQUEST_ID_TEXT], const struct head_rules *r)
{
	head_remove_hop_by_hop(q);
	drop(q);
	if (r->options->forwards_client_cert)
		add_client_cert(q, r);
	rule_forwarded_for(q, r);
	if (head_get(q, FIELD_X_FORWARDED_PROTO).p == NULL)
		head_add(q, STR("x-forwarded-proto"), STR("https"));
	add_via(q, r);
	return make_request_id(q, id);
}

void
head_answer_ours(struct head *a, const struct head_rules *r)
{
	head_remove_hop_by_hop(a);
	add_via(a, r);
	if (r->options->server.len == 0)
		return;
	head_remove(a, FIELD_SERVER);
	head_add(a, STR("server"), r->options->server);
}

bool
method_is_idempotent(struct str method)
{
	static const struct str idempotent[] = { STR("GET"), STR("HEAD"),
		STR("OPTIONS"), STR("TRACE"), STR("PUT"), STR("DELETE") };

	for (size_t i = 0; i < ARRAY_LEN(idempotent); i++)
		if (str_eq(method, idempotent[i]))
			return true;
	return false;
}

/*
 * Challenges and their parameters stand in one list (RFC 9110, section 11.6.1),
 * so each element is looked at.  A comma within quotes makes us see one too
 * many, which only costs a connection.
 */
static bool
names_binding_scheme(struct str challenges)
{
	struct str element, scheme;

	while (challenges.p != NULL) {
		element = str_trim(str_cut(&challenges, ','));
		scheme = str_cut(&element, ' ');
		if (str_eq_nocase(scheme, STR("NTLM")) ||
		    str_eq_nocase(scheme, STR("Negotiate")))
			return true;
	}
	return false;
}

bool
head_binds_connection(const struct head *h)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (h->fields[i].id == FIELD_WWW_AUTHENTICATE &&
		    names_binding_scheme(h->fields[i].value))
			return true;
	return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the configuration says of a service's TLS: each switch by itself, so
 * that none brings another along.  What the resource means is in
 * compile_tls.c.  Main thread.
 */

#include "model/mesh_external_service.h"
#include "policy/compile.h"
#include "policy/service_option.h"
#include "policy/tls_name.h"

#define TLS_LEAST TLS_1_2

static bool
tell(struct compile *c, const struct service *draft, enum service_option o,
    const char *what)
{
	const struct service_entry *e = service_options_source(
	    c->set->services, c->set->n_services, draft->mesh, draft->name, o);
	struct text path = TEXT_EMPTY;

	text_addf(&path, "services.%s", service_option_rows[o].name);
	problem_add(c->pr, PROBLEM_ERROR, e != NULL ? e->file : NULL,
	    e != NULL ? e->line : 0, path.p, "service %.*s of mesh %.*s: %s",
	    STR_ARG(draft->name), STR_ARG(draft->mesh), what);
	text_free(&path);
	return false;
}

static void
turn(enum tls_switch s, bool *to)
{
	if (s != TLS_AS_RESOURCE)
		*to = s == TLS_ON;
}

void
tls_options_switch(const struct service_options *o, struct tls_spec *t)
{
	turn(o->tls_verify_chain, &t->verify_chain);
	turn(o->tls_verify_names, &t->verify_names);
	turn(o->tls_renegotiation, &t->allow_renegotiation);
	t->renegotiations = t->allow_renegotiation ? o->tls_renegotiations : 0;
	t->no_resumption = !o->tls_resumption;
}

static uint16_t
version_of(enum tls_version_rule v, uint16_t of_resource)
{
	switch (v) {
	case TLS_VERSION_AS_RESOURCE:
		break;
	case TLS_VERSION_1_0:
		return TLS_1_0;
	case TLS_VERSION_1_1:
		return TLS_1_1;
	case TLS_VERSION_1_2:
		return TLS_1_2;
	case TLS_VERSION_1_3:
		return TLS_1_3;
	}
	return of_resource;
}

bool
tls_options_versions(struct compile *c, const struct service *draft,
    bool is_min_free, struct tls_spec *t)
{
	const struct service_options *o = draft->options;
	bool has_min = o->tls_min_version != TLS_VERSION_AS_RESOURCE;
	bool has_max = o->tls_max_version != TLS_VERSION_AS_RESOURCE;

	t->min_version = version_of(o->tls_min_version, t->min_version);
	t->max_version = version_of(o->tls_max_version, t->max_version);
	/* Who says only how new it may be means all below, if allowed. */
	if (!has_min && is_min_free && t->max_version < TLS_LEAST)
		t->min_version = TLS_1_0;
	if (!o->weak_tls && t->min_version < TLS_LEAST)
		return tell(c, draft,
		    has_min ? SERVICE_OPTION_TLS_MIN_VERSION
			    : SERVICE_OPTION_TLS_MAX_VERSION,
		    "TLS below 1.2 is broken: give 1.2 or 1.3, or set "
		    "weak_tls = true for it if the server knows no better");
	if (t->max_version < t->min_version)
		return tell(c, draft,
		    has_max ? SERVICE_OPTION_TLS_MAX_VERSION
			    : SERVICE_OPTION_TLS_MIN_VERSION,
		    "the highest version is below the lowest one: give both "
		    "here, or change the resource's");
	t->is_weak = t->min_version < TLS_LEAST;
	return true;
}

/* Its bytes; p NULL: it was never good, as its reader has told. */
static struct str
bytes_of_file(const struct compile *c, struct str path)
{
	size_t i;

	for (i = 0; i < c->set->n_files; i++)
		if (str_eq(c->set->files[i].path, path))
			return c->set->files[i].bytes;
	return STR_NONE;
}

bool
tls_options_ca(
    struct compile *c, const struct service *draft, struct tls_spec *t)
{
	struct str pem = bytes_of_file(c, draft->options->tls_ca);

	if (pem.p == NULL)
		return tell(c, draft, SERVICE_OPTION_TLS_CA,
		    "its file of CAs cannot be used: mend it");
	t->ca = share_blob(c->share, pem);
	return true;
}

static bool
add_crls(struct compile *c, const struct service *draft, struct tls_spec *t)
{
	const struct str_list *paths = &draft->options->tls_crl;
	struct text all = TEXT_EMPTY;
	bool is_good = true;
	struct str pem;
	size_t i;

	for (i = 0; i < paths->n && is_good; i++) {
		pem = bytes_of_file(c, paths->v[i]);
		is_good = pem.p != NULL;
		text_add(&all, pem);
		text_add_char(&all, '\n');
	}
	if (is_good && paths->n > 0)
		t->crl = share_blob(c->share, text_str(&all));
	text_free(&all);
	if (is_good)
		return true;
	return tell(c, draft, SERVICE_OPTION_TLS_CRL,
	    "one of its revocation lists cannot be used: mend it");
}

/* By colon; in memory that lasts as long as the build. */
static struct str
join(struct compile *c, const struct str_list *list)
{
	struct text all = TEXT_EMPTY;
	struct str joined;
	size_t i;

	if (list->n == 0)
		return STR_NONE;
	for (i = 0; i < list->n; i++) {
		if (i > 0)
			text_add_char(&all, ':');
		text_add(&all, list->v[i]);
	}
	joined = arena_str(&c->arena, text_str(&all));
	text_free(&all);
	return joined;
}

/* Most services list nothing. */
static const struct str *
join_all(struct compile *c, const struct service_options *o)
{
	struct str *v;

	if (o->tls_ciphers.n + o->tls_ciphersuites.n + o->tls_groups.n +
		o->tls_signatures.n ==
	    0)
		return NULL;
	v = arena_alloc(&c->arena, TLS_CHOICE_N * sizeof(*v));
	v[TLS_CHOICE_CIPHERS] = join(c, &o->tls_ciphers);
	v[TLS_CHOICE_CIPHERSUITES] = join(c, &o->tls_ciphersuites);
	v[TLS_CHOICE_GROUPS] = join(c, &o->tls_groups);
	v[TLS_CHOICE_SIGNATURES] = join(c, &o->tls_signatures);
	return v;
}

bool
tls_options_rest(
    struct compile *c, const struct service *draft, struct tls_spec *t)
{
	const struct service_options *o = draft->options;

	t->choices = join_all(c, o);
	t->ocsp = o->tls_ocsp;
	t->crl_whole_chain =
	    o->tls_crl.n > 0 && o->tls_crl_check == CRL_CHECK_CHAIN;
	if (t->verify_chain)
		return add_crls(c, draft, t);
	if (o->tls_crl.n == 0 && t->ocsp == TLS_OCSP_OFF)
		return true;
	return tell(c, draft,
	    o->tls_crl.n > 0 ? SERVICE_OPTION_TLS_CRL : SERVICE_OPTION_TLS_OCSP,
	    "whether a certificate was revoked says nothing where its chain "
	    "is not verified: set tls.verify_chain = \"on\", or take this out");
}

void
tls_options_sni(
    const struct service_options *o, struct str of_resource, struct tls_spec *t)
{
	t->is_sni_given = !str_eq(o->tls_sni, STR("auto"));
	if (!t->is_sni_given)
		t->sni = of_resource;
	else if (str_eq(o->tls_sni, STR("none")))
		t->sni = STR_NONE;
	else
		t->sni = o->tls_sni;
}

void
tls_options_names(
    const struct service_options *o, struct arena *a, struct tls_spec *t)
{
	const char *wants;
	size_t i;

	if (!t->verify_names || o->tls_names.n == 0)
		return;
	t->names = arena_alloc(a, o->tls_names.n * sizeof(*t->names));
	t->n_names = 0;
	t->are_names_given = true;
	/* All were looked at when they were read. */
	for (i = 0; i < o->tls_names.n; i++)
		if (tls_name_parse(
			o->tls_names.v[i], &t->names[t->n_names], &wants))
			t->n_names++;
}

static bool
is_about_tls(enum service_option o)
{
	return o == SERVICE_OPTION_WEAK_TLS ||
	       str_starts(str_of(service_option_rows[o].name), STR("tls."));
}

void
warn_no_tls(
    struct compile *c, const struct resource *r, const struct service *draft)
{
	const struct service_entry *e;
	enum service_option o;
	size_t i;

	for (i = 0; i < c->set->n_services; i++) {
		e = &c->set->services[i];
		if (e->service.len == 0 ||
		    !service_entry_matches(e, draft->mesh, draft->name))
			continue;
		for (o = 0; o < SERVICE_OPTION_N; o++)
			if (e->given[o] && is_about_tls(o))
				break;
		if (o < SERVICE_OPTION_N)
			problem_add(c->pr, PROBLEM_WARNING, e->file, e->line,
			    "services.match",
			    "%.*s of service %.*s has no TLS, so what is said "
			    "of it takes no effect: enable it in the resource",
			    STR_ARG(r->display_name), STR_ARG(draft->name));
	}
}

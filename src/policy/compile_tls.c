/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the TLS fields of a resource mean (Kuma sections 5.4 and 5.5; what
 * their documentation says, unless Kuma's own reading is asked for).  Contexts
 * are made of it in tls/.  Main thread.
 */

#include "model/external_service.h"
#include "model/mesh_external_service.h"
#include "policy/compile.h"

#define TLS_LEAST TLS_1_2
#define TLS_MOST TLS_1_3

/* Where the fields of each kind are, for messages. */
struct tls_paths {
	const char *ca;
	const char *cert;
	const char *key;
};

static const struct tls_paths es_paths = {
	.ca = "networking.tls.caCert",
	.cert = "networking.tls.clientCert",
	.key = "networking.tls.clientKey",
};

static const struct tls_paths mes_paths = {
	.ca = "spec.tls.verification.caCert",
	.cert = "spec.tls.verification.clientCert",
	.key = "spec.tls.verification.clientKey",
};

/* grpc never falls back: HTTP/1.1 cannot carry it. */
static struct str
alpn_of(const struct service *draft)
{
	switch (draft->protocol) {
	case PROTO_TCP:
	case PROTO_KAFKA:
		return STR_NONE;
	case PROTO_HTTP:
		return STR("http/1.1");
	case PROTO_HTTP2:
		return draft->options->http2_fallback ? STR("h2,http/1.1")
						      : STR("h2");
	case PROTO_GRPC:
		return STR("h2");
	}
	return STR_NONE;
}

static bool
use_ca(struct compile *c, const struct resource *r,
    const struct data_source *source, const char *path, struct tls_spec *t)
{
	struct text why = TEXT_EMPTY;
	bool is_good;

	t->ca = source_blob(c, r, r->mesh, source, path, PROBLEM_ERROR);
	if (t->ca == NULL)
		return false;
	is_good = share_check_ca(c->share, t->ca, &why);
	if (!is_good)
		problem_add(c->pr, PROBLEM_ERROR, r->file,
		    source->line > 0 ? source->line : r->line, path,
		    "is not usable as CA: %.*s", STR_ARG(text_str(&why)));
	text_free(&why);
	return is_good;
}

static bool
use_system_ca(struct compile *c, const struct resource *r, const char *path,
    struct tls_spec *t)
{
	t->use_system_ca = true;
	if (c->tls == NULL || c->tls->system_ca() != NULL)
		return true;
	problem_add(c->pr, PROBLEM_ERROR, r->file, r->line, path,
	    "is missing and this system has no CA bundle to verify with: "
	    "install ca-certificates, or give the CA here");
	return false;
}

/* Whatever of caCert, system and tls.ca is to be used. */
static bool
use_trust(struct compile *c, const struct resource *r,
    const struct service *draft, const struct data_source *source,
    const char *path, struct tls_spec *t)
{
	struct str ca = draft->options->tls_ca;

	if (!t->verify_chain)
		return true;
	if (str_eq(ca, STR("system")))
		return use_system_ca(c, r, path, t);
	if (!str_eq(ca, STR("auto")))
		return tls_options_ca(c, draft, t);
	if (source->kind != SOURCE_NONE)
		return use_ca(c, r, source, path, t);
	return use_system_ca(c, r, path, t);
}

/* What the configuration names counts more; it was checked as it was read. */
static bool
use_client_pair(struct compile *c, const struct resource *r,
    const struct service *draft, const struct data_source *cert,
    const struct data_source *key, const struct tls_paths *paths,
    struct tls_spec *t)
{
	struct text why = TEXT_EMPTY;
	bool is_good;

	if (draft->options != NULL && draft->options->tls_cert.len > 0)
		return given_pair_blobs(
		    c, r, draft->options, &t->cert, &t->key);
	if (cert->kind == SOURCE_NONE && key->kind == SOURCE_NONE)
		return true;
	t->cert = source_blob(c, r, r->mesh, cert, paths->cert, PROBLEM_ERROR);
	t->key = source_blob(c, r, r->mesh, key, paths->key, PROBLEM_ERROR);
	if (t->cert == NULL || t->key == NULL)
		return false;
	is_good = share_check_pair(c->share, t->cert, t->key, &why);
	if (!is_good)
		problem_add(c->pr, PROBLEM_ERROR, r->file,
		    cert->line > 0 ? cert->line : r->line, paths->cert,
		    "is not usable with its clientKey: %.*s",
		    STR_ARG(text_str(&why)));
	text_free(&why);
	return is_good;
}

/* Disabled TLS needs nothing, but what it names should be there one day. */
static void
warn_disabled(struct compile *c, const struct resource *r,
    const struct external_service_tls *tls)
{
	if (tls->ca_cert.kind != SOURCE_NONE)
		source_blob(
		    c, r, r->mesh, &tls->ca_cert, es_paths.ca, PROBLEM_WARNING);
	if (tls->client_cert.kind != SOURCE_NONE)
		source_blob(c, r, r->mesh, &tls->client_cert, es_paths.cert,
		    PROBLEM_WARNING);
	if (tls->client_key.kind != SOURCE_NONE)
		source_blob(c, r, r->mesh, &tls->client_key, es_paths.key,
		    PROBLEM_WARNING);
}

static bool
es_verification(struct compile *c, const struct resource *r,
    const struct external_service_tls *tls, const struct service *draft,
    struct tls_spec *t)
{
	t->verify_chain =
	    tls->ca_cert.kind != SOURCE_NONE || c->set->verify_without_ca;
	t->verify_names = t->verify_chain && !tls->skip_hostname_verification;
	tls_options_switch(draft->options, t);
	if (!t->verify_chain &&
	    draft->options->tls_verify_chain == TLS_AS_RESOURCE)
		problem_add(c->pr, PROBLEM_WARNING, r->file, r->line,
		    es_paths.ca,
		    "is missing, so anybody can pose as this server: give the "
		    "CA, or set verify_without_ca = \"system\"");
	return use_trust(c, r, draft, &tls->ca_cert, es_paths.ca, t);
}

static struct tls_spec *
es_share(struct compile *c, const struct external_service *es,
    const struct service *draft, struct str server_name, struct tls_spec *t)
{
	struct tls_name name = {
		.match = TLS_NAME_EXACT,
		.value = server_name.len > 0 ? server_name : es->host,
	};
	struct tls_spec *made;
	struct arena arena;

	arena_init(&arena, 0);
	tls_options_sni(draft->options, server_name, t);
	t->names = &name;
	t->n_names = t->verify_names ? 1 : 0;
	tls_options_names(draft->options, &arena, t);
	made = share_tls(c->share, t);
	arena_fini(&arena);
	return made;
}

bool
external_service_tls(struct compile *c, const struct resource *r,
    const struct external_service *es, const struct service *draft,
    struct tls_spec **out)
{
	const struct external_service_tls *tls = &es->tls;
	struct str server_name = STR_NONE;
	struct tls_spec t = {
		.min_version = TLS_LEAST,
		.max_version = TLS_MOST,
		.allow_renegotiation = tls->allow_renegotiation,
		.alpn = alpn_of(draft),
	};

	*out = NULL;
	if (c->set->relays_only)
		return true;
	if (!tls->is_enabled) {
		warn_disabled(c, r, tls);
		warn_no_tls(c, r, draft);
		return true;
	}
	if (tls->has_server_name)
		server_name = tls->server_name;
	else if (!es->host_is_address)
		server_name = service_options_domain(draft->options, es->host);
	if (!es_verification(c, r, tls, draft, &t) ||
	    !tls_options_versions(c, draft, true, &t) ||
	    !tls_options_rest(c, draft, &t) ||
	    !use_client_pair(c, r, draft, &tls->client_cert, &tls->client_key,
		&es_paths, &t))
		return false;
	*out = es_share(c, es, draft, server_name, &t);
	return true;
}

/* What is too old to be offered, unless an option has its say about it. */
static bool
mes_old_versions(struct compile *c, const struct resource *r,
    const struct service_options *o, struct tls_spec *t)
{
	if (t->max_version < TLS_LEAST &&
	    o->tls_max_version == TLS_VERSION_AS_RESOURCE) {
		problem_add(c->pr, PROBLEM_ERROR, r->file, r->line,
		    "spec.tls.version.max",
		    "only TLS 1.2 and 1.3 are offered: give TLS12, TLS13 or "
		    "TLSAuto, or set weak_tls for it in services");
		return false;
	}
	if (t->min_version < TLS_LEAST &&
	    o->tls_min_version == TLS_VERSION_AS_RESOURCE)
		problem_add(c->pr, PROBLEM_WARNING, r->file, r->line,
		    "spec.tls.version.min",
		    "only TLS 1.2 and 1.3 are offered: taken as TLS12; "
		    "weak_tls in services would allow it");
	if (t->min_version < TLS_LEAST)
		t->min_version = TLS_LEAST;
	return true;
}

/* Kuma's limits belong to the context that verifies. */
static bool
mes_versions(struct compile *c, const struct resource *r,
    const struct mesh_external_service *mes, const struct service *draft,
    bool are_ignored, struct tls_spec *t)
{
	bool is_min_free = are_ignored || mes->min_version == TLS_AUTO;

	t->min_version = TLS_LEAST;
	t->max_version = TLS_MOST;
	if (!are_ignored && mes->max_version != TLS_AUTO)
		t->max_version = (uint16_t)mes->max_version;
	if (!is_min_free)
		t->min_version = (uint16_t)mes->min_version;
	if (!draft->options->weak_tls &&
	    !mes_old_versions(c, r, draft->options, t))
		return false;
	return tls_options_versions(c, draft, is_min_free, t);
}

/* Modes as documented: each leaves out what its name says and no more. */
static void
read_mode(const struct compile *c, const struct mesh_external_service *mes,
    struct tls_spec *t, bool *with_client_pair)
{
	bool is_kuma2 = c->set->modes_as_kuma2;
	enum verification_mode mode =
	    mes->has_verification ? mes->mode : MODE_SECURED;

	*with_client_pair = mes->has_verification;
	switch (mode) {
	case MODE_SECURED:
		t->verify_chain = true;
		t->verify_names = true;
		return;
	case MODE_SKIP_SAN:
		t->verify_chain = true;
		return;
	case MODE_SKIP_CA:
		t->verify_names = !is_kuma2;
		return;
	case MODE_SKIP_ALL:
		*with_client_pair = !is_kuma2;
		return;
	}
}

bool
mes_tls(struct compile *c, const struct resource *r,
    const struct mesh_external_service *mes, const struct service *draft,
    struct tls_spec *common)
{
	struct tls_spec t = {
		.allow_renegotiation = mes->allow_renegotiation,
		.alpn = alpn_of(draft),
	};
	const struct data_source none = { .kind = SOURCE_NONE };
	bool with_client_pair, are_ignored;

	read_mode(c, mes, &t, &with_client_pair);
	are_ignored = c->set->modes_as_kuma2 && !t.verify_chain;
	tls_options_switch(draft->options, &t);
	if (!mes_versions(c, r, mes, draft, are_ignored, &t) ||
	    !use_trust(c, r, draft, &mes->ca_cert, mes_paths.ca, &t) ||
	    !tls_options_rest(c, draft, &t))
		return false;
	if (!use_client_pair(c, r, draft,
		with_client_pair ? &mes->client_cert : &none,
		with_client_pair ? &mes->client_key : &none, &mes_paths, &t))
		return false;
	*common = t;
	return true;
}

/* Kuma drops serverName together with the check of the name. */
static struct str
mes_server_name(
    const struct compile *c, const struct mesh_external_service *mes)
{
	if (c->set->modes_as_kuma2 &&
	    (mes->mode == MODE_SKIP_SAN || mes->mode == MODE_SKIP_ALL))
		return STR_NONE;
	return mes->server_name;
}

/* Each endpoint has a name of its own, and is asked for by it. */
static void
mes_names(const struct mesh_external_service *mes, struct str first,
    struct arena *a, struct tls_spec *t)
{
	size_t i;

	t->names = arena_alloc(a, (mes->n_sans + 1) * sizeof(*t->names));
	t->names[0].value = first;
	for (i = 0; i < mes->n_sans; i++)
		t->names[i + 1] = (struct tls_name){
			.match = mes->sans[i].is_prefix ? TLS_NAME_PREFIX
							: TLS_NAME_EXACT,
			.value = mes->sans[i].value,
		};
	t->n_names = mes->n_sans + 1;
}

struct tls_spec *
mes_endpoint_tls(struct compile *c, const struct mesh_external_service *mes,
    const struct service *draft, const struct tls_spec *common, size_t endpoint)
{
	const struct mes_endpoint *e = &mes->endpoints[endpoint];
	struct str name = mes_server_name(c, mes);
	struct tls_spec t = *common, *made;
	struct arena arena;

	if (name.len == 0 && !e->is_address)
		name = service_options_domain(draft->options, e->address);
	tls_options_sni(draft->options, name, &t);
	arena_init(&arena, 0);
	if (t.verify_names) {
		mes_names(mes, name.len > 0 ? name : e->address, &arena, &t);
		tls_options_names(draft->options, &arena, &t);
	}
	made = share_tls(c->share, &t);
	arena_fini(&arena);
	return made;
}

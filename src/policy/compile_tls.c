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

	t->verify_chain = true;
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
	t->verify_chain = true;
	t->use_system_ca = true;
	if (c->tls == NULL || c->tls->system_ca() != NULL)
		return true;
	problem_add(c->pr, PROBLEM_ERROR, r->file, r->line, path,
	    "is missing and this system has no CA bundle to verify with: "
	    "install ca-certificates, or give the CA here");
	return false;
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
    const struct external_service_tls *tls, struct tls_spec *t)
{
	t->verify_names = !tls->skip_hostname_verification;
	if (tls->ca_cert.kind != SOURCE_NONE)
		return use_ca(c, r, &tls->ca_cert, es_paths.ca, t);
	if (c->set->verify_without_ca)
		return use_system_ca(c, r, es_paths.ca, t);
	t->verify_names = false;
	problem_add(c->pr, PROBLEM_WARNING, r->file, r->line, es_paths.ca,
	    "is missing, so anybody can pose as this server: give the CA, or "
	    "set verify_without_ca = \"system\"");
	return true;
}

bool
external_service_tls(struct compile *c, const struct resource *r,
    const struct external_service *es, const struct service *draft,
    struct tls_spec **out)
{
	const struct external_service_tls *tls = &es->tls;
	struct tls_name name = { .match = TLS_NAME_EXACT };
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
		return true;
	}
	if (tls->has_server_name)
		t.sni = tls->server_name;
	else if (!es->host_is_address)
		t.sni = service_options_domain(draft->options, es->host);
	if (!es_verification(c, r, tls, &t) ||
	    !use_client_pair(c, r, draft, &tls->client_cert, &tls->client_key,
		&es_paths, &t))
		return false;
	name.value = t.sni.len > 0 ? t.sni : es->host;
	t.names = &name;
	t.n_names = t.verify_names ? 1 : 0;
	*out = share_tls(c->share, &t);
	return true;
}

static bool
mes_versions(struct compile *c, const struct resource *r,
    const struct mesh_external_service *mes, struct tls_spec *t)
{
	t->min_version = TLS_LEAST;
	t->max_version = TLS_MOST;
	if (mes->max_version != TLS_AUTO)
		t->max_version = (uint16_t)mes->max_version;
	if (t->max_version < TLS_LEAST) {
		problem_add(c->pr, PROBLEM_ERROR, r->file, r->line,
		    "spec.tls.version.max",
		    "only TLS 1.2 and 1.3 are offered: give TLS12, TLS13 or "
		    "TLSAuto");
		return false;
	}
	if (mes->min_version == TLS_AUTO)
		return true;
	if (mes->min_version < TLS_LEAST)
		problem_add(c->pr, PROBLEM_WARNING, r->file, r->line,
		    "spec.tls.version.min",
		    "only TLS 1.2 and 1.3 are offered: taken as TLS12");
	else
		t->min_version = (uint16_t)mes->min_version;
	return true;
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
	bool with_client_pair;

	read_mode(c, mes, &t, &with_client_pair);
	if (c->set->modes_as_kuma2 && !t.verify_chain) {
		/* Kuma's limits belong to the context that verifies. */
		t.min_version = TLS_LEAST;
		t.max_version = TLS_MOST;
	} else if (!mes_versions(c, r, mes, &t)) {
		return false;
	}
	if (t.verify_chain && mes->ca_cert.kind != SOURCE_NONE &&
	    !use_ca(c, r, &mes->ca_cert, mes_paths.ca, &t))
		return false;
	if (t.verify_chain && t.ca == NULL &&
	    !use_system_ca(c, r, mes_paths.ca, &t))
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

struct tls_spec *
mes_endpoint_tls(struct compile *c, const struct mesh_external_service *mes,
    const struct service *draft, const struct tls_spec *common, size_t endpoint)
{
	const struct mes_endpoint *e = &mes->endpoints[endpoint];
	struct tls_spec t = *common, *made;
	struct arena arena;
	size_t i;

	t.sni = mes_server_name(c, mes);
	if (t.sni.len == 0 && !e->is_address)
		t.sni = service_options_domain(draft->options, e->address);
	if (!t.verify_names)
		return share_tls(c->share, &t);
	arena_init(&arena, 0);
	t.names = arena_alloc(&arena, (mes->n_sans + 1) * sizeof(*t.names));
	t.names[0].value = t.sni.len > 0 ? t.sni : e->address;
	for (i = 0; i < mes->n_sans; i++)
		t.names[i + 1] = (struct tls_name){
			.match = mes->sans[i].is_prefix ? TLS_NAME_PREFIX
							: TLS_NAME_EXACT,
			.value = mes->sans[i].value,
		};
	t.n_names = mes->n_sans + 1;
	made = share_tls(c->share, &t);
	arena_fini(&arena);
	return made;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshExternalService may say.  Endpoints and TLS of one with an
 * extension are the extension's, and not looked at.  Main thread.
 */

#include "model/mesh_external_service.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/scalar.h"
#include "model/target_bind.h"

#define AT(field) offsetof(struct mesh_external_service, field)
#define MOST_NAME 63
#define MOST_PRIORITY 128
#define MOST_PATH 107 /* of sockaddr_un */

static const struct bind_value versions[] = {
	{ "TLSAuto", TLS_AUTO },
	{ "TLS10", TLS_1_0 },
	{ "TLS11", TLS_1_1 },
	{ "TLS12", TLS_1_2 },
	{ "TLS13", TLS_1_3 },
	{ NULL, 0 },
};

/* Kuma takes an empty mode for the default. */
static const struct bind_value modes[] = {
	{ "Secured", MODE_SECURED },
	{ "SkipSAN", MODE_SKIP_SAN },
	{ "SkipCA", MODE_SKIP_CA },
	{ "SkipAll", MODE_SKIP_ALL },
	{ "", MODE_SECURED },
	{ NULL, 0 },
};

static const struct bind_value san_types[] = {
	{ "Exact", false },
	{ "Prefix", true },
	{ NULL, 0 },
};

static void
read_san_type(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	const struct bind_value *v = san_types;
	bool *is_prefix = field;

	if (!bind_expect(b, n, NODE_TEXT, at))
		return;
	while (v->name != NULL && !str_eq(n->text, str_of(v->name)))
		v++;
	if (v->name == NULL)
		bind_error(b, n->line, at, "must be one of Exact, Prefix");
	else
		*is_prefix = v->value != 0;
}

static const struct bind match_rows[] = {
	{ .key = "type", .type = BIND_STR, .offset = AT(match_type) },
	{ .key = "port", .type = BIND_PORT, .offset = AT(port) },
	{ .key = "protocol", .type = BIND_STR, .offset = AT(protocol) },
	{ .type = BIND_END },
};

static const struct bind extension_rows[] = {
	{ .key = "type", .type = BIND_STR, .offset = AT(extension_type) },
	{ .key = "config", .type = BIND_SKIP },
	{ .type = BIND_END },
};

static const struct bind endpoint_rows[] = {
	{ .key = "address",
	    .type = BIND_STR,
	    .offset = offsetof(struct mes_endpoint, address) },
	{ .key = "port",
	    .type = BIND_PORT,
	    .offset = offsetof(struct mes_endpoint, port) },
	{ .key = "priority",
	    .type = BIND_UNSIGNED,
	    .offset = offsetof(struct mes_endpoint, priority) },
	{ .type = BIND_LINE, .offset = offsetof(struct mes_endpoint, line) },
	{ .type = BIND_END },
};

static const struct bind san_rows[] = {
	{ .key = "type",
	    .type = BIND_READ,
	    .offset = offsetof(struct mes_san, is_prefix),
	    .read = read_san_type },
	{ .key = "value",
	    .type = BIND_STR,
	    .offset = offsetof(struct mes_san, value) },
	{ .type = BIND_END },
};

static const struct bind verification_rows[] = {
	{ .key = "mode",
	    .type = BIND_ENUM,
	    .offset = AT(mode),
	    .values = modes },
	{ .key = "serverName",
	    .type = BIND_STR,
	    .offset = AT(server_name),
	    .has_offset = AT(has_server_name) },
	{ .key = "subjectAltNames",
	    .type = BIND_LIST,
	    .offset = AT(sans),
	    .n_offset = AT(n_sans),
	    .size = sizeof(struct mes_san),
	    .sub = san_rows },
	{ .key = "caCert", .type = BIND_SOURCE, .offset = AT(ca_cert) },
	{ .key = "clientCert", .type = BIND_SOURCE, .offset = AT(client_cert) },
	{ .key = "clientKey", .type = BIND_SOURCE, .offset = AT(client_key) },
	{ .type = BIND_END },
};

static const struct bind version_rows[] = {
	{ .key = "min",
	    .type = BIND_ENUM,
	    .offset = AT(min_version),
	    .values = versions },
	{ .key = "max",
	    .type = BIND_ENUM,
	    .offset = AT(max_version),
	    .values = versions },
	{ .type = BIND_END },
};

static const struct bind tls_rows[] = {
	{ .key = "enabled", .type = BIND_BOOL, .offset = AT(tls_is_enabled) },
	{ .key = "version", .type = BIND_STRUCT, .sub = version_rows },
	{ .key = "allowRenegotiation",
	    .type = BIND_BOOL,
	    .offset = AT(allow_renegotiation) },
	{ .key = "verification",
	    .type = BIND_STRUCT,
	    .sub = verification_rows,
	    .has_offset = AT(has_verification) },
	{ .type = BIND_END },
};

const struct bind mesh_external_service_bind[] = {
	{ .key = "match", .type = BIND_STRUCT, .sub = match_rows },
	{ .key = "extension",
	    .type = BIND_STRUCT,
	    .sub = extension_rows,
	    .has_offset = AT(has_extension) },
	{ .key = "endpoints",
	    .type = BIND_LIST,
	    .offset = AT(endpoints),
	    .n_offset = AT(n_endpoints),
	    .size = sizeof(struct mes_endpoint),
	    .sub = endpoint_rows },
	{ .key = "tls", .type = BIND_STRUCT, .sub = tls_rows },
	{ .type = BIND_END },
};

static void
complain(struct problems *pr, const char *path, const char *why)
{
	problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "%s", why);
}

static bool
is_mes_protocol(struct str s)
{
	return str_eq(s, STR("tcp")) || str_eq(s, STR("grpc")) ||
	       str_eq(s, STR("http")) || str_eq(s, STR("http2"));
}

static void
check_match(struct mesh_external_service *mes, struct problems *pr)
{
	if (mes->match_type.len > 0 &&
	    !str_eq(mes->match_type, STR("HostnameGenerator")))
		complain(pr, "spec.match.type",
		    "unrecognized type; only HostnameGenerator is supported");
	if (mes->port == 0)
		complain(pr, "spec.match.port",
		    "port must be a valid one (1-65535)");
	if (mes->protocol.p == NULL)
		mes->protocol = STR("tcp");
	else if (!is_mes_protocol(mes->protocol))
		complain(pr, "spec.match.protocol",
		    "must be one of tcp, grpc, http, http2");
}

/* Kuma's documentation has them, its validation refuses them. */
static bool
cut_unix_scheme(struct str *address)
{
	const struct str scheme = STR("unix://");

	if (!str_starts(*address, scheme))
		return false;
	*address = str_from(*address, scheme.len);
	return true;
}

static bool
is_socket_path(struct str path)
{
	return path.len > 1 && path.len <= MOST_PATH && path.p[0] == '/' &&
	       str_index(path, '\0') == -1;
}

static void
check_endpoint(struct mes_endpoint *e, size_t i, struct problems *pr)
{
	const char *field = NULL, *why = NULL;
	char path[64];

	e->is_unix = cut_unix_scheme(&e->address);
	e->is_address = e->is_unix || is_ip_address(e->address);
	if (e->is_unix && !is_socket_path(e->address)) {
		field = "address";
		why = "behind unix:// wants an absolute path of at most 107 "
		      "bytes";
	} else if (!e->is_address && !is_dns_name(e->address)) {
		field = "address";
		why = "address has to be a valid IP or hostname";
	} else if (e->port == 0 && !e->is_unix) {
		field = "port";
		why = "port must be a valid one (1-65535)";
	} else if (e->priority > MOST_PRIORITY) {
		field = "priority";
		why = "must be in the range [0, 128]";
	}
	if (why == NULL)
		return;
	snprintf(path, sizeof(path), "spec.endpoints[%zu].%s", i, field);
	problem_add(pr, PROBLEM_ERROR, NULL, e->line, path, "%s", why);
}

static void
check_verification(const struct mesh_external_service *mes, struct problems *pr)
{
	static const char at[] = "spec.tls.verification";
	enum problem_level level =
	    mes->tls_is_enabled ? PROBLEM_ERROR : PROBLEM_WARNING;

	if (mes->has_server_name && !is_dns_name(mes->server_name))
		complain(pr, "spec.tls.verification.serverName",
		    "must be a valid DNS name");
	source_check(&mes->ca_cert, level, "spec.tls.verification.caCert", pr);
	source_check(
	    &mes->client_cert, level, "spec.tls.verification.clientCert", pr);
	source_check(
	    &mes->client_key, level, "spec.tls.verification.clientKey", pr);
	/* Kuma refuses half a pair even where TLS is off. */
	source_check_pair(
	    &mes->client_cert, &mes->client_key, PROBLEM_ERROR, at, pr);
}

static void
check_tls(const struct mesh_external_service *mes, struct problems *pr)
{
	if (mes->min_version != TLS_AUTO && mes->max_version != TLS_AUTO &&
	    mes->min_version > mes->max_version)
		complain(pr, "spec.tls.version.min",
		    "min version must be lower than max");
	check_verification(mes, pr);
}

/* A path is no name that a certificate could be for. */
static void
check_unix_tls(const struct mesh_external_service *mes, struct problems *pr)
{
	bool checks_name =
	    mes->mode == MODE_SECURED || mes->mode == MODE_SKIP_CA;
	size_t i;

	if (!mes->tls_is_enabled || !checks_name || mes->server_name.len > 0)
		return;
	for (i = 0; i < mes->n_endpoints; i++)
		if (mes->endpoints[i].is_unix) {
			complain(pr, "spec.tls.verification.serverName",
			    "is wanted by TLS through a Unix socket");
			return;
		}
}

void
mesh_external_service_check(struct resource *r, struct problems *pr)
{
	struct mesh_external_service *mes = r->spec;
	size_t i;

	if (r->display_name.len > MOST_NAME)
		complain(pr, "name", "must not be longer than 63 characters");
	check_match(mes, pr);
	if (mes->has_extension) {
		if (mes->extension_type.len == 0)
			complain(
			    pr, "spec.extension.type", "must not be empty");
		return;
	}
	for (i = 0; i < mes->n_endpoints; i++)
		check_endpoint(&mes->endpoints[i], i, pr);
	check_unix_tls(mes, pr);
	check_tls(mes, pr);
}

const struct mesh_external_service *
mesh_external_service_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_MESH_EXTERNAL_SERVICE ? r->spec
								  : NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* MeshExternalService: every field, and every row of what Kuma refuses. */

#include "model/mesh_external_service.h"
#include "unit/model/model_load.h"

#define HEAD "type: MeshExternalService\nmesh: shop\nname: pay\nspec:\n"
#define MATCH "  match: {type: HostnameGenerator, port: 443, protocol: http}\n"
#define ENDPOINTS "  endpoints: [{address: pay.example, port: 443}]\n"
#define VERIFY(text)                                                       \
	HEAD MATCH ENDPOINTS "  tls: {enabled: true, verification: {" text \
			     "}}\n"
#define TLS_AT "spec.tls.verification."

Test(mesh_external_service, every_field_is_read)
{
	struct store *st = load(HEAD
	    "  match: {type: HostnameGenerator, port: 443, protocol: grpc}\n"
	    "  endpoints:\n"
	    "  - {address: a.example, port: 8443}\n"
	    "  - {address: 10.0.0.1, port: 1, priority: 128}\n"
	    "  tls:\n"
	    "    enabled: true\n"
	    "    allowRenegotiation: true\n"
	    "    version: {min: TLS12, max: TLS13}\n"
	    "    verification:\n"
	    "      mode: SkipSAN\n"
	    "      serverName: a.example\n"
	    "      subjectAltNames:\n"
	    "      - {type: Exact, value: b.example}\n"
	    "      - {type: Prefix, value: \"spiffe://c/\"}\n"
	    "      caCert: {inline: dGVzdA==}\n"
	    "      clientCert: {secret: cert}\n"
	    "      clientKey: {secret: key}\n");
	const struct mesh_external_service *mes = mesh_external_service_of(
	    find(st, KIND_MESH_EXTERNAL_SERVICE, "shop", "pay"));

	cr_assert_not_null(mes);
	cr_expect_eq(store_problems(st)->n, 0u);
	expect_str(mes->protocol, "grpc");
	cr_expect_eq(mes->port, 443);
	cr_assert_eq(mes->n_endpoints, 2u);
	expect_str(mes->endpoints[0].address, "a.example");
	cr_expect_not(mes->endpoints[0].is_address);
	cr_expect(mes->endpoints[1].is_address);
	cr_expect_eq(mes->endpoints[1].port, 1);
	cr_expect_eq(mes->endpoints[1].priority, 128u);
	cr_expect_eq(mes->endpoints[1].line, 8u);
	cr_expect(mes->tls_is_enabled && mes->allow_renegotiation);
	cr_expect_eq(mes->min_version, TLS_1_2);
	cr_expect_eq(mes->max_version, TLS_1_3);
	cr_expect(mes->has_verification);
	cr_expect_eq(mes->mode, MODE_SKIP_SAN);
	expect_str(mes->server_name, "a.example");
	cr_assert_eq(mes->n_sans, 2u);
	cr_expect_not(mes->sans[0].is_prefix);
	cr_expect(mes->sans[1].is_prefix);
	expect_str(mes->sans[1].value, "spiffe://c/");
	expect_str(mes->ca_cert.value, "test");
	expect_str(mes->client_key.value, "key");
	store_free(st);
}

Test(mesh_external_service, the_protocol_is_tcp_by_default)
{
	struct store *st = load(HEAD "  match: {port: 5432}\n" ENDPOINTS);
	const struct mesh_external_service *mes = mesh_external_service_of(
	    find(st, KIND_MESH_EXTERNAL_SERVICE, "shop", "pay"));

	cr_assert_not_null(mes);
	expect_str(mes->protocol, "tcp");
	cr_expect_eq(mes->mode, MODE_SECURED);
	store_free(st);
}

Test(mesh_external_service, what_is_refused)
{
	static const struct wrong rows[] = {
		{ "good", HEAD MATCH ENDPOINTS, "", "" },
		{ "no endpoints", HEAD MATCH, "", "" },
		{ "no spec", "type: MeshExternalService\nname: a\n",
		    "spec.match.port", "" },
		{ "match type", HEAD "  match: {type: X, port: 1}\n" ENDPOINTS,
		    "spec.match.type", "" },
		{ "no port", HEAD "  match: {type: HostnameGenerator}\n",
		    "spec.match.port", "" },
		{ "port 0", HEAD "  match: {port: 0}\n", "spec.match.port",
		    "" },
		{ "port too high", HEAD "  match: {port: 65536}\n",
		    "spec.match.port", "" },
		{ "port is a text", HEAD "  match: {port: \"443\"}\n",
		    "spec.match.port", "" },
		{ "protocol", HEAD "  match: {port: 1, protocol: kafka}\n",
		    "spec.match.protocol", "" },
		{ "protocol is exact",
		    HEAD "  match: {port: 1, protocol: HTTP}\n",
		    "spec.match.protocol", "" },
		{ "endpoint address",
		    HEAD MATCH "  endpoints: [{address: \"unix:/a\"}]\n",
		    "spec.endpoints[0].address", "" },
		{ "endpoint of a Unix socket",
		    HEAD MATCH "  endpoints: [{address: \"unix:///a\"}]\n", "",
		    "" },
		{ "endpoint of a Unix socket, no path",
		    HEAD MATCH "  endpoints: [{address: \"unix:///\"}]\n",
		    "spec.endpoints[0].address", "" },
		{ "endpoint of a Unix socket, not absolute",
		    HEAD MATCH "  endpoints: [{address: \"unix://a/b\"}]\n",
		    "spec.endpoints[0].address", "" },
		{ "endpoint of a Unix socket, TLS without a name",
		    HEAD MATCH "  endpoints: [{address: \"unix:///a\"}]\n"
			       "  tls: {enabled: true}\n",
		    "spec.tls.verification.serverName", "" },
		{ "endpoint of a Unix socket, TLS without names",
		    HEAD MATCH "  endpoints: [{address: \"unix:///a\"}]\n"
			       "  tls: {enabled: true, verification: {mode: "
			       "SkipAll}}\n",
		    "", "" },
		{ "endpoint without address",
		    HEAD MATCH "  endpoints: [{port: 90}]\n",
		    "spec.endpoints[0].address", "" },
		{ "endpoint without port",
		    HEAD MATCH "  endpoints: [{address: 1.1.1.1}]\n",
		    "spec.endpoints[0].port", "" },
		{ "endpoint port too high",
		    HEAD MATCH
		    "  endpoints: [{address: 1.1.1.1, port: 999999}]\n",
		    "spec.endpoints[0].port", "" },
		{ "priority",
		    HEAD MATCH "  endpoints: [{address: 1.1.1.1, port: 1, "
			       "priority: 129}]\n",
		    "spec.endpoints[0].priority", "" },
		{ "endpoints is no list", HEAD MATCH "  endpoints: {a: b}\n",
		    "spec.endpoints", "" },
		{ "versions",
		    HEAD MATCH "  tls: {version: {min: TLS15, max: x}}\n",
		    "spec.tls.version.max spec.tls.version.min", "" },
		{ "min above max",
		    HEAD MATCH "  tls: {version: {min: TLS13, max: TLS12}}\n",
		    "spec.tls.version.min", "" },
		{ "min without max",
		    HEAD MATCH "  tls: {version: {min: TLS13}}\n", "", "" },
		{ "auto is below all",
		    HEAD MATCH "  tls: {version: {min: TLS13, max: TLSAuto}}\n",
		    "", "" },
		{ "server name", VERIFY("serverName: \"not[]valid\""),
		    TLS_AT "serverName", "" },
		{ "empty server name", VERIFY("serverName: \"\""),
		    TLS_AT "serverName", "" },
		{ "mode", VERIFY("mode: Unknown"), TLS_AT "mode", "" },
		{ "empty mode", VERIFY("mode: \"\""), "", "" },
		{ "SAN type",
		    VERIFY("subjectAltNames: [{type: Regex, value: a}]"),
		    TLS_AT "subjectAltNames[0].type", "" },
		{ "certificate without key", VERIFY("clientCert: {secret: a}"),
		    TLS_AT "clientKey", "" },
		{ "key without certificate", VERIFY("clientKey: {secret: a}"),
		    TLS_AT "clientCert", "" },
		{ "empty source", VERIFY("caCert: {}"), TLS_AT "caCert", "" },
		{ "extension without type",
		    HEAD MATCH "  extension: {config: {a: 1}}\n",
		    "spec.extension.type", "" },
		{ "extension's endpoints are its own",
		    HEAD MATCH "  extension: {type: Lambda}\n"
			       "  endpoints: [{address: \"?\"}]\n",
		    "", "" },
		{ "name of 63",
		    "type: MeshExternalService\nname: "
		    "a23456789012345678901234567890123456789012345678901234567"
		    "890123\nspec:\n" MATCH,
		    "", "" },
		{ "name of 64",
		    "type: MeshExternalService\nname: "
		    "a234567890123456789012345678901234567890123456789012345678"
		    "901234\nspec:\n" MATCH,
		    "name", "" },
		{ "unknown field", HEAD MATCH "  endpoint: []\n", "",
		    "spec.endpoint" },
		{ "no snake case here",
		    HEAD MATCH "  tls: {allow_renegotiation: true}\n", "",
		    "spec.tls.allow_renegotiation" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

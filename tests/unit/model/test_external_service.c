/* SPDX-License-Identifier: Apache-2.0 */
/* ExternalService: every field, and every row of what Kuma refuses. */

#include "model/external_service.h"
#include "unit/model/model_load.h"

#define HEAD "type: ExternalService\nmesh: shop\nname: pay\n"
#define TAGS "tags: {kuma.io/service: pay}\n"
#define ADDRESS "networking: {address: \"pay.example:443\"}\n"
#define TLS(text)                                                              \
	HEAD TAGS "networking:\n  address: pay.example:443\n  tls: {" text "}" \
		  "\n"

Test(external_service, every_field_is_read)
{
	struct store *st = load(HEAD "tags:\n"
				     "  kuma.io/service: pay\n"
				     "  version: v2\n"
				     "  kuma.io/protocol: HTTP\n"
				     "networking:\n"
				     "  address: pay.example:8443\n"
				     "  disableHostDNSEntry: true\n"
				     "  tls:\n"
				     "    enabled: true\n"
				     "    allowRenegotiation: true\n"
				     "    skipHostnameVerification: yes\n"
				     "    serverName: api.pay.example\n"
				     "    caCert: {secret: pay-ca}\n"
				     "    clientCert: {inline: aGVsbG8=}\n"
				     "    clientKey: {inlineString: key}\n");
	const struct external_service *es =
	    external_service_of(find(st, KIND_EXTERNAL_SERVICE, "shop", "pay"));

	cr_assert_not_null(es);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect_eq(es->tags.n, 3u);
	expect_str(es->tags.v[0].key, "kuma.io/protocol");
	expect_str(es->tags.v[2].key, "version");
	expect_str(tags_get(&es->tags, STR("kuma.io/service")), "pay");
	expect_str(es->host, "pay.example");
	cr_expect_eq(es->port, 8443);
	cr_expect_not(es->host_is_address);
	cr_expect(es->disable_host_dns_entry && es->tls.is_enabled);
	cr_expect(es->tls.allow_renegotiation);
	cr_expect(es->tls.skip_hostname_verification);
	cr_expect(es->tls.has_server_name);
	expect_str(es->tls.server_name, "api.pay.example");
	cr_expect_eq(es->tls.ca_cert.kind, SOURCE_SECRET);
	expect_str(es->tls.ca_cert.value, "pay-ca");
	cr_expect_eq(es->tls.ca_cert.line, 16u);
	cr_expect_eq(es->tls.client_cert.kind, SOURCE_INLINE);
	expect_str(es->tls.client_cert.value, "hello");
	cr_expect_eq(es->tls.client_key.kind, SOURCE_INLINE);
	store_free(st);
}

Test(external_service, an_ipv6_host_loses_its_brackets)
{
	struct store *st =
	    load(HEAD TAGS "networking: {address: \"[2001:db8::7]:80\"}\n");
	const struct external_service *es =
	    external_service_of(find(st, KIND_EXTERNAL_SERVICE, "shop", "pay"));

	cr_assert_not_null(es);
	expect_str(es->host, "2001:db8::7");
	cr_expect(es->host_is_address);
	store_free(st);
}

Test(external_service, an_empty_server_name_turns_sni_off)
{
	struct store *st = load(TLS("enabled: true, serverName: \"\""));
	const struct external_service *es =
	    external_service_of(find(st, KIND_EXTERNAL_SERVICE, "shop", "pay"));

	cr_assert_not_null(es);
	cr_expect(es->tls.has_server_name);
	cr_expect_eq(es->tls.server_name.len, 0u);
	store_free(st);
}

Test(external_service, snake_case_is_the_same_field)
{
	struct store *st = load(TLS("enabled: true, ca_cert: {secret: a}, "
				    "server_name: x.example, "
				    "allow_renegotiation: true"));
	const struct external_service *es =
	    external_service_of(find(st, KIND_EXTERNAL_SERVICE, "shop", "pay"));

	cr_assert_not_null(es);
	cr_expect_eq(store_problems(st)->n, 0u);
	expect_str(es->tls.ca_cert.value, "a");
	expect_str(es->tls.server_name, "x.example");
	cr_expect(es->tls.allow_renegotiation);
	store_free(st);
}

#define FOUR                                                        \
	"networking.address networking.address networking.address " \
	"networking.address"

Test(external_service, what_is_refused)
{
	static const struct wrong rows[] = {
		{ "good", HEAD TAGS ADDRESS, "", "" },
		{ "no networking", HEAD TAGS, "networking", "" },
		{ "empty networking", HEAD TAGS "networking:\n", "networking",
		    "networking" },
		{ "no address", HEAD TAGS "networking: {}\n",
		    "networking.address", "" },
		{ "empty address", HEAD TAGS "networking: {address: \"\"}\n",
		    "networking.address", "" },
		{ "no port", HEAD TAGS "networking: {address: x.example}\n",
		    FOUR, "" },
		{ "a scheme",
		    HEAD TAGS
		    "networking: {address: \"http://x.example:80\"}\n",
		    FOUR, "" },
		{ "IPv6 without brackets",
		    HEAD TAGS "networking: {address: \"2001:db8::7:80\"}\n",
		    FOUR, "" },
		{ "neither address nor name",
		    HEAD TAGS "networking: {address: \"..>_<..:80\"}\n",
		    "networking.address", "" },
		{ "port is no number",
		    HEAD TAGS "networking: {address: \"x.example:web\"}\n",
		    "networking.address networking.address", "" },
		{ "port 0",
		    HEAD TAGS "networking: {address: \"x.example:0\"}\n",
		    "networking.address", "" },
		{ "port too high",
		    HEAD TAGS "networking: {address: \"x.example:65536\"}\n",
		    "networking.address", "" },
		{ "highest port",
		    HEAD TAGS "networking: {address: \"x.example:65535\"}\n",
		    "", "" },
		{ "address of the wrong type",
		    HEAD TAGS "networking: {address: 80}\n",
		    "networking.address", "" },
		{ "networking of the wrong type", HEAD TAGS "networking: x\n",
		    "networking", "" },
		{ "no service tag", HEAD "tags: {version: v1}\n" ADDRESS,
		    "tags", "" },
		{ "no tags", HEAD ADDRESS, "tags", "" },
		{ "empty service",
		    HEAD "tags: {kuma.io/service: \"\"}\n" ADDRESS,
		    "tags[\"kuma.io/service\"]", "" },
		{ "empty key",
		    HEAD "tags: {kuma.io/service: a, \"\": b}\n" ADDRESS,
		    "tags", "" },
		{ "key with odd characters",
		    HEAD "tags: {kuma.io/service: a, \"v$\": b}\n" ADDRESS,
		    "tags[\"v$\"]", "" },
		{ "empty value",
		    HEAD "tags: {kuma.io/service: a, version: \"\"}\n" ADDRESS,
		    "tags[\"version\"]", "" },
		{ "value with odd characters",
		    HEAD
		    "tags: {kuma.io/service: a, version: \"v/1\"}\n" ADDRESS,
		    "tags[\"version\"]", "" },
		{ "value is a number",
		    HEAD "tags: {kuma.io/service: a, version: 1}\n" ADDRESS,
		    "tags[\"version\"]", "" },
		{ "values that are fine",
		    HEAD "tags: {kuma.io/service: a_b_svc_80, version: v1.2, "
			 "\"x/y:z\": \"q:1\"}\n" ADDRESS,
		    "", "" },
		{ "empty protocol",
		    HEAD "tags: {kuma.io/service: a, kuma.io/protocol: "
			 "\"\"}\n" ADDRESS,
		    "tags[\"kuma.io/protocol\"] tags[\"kuma.io/protocol\"]",
		    "" },
		{ "unknown protocol",
		    HEAD "tags: {kuma.io/service: a, kuma.io/protocol: "
			 "http3}\n" ADDRESS,
		    "tags[\"kuma.io/protocol\"]", "" },
		{ "service is the host",
		    HEAD "tags: {kuma.io/service: pay.example}\n" ADDRESS,
		    "tags[\"kuma.io/service\"]", "" },
		{ "all at once", HEAD "networking: {address: \"x:0\"}\n",
		    "tags networking.address", "" },
		{ "empty source", TLS("enabled: true, caCert: {}"),
		    "networking.tls.caCert", "" },
		{ "empty text in a source",
		    TLS("enabled: true, caCert: {secret: \"\"}"),
		    "networking.tls.caCert", "" },
		{ "no base64", TLS("enabled: true, caCert: {inline: \"%%\"}"),
		    "networking.tls.caCert", "" },
		{ "two sources",
		    TLS("enabled: true, caCert: {secret: a, inlineString: b}"),
		    "networking.tls.caCert", "" },
		{ "a file", TLS("enabled: true, caCert: {file: ca.pem}"), "",
		    "" },
		{ "a null source", TLS("enabled: true, caCert: null"), "",
		    "networking.tls.caCert" },
		{ "a source of the wrong type",
		    TLS("enabled: true, caCert: pem"), "networking.tls.caCert",
		    "" },
		{ "certificate without key",
		    TLS("enabled: true, clientCert: {secret: a}"),
		    "networking.tls.clientKey", "" },
		{ "key without certificate",
		    TLS("enabled: true, clientKey: {secret: a}"),
		    "networking.tls.clientCert", "" },
		{ "TLS off: sources only warn",
		    TLS("enabled: false, caCert: {}, clientCert: {secret: a}"),
		    "", "networking.tls.caCert networking.tls.clientKey" },
		{ "unknown field", TLS("enabled: true, sni: x.example"), "",
		    "networking.tls.sni" },
		{ "both spellings",
		    TLS("enabled: true, caCert: {secret: a}, "
			"ca_cert: {secret: b}"),
		    "networking.tls.ca_cert", NULL },
		{ "enabled is a text", TLS("enabled: \"true\""),
		    "networking.tls.enabled", "" },
		{ "odd server name", TLS("enabled: true, serverName: \"a b\""),
		    "", "networking.tls.serverName" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

Test(external_service, problems_say_where)
{
	struct store *st = load("# first\n---\n" HEAD "tags:\n"
				"  kuma.io/service: pay\n"
				"  version: \"\"\n"
				"networking:\n"
				"  address: pay.example:0\n"
				"  tls:\n"
				"    serverNmae: x\n");
	char *all = print_problems(st);

	cr_expect_not_null(
	    strstr(all, "f.yaml:8: tags[\"version\"]: "), "%s", all);
	cr_expect_not_null(
	    strstr(all, "f.yaml:10: networking.address: port "), "%s", all);
	cr_expect_not_null(strstr(all, "f.yaml:12: networking.tls.serverNmae: "
				       "warning: unknown field, ignored; did "
				       "you mean serverName?"),
	    "%s", all);
	free(all);
	store_free(st);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/config_services.h: what entries of services may say, and mean. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/problem.h"
#include "daemon/config.h"
#include "policy/service_option.h"
#include "unit/feed/tree.h"

struct rig {
	struct tree tree;
	struct config *config;
	struct build_settings set;
	struct text said; /* without the directory */
};

/* text stands in line 2, between the braces of the only entry. */
static void
rig_init(struct rig *r, const char *before, const char *text, const char *after)
{
	struct problems pr = PROBLEMS_NONE;
	struct text all = TEXT_EMPTY;
	const char *p;
	size_t i;

	*r = (struct rig){ .config = NULL };
	text_addf(&all, "%s%s%s", before, text, after);
	tree_init(&r->tree);
	tree_write(&r->tree, "c", all.p);
	r->config = config_load(tree_path(&r->tree, "c"), &pr);
	if (r->config != NULL)
		config_build_settings(r->config, &r->set);
	text_add_z(&r->said, "");
	for (i = 0; i < pr.n; i++) {
		text_clear(&all);
		problem_print(&pr.v[i], &all);
		/* Paths stand inside of messages, too; their / goes along. */
		for (p = all.p; *p != '\0'; p++)
			if (strncmp(p, r->tree.path, strlen(r->tree.path)) == 0)
				p += strlen(r->tree.path);
			else
				text_add_char(&r->said, *p);
		text_add_char(&r->said, '\n');
	}
	text_free(&all);
	problems_free(&pr);
}

static void
rig_fini(struct rig *r)
{
	config_free(r->config);
	text_free(&r->said);
	tree_fini(&r->tree);
}

static void
expect_str(struct str got, const char *want, const char *what)
{
	cr_expect(str_eq(got, str_of(want)), "%s: %.*s", what, STR_ARG(got));
}

Test(config_services, takes_every_option)
{
	const struct service_options *o;
	const struct service_entry *e;
	struct rig r;
	size_t i;

	rig_init(&r, "services = (\n",
	    "{ match = { mesh = \"m\"; service = \"s\"; }; host = \"keep\";\n"
	    "http2_fallback = true; upgrades = [ \"WebSocket\", \"a/1\",\n"
	    "\"websocket\" ]; forwarded_for = \"append\";\n"
	    "forward_client_cert = true; via = \"zegress\";\n"
	    "server = \"two words\"; request_ms = 15000;\n"
	    "family = \"prefer_ipv4\"; attempt_delay_ms = 10; "
	    "addresses = \"public\"; allow_addresses = [ \"10.0.0.0/8\" ]; "
	    "deny_addresses = [ \"10.1.0.0/16\", \"fd00::/8\" ]; "
	    "srv = true; resolvers = [ \"10.0.0.53\", \"[::1]:5353\" ]; "
	    "source = [ \"10.0.0.1\", \"fd00::1\" ]; interface = \"eth1\"; "
	    "mark = 4294967295L; dscp = 46; "
	    "keepalive = { idle_s = 60; interval_s = 5; probes = 3; }; "
	    "weak_tls = true; tls = { cert = \"/c.pem\"; key = "
	    "\"credential:k\"; sni = \"none\"; verify_chain = \"on\"; "
	    "verify_names = \"off\"; names = []; ca = \"system\"; "
	    "crl = [ \"/a\", \"/b\" ]; crl_check = \"chain\"; "
	    "ocsp = \"require\"; min_version = \"1.0\"; "
	    "max_version = \"1.2\"; ciphers = [ \"AES128-SHA\", "
	    "\"?NO-SUCH\" ]; ciphersuites = [ \"TLS_AES_128_GCM_SHA256\" ]; "
	    "groups = [ \"X25519\" ]; "
	    "signature_algorithms = [ \"rsa_pss_rsae_sha256\" ]; "
	    "renegotiation = \"on\"; renegotiations = 7; "
	    "resumption = false; }; "
	    "caller_limits = { connections = 1; requests = 2; "
	    "requests_per_s = 3; mib_per_day = 268435455; }; "
	    "report = true; wildcard = \"*.S3.example\"; wildcard_names = 7; "
	    "proxy = \"socks5://[::1]:1080\"; "
	    "proxy_auth_file = \"/etc/x\"; proxy_resolve = \"local\"; "
	    "proxy_protocol = \"v2\"; dial = \"\"; "
	    "balance = { policy = \"maglev\"; hash = [ \"source\", "
	    "\"header:x-user\" ]; choices = 3; table_size = 1024; ring_least = "
	    "9; "
	    "overprovisioning = 200; panic = 50; slow_start_ms = 5000; "
	    "locality = \"on\"; zones = [ \"only east\" ]; "
	    "slow_start_least = 20; }; "
	    "health = { check = \"grpc\"; path = \"/h\"; host = \"h\"; "
	    "statuses = [ \"200\", \"300-399\" ]; grpc_service = \"a.B\"; "
	    "headers = [ \"x-probe: 1\" ]; tcp_send = \"UElORw==\"; "
	    "tcp_receive = [ \"UE9ORw==\" ]; no_traffic_interval_ms = 9000; "
	    "initial_jitter_ms = 1; interval_jitter_ms = 2; "
	    "always_log_failures = true; fail_traffic_on_panic = true; "
	    "interval_ms = 1000; interval_jitter_percent = 5; "
	    "timeout_ms = 500; unhealthy_threshold = 2; "
	    "healthy_threshold = 3; }; outlier = { consecutive_5xx = 5; "
	    "consecutive_gateway_failure = 4; "
	    "consecutive_local_origin_failure = 3; "
	    "split_external_local_origin_errors = true; "
	    "success_rate_stdev_factor = 1900; "
	    "success_rate_minimum_hosts = 2; "
	    "success_rate_request_volume = 10; "
	    "failure_percentage_threshold = 85; "
	    "failure_percentage_minimum_hosts = 3; "
	    "failure_percentage_request_volume = 20; interval_ms = 5000; "
	    "base_ejection_ms = 1000; max_ejection_ms = 9000; "
	    "max_ejection_percent = 50; }; breaker = { connections = 1; "
	    "pending = 2; requests = 3; retries = 4; retry_percent = 20; "
	    "retry_minimum = 5; }; stream_idle_ms = 11; idle_ms = 12; "
	    "connect_ms = 13; connect_attempts = 14; },\n"
	    "{ host = \"api.example:8080\"; upgrades = []; }",
	    " );");
	cr_assert_not_null(r.config, "%s", r.said.p);
	cr_expect_str_eq(r.said.p,
	    "c:7: services.health.check: warning: the names of a wildcard are "
	    "not checked: nobody knows them before they are asked for; "
	    "services.outlier works for each\n");
	cr_assert_eq(r.set.n_services, 2);
	e = &r.set.services[0];
	o = &e->options;
	expect_str(e->mesh, "m", "mesh");
	expect_str(e->service, "s", "service");
	cr_expect_eq(e->line, 2);
	for (i = 0; i < SERVICE_OPTION_N; i++)
		cr_expect(e->given[i], "%s", service_option_rows[i].name);
	cr_expect_eq(o->host, HOST_KEEP);
	cr_expect(o->http2_fallback);
	cr_expect_eq(o->caller_connections, 1);
	cr_expect_eq(o->caller_requests, 2);
	cr_expect_eq(o->caller_requests_per_s, 3);
	cr_expect_eq(o->caller_mib_per_day, 268435455);
	cr_assert_eq(o->upgrades.n, 2, "each once");
	expect_str(o->upgrades.v[0], "websocket", "lower case");
	expect_str(o->upgrades.v[1], "a/1", "with a version");
	cr_expect_eq(o->forwarded_for, FORWARDED_FOR_APPEND);
	cr_expect(o->forwards_client_cert);
	expect_str(o->via, "zegress", "via");
	expect_str(o->server, "two words", "server");
	cr_expect_eq(o->request_ms, 15000);
	cr_expect_eq(o->stream_idle_ms, 11);
	cr_expect_eq(o->idle_ms, 12);
	cr_expect_eq(o->connect_ms, 13);
	cr_expect_eq(o->connect_attempts, 14);
	cr_expect(o->report);
	cr_expect_eq(o->family, FAMILY_PREFER_IPV4);
	cr_expect_eq(o->addresses, ADDRESSES_PUBLIC);
	cr_expect_eq(o->mark, UINT32_MAX);
	cr_expect_eq(o->deny_addresses.n, 2);
	cr_expect_eq(o->keepalive_probes, 3);
	cr_assert_eq(o->resolvers.n, 2);
	expect_str(o->resolvers.v[1], "[::1]:5353", "in their order");
	cr_expect(o->srv);
	expect_str(o->tls_cert, "/c.pem", "tls.cert");
	expect_str(o->tls_key, "credential:k", "tls.key");
	expect_str(o->wildcard, "*.s3.example", "lower case");
	cr_expect_eq(o->wildcard_names, 7);
	expect_str(o->tls_sni, "none", "sni");
	cr_expect_eq(o->tls_verify_chain, TLS_ON);
	cr_expect_eq(o->tls_verify_names, TLS_OFF);
	cr_expect_eq(o->tls_crl.n, 2);
	cr_expect_eq(o->tls_crl_check, CRL_CHECK_CHAIN);
	cr_expect_eq(o->tls_ocsp, TLS_OCSP_REQUIRE);
	cr_expect_eq(o->tls_min_version, TLS_VERSION_1_0);
	cr_expect_eq(o->tls_max_version, TLS_VERSION_1_2);
	cr_expect_eq(o->tls_ciphers.n, 2);
	cr_expect_eq(o->tls_renegotiations, 7);
	cr_expect_not(o->tls_resumption);
	cr_expect_eq(o->proxy_resolve, PROXY_RESOLVE_LOCAL);
	cr_expect_eq(o->proxy_protocol, PROXY_PROTOCOL_V2);
	expect_str(o->proxy, "socks5://[::1]:1080", "proxy");
	cr_expect_eq(o->balance_policy, BALANCE_MAGLEV);
	cr_assert_eq(o->balance_hash.n, 2);
	expect_str(o->balance_hash.v[1], "header:x-user", "hash");
	cr_expect_eq(o->balance_panic, 50);
	cr_expect_eq(o->balance_ring_least, 9);
	cr_expect_eq(o->balance_locality, BALANCE_LOCALITY_ON);
	cr_assert_eq(o->balance_zones.n, 1);
	expect_str(o->balance_zones.v[0], "only east", "zones");
	cr_expect_eq(o->health.kind, HEALTH_GRPC);
	expect_str(o->health.path, "/h", "path");
	cr_expect_eq(o->health.statuses.n, 2);
	cr_expect_eq(o->health.healthy, 3);
	cr_expect_eq(o->outlier.consecutive_gateway, 4);
	cr_expect(o->outlier.splits_local);
	cr_expect_eq(o->outlier.most_percent, 50);
	cr_expect_eq(o->breaker.retries, 4);
	cr_expect_eq(o->breaker.retry_minimum, 5);
	e = &r.set.services[1];
	expect_str(e->mesh, "", "any mesh");
	expect_str(e->service, "", "any service");
	cr_expect_eq(e->line, 8);
	for (i = 0; i < SERVICE_OPTION_N; i++)
		cr_expect_eq(e->given[i],
		    i == SERVICE_OPTION_HOST || i == SERVICE_OPTION_UPGRADES);
	cr_expect_eq(e->options.host, HOST_NAMED);
	expect_str(e->options.host_name, "api.example:8080", "host");
	cr_expect_eq(e->options.upgrades.n, 0);
	rig_fini(&r);
}

/* Each word of a list is a value of its enum, in its order. */
Test(config_services, reads_each_word)
{
	static const struct {
		const char *text;
		enum host_rule host;
		enum forwarded_for forwarded_for;
	} rows[] = {
		{ "host = \"endpoint\";", HOST_ENDPOINT, FORWARDED_FOR_KEEP },
		{ "host = \"keep\";", HOST_KEEP, FORWARDED_FOR_KEEP },
		{ "host = \"a\";", HOST_NAMED, FORWARDED_FOR_KEEP },
		{ "forwarded_for = \"keep\";", HOST_ENDPOINT,
		    FORWARDED_FOR_KEEP },
		{ "forwarded_for = \"append\";", HOST_ENDPOINT,
		    FORWARDED_FOR_APPEND },
		{ "forwarded_for = \"remove\";", HOST_ENDPOINT,
		    FORWARDED_FOR_REMOVE },
	};
	const struct service_options *o;
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, "services = (\n{ ", rows[i].text, " } );");
		cr_assert_not_null(r.config, "%s", r.said.p);
		o = &r.set.services[0].options;
		cr_expect_eq(o->host, rows[i].host, "%s", rows[i].text);
		cr_expect_eq(o->forwarded_for, rows[i].forwarded_for, "%s",
		    rows[i].text);
		rig_fini(&r);
	}
}

/* What the manual calls default is what a service without entries has. */
Test(config_services, defaults_of_the_table_are_those_in_force)
{
	struct rig r;
	size_t i;

	rig_init(&r, "services = (\n{", "", "} );");
	cr_assert_not_null(r.config, "%s", r.said.p);
	for (i = 0; i < SERVICE_OPTION_N; i++)
		cr_expect(service_option_eq(i, &r.set.services[0].options,
			      service_options_standard()),
		    "%s", service_option_rows[i].name);
	cr_expect(service_entry_gives_nothing(&r.set.services[0]));
	cr_expect_str_eq(r.said.p,
	    "c:2: services: warning: sets no option: add one, or take it "
	    "out\n");
	rig_fini(&r);
}

#define HOST_WANTS                                                       \
	"c:2: services.host: wants \"endpoint\", \"keep\" or a name to " \
	"send, as \"api.example\" or \"api.example:8080\"\n"
#define UPGRADE_WANTS                                           \
	"c:2: services.upgrades: wants names of protocols, as " \
	"\"websocket\"\n"
#define UPGRADE_HTTP                                                       \
	"c:2: services.upgrades: HTTP is not upgraded to HTTP here, "      \
	"since its requests would pass unread: take it out; a service of " \
	"protocol http2 is spoken to in HTTP/2\n"
#define VIA_WANTS \
	"c:2: services.via: wants a name without spaces, as \"zegress\"\n"
#define SERVER_WANTS                                               \
	"c:2: services.server: wants at most 256 printable ASCII " \
	"characters\n"

#define S "match = { service = \"s\"; }; "
#define WILDCARD_WANTS                                                      \
	"c:2: services.wildcard: wants \"*.\" and a name of two labels or " \
	"more, as \"*.s3.amazonaws.com\"\n"
#define WILDCARD_ONE                                                  \
	"c:2: services.wildcard: opens many names, so it is for one " \
	"service at a time: name it in match.service\n"

Test(config_services, refuses_with_place_and_remedy)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{ "host = \"\";", "c:2: services.host: may not be empty\n" },
		{ "host = 1;",
		    "c:2: services.host: wants a text in double quotes\n" },
		{ "host = \"a b\";", HOST_WANTS },
		{ "host = \"a\\r\\nx: y\";", HOST_WANTS },
		{ "host = \"http://a\";", HOST_WANTS },
		{ "host = \"a/b\";", HOST_WANTS },
		{ "host = \"u@a\";", HOST_WANTS },
		{ "host = \":80\";", HOST_WANTS },
		{ "host = \"a:\";", HOST_WANTS },
		{ "host = \"a:0\";", HOST_WANTS },
		{ "host = \"a:65536\";", HOST_WANTS },
		{ "host = \"a:80:80\";", HOST_WANTS },
		{ "host = \"::1\";", HOST_WANTS },
		{ "host = \"[::1\";", HOST_WANTS },
		{ "host = \"[::1]80\";", HOST_WANTS },
		{ "host = \"[10.0.0.1]:80\";", HOST_WANTS },
		{ "host = \"[a]:80\";", HOST_WANTS },
		{ "http2_fallback = \"yes\";",
		    "c:2: services.http2_fallback: wants true or false\n" },
		{ "upgrades = \"websocket\";",
		    "c:2: services.upgrades: wants a list: [ \"…\", \"…\" "
		    "]\n" },
		{ "upgrades = [ \"\" ];",
		    "c:2: services.upgrades: wants texts in double "
		    "quotes\n" },
		{ "upgrades = [ \"a b\" ];", UPGRADE_WANTS },
		{ "upgrades = [ \"a/\" ];", UPGRADE_WANTS },
		{ "upgrades = [ \"/a\" ];", UPGRADE_WANTS },
		{ "upgrades = [ \"a/b/c\" ];", UPGRADE_WANTS },
		{ "upgrades = [ \"websocket\", \"H2C\" ];", UPGRADE_HTTP },
		{ "upgrades = [ \"HTTP/2.0\" ];", UPGRADE_HTTP },
		{ "forwarded_for = \"drop\";",
		    "c:2: services.forwarded_for: wants \"keep\", \"append\" "
		    "or \"remove\"\n" },
		{ "forwarded_for = true;",
		    "c:2: services.forwarded_for: wants \"keep\", \"append\" "
		    "or \"remove\"\n" },
		{ "forward_client_cert = 1;",
		    "c:2: services.forward_client_cert: wants true or "
		    "false\n" },
		{ "via = \"a b\";", VIA_WANTS },
		{ "via = \"a\\r\\nb\";", VIA_WANTS },
		{ "via = \"a:80\";", VIA_WANTS },
		{ "server = \"a\\nb\";", SERVER_WANTS },
		{ "server = \" a\";", SERVER_WANTS },
		{ "server = \"\\xe4\";", SERVER_WANTS },
		{ "allow_addresses = [ \"10.0.0.0/8\", \"10.x\" ];",
		    "c:2: services.allow_addresses: 10.x: wants addresses or "
		    "networks, as \"10.0.0.0/8\"\n" },
		{ "deny_addresses = [ \"a.example\" ];",
		    "c:2: services.deny_addresses: a.example: wants addresses "
		    "or networks, as \"10.0.0.0/8\"\n" },
		{ "source = [ \"eth1\" ];",
		    "c:2: services.source: eth1: wants addresses of this host, "
		    "as \"192.0.2.7\"\n" },
		{ "source = [ \"10.0.0.1\", \"10.0.0.2\" ];",
		    "c:2: services.source: wants one address of a family at "
		    "most\n" },
		{ "source = [ \"10.0.0.1\" ]; family = \"ipv6\";",
		    "c:2: services.source: has no address of the only family "
		    "that is used: add one, or change services.family\n" },
		{ "interface = \"a/b\";",
		    "c:2: services.interface: wants the name of a network "
		    "interface, as \"eth1\"\n" },
		{ "interface = \"sixteen-letters-\";",
		    "c:2: services.interface: wants the name of a network "
		    "interface, as \"eth1\"\n" },
		{ "proxy = \"proxy.example:3128\";",
		    "c:2: services.proxy: wants http://HOST:PORT or "
		    "socks5://HOST:PORT\n" },
		{ "proxy = \"http://me:secret@proxy.example:3128\";",
		    "c:2: services.proxy: user and password stand in a file "
		    "of their own: take them out, and set "
		    "services.proxy_auth_file\n" },
		{ "proxy_auth_file = \"secret\";",
		    "c:2: services.proxy_auth_file: wants an absolute "
		    "path\n" },
		{ "dial = \"/run/x\";",
		    "c:2: services.dial: wants \"unix:/PATH\", of at most 107 "
		    "bytes\n" },
		{ "dial = \"unix:x\";",
		    "c:2: services.dial: wants \"unix:/PATH\", of at most 107 "
		    "bytes\n" },
		{ "dial = \"unix:/run/x\"; proxy = \"http://a:1\";",
		    "c:2: services.dial: no parent proxy leads to a Unix "
		    "socket: take one of dial and proxy out\n" },
		{ "dscp = 64;",
		    "c:2: services.dscp: wants a whole number from 0 to 63\n" },
		{ "balance = { policy = \"least\"; };",
		    "c:2: services.balance.policy: wants \"round_robin\", "
		    "\"least_request\", \"random\", \"ring_hash\" or "
		    "\"maglev\"\n" },
		{ "balance = { hash = [ \"source\", \"header\" ]; };",
		    "c:2: services.balance.hash: header: wants \"caller\", "
		    "\"source\", \"header:NAME\", \"cookie:NAME "
		    "[ttl=SECONDS [path=PATH]]\", \"query:NAME\", "
		    "\"path\" or \"host\", and perhaps \" terminal\" "
		    "behind it\n" },
		{ "balance = { hash = [ ]; };",
		    "c:2: services.balance.hash: wants one thing to go by at "
		    "least, as \"caller\"; \"random\" is a policy\n" },
		{ "balance = { zones = [ \"any\", \"z2\" ]; };",
		    "c:2: services.balance.zones: z2: wants \"any\", \"none\", "
		    "\"only ZONE\" or \"except ZONE\", with a space before "
		    "each zone\n" },
		{ "balance = { overprovisioning = 99; };",
		    "c:2: services.balance.overprovisioning: wants a whole "
		    "number from 100 to 1000 %\n" },
		{ "balance = { polcy = \"random\"; };",
		    "c:2: services.balance.polcy: there is no such option; "
		    "did you mean services.balance.policy?\n"
		    "c:2: services: warning: sets no option: add one, or take "
		    "it out\n" },
		{ "health = { check = \"ping\"; };",
		    "c:2: services.health.check: wants \"none\", \"tcp\", "
		    "\"tls\", \"http\" or \"grpc\"\n" },
		{ "health = { path = \"healthz\"; };",
		    "c:2: services.health.path: wants a path, as "
		    "\"/healthz\"\n" },
		{ "health = { statuses = [ \"99\" ]; };",
		    "c:2: services.health.statuses: 99: wants statuses, as "
		    "\"200\" or \"200-299\"\n" },
		{ "health = { headers = [ \"host: x\" ]; };",
		    "c:2: services.health.headers: host: x: wants \"NAME: "
		    "VALUE\", and nothing that says whose the message is or "
		    "where it ends (for Host take services.health.host)\n" },
		{ "health = { tcp_send = \"?\"; };",
		    "c:2: services.health.tcp_send: ?: wants base64 of at most "
		    "4096 bytes, as \"UElORw==\"\n" },
		{ "health = { tcp_receive = [ \"=\" ]; };",
		    "c:2: services.health.tcp_receive: =: wants base64 of at "
		    "most 4096 bytes, as \"UElORw==\"\n" },
		{ "health = { host = \"a b\"; };",
		    "c:2: services.health.host: wants a name, as "
		    "\"api.example\"\n" },
		{ "health = { grpc_service = \"a b\"; };",
		    "c:2: services.health.grpc_service: wants the name of a "
		    "service, as \"bank.Payments\"\n" },
		{ "outlier = { base_ejection_ms = 100; max_ejection_ms = 99; "
		  "};",
		    "c:2: services.outlier.max_ejection_ms: is less than "
		    "outlier.base_ejection_ms (100)\n" },
		{ "outlier = { max_ejection_percent = 101; };",
		    "c:2: services.outlier.max_ejection_percent: wants a whole "
		    "number from 0 to 100 %\n" },
		{ "attempt_delay_ms = 9;",
		    "c:2: services.attempt_delay_ms: wants a whole number from "
		    "10 to 2000 ms\n" },
		{ S "wildcard = \"*\";", WILDCARD_WANTS },
		{ S "wildcard = \"*.com\";", WILDCARD_WANTS },
		{ S "wildcard = \"s3.example\";", WILDCARD_WANTS },
		{ S "wildcard = \"*.s3.example.\";", WILDCARD_WANTS },
		{ "wildcard = \"*.s3.example\";", WILDCARD_ONE },
		{ "match = { mesh = \"m\"; }; wildcard = \"*.s3.example\";",
		    WILDCARD_ONE },
		{ S "wildcard = \"*.s3.example\"; dial = \"unix:/run/x\";",
		    "c:2: services.dial: leads to one server, and the names of "
		    "a wildcard to many: take one of dial and wildcard out\n" },
		{ "proxy_resolve = \"never\";",
		    "c:2: services.proxy_resolve: wants \"auto\", \"proxy\" or "
		    "\"local\"\n" },
		{ S "wildcard_names = 0;",
		    "c:2: services.wildcard_names: wants a whole number from 1 "
		    "to 1000\n" },
		{ "tls = { sni = \"192.0.2.1\"; };",
		    "c:2: services.tls.sni: wants \"auto\", \"none\" or a "
		    "DNS name, as \"api.example\"\n" },
		{ "tls = { sni = \"*.example\"; };",
		    "c:2: services.tls.sni: wants \"auto\", \"none\" or a "
		    "DNS name, as \"api.example\"\n" },
		{ "tls = { verify_chain = false; };",
		    "c:2: services.tls.verify_chain: wants \"auto\", \"on\" "
		    "or \"off\"\n" },
		{ "tls = { names = [ \"api.example\" ]; };",
		    "c:2: services.tls.names: api.example: wants dns:, "
		    "dns-suffix:, prefix:, ip:, uri:, uri-prefix: or email: in "
		    "front, as \"dns:api.example\"\n" },
		{ "tls = { names = [ \"dns-suffix:example\" ]; };",
		    "c:2: services.tls.names: dns-suffix:example: wants a "
		    "domain behind a dot, as \"dns-suffix:.example\"\n" },
		{ "tls = { ca = \"ca.pem\"; };",
		    "c:2: services.tls.ca: ca.pem: wants \"auto\", "
		    "\"system\" or an absolute path of a file\n" },
		{ "tls = { crl = [ \"a.crl\" ]; };",
		    "c:2: services.tls.crl: a.crl: wants an absolute path of "
		    "a file\n" },
		{ "tls = { min_version = \"1.4\"; };",
		    "c:2: services.tls.min_version: wants \"auto\", \"1.0\", "
		    "\"1.1\", \"1.2\" or \"1.3\"\n" },
		{ "tls = { renegotiations = 0; };",
		    "c:2: services.tls.renegotiations: wants a whole number "
		    "from 1 to 1000\n" },
		{ "tls = { cipher = [ ]; }; via = \"a\";",
		    "c:2: services.tls.cipher: there is no such option; did "
		    "you mean services.tls.ciphers?\n" },
		{ "request_ms = 86400001;",
		    "c:2: services.request_ms: wants a whole number from 0 "
		    "to 86400000 ms\n" },
		{ "request_ms = -1;",
		    "c:2: services.request_ms: wants a whole number from 0 "
		    "to 86400000 ms\n" },
		{ "resolvers = [ \"ns.example\" ];",
		    "c:2: services.resolvers: ns.example: wants addresses, "
		    "as \"10.0.0.53\" or \"[fd00::53]:5353\"\n" },
		{ "resolvers = [ \"10.0.0.53:0\" ];",
		    "c:2: services.resolvers: 10.0.0.53:0: wants addresses, "
		    "as \"10.0.0.53\" or \"[fd00::53]:5353\"\n" },
		{ "resolvers = \"10.0.0.53\";",
		    "c:2: services.resolvers: wants a list: [ \"…\", \"…\" ]"
		    "\n" },
		{ "match = \"m\"; via = \"a\";",
		    "c:2: services.match: wants a group: { … }\n" },
		{ "match = { mesh = \"\"; }; via = \"a\";",
		    "c:2: services.match.mesh: may not be empty\n" },
		{ "match = { service = 1; }; via = \"a\";",
		    "c:2: services.match.service: wants a text in double "
		    "quotes\n" },
		{ "match = { servce = \"a\"; }; via = \"a\";",
		    "c:2: services.match.servce: there is no such option; "
		    "did you mean services.match.service?\n" },
		{ "macth = { }; via = \"a\";",
		    "c:2: services.macth: there is no such option; did you "
		    "mean services.match?\n" },
		{ "forward_for = \"keep\"; via = \"a\";",
		    "c:2: services.forward_for: there is no such option; did "
		    "you mean services.forwarded_for?\n" },
		{ "via = \"a b\"; server = \" a\"; host = \"a/b\";",
		    HOST_WANTS VIA_WANTS SERVER_WANTS },
	};
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, "services = (\n{ ", rows[i].text, " } );");
		cr_expect_null(r.config, "%s", rows[i].text);
		cr_expect_str_eq(
		    r.said.p, rows[i].want, "%s: %s", rows[i].text, r.said.p);
		rig_fini(&r);
	}
}

/* Which names there are is the TLS library's to say. */
Test(config_services, refuses_what_the_tls_library_does_not_know)
{
	static const struct {
		const char *text;
		const char *begin;
		const char *end;
	} rows[] = {
		{ "tls = { ciphers = [ \"AES128-SHAA\" ]; };",
		    "c:2: services.tls.ciphers: AES128-SHAA is no cipher of "
		    "TLS 1.2 of the TLS library (",
		    "leaves nothing that the TLS library knows\n" },
		{ "tls = { ciphers = [ \"AES128-SHA\", \"ALL\" ]; };",
		    "c:2: services.tls.ciphers: ALL is no cipher",
		    "to leave it out where it is not known\n" },
		{ "tls = { ciphersuites = [ \"AES128-SHA\" ]; };",
		    "c:2: services.tls.ciphersuites: AES128-SHA is no cipher "
		    "suite of TLS 1.3",
		    "leaves nothing that the TLS library knows\n" },
		{ "tls = { groups = [ \"X25519\", \"P-257\" ]; };",
		    "c:2: services.tls.groups: P-257 is no group",
		    "to leave it out where it is not known\n" },
		{ "tls = { groups = [ \"?P-257\" ]; };",
		    "c:2: services.tls.groups: leaves nothing that the TLS "
		    "library knows\n",
		    "" },
		{ "tls = { signature_algorithms = [ \"RSA+MD6\" ]; };",
		    "c:2: services.tls.signature_algorithms: RSA+MD6 is no "
		    "signature algorithm",
		    "leaves nothing that the TLS library knows\n" },
	};
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, "services = (\n{ ", rows[i].text, " } );");
		cr_expect_null(r.config, "%s", rows[i].text);
		cr_expect(str_starts(text_str(&r.said), str_of(rows[i].begin)),
		    "%s: %s", rows[i].text, r.said.p);
		cr_expect(str_ends(text_str(&r.said), str_of(rows[i].end)),
		    "%s: %s", rows[i].text, r.said.p);
		rig_fini(&r);
	}
}

Test(config_services, refuses_what_is_no_list_of_groups)
{
	static const char *const rows[][2] = {
		{ "services = { };",
		    "c:1: services: wants a list of groups: ( { … } )\n" },
		{ "services = [ \"a\" ];",
		    "c:1: services: wants a list of groups: ( { … } )\n" },
		{ "services = ( \"a\" );",
		    "c:1: services: wants a group: { … }\n" },
		{ "servces = ( );", "c:1: servces: there is no such option; "
				    "did you mean services?\n" },
	};
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, "", rows[i][0], "");
		cr_expect_null(r.config, "%s", rows[i][0]);
		cr_expect_str_eq(
		    r.said.p, rows[i][1], "%s: %s", rows[i][0], r.said.p);
		rig_fini(&r);
	}
}

Test(config_services, takes_each_form_of_a_host)
{
	static const char *const rows[] = { "a", "a.example", "A-b_c.example",
		"10.0.0.1", "10.0.0.1:80", "[::1]", "[fd00::1]:8080",
		"a.example:1", "a.example:65535" };
	struct text t = TEXT_EMPTY;
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		text_clear(&t);
		text_addf(&t, "host = \"%s\";", rows[i]);
		rig_init(&r, "services = (\n{ ", t.p, " } );");
		cr_assert_not_null(r.config, "%s: %s", rows[i], r.said.p);
		cr_expect_str_eq(r.said.p, "");
		expect_str(r.set.services[0].options.host_name, rows[i], "it");
		rig_fini(&r);
	}
	text_free(&t);
}

Test(config_services, warns_of_what_is_hardly_meant)
{
	static const char *const rows[][2] = {
		{ "{ host = \"endpont\"; }",
		    "c:2: services.host: warning: \"endpont\" is taken as the "
		    "name to send; did you mean \"endpoint\"?\n" },
		{ "{ host = \"Keep\"; }",
		    "c:2: services.host: warning: \"Keep\" is taken as the "
		    "name to send; did you mean \"keep\"?\n" },
		{ "{ match = { mesh = \"m\"; }; }",
		    "c:2: services: warning: sets no option: add one, or "
		    "take it out\n" },
		{ "{ match = { mesh = \"m\"; }; via = \"a\"; server = \"b\"; },"
		  "\n{ match = { mesh = \"m\"; }; server = \"c\"; }",
		    "c:3: services: warning: server has no effect, since "
		    "c:2 sets it for the same match: take one out\n" },
		{ "{ match = { mesh = \"m\"; }; via = \"a\"; },\n"
		  "{ match = { mesh = \"m\"; }; server = \"b\"; },\n"
		  "{ match = { service = \"m\"; }; via = \"c\"; }",
		    "" },
	};
	struct rig r;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		rig_init(&r, "services = (\n", rows[i][0], " );");
		cr_expect_not_null(r.config, "%s", rows[i][0]);
		cr_expect_str_eq(
		    r.said.p, rows[i][1], "%s: %s", rows[i][0], r.said.p);
		rig_fini(&r);
	}
}

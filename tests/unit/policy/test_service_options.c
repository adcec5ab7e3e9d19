/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy/service_options.h: which entry wins, option by option; and what a
 * build makes of them.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "build_yaml.h"
#include "policy/service_option.h"

/* One of the first 64: those behind would not compile. */
#define BIT(option) (UINT64_C(1) << SERVICE_OPTION_##option)

static void
give(struct service_entry *e, uint64_t bits)
{
	for (unsigned o = 0; o < SERVICE_OPTION_N && o < 64; o++)
		e->given[o] = (bits & UINT64_C(1) << o) != 0;
}

static void
give_all(struct service_entry *e)
{
	for (unsigned o = 0; o < SERVICE_OPTION_N; o++)
		e->given[o] = true;
}

/* Via and request_ms of an entry tell which one an option was taken from. */
static struct service_entry
entry(const char *mesh, const char *service, uint64_t given, const char *via,
    unsigned request_ms)
{
	struct service_entry e = {
		.mesh = str_of(mesh),
		.service = str_of(service),
		.options = { .via = str_of(via),
		    .host_text = STR("keep"),
		    .request_ms = request_ms },
		.file = "conf",
		.line = 7,
	};

	give(&e, given);
	return e;
}

Test(service_options, domain_of_a_name_of_srv)
{
	static const struct {
		const char *host;
		const char *domain;
	} rows[] = {
		{ "_db._tcp.example", "example" },
		{ "_db._tcp.a.example.", "a.example." },
		{ "db.example", "db.example" },
		{ "_db.example", "_db.example" },
		{ "_db._tcp", "_db._tcp" },
		{ "_db._tcp.", "_db._tcp." },
		{ "a._db._tcp.example", "a._db._tcp.example" },
	};
	struct service_options o = *service_options_standard();
	struct str got;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		o.srv = true;
		got = service_options_domain(&o, str_of(rows[i].host));
		cr_expect(str_eq(got, str_of(rows[i].domain)), "%s: %.*s",
		    rows[i].host, STR_ARG(got));
		o.srv = false;
		got = service_options_domain(&o, str_of(rows[i].host));
		cr_expect(
		    str_eq(got, str_of(rows[i].host)), "%s", rows[i].host);
	}
}

Test(service_options, the_most_specific_that_has_it)
{
	const uint64_t via = BIT(VIA), ms = BIT(REQUEST_MS), both = via | ms;
	const struct service_entry entries[] = {
		entry("", "", both, "all", 1),
		entry("m", "", both, "mesh", 2),
		entry("", "s", via, "service", 3),
		entry("m", "s", ms, "both", 4),
		entry("m", "s", both, "later", 5),
		entry("", "t", both, "t", 6),
		entry("m", "t", 0, "nothing", 7),
		entry("n", "", via, "n", 8),
		entry("", "", both, "never", 9),
	};
	static const struct {
		const char *mesh;
		const char *service;
		const char *via;
		unsigned request_ms;
	} rows[] = {
		{ "x", "x", "all", 1 },
		{ "m", "x", "mesh", 2 },
		{ "x", "s", "service", 1 },
		/* "later" is as specific as "both", but only it has Via. */
		{ "m", "s", "later", 4 },
		{ "m", "t", "t", 6 },
		{ "n", "x", "n", 1 },
		{ "n", "s", "service", 1 },
		/* Names are compared whole, and as they are written. */
		{ "M", "S", "all", 1 },
		{ "m", "ss", "mesh", 2 },
		{ "", "", "all", 1 },
	};
	struct service_options got;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		service_options_of(entries, ARRAY_LEN(entries),
		    str_of(rows[i].mesh), str_of(rows[i].service), &got);
		cr_expect(str_eq(got.via, str_of(rows[i].via)), "%s %s: %.*s",
		    rows[i].mesh, rows[i].service, STR_ARG(got.via));
		cr_expect_eq(got.request_ms, rows[i].request_ms, "%s %s: %u",
		    rows[i].mesh, rows[i].service, got.request_ms);
	}
}

static const struct str two_upgrades[] = { { "a", 1 }, { "websocket", 9 } };

static void
change(enum service_option i, struct service_options *o)
{
	void *to = (char *)o + service_option_rows[i].offset;

	switch (service_option_rows[i].type) {
	case SERVICE_VALUE_STR:
		*(struct str *)to = STR("h:1");
		break;
	case SERVICE_VALUE_STRS:
		*(struct str_list *)to = (struct str_list){ two_upgrades, 2 };
		break;
	case SERVICE_VALUE_UINT:
		*(unsigned *)to += 1;
		break;
	case SERVICE_VALUE_BOOL:
		*(bool *)to = !*(bool *)to;
		break;
	case SERVICE_VALUE_ONE_OF:
		*(unsigned *)to = 1;
		break;
	}
	/* Older ones are refused. */
	if (i == SERVICE_OPTION_TLS_MIN_VERSION ||
	    i == SERVICE_OPTION_TLS_MAX_VERSION)
		*(unsigned *)to = TLS_VERSION_1_2;
}

/* Every option another one than the default. */
static struct service_options
all_changed(void)
{
	struct service_options o = *service_options_standard();

	for (unsigned i = 0; i < SERVICE_OPTION_N; i++)
		change(i, &o);
	service_options_derive(&o);
	return o;
}

/* Each by itself: no option brings another along. */
Test(service_options, each_option_is_taken_alone)
{
	const struct service_options *standard = service_options_standard();
	const struct service_options changed = all_changed();
	struct service_options got;
	unsigned given, o;

	cr_expect_eq(standard->host, HOST_ENDPOINT);
	cr_expect(service_options_allow_upgrade(standard, STR("WebSocket")));
	cr_expect(!service_options_allow_upgrade(standard, STR("h2c")));
	cr_expect(!service_options_allow_upgrade(standard, STR("")));
	service_options_of(NULL, 0, STR("m"), STR("s"), &got);
	for (o = 0; o < SERVICE_OPTION_N; o++)
		cr_expect(service_option_eq(o, &got, standard), "%u", o);
	for (given = 0; given < SERVICE_OPTION_N; given++) {
		struct service_entry e = { .options = changed };

		e.given[given] = true;
		service_options_of(&e, 1, STR("m"), STR("s"), &got);
		for (o = 0; o < SERVICE_OPTION_N; o++) {
			cr_expect(service_option_eq(o, &got,
				      o == given ? &changed : standard),
			    "option %u, given %u", o, given);
			cr_expect(!service_option_eq(o, &changed, standard),
			    "%s: changed is to differ everywhere",
			    service_option_rows[o].name);
		}
	}
}

#define TLS ", tls: { enabled: true, caCert: { inlineString: the ca } }"
#define ES_OF(name, protocol)                                      \
	"type: ExternalService\nmesh: m\nname: " name "\ntags: { " \
	"kuma.io/service: " name ", kuma.io/protocol: " protocol   \
	" }\nnetworking: { address: \"" name ".example:443\"" TLS " }\n---\n"
#define MES_OF(name, protocol)                                              \
	"type: MeshExternalService\nmesh: m\nname: " name                   \
	"\nspec: { match: { type: HostnameGenerator, port: 443, "           \
	"protocol: " protocol " }, endpoints: [ { address: " name           \
	".example, port: 443 } "                                            \
	"], tls: { enabled: true, verification: { caCert: { inlineString: " \
	"the ca } } } }\n---\n"
#define ALL_ES ES_OF("tcp", "tcp") ES_OF("kafka", "kafka") ES_OF("http", "http")
#define ALL_ES_2 ES_OF("http2", "http2") ES_OF("grpc", "grpc")
#define ALL_MES MES_OF("mes-tcp", "tcp") MES_OF("mes-http", "http")
#define ALL_MES_2 MES_OF("mes-http2", "http2") MES_OF("mes-grpc", "grpc")
#define EVERY_PROTOCOL ALL_ES ALL_ES_2 ALL_MES ALL_MES_2

/* All that change() names where a file is wanted. */
static const struct given_file files[] = {
	{ .path = { "h:1", 3 }, .bytes = { "the ca", 6 } },
	{ .path = { "a", 1 }, .bytes = { "a list", 6 } },
	{ .path = { "websocket", 9 }, .bytes = { "another", 7 } },
};

/* Built with these entries; what was wrong is in said, errors are counted. */
static struct snapshot *
build_any(const char *yaml, const struct service_entry *entries, size_t n,
    const struct snapshot *prev, struct text *said, size_t *errors)
{
	/* What change() makes of tls.cert, alone. */
	const struct given_pair pair = { .cert = STR("h:1"),
		.key = STR(""),
		.cert_pem = STR("a certificate"),
		.key_pem = STR("its key") };
	struct build_settings set = default_settings;
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *s;
	size_t i;

	set.services = entries;
	set.n_services = n;
	set.pairs = &pair;
	set.n_pairs = 1;
	set.files = files;
	set.n_files = ARRAY_LEN(files);
	s = build_in(st, yaml, &set, prev, NULL, &pr);
	*errors = store_problems(st)->errors + pr.errors;
	for (i = 0; i < pr.n; i++) {
		problem_print(&pr.v[i], said);
		text_add_char(said, '\n');
	}
	text_add_z(said, "");
	problems_free(&pr);
	store_free(st);
	return s;
}

static struct snapshot *
build(const char *yaml, const struct service_entry *entries, size_t n,
    const struct snapshot *prev, struct text *said)
{
	size_t errors;
	struct snapshot *s = build_any(yaml, entries, n, prev, said, &errors);

	cr_assert_eq(errors, 0, "%s", said->p);
	return s;
}

static const struct service *
get(const struct snapshot *s, const char *key)
{
	const struct service *service = snapshot_find(s, str_of(key));

	cr_assert_not_null(service, "%s", key);
	return service;
}

Test(service_options, alpn_by_protocol)
{
	static const struct {
		const char *key;
		const char *plain;
		const char *with_fallback;
	} rows[] = {
		{ "m/ES/tcp", "", "" },
		{ "m/ES/kafka", "", "" },
		{ "m/ES/http", "http/1.1", "http/1.1" },
		{ "m/ES/http2", "h2", "h2,http/1.1" },
		{ "m/ES/grpc", "h2", "h2" },
		{ "m/MES/mes-tcp", "", "" },
		{ "m/MES/mes-http", "http/1.1", "http/1.1" },
		{ "m/MES/mes-http2", "h2", "h2,http/1.1" },
		{ "m/MES/mes-grpc", "h2", "h2" },
	};
	const struct service_entry fallback = {
		.given = { [SERVICE_OPTION_HTTP2_FALLBACK] = true },
		.options = { .http2_fallback = true }
	};
	struct text said = TEXT_EMPTY;
	struct snapshot *a =
	    build(MESH("m", "") EVERY_PROTOCOL, NULL, 0, NULL, &said);
	struct snapshot *b =
	    build(MESH("m", "") EVERY_PROTOCOL, &fallback, 1, NULL, &said);
	const struct endpoint *x, *y;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		x = get(a, rows[i].key)->local[0].endpoint;
		y = get(b, rows[i].key)->local[0].endpoint;
		cr_expect(str_eq(x->tls->alpn, str_of(rows[i].plain)),
		    "%s: %.*s", rows[i].key, STR_ARG(x->tls->alpn));
		cr_expect(str_eq(y->tls->alpn, str_of(rows[i].with_fallback)),
		    "%s: %.*s", rows[i].key, STR_ARG(y->tls->alpn));
	}
	cr_expect(!get(b, "m/ES/grpc")->options->http2_fallback);
	cr_expect(!get(b, "m/ES/http")->options->http2_fallback);
	cr_expect_str_eq(
	    said.p, "", "an entry for all is for some: %s", said.p);
	text_free(&said);
	snapshot_unref(a);
	snapshot_unref(b);
}

#define NONE " ExternalService or MeshExternalService"

Test(service_options, says_what_leads_to_nothing)
{
	static const struct {
		const char *mesh;
		const char *service;
		uint64_t given;
		const char *want;
	} rows[] = {
		{ "", "", BIT(REQUEST_MS), "" },
		{ "m", "", BIT(REQUEST_MS), "" },
		{ "m", "http", BIT(REQUEST_MS), "" },
		{ "", "mes-grpc", BIT(REQUEST_MS), "" },
		{ "m", "tcp", 0, "" },
		{ "m", "tcp", BIT(HOST),
		    "conf:7: services.match: warning: service tcp of mesh m is "
		    "of protocol tcp, whose requests are not looked at, so "
		    "what is said of it takes no effect: let its resource say "
		    "http, http2 or grpc\n" },
		{ "", "mes-tcp", BIT(BALANCE_HASH),
		    "conf:7: services.balance.hash: warning: service mes-tcp "
		    "of mesh m is of protocol tcp, whose requests are not "
		    "looked at, so header:x takes no effect there: use caller "
		    "or source, or let its resource say http, http2 or "
		    "grpc\n" },
		{ "m", "http", BIT(BALANCE_HASH), "" },
		{ "", "grpc", BIT(HTTP2_FALLBACK),
		    "conf:7: services.http2_fallback: warning: service grpc of "
		    "mesh m is of protocol grpc, which HTTP/1.1 cannot carry: "
		    "not used there, take it out\n" },
		{ "m", "htp2", BIT(REQUEST_MS),
		    "conf:7: services.match: warning: there is no" NONE
		    " htp2 of mesh m, so nothing of this takes effect; did you "
		    "mean http2?\n" },
		{ "other", "http", BIT(REQUEST_MS),
		    "conf:7: services.match: warning: there is no" NONE
		    " http of mesh other, so nothing of this takes effect: "
		    "correct the name, or add the resource\n" },
		{ "other", "", BIT(REQUEST_MS),
		    "conf:7: services.match: warning: there is no" NONE
		    " of mesh other, so nothing of this takes effect: correct "
		    "the name, or add the resource\n" },
	};
	const struct str hash[] = { STR("source"), STR("header:x") };
	const struct str_list hashes = { hash, 2 };
	struct service_entry e;
	struct snapshot *s;
	struct text said;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		e = entry(rows[i].mesh, rows[i].service, rows[i].given, "v", 1);
		e.options.http2_fallback = true;
		e.options.balance_hash = hashes;
		said = TEXT_EMPTY;
		s = build(MESH("m", "") EVERY_PROTOCOL, &e, 1, NULL, &said);
		cr_expect_str_eq(said.p, rows[i].want, "%s %s: %s",
		    rows[i].mesh, rows[i].service, said.p);
		snapshot_unref(s);
		text_free(&said);
	}
}

#define IS(name) \
	"conf:7: services.wildcard: warning: service " name " of mesh m "

Test(service_options, what_a_wildcard_does_not_go_with)
{
	static const struct {
		const char *service;
		uint64_t given;
		const char *want;
	} rows[] = {
		{ "http", 0, "" },
		{ "mes-http2", 0, "" },
		{ "tcp", 0,
		    IS("tcp") "is of a protocol whose requests are not looked "
			      "at, so that the name comes from the caller's "
			      "own TLS, which its endpoints must not be "
			      "wrapped in once more: set tls.enabled to "
			      "false, or let its resource say http\n" },
		{ "http", BIT(HOST),
		    IS("http") "has a wildcard, so its servers get the Host "
			       "that was asked for: take services.host out\n" },
		{ "grpc", BIT(SRV),
		    IS("grpc") "has a wildcard, whose names are hosts on the "
			       "port of the resource: take services.srv "
			       "out\n" },
		{ "http", BIT(PROXY), "" },
		{ "http", BIT(PROXY) | BIT(PROXY_RESOLVE),
		    IS("http") "has a wildcard, and its parent proxy finds the "
			       "addresses of names that callers choose: only "
			       "the proxy's own rules keep them out of private "
			       "networks (proxy_resolve = \"local\" has ours "
			       "hold)\n" },
		{ "http", BIT(PROXY_PROTOCOL), "" },
	};
	struct service_entry e;
	struct snapshot *s;
	struct text said;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		e = entry("m", rows[i].service, rows[i].given | BIT(WILDCARD),
		    "v", 1);
		e.options.host_text = STR("x.example");
		e.options.srv = true;
		e.options.wildcard = STR("*.s3.example");
		e.options.proxy = STR("http://proxy.example:3128");
		e.options.proxy_resolve = PROXY_RESOLVE_PROXY;
		e.options.proxy_protocol = PROXY_PROTOCOL_V2;
		said = TEXT_EMPTY;
		s = build(MESH("m", "") EVERY_PROTOCOL, &e, 1, NULL, &said);
		cr_expect_str_eq(
		    said.p, rows[i].want, "%s: %s", rows[i].service, said.p);
		snapshot_unref(s);
		text_free(&said);
	}
}

#define LOCAL_SOCKET                                                           \
	"type: MeshExternalService\nmesh: m\nname: here\nspec:\n  match: { "   \
	"type: HostnameGenerator, port: 80, protocol: http }\n  endpoints: [ " \
	"{ address: \"unix:///run/a\" }, { address: b.example, port: 80 } ]\n"

/* Its options may come from two entries, so that neither is wrong by itself. */
Test(service_options, a_wildcard_is_no_unix_socket)
{
	struct service_entry e[] = {
		entry("", "", BIT(DIAL), "v", 1),
		entry("m", "http", BIT(WILDCARD), "v", 1),
		entry("m", "here", BIT(WILDCARD), "v", 1),
	};
	struct text said = TEXT_EMPTY;
	struct snapshot *s;
	size_t errors;

	e[0].options.dial = STR("unix:/run/x");
	e[1].options.wildcard = e[2].options.wildcard = STR("*.s3.example");
	s = build_any(MESH("m", "") EVERY_PROTOCOL, e, 2, NULL, &said, &errors);
	cr_expect_eq(errors, 1);
	cr_expect_str_eq(said.p,
	    "conf:7: services.wildcard: service http of mesh m has a wildcard, "
	    "and services.dial leads to one server: it has no endpoints until "
	    "one of them is taken out\n");
	cr_expect_eq(get(s, "m/ES/http")->n_local, 0);
	cr_expect_eq(get(s, "m/ES/http2")->n_local, 1);
	snapshot_unref(s);
	text_free(&said);
	s = build_any(
	    MESH("m", "") LOCAL_SOCKET, e + 2, 1, NULL, &said, &errors);
	cr_expect_eq(errors, 1);
	cr_expect_str_eq(said.p,
	    "conf:7: services.wildcard: service here of mesh m has a wildcard, "
	    "and an endpoint behind a Unix socket, which is one server: it has "
	    "no endpoints until the resource says a host, or the wildcard is "
	    "taken out\n");
	cr_expect_eq(get(s, "m/MES/here")->n_local, 0);
	snapshot_unref(s);
	text_free(&said);
}

static bool
is_changed(const struct snapshot_diff *d, const char *key)
{
	size_t i;

	for (i = 0; i < d->n_changed; i++)
		if (str_eq(d->changed[i]->key, str_of(key)))
			return true;
	return false;
}

/* Each option makes another service, and leaves all others what they were. */
Test(service_options, a_changed_option_changes_its_service)
{
	struct text said = TEXT_EMPTY;
	struct service_entry e = { .mesh = STR("m"),
		.service = STR("http2"),
		.options = all_changed() };
	struct snapshot *a =
	    build(MESH("m", "") EVERY_PROTOCOL, NULL, 0, NULL, &said);
	struct snapshot_diff d;
	struct snapshot *b;
	unsigned o;

	for (o = 0; o < SERVICE_OPTION_N; o++) {
		give(&e, 0);
		e.given[o] = true;
		b = build(MESH("m", "") EVERY_PROTOCOL, &e, 1, a, &said);
		snapshot_diff(a, b, &d);
		cr_expect_eq(d.n_changed, 1, "option %u", o);
		cr_expect(is_changed(&d, "m/ES/http2"), "option %u", o);
		cr_expect_eq(d.n_gone, 0);
		cr_expect_eq(get(a, "m/ES/http"), get(b, "m/ES/http"));
		/* TLS is of the endpoint: pools are not to be mixed. */
		if (strncmp(service_option_rows[o].name, "tls.", 4) != 0)
			cr_expect_eq(
			    get(a, "m/ES/http2")->local[0].endpoint !=
				get(b, "m/ES/http2")->local[0].endpoint,
			    o == SERVICE_OPTION_HTTP2_FALLBACK, "option %u", o);
		free(d.changed);
		free(d.gone);
		snapshot_unref(b);
	}
	cr_expect_str_eq(said.p, "");
	text_free(&said);
	snapshot_unref(a);
}

/* Of a service without requests nothing depends on them. */
Test(service_options, tcp_is_not_changed)
{
	struct text said = TEXT_EMPTY;
	struct service_entry e = { .options = all_changed() };
	struct snapshot *a =
	    build(MESH("m", "") EVERY_PROTOCOL, NULL, 0, NULL, &said);
	struct snapshot *b;

	for (unsigned o = 0; o < SERVICE_OPTION_N; o++)
		e.given[o] =
		    service_option_rows[o].whom == SERVICE_FOR_REQUESTS;
	b = build(MESH("m", "") EVERY_PROTOCOL, &e, 1, a, &said);
	cr_expect_eq(get(a, "m/ES/tcp"), get(b, "m/ES/tcp"));
	cr_expect_eq(get(a, "m/MES/mes-tcp"), get(b, "m/MES/mes-tcp"));
	cr_expect_neq(get(a, "m/ES/http"), get(b, "m/ES/http"));
	text_free(&said);
	snapshot_unref(a);
	snapshot_unref(b);
}

/* The configuration goes at a reload, services stay. */
Test(service_options, services_own_their_texts)
{
	struct text said = TEXT_EMPTY, out = TEXT_EMPTY;
	char via[] = "me", host[] = "h.example:1", server[] = "our server";
	char upgrade[] = "a/1";
	struct str upgrades[] = { STR("websocket"), str_of(upgrade) };
	struct service_entry e = { .options = *service_options_standard() };
	struct snapshot *s;

	e.options.host_text = str_of(host);
	e.options.upgrades = (struct str_list){ upgrades, 2 };
	e.options.forwarded_for = FORWARDED_FOR_APPEND;
	e.options.forwards_client_cert = true;
	e.options.via = str_of(via);
	e.options.server = str_of(server);
	e.options.request_ms = 15000;
	give_all(&e);
	s = build(MESH("m", "") ES_OF("a", "http"), &e, 1, NULL, &said);
	memset(via, '?', sizeof(via) - 1);
	memset(host, '?', sizeof(host) - 1);
	memset(server, '?', sizeof(server) - 1);
	memset(upgrade, '?', sizeof(upgrade) - 1);
	memset(upgrades, 0, sizeof(upgrades));
	service_print(get(s, "m/ES/a"), &out);
	cr_expect_not_null(
	    strstr(out.p,
		"  options: host=h.example:1 upgrades=[websocket,a/1] "
		"forwarded_for=append forward_client_cert=true via=me "
		"server=\"our server\" request_ms=15000\n"),
	    "%s", out.p);
	text_free(&said);
	text_free(&out);
	snapshot_unref(s);
}

/* Comparing names costs; a thousand entries must not cost a reload. */
Test(service_options, many_entries_that_match_nothing)
{
	enum { MANY = 1000 };
	static struct service_entry entries[MANY];
	static char names[MANY][16];
	struct text said = TEXT_EMPTY;
	struct snapshot *s;
	unsigned i;

	for (i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "htt%u", i);
		entries[i] = entry("m", names[i], BIT(REQUEST_MS), "", 1);
	}
	s = build(MESH("m", "") EVERY_PROTOCOL, entries, MANY, NULL, &said);
	cr_expect_not_null(strstr(said.p, "did you mean http"));
	cr_expect_not_null(strstr(said.p, "correct the name"));
	text_free(&said);
	snapshot_unref(s);
}

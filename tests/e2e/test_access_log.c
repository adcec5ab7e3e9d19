/* SPDX-License-Identifier: Apache-2.0 */
/* What the access log and the warnings say of connections and requests. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e/fixture.h"

static const char *const field_names[] = {
#define LOG_FIELD(id, name, help) name,
#include "conn/access_log.tbl.h"
};

#define FIELDS (sizeof(field_names) / sizeof(field_names[0]))

/* Services raw (tcp) and api (http), both behind TLS. */
static void
start(struct world *w, const char *config)
{
	static const char *const names[] = { "raw", "api" };

	world_init(w, config);
	for (size_t i = 0; i < 2; i++) {
		char host[32];
		struct ext_server *s;

		(void)snprintf(host, sizeof(host), "%s.example", names[i]);
		s = world_serve_tls(w, host,
		    &(struct ext_config){ .name = "ext",
			.protocol = i == 0 ? EXT_ECHO : EXT_HTTP });
		write_es(w->e, &(struct es){ .name = names[i],
				   .protocol = i == 0 ? "tcp" : "http",
				   .host = host,
				   .port = ext_port(s),
				   .tls = "caCert: { secret: ext-ca }" });
	}
	world_start(w);
}

static bool
is_field(const char *name)
{
	for (size_t i = 0; i < FIELDS; i++)
		if (strcmp(field_names[i], name) == 0)
			return true;
	return false;
}

/* The line with both texts; its fields are all of the table's. */
static json_t *
entry(struct egress *e, const char *a, const char *b)
{
	const char *line = egress_log_line(e, a, b);
	json_error_t error;
	const char *name;
	json_t *o, *value;

	cr_assert_not_null(line, "no line with %s and %s", a, b);
	o = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	cr_assert_not_null(o, "%s: %s", error.text, line);
	json_object_foreach(o, name, value)
	    cr_expect(is_field(name), "field %s", name);
	return o;
}

static bool
is_as_wanted(const json_t *v, const char *want)
{
	char number[32];

	if (strcmp(want, "-") == 0)
		return v == NULL;
	if (strcmp(want, "*") == 0)
		return v != NULL;
	if (json_is_integer(v)) {
		(void)snprintf(number, sizeof(number), "%lld",
		    (long long)json_integer_value(v));
		return strcmp(number, want) == 0;
	}
	return json_is_string(v) && strcmp(json_string_value(v), want) == 0;
}

/* "name=value name=value ...": "-" is absent, "*" anything. */
static void
check(json_t *o, const char *what, const char *wanted)
{
	char *words = strdup(wanted), *save = NULL;

	for (char *w = strtok_r(words, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		char *value = strchr(w, '=');
		json_t *v;

		*value++ = '\0';
		cr_assert(is_field(w), "no field is named %s", w);
		v = json_object_get(o, w);
		cr_expect(is_as_wanted(v, value), "%s: %s is %s, not %s", what,
		    w, v != NULL ? json_dumps(v, JSON_ENCODE_ANY) : "absent",
		    value);
	}
	free(words);
}

static const char *
text_of(json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s != NULL ? s : "";
}

Test(access_log, a_tcp_connection)
{
	struct world w;
	struct mesh_client m;
	char address[32];
	json_t *o;

	start(&w, NULL);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	o = entry(w.e, "\"service\":\"raw\"", NULL);
	check(o, "tcp",
	    "kind=connection identity=spiffe://default/web caller_zone=zone-1 "
	    "mesh=default service=raw protocol=tcp sni=raw{mesh=default} "
	    "zone_path=serve tls_in_resumed=0 tls_out_sni=raw.example "
	    "bytes_in=6 bytes_out=16 outcome=ok detail=- dns_ms=* "
	    "connect_ms=* first_byte_ms=* duration_ms=* id=* time=* "
	    "method=- status=- path=- authority=- request_id=- requests=- "
	    "reused=- retries=- shadow_denied=- tls_out_peer=CN=raw.example");
	(void)snprintf(
	    address, sizeof(address), "127.0.0.1:%u", ext_port(w.servers[0]));
	cr_expect_str_eq(text_of(o, "address"), address);
	(void)snprintf(
	    address, sizeof(address), "raw.example:%u", ext_port(w.servers[0]));
	cr_expect_str_eq(text_of(o, "endpoint"), address);
	(void)snprintf(address, sizeof(address), "127.0.0.1:%u", w.e->port);
	cr_expect_str_eq(text_of(o, "listener"), address);
	cr_expect(strncmp(text_of(o, "source"), "127.0.0.1:", 10) == 0);
	cr_expect(
	    strstr(text_of(o, "rule"),
		"/allow-all.yaml:1 MeshTrafficPermission/allow-all") != NULL,
	    "%s", text_of(o, "rule"));
	cr_expect(strncmp(text_of(o, "tls_in"), "TLSv1.3 TLS_", 12) == 0);
	cr_expect(strncmp(text_of(o, "tls_out"), "TLSv1.3 TLS_", 12) == 0);
	json_decref(o);
	world_end(&w);
}

Test(access_log, http_requests_and_their_connection)
{
	struct world w;
	struct mesh_client m;
	json_t *first, *second, *conn;

	start(&w, NULL);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/bytes/10?token=secret")), 200);
	cr_expect_eq(status_of(ask(&m, "POST /status/404 HTTP/1.1\r\n"
				       "Host: other.example:81\r\n"
				       "X-Request-Id: mine\r\n"
				       "Content-Length: 5\r\n\r\nhello")),
	    404);
	mesh_close(&m);
	first = entry(w.e, "\"path\":\"/bytes/10\"", NULL);
	check(first, "the first request",
	    "kind=request identity=spiffe://default/web caller_zone=zone-1 "
	    "service=api protocol=http zone_path=serve method=GET "
	    "authority=caller.example path=/bytes/10 status=200 reused=0 "
	    "retries=0 bytes_in=0 bytes_out=10 outcome=ok dns_ms=* "
	    "connect_ms=* first_byte_ms=* duration_ms=* requests=- "
	    "tls_out_sni=api.example tls_out_peer=CN=api.example rule=* "
	    "request_id=*");
	second = entry(w.e, "\"path\":\"/status/404\"", NULL);
	check(second, "the second request",
	    "kind=request method=POST authority=other.example:81 status=404 "
	    "reused=1 bytes_in=5 request_id=mine dns_ms=- connect_ms=- "
	    "address=* endpoint=* outcome=ok");
	conn = entry(w.e, "\"kind\":\"connection\"", NULL);
	check(conn, "the connection",
	    "requests=2 outcome=ok identity=spiffe://default/web method=- "
	    "status=- endpoint=- address=- tls_in=* tls_in_resumed=0");
	cr_expect_str_eq(text_of(first, "id"), text_of(conn, "id"));
	cr_expect_str_eq(text_of(second, "id"), text_of(conn, "id"));
	cr_expect_eq(egress_logged(w.e, "secret", NULL), 0, "the query");
	json_decref(first);
	json_decref(second);
	json_decref(conn);
	world_end(&w);
}

Test(access_log, who_is_denied_and_by_what)
{
	struct world w;
	struct mesh_client m;
	json_t *o;

	start(&w, NULL);
	/* Of two on the whole mesh the first by name wins. */
	write_permission(
	    w.e, "a-no-web", NULL, "kind: MeshService, name: web", "Deny");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "no-web") != NULL));
	cr_expect_eq(status_of(get_once(&w, "api", "/x")), 403);
	call(&w, &m, "raw");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	o = entry(w.e, "\"service\":\"raw\"", NULL);
	check(o, "tcp",
	    "kind=connection outcome=denied identity=spiffe://default/web "
	    "endpoint=- address=- bytes_in=- bytes_out=- dns_ms=- "
	    "connect_ms=- tls_in=* tls_out=- zone_path=serve");
	cr_expect(strstr(text_of(o, "rule"), "no-web.yaml:1 ") != NULL);
	json_decref(o);
	o = entry(w.e, "\"kind\":\"request\"", NULL);
	check(o, "http",
	    "outcome=denied status=403 path=/x method=GET endpoint=- "
	    "address=- reused=- tls_out=- identity=spiffe://default/web");
	cr_expect(strstr(text_of(o, "rule"), "no-web.yaml:1 ") != NULL);
	json_decref(o);
	egress_remove(w.e, "a-no-web.yaml");
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "no-web") == NULL));
	cr_expect_eq(status_of(get_once(&w, "api", "/y")), 403);
	o = entry(w.e, "\"path\":\"/y\"", NULL);
	cr_expect(strstr(text_of(o, "rule"), "no rule") != NULL, "%s",
	    text_of(o, "rule"));
	json_decref(o);
	world_end(&w);
}

/* Allowed, and marked. */
Test(access_log, a_shadow_denial)
{
	struct world w;
	json_t *o;

	start(&w, NULL);
	write_permission(
	    w.e, "allow-all", NULL, "kind: Mesh", "AllowWithShadowDeny");
	cr_assert(WAIT_UNTIL(
	    5000, status_of(get_once(&w, "api", "/s")) == 200 &&
		      egress_logged(w.e, "\"shadow_denied\":1", NULL) > 0));
	o = entry(w.e, "\"shadow_denied\":1", NULL);
	check(o, "shadow", "outcome=ok status=200 shadow_denied=1");
	json_decref(o);
	world_end(&w);
}

/* Why it failed stands in the detail, in a sentence. */
Test(access_log, servers_that_fail)
{
	static const struct {
		const char *service;
		const char *wanted;
		const char *detail;
	} rows[] = {
		{ "refused",
		    "outcome=connection_refused endpoint=* address=* "
		    "tls_out=-",
		    "" },
		{ "untrusted",
		    "outcome=tls_certificate_error endpoint=* address=*",
		    "certificate" },
		{ "nameless", "outcome=dns_error endpoint=* address=-", "" },
	};
	struct world w;
	struct pki *ca, *p;
	json_t *o;

	start(&w, NULL);
	ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=other" });
	p = pki_server(ca, "127.0.0.1");
	write_es(w.e, &(struct es){ .name = "refused", .port = free_port() });
	write_es(w.e, &(struct es){ .name = "untrusted",
			  .tls = "caCert: { secret: ext-ca }",
			  .port = ext_port(world_serve(
			      &w, &(struct ext_config){ .cert_pem = p->cert_pem,
				      .key_pem = p->key_pem })) });
	write_es(w.e,
	    &(struct es){
		.name = "nameless", .host = "nowhere.example", .port = 1 });
	for (size_t i = 0; i < 3; i++) {
		struct mesh_client m;
		char text[64];

		(void)snprintf(text, sizeof(text), "ES/%s ", rows[i].service);
		cr_assert(in_force(w.e, text));
		call(&w, &m, rows[i].service);
		(void)mesh_wait_end(&m, 10000);
		mesh_close(&m);
		(void)snprintf(
		    text, sizeof(text), "\"service\":\"%s\"", rows[i].service);
		o = entry(w.e, text, NULL);
		check(o, rows[i].service, rows[i].wanted);
		cr_expect(strstr(text_of(o, "detail"), rows[i].detail) != NULL,
		    "%s: %s", rows[i].service, text_of(o, "detail"));
		json_decref(o);
	}
	world_end(&w);
	pki_free(ca);
	pki_free(p);
}

static void
write_zone_2(struct egress *e, uint16_t port)
{
	egress_writef(e, "zone-2.yaml",
	    "type: ZoneIngress\nname: zi-2\nzone: zone-2\n"
	    "networking: { address: 127.0.0.1, port: %u, "
	    "advertisedAddress: 127.0.0.1, advertisedPort: %u }\n",
	    port, port);
}

/* The zone in between knows who asks for what, and no more. */
Test(access_log, a_relay_and_its_other_end)
{
	struct world w;
	struct mesh_client m;
	struct egress *far;
	struct es far_echo = { .name = "far", .zone = "zone-2" };
	char endpoint[32];
	json_t *o;

	world_init(&w, NULL);
	far =
	    world_add_zone(&w, &(struct egress_options){ .has_ingress = true });
	far_echo.port = ext_port(world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" }));
	for (size_t i = 0; i < 2; i++) {
		write_es(&w.zones[i], &far_echo);
		write_zone_2(&w.zones[i], far->ingress);
	}
	world_start(&w);
	call(&w, &m, "far");
	check_echo(&m, "ext");
	mesh_finish(&m);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	(void)snprintf(
	    endpoint, sizeof(endpoint), "127.0.0.1:%u", far->ingress);
	o = entry(w.e, "\"service\":\"far\"", NULL);
	check(o, "zone-1",
	    "kind=connection zone_path=relay identity=- caller_zone=- "
	    "tls_in=- tls_in_resumed=- tls_out=- rule=- mesh=default "
	    "service=far sni=far{mesh=default} bytes_in=* bytes_out=* "
	    "outcome=ok");
	cr_expect_str_eq(text_of(o, "address"), endpoint);
	cr_expect_gt(json_integer_value(json_object_get(o, "bytes_in")), 1000);
	json_decref(o);
	o = entry(far, "\"service\":\"far\"", NULL);
	check(o, "zone-2",
	    "kind=connection zone_path=serve caller_zone=zone-1 "
	    "identity=spiffe://default/web bytes_in=6 bytes_out=16 "
	    "outcome=ok rule=*");
	cr_expect_str_eq(text_of(o, "listener"), endpoint);
	json_decref(o);
	world_end(&w);
}

Test(access_log, a_template)
{
	struct world w;
	struct mesh_client m;

	start(&w,
	    "access_log_format = \"[%{kind}] %{service}|%{method}|%{status}|"
	    "%{bytes_in}|%{outcome}% {x\";");
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect_eq(status_of(get_once(&w, "api", "/status/404")), 404);
	cr_expect(WAIT_UNTIL(5000, egress_logged(w.e, NULL, NULL) == 3));
	cr_expect_eq(
	    egress_logged(w.e, "[connection] raw|-|-|6|ok% {x", NULL), 1);
	cr_expect_eq(
	    egress_logged(w.e, "[request] api|GET|404|0|ok% {x", NULL), 1);
	cr_expect_eq(
	    egress_logged(w.e, "[connection] api|-|-|-|ok% {x", NULL), 1);
	world_end(&w);
}

/* Configured by hand: the fixture's file has a log of its own. */
static void
set_log(struct world *w, const char *value)
{
	char text[8192], *at;
	FILE *f = fopen(w->e->config_path, "re");

	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	(void)fclose(f);
	at = strstr(text, "access_log = \"");
	f = fopen(w->e->config_path, "we");
	(void)fprintf(f, "%.*saccess_log = \"%s\"%s", (int)(at - text), text,
	    value, strchr(at, ';'));
	(void)fclose(f);
}

static void
prepare_plain(struct world *w)
{
	world_init(w, NULL);
	write_es(w->e, &(struct es){ .name = "raw",
			   .port = ext_port(world_serve(
			       w, &(struct ext_config){ .protocol = EXT_ECHO,
				      .name = "ext" })) });
}

Test(access_log, off)
{
	struct world w;
	struct mesh_client m;

	prepare_plain(&w);
	set_log(&w, "off");
	world_start(&w);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "ok") == 1));
	egress_signal(w.e, SIGUSR1);
	cr_expect_eq(egress_stop(w.e, 5000), 0);
	cr_expect_neq(access(w.e->access_path, F_OK), 0);
	cr_expect_not(egress_said(w.e, "\"kind\""));
	world_end(&w);
}

Test(access_log, to_standard_output)
{
	struct world w;
	struct mesh_client m;

	prepare_plain(&w);
	set_log(&w, "stdout");
	world_start(&w);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(
	    WAIT_UNTIL(5000, egress_said(w.e, "{\"time\":\"20") &&
				 egress_said(w.e, "\"outcome\":\"ok\"}\n")));
	world_end(&w);
}

/* What callers send cannot break a line. */
Test(access_log, odd_names_stay_inside_their_field)
{
	static const char *const names[] = { "a\"b{mesh=default}",
		"back\\slash", "line\nfeed", "\x01\x7f", "caf\xc3\xa9" };
	struct world w;
	json_t *o;

	start(&w, NULL);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct mesh_options to = caller(&w, "raw");
		struct mesh_client m;

		to.sni = names[i];
		cr_expect_not(mesh_open(&m, &to));
		mesh_close(&m);
	}
	cr_expect(WAIT_UNTIL(5000, egress_logged(w.e, NULL, NULL) == 5));
	cr_expect_eq(egress_logged(w.e, "{\"time\":", "\"outcome\":"), 5);
	o = entry(w.e, "a\\\"b", NULL);
	cr_expect_str_eq(text_of(o, "sni"), "a\"b{mesh=default}");
	json_decref(o);
	world_end(&w);
}

/* Of unknown services; and how many more they say there were. */
static unsigned
count_warnings(struct world *w, const char *source, unsigned *more)
{
	char line[1024], wanted[64];
	const char *left;
	unsigned n = 0;
	FILE *f = fopen(w->e->log_path, "re");

	*more = 0;
	(void)snprintf(wanted, sizeof(wanted), "warning: %s:", source);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strstr(line, wanted) == NULL ||
		    strstr(line, "no_service: ") == NULL)
			continue;
		n++;
		left = strrchr(line, '(');
		*more += left != NULL ? (unsigned)atoi(left + 1) : 0;
	}
	(void)fclose(f);
	return n;
}

static unsigned
warnings(struct world *w, const char *source)
{
	unsigned more;

	return count_warnings(w, source, &more);
}

static unsigned
kept_back(struct world *w)
{
	unsigned more;

	(void)count_warnings(w, "127.0.0.1", &more);
	return more;
}

static void
ask_for_nobody(struct world *w, const char *source)
{
	struct mesh_options o = caller(w, "nobody");
	struct mesh_client m;

	o.source = source;
	cr_expect_not(mesh_open(&m, &o));
	mesh_close(&m);
}

#define STORM 60

/* The access log has them all, the log one a second a source. */
Test(access_log, warnings_are_few)
{
	struct world w;
	uint64_t from;
	unsigned seconds;

	start(&w, NULL);
	from = clock_ms();
	for (int i = 0; i < STORM; i++)
		ask_for_nobody(&w, "127.0.0.1");
	ask_for_nobody(&w, "127.0.0.2");
	cr_expect(
	    WAIT_UNTIL(5000, egress_logged(w.e, "\"outcome\":\"no_service\"",
				 NULL) == STORM + 1));
	seconds = (unsigned)((clock_ms() - from) / 1000) + 1;
	cr_expect(warnings(&w, "127.0.0.1") >= 1 &&
		      warnings(&w, "127.0.0.1") <= seconds,
	    "%u warnings in %u s", warnings(&w, "127.0.0.1"), seconds);
	cr_expect_eq(warnings(&w, "127.0.0.2"), 1);
	cr_expect(egress_said(w.e, "\"nobody{mesh=default}\""));
	/* What was kept back is told with the next one. */
	cr_assert(WAIT_UNTIL(3000, clock_ms() > from + seconds * 1000 + 100));
	ask_for_nobody(&w, "127.0.0.1");
	cr_expect(WAIT_UNTIL(5000,
		      kept_back(&w) + warnings(&w, "127.0.0.1") == STORM + 1),
	    "%u kept back, %u told", kept_back(&w), warnings(&w, "127.0.0.1"));
	cr_expect_eq(
	    egress_metric(w.e, "envoy_listener_no_filter_chain_match{"),
	    STORM + 2);
	world_end(&w);
}

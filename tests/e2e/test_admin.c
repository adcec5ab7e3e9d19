/* SPDX-License-Identifier: Apache-2.0 */
/* The admin address: what it shows, to whom, and what it keeps to itself. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "e2e/fixture.h"

#define BODY_MOST (1 << 20)

static char *
get(struct world *w, const char *path, long status)
{
	char *body = calloc(1, BODY_MOST);

	cr_expect_eq(egress_get(w->e, path, body, BODY_MOST), status, "%s: %s",
	    path, body);
	return body;
}

/* A request as bytes, and the answer to it (static). */
static const char *
talk(struct world *w, const char *request)
{
	struct mesh_options o = { .port = w->e->admin };
	static char answer[BODY_MOST];
	struct mesh_client m;

	cr_assert(mesh_connect(&m, &o));
	cr_assert(mesh_write(&m, request, strlen(request)));
	if (strncmp(request, "HEAD", 4) == 0)
		cr_expect(mesh_read_head(&m, answer, sizeof(answer)));
	else
		cr_expect(mesh_read_response(&m, answer, sizeof(answer)));
	mesh_close(&m);
	return answer;
}

Test(admin, paths_and_methods)
{
	static const struct {
		const char *request;
		int status;
		const char *has;
	} rows[] = {
		{ "GET / HTTP/1.1", 200, "/stats/prometheus" },
		{ "GET /ready HTTP/1.1", 200, "\r\n\r\nREADY\n" },
		{ "GET /ready?x=1 HTTP/1.1", 200, "READY" },
		{ "HEAD /ready HTTP/1.1", 200, "Content-Length: 6\r\n" },
		{ "GET /stats/prometheus HTTP/1.1", 200,
		    "Content-Type: text/plain; version=0.0.4" },
		{ "GET /metrics HTTP/1.1", 200, "# TYPE envoy_server_uptime" },
		{ "GET /clusters HTTP/1.1", 200, "text/plain" },
		{ "GET /config_dump HTTP/1.1", 200,
		    "Content-Type: application/json" },
		{ "GET /stats HTTP/1.1", 404, "no such path" },
		{ "GET /ready/ HTTP/1.1", 404, "no such path" },
		{ "GET /quitquitquit HTTP/1.1", 404, "no such path" },
		{ "POST /ready HTTP/1.1\r\nContent-Length: 0", 405,
		    "Allow: GET, HEAD\r\n" },
		{ "POST /quitquitquit HTTP/1.1\r\nContent-Length: 0", 405,
		    "only GET" },
		{ "PUT /config_dump HTTP/1.1\r\nContent-Length: 0", 405,
		    "only GET" },
		{ "DELETE /ready HTTP/1.1", 405, "only GET" },
		{ "GET ready HTTP/1.1", 400, "" },
		{ "GET /ready HTTP/1.0", 426, "" },
	};
	struct world w;

	world_start_two(&w, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char request[256];
		const char *answer;

		(void)snprintf(request, sizeof(request),
		    "%.*s\r\nHost: admin%s\r\n\r\n",
		    (int)strcspn(rows[i].request, "\r"), rows[i].request,
		    rows[i].request + strcspn(rows[i].request, "\r"));
		answer = talk(&w, request);
		cr_expect_eq(status_of(answer), rows[i].status, "%s: %s",
		    rows[i].request, answer);
		cr_expect(strstr(answer, rows[i].has) != NULL, "%s: %s",
		    rows[i].request, answer);
	}
	/* Nothing of that did anything. */
	world_use_two(&w);
	world_end(&w);
}

Test(admin, many_requests_on_one_connection)
{
	struct mesh_client m;
	struct mesh_options o;
	struct world w;

	world_start_two(&w, NULL);
	o = (struct mesh_options){ .port = w.e->admin };
	cr_assert(mesh_connect(&m, &o));
	for (int i = 0; i < 20; i++) {
		cr_expect_eq(status_of(ask_get(&m, "/ready")), 200);
		cr_expect_eq(status_of(ask_get(&m, "/clusters")), 200);
	}
	mesh_close(&m);
	world_end(&w);
}

Test(admin, clusters_tell_what_is_known)
{
	struct world w;
	char *body;

	world_start_two(&w, NULL);
	write_es(w.e, &(struct es){ .name = "refused", .port = free_port() });
	write_es(w.e,
	    &(struct es){
		.name = "nameless", .host = "nowhere.example", .port = 1 });
	cr_assert(in_force(w.e, "ES/refused "));
	cr_assert(in_force(w.e, "ES/nameless "));
	world_use_two(&w);
	for (int i = 0; i < 2; i++) {
		struct mesh_client m;

		call(&w, &m, i == 0 ? "refused" : "nameless");
		(void)mesh_wait_end(&m, 5000);
		mesh_close(&m);
	}
	body = get(&w, "/clusters", 200);
	cr_expect(strstr(body, "default/ES/raw raw local 127.0.0.1:") != NULL,
	    "%s", body);
	cr_expect(strstr(body, " healthy active=0 idle=0") != NULL);
	cr_expect(strstr(body, "api local api.example:") != NULL);
	cr_expect(strstr(body, " 127.0.0.1 healthy active=1 idle=1") != NULL,
	    "%s", body);
	cr_expect(strstr(body, "refused local 127.0.0.1:") != NULL);
	cr_expect(strstr(body, "failed") != NULL, "%s", body);
	cr_expect(strstr(body, "nowhere.example:1 ") != NULL);
	cr_expect_str_eq(body, egress_ctl(w.e, "clusters"));
	free(body);
	world_end(&w);
}

static const json_t *
find_by(const json_t *list, const char *key, const char *value)
{
	size_t i;
	json_t *o;

	json_array_foreach(list, i,
	    o) if (strcmp(json_string_value(json_object_get(o, key)), value) ==
		   0) return o;
	cr_assert_fail("no %s %s", key, value);
	return NULL;
}

static const char *
text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "";
}

Test(admin, config_dump_is_what_is_in_force)
{
	struct world w;
	char *body;
	json_t *all;
	json_error_t e;
	const json_t *s, *tls, *endpoint;

	world_start_two(&w, NULL);
	egress_write(w.e, "bad.yaml",
	    "type: ExternalService\nmesh: default\nname: bad\n");
	cr_assert(WAIT_UNTIL(
	    5000, egress_metric(w.e, "zegress_resources_refused") == 1));
	body = get(&w, "/config_dump", 200);
	all = json_loads(body, 0, &e);
	cr_assert_not_null(all, "line %d: %s", e.line, e.text);
	cr_expect_str_eq(text_of(all, "zone"), "zone-1");
	s = find_by(json_object_get(all, "services"), "name", "api");
	cr_expect_str_eq(text_of(s, "protocol"), "http");
	cr_expect_str_eq(text_of(s, "mesh"), "default");
	cr_expect_str_eq(text_of(s, "cluster"), "default_api");
	endpoint = json_array_get(json_object_get(s, "local"), 0);
	cr_expect_str_eq(text_of(endpoint, "host"), "api.example");
	cr_expect_eq(json_integer_value(json_object_get(endpoint, "port")),
	    ext_port(w.servers[1]));
	tls = json_object_get(endpoint, "tls");
	cr_expect_str_eq(text_of(tls, "sni"), "api.example");
	cr_expect(json_is_true(json_object_get(tls, "verify_chain")));
	s = find_by(json_object_get(all, "services"), "name", "raw");
	endpoint = json_array_get(json_object_get(s, "local"), 0);
	cr_expect(json_is_null(json_object_get(endpoint, "tls")));
	s = find_by(json_object_get(all, "meshes"), "mesh", "default");
	cr_expect_str_eq(
	    text_of(s, "identity"), "spiffe://default/zone-egress");
	cr_expect(json_is_true(json_object_get(s, "minted")));
	s = find_by(json_object_get(all, "refused"), "name", "bad");
	cr_expect(str_ends(str_of(text_of(s, "file")), STR("/bad.yaml")));
	cr_expect_eq(json_array_size(json_object_get(all, "listeners")), 1);
	cr_expect_str_eq(body, egress_ctl(w.e, "dump"));
	json_decref(all);
	free(body);
	world_end(&w);
}

/* Any line of it that is long enough to be no accident. */
static bool
has_lines_of(const char *text, const char *pem)
{
	char line[128];

	for (const char *l = pem; *l != '\0'; l += strspn(l, "\n")) {
		size_t n = strcspn(l, "\n");

		(void)snprintf(line, sizeof(line), "%.*s", (int)n, l);
		if (n >= 20 && *l != '-' && strstr(text, line) != NULL)
			return true;
		l += n;
	}
	return false;
}

static void
check_secrecy(const char *where, const char *text, const struct pki *p)
{
	struct text base64 = TEXT_EMPTY;

	cr_assert(has_lines_of(p->key_pem, p->key_pem));
	cr_expect_not(has_lines_of(text, p->key_pem), "a key in %s", where);
	cr_expect_not(
	    has_lines_of(text, p->cert_pem), "a certificate in %s", where);
	base64_encode(str_of(p->key_pem), &base64);
	base64.p[base64.len - 1] = '\0';
	cr_expect_not(strstr(text, base64.p + base64.len / 2) != NULL,
	    "a key in base64 in %s", where);
	text_free(&base64);
}

static char *
read_log(const struct world *w)
{
	char *text = calloc(1, BODY_MOST);
	FILE *f = fopen(w->e->log_path, "re");

	(void)!fread(text, 1, BODY_MOST - 1, f);
	(void)fclose(f);
	return text;
}

/* In none of its windows, however a key came in. */
Test(admin, no_key_material_is_shown)
{
	static const char *const paths[] = { "/config_dump", "/clusters",
		"/stats/prometheus", "/ready" };
	static const char *const commands[] = { "dump", "status", "check",
		"services -v", "conns", "clusters", "reload" };
	struct pki *p[3];
	struct text base64 = TEXT_EMPTY;
	struct world w;
	char inlined[4096];
	char *body;

	world_init(&w, NULL);
	for (size_t i = 0; i < 3; i++)
		p[i] = pki_leaf_new(w.external_ca,
		    &(struct pki_options){ .subject = "CN=client" });
	egress_secret(w.e, "default", "cert", p[0]->cert_pem);
	egress_secret(w.e, "default", "key", p[0]->key_pem);
	write_es(
	    w.e, &(struct es){ .name = "by-secret",
		     .port = 1,
		     .tls = "caCert: { secret: ext-ca }, clientCert: { "
			    "secret: cert }, clientKey: { secret: key }" });
	(void)snprintf(inlined, sizeof(inlined),
	    "clientCert: { inlineString: %s }, clientKey: { inlineString: %s }",
	    quoted(p[1]->cert_pem), quoted(p[1]->key_pem));
	write_es(w.e,
	    &(struct es){ .name = "by-string", .port = 1, .tls = inlined });
	base64_encode(str_of(p[2]->key_pem), &base64);
	(void)snprintf(inlined, sizeof(inlined),
	    "clientCert: { inlineString: %s }, clientKey: { inline: %.*s }",
	    quoted(p[2]->cert_pem), (int)base64.len, base64.p);
	text_free(&base64);
	write_es(
	    w.e, &(struct es){ .name = "inlined", .port = 1, .tls = inlined });
	/* A key in the wrong place, and one that does not fit. */
	(void)snprintf(inlined, sizeof(inlined), "caCert: { inlineString: %s }",
	    quoted(p[1]->key_pem));
	write_es(
	    w.e, &(struct es){ .name = "mistaken", .port = 1, .tls = inlined });
	(void)snprintf(inlined, sizeof(inlined),
	    "clientCert: { secret: cert }, clientKey: { inlineString: %s }",
	    quoted(p[1]->key_pem));
	write_es(
	    w.e, &(struct es){ .name = "unfit", .port = 1, .tls = inlined });
	world_start(&w);
	cr_expect_eq(egress_metric(w.e, "zegress_services"), 5);
	cr_expect_eq(egress_metric(w.e, "zegress_resources_refused"), 2);
	for (size_t i = 0; i < 3; i++) {
		for (size_t j = 0; j < sizeof(paths) / sizeof(paths[0]); j++) {
			body = get(&w, paths[j], 200);
			check_secrecy(paths[j], body, p[i]);
			check_secrecy(paths[j], body, w.mesh_ca);
			check_secrecy(paths[j], body, w.external_ca);
			free(body);
		}
		for (size_t j = 0; j < sizeof(commands) / sizeof(commands[0]);
		     j++)
			check_secrecy(
			    commands[j], egress_ctl(w.e, commands[j]), p[i]);
		body = read_log(&w);
		check_secrecy("the log", body, p[i]);
		check_secrecy("the log", body, w.mesh_ca);
		free(body);
	}
	body = get(&w, "/config_dump", 200);
	cr_expect(strstr(body, "\"client_key\": \"[masked]\"") != NULL);
	cr_expect(strstr(body, "\"client_cert\": \"sha256:") != NULL);
	free(body);
	world_end(&w);
	for (size_t i = 0; i < 3; i++)
		pki_free(p[i]);
}

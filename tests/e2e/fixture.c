/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and tears down the world of a test, and talks in it. */

#include "e2e/fixture.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "policy/sni.h"

#define TURNS 4

static void
make_home(struct world *w)
{
	const char *temp = getenv("TMPDIR");

	(void)snprintf(w->home, sizeof(w->home), "%s/%s.%s",
	    temp != NULL ? temp : "/tmp", criterion_current_suite->name,
	    criterion_current_test->name);
	cr_assert_eq(mkdir(w->home, 0755), 0, "%s", w->home);
}

static void
raise_limit(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
}

void
world_init_with(struct world *w, const struct egress_options *o)
{
	raise_limit();
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	memset(w, 0, sizeof(*w));
	make_home(w);
	w->mesh_ca = pki_mesh_ca("default");
	w->external_ca = pki_ca_new(
	    NULL, &(struct pki_options){ .subject = "O=Outside,CN=Ext CA" });
	w->web = pki_sidecar(w->mesh_ca, "default", "web", "zone-1");
	w->dns = dns_server_start();
	w->dns_port =
	    (uint16_t)atoi(strrchr(dns_server_address(w->dns), ':') + 1);
	w->e = world_add_zone(w, o);
}

void
world_init(struct world *w, const char *config)
{
	world_init_with(w, &(struct egress_options){ .config = config });
}

struct egress *
world_add_zone(struct world *w, const struct egress_options *o)
{
	struct egress *e = &w->zones[w->n_zones++];
	struct egress_options mine = *o;
	char dir[96], zone[16];

	(void)snprintf(dir, sizeof(dir), "%s/%zu", w->home, w->n_zones);
	(void)snprintf(zone, sizeof(zone), "zone-%zu", w->n_zones);
	mine.dir = dir;
	mine.dns_port = w->dns_port;
	if (mine.zone == NULL)
		mine.zone = zone;
	egress_init(e, &mine);
	write_mesh(e, "default", w->mesh_ca, "zoneEgress: true");
	egress_secret(e, "default", "ext-ca", w->external_ca->cert_pem);
	write_permission(e, "allow-all", NULL, "kind: Mesh", "Allow");
	return e;
}

void
world_start(struct world *w)
{
	for (size_t i = 0; i < w->n_zones; i++)
		cr_assert(
		    egress_start(&w->zones[i]), "zone %zu is not ready", i + 1);
}

void
world_end(struct world *w)
{
	for (size_t i = 0; i < w->n_zones; i++)
		if (w->zones[i].pid > 0)
			cr_expect_eq(egress_stop(&w->zones[i], 10000), 0,
			    "zone %zu did not end in order", i + 1);
	for (size_t i = 0; i < w->n_servers; i++)
		ext_stop(w->servers[i]);
	if (w->dns != NULL) /* a test may have stopped it */
		dns_server_stop(w->dns);
	pki_free(w->mesh_ca);
	pki_free(w->external_ca);
	pki_free(w->web);
}

void
world_name(struct world *w, const char *name, const char *address)
{
	const char *const list[] = { address, NULL };

	dns_server_set(w->dns, name,
	    &(struct dns_server_answer){ .a = list, .ttl_s = 30 });
}

struct ext_server *
world_serve(struct world *w, const struct ext_config *c)
{
	struct ext_server *s = ext_start(c);

	cr_assert_lt(w->n_servers, WORLD_SERVERS);
	w->servers[w->n_servers++] = s;
	return s;
}

struct ext_server *
world_serve_tls(struct world *w, const char *name, const struct ext_config *c)
{
	struct pki *p = pki_server(w->external_ca, name);
	struct ext_config mine = *c;
	struct ext_server *s;

	mine.cert_pem = p->cert_pem;
	mine.key_pem = p->key_pem;
	s = world_serve(w, &mine);
	world_name(w, name, "127.0.0.1");
	pki_free(p);
	return s;
}

struct ext_seen
seen(struct ext_server *s)
{
	struct ext_seen out;

	ext_get(s, &out);
	return out;
}

void
write_mesh(struct egress *e, const char *mesh, const struct pki *ca,
    const char *routing)
{
	char name[128], file[128];

	(void)snprintf(file, sizeof(file), "mesh-%s.yaml", mesh);
	egress_writef(e, file,
	    "type: Mesh\n"
	    "name: %s\n"
	    "mtls:\n"
	    "  enabledBackend: ca-1\n"
	    "  backends: [ { name: ca-1, type: builtin } ]\n"
	    "routing: { %s }\n",
	    mesh, routing);
	(void)snprintf(name, sizeof(name), "%s.ca-builtin-cert-ca-1", mesh);
	egress_secret(e, mesh, name, ca->cert_pem);
	(void)snprintf(name, sizeof(name), "%s.ca-builtin-key-ca-1", mesh);
	egress_secret(e, mesh, name, ca->key_pem);
}

static const char *
or_else(const char *s, const char *other)
{
	return s != NULL ? s : other;
}

void
write_es(struct egress *e, const struct es *s)
{
	char file[128], zone[96] = "";

	(void)snprintf(file, sizeof(file), "%s.yaml", s->name);
	if (s->zone != NULL)
		(void)snprintf(
		    zone, sizeof(zone), "  kuma.io/zone: %s\n", s->zone);
	egress_writef(e, file,
	    "type: ExternalService\n"
	    "mesh: %s\n"
	    "name: %s\n"
	    "tags:\n"
	    "  kuma.io/service: %s\n"
	    "  kuma.io/protocol: %s\n"
	    "%s"
	    "networking:\n"
	    "  address: \"%s:%u\"\n"
	    "  tls: { %s%s }\n",
	    or_else(s->mesh, "default"), s->name, or_else(s->service, s->name),
	    or_else(s->protocol, "tcp"), zone, or_else(s->host, "127.0.0.1"),
	    s->port, s->tls != NULL ? "enabled: true, " : "enabled: false",
	    or_else(s->tls, ""));
}

void
write_mes(struct egress *e, const struct mes *s)
{
	char file[128];

	(void)snprintf(file, sizeof(file), "%s.yaml", s->name);
	egress_writef(e, file,
	    "type: MeshExternalService\n"
	    "mesh: default\n"
	    "name: %s\n"
	    "labels: { %s }\n"
	    "spec:\n"
	    "  match: { type: HostnameGenerator, port: 443, protocol: %s }\n"
	    "  endpoints: [ { address: %s, port: %u } ]\n"
	    "  tls: { %s%s }\n",
	    s->name, or_else(s->labels, ""), or_else(s->protocol, "tcp"),
	    or_else(s->host, "127.0.0.1"), s->port,
	    s->tls != NULL ? "enabled: true, " : "enabled: false",
	    or_else(s->tls, ""));
}

void
write_permission(struct egress *e, const char *name, const char *service,
    const char *from, const char *action)
{
	char file[128], target[128] = "kind: Mesh";

	(void)snprintf(file, sizeof(file), "%s.yaml", name);
	if (service != NULL)
		(void)snprintf(target, sizeof(target),
		    "kind: MeshService, name: %s", service);
	egress_writef(e, file,
	    "type: MeshTrafficPermission\n"
	    "mesh: default\n"
	    "name: %s\n"
	    "spec:\n"
	    "  targetRef: { %s }\n"
	    "  from:\n"
	    "  - targetRef: { %s }\n"
	    "    default: { action: %s }\n",
	    name, target, from, action);
}

const char *
quoted(const char *text)
{
	static char all[TURNS][8192];
	static unsigned turn;
	char *out = all[turn++ % TURNS], *to = out;

	*to++ = '"';
	for (; *text != '\0'; text++) {
		cr_assert_lt(to - out, 8180);
		if (*text == '\n') {
			*to++ = '\\';
			*to++ = 'n';
		} else {
			*to++ = *text;
		}
	}
	*to++ = '"';
	*to = '\0';
	return out;
}

const char *
sni_of(const char *service)
{
	static char all[TURNS][256];
	static unsigned turn;
	char *out = all[turn++ % TURNS];

	(void)snprintf(out, 256, "%s{mesh=default}", service);
	return out;
}

const char *
mes_sni(const char *name)
{
	static char out[256];
	struct text t = TEXT_EMPTY;

	sni_print_hashed(str_of(name), STR("default"), 443, "mes", NULL, 0, &t);
	(void)snprintf(out, sizeof(out), "%.*s", (int)t.len, t.p);
	text_free(&t);
	return out;
}

struct mesh_options
caller(struct world *w, const char *service)
{
	return (struct mesh_options){
		.port = w->e->port,
		.sni = sni_of(service),
		.ca_pem = w->mesh_ca->cert_pem,
		.cert_pem = w->web->cert_pem,
		.key_pem = w->web->key_pem,
		.alpn = "kuma",
	};
}

void
call(struct world *w, struct mesh_client *m, const char *service)
{
	struct mesh_options o = caller(w, service);

	cr_assert(mesh_open(m, &o), "%s: end %d, alert %d, %s", service,
	    (int)m->end, m->alert, m->error);
}

void
check_echo(struct mesh_client *m, const char *server)
{
	char want[128], got[128];
	size_t n;

	(void)snprintf(want, sizeof(want), "echo %s: hello\n", server);
	cr_assert(mesh_write(m, "hello\n", 6));
	n = mesh_read_full(m, got, strlen(want));
	cr_assert(n == strlen(want) && memcmp(got, want, n) == 0,
	    "got \"%.*s\" and end %d instead of %s", (int)n, got, (int)m->end,
	    want);
}

bool
say(struct mesh_client *m, const char *text)
{
	return mesh_write(m, text, strlen(text));
}

const char *
ask(struct mesh_client *m, const char *request)
{
	static char answer[1 << 17];

	answer[0] = '\0';
	if (say(m, request))
		(void)mesh_read_response(m, answer, sizeof(answer));
	return answer;
}

const char *
ask_get(struct mesh_client *m, const char *path)
{
	char request[512];

	(void)snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: caller.example\r\n\r\n", path);
	return ask(m, request);
}

int
status_of(const char *answer)
{
	int status = 0;

	(void)sscanf(answer, "HTTP/1.1 %d", &status);
	return status;
}

const char *
get_once(struct world *w, const char *service, const char *path)
{
	struct mesh_client m;
	const char *answer;

	call(w, &m, service);
	answer = ask_get(&m, path);
	mesh_close(&m);
	return answer;
}

bool
in_force(struct egress *e, const char *text)
{
	return WAIT_UNTIL(
	    5000, strstr(egress_ctl(e, "services"), text) != NULL);
}

int
run_program(const char *name, const char *words, char *out, size_t cap)
{
	char command[2048];
	int status;
	size_t n;
	FILE *f;

	(void)snprintf(command, sizeof(command), "timeout 20 %s %s 2>&1",
	    egress_program(name), words);
	f = popen(command, "re");
	cr_assert_not_null(f);
	n = fread(out, 1, cap - 1, f);
	out[n] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool
has_outcome(struct egress *e, const char *word, const char *other)
{
	char outcome[128];

	(void)snprintf(outcome, sizeof(outcome), "\"outcome\":\"%s\"", word);
	return egress_log_line(e, outcome, other) != NULL;
}

double
ended(struct egress *e, const char *outcome)
{
	char line[128];

	(void)snprintf(
	    line, sizeof(line), "zegress_ended_total{outcome=\"%s\"}", outcome);
	return egress_metric(e, line);
}

double
cluster_metric(struct egress *e, const char *metric, const char *service)
{
	char line[256];

	(void)snprintf(line, sizeof(line),
	    "%s{envoy_cluster_name=\"default_%s\"", metric, service);
	return egress_metric(e, line);
}

void
world_start_two(struct world *w, const char *config)
{
	world_init(w, config);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	(void)world_serve_tls(
	    w, "api.example", &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(w->e,
	    &(struct es){ .name = "raw", .port = ext_port(w->servers[0]) });
	write_es(w->e, &(struct es){ .name = "api",
			   .protocol = "http",
			   .host = "api.example",
			   .port = ext_port(w->servers[1]),
			   .tls = "caCert: { secret: ext-ca }" });
	world_start(w);
}

void
world_use_two(struct world *w)
{
	struct mesh_client m;

	call(w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect_eq(status_of(get_once(w, "api", "/")), 200);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Builds and tears down the demonstration's world. */

#include "demo/demo_world.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/dns_server.h"
#include "support/ext_server.h"
#include "support/pki.h"

struct world {
	struct pki *mesh_ca;
	struct pki *external_ca;
	struct dns_server *dns;
	struct ext_server *payments;
	struct ext_server *archive;
	struct egress zones[2];
};

static char *
indent(const char *pem)
{
	char *out = calloc(1, strlen(pem) * 2 + 16), *to = out;

	for (const char *l = pem; *l != '\0';) {
		size_t n = strcspn(l, "\n") + 1;

		to += sprintf(to, "        %.*s", (int)n, l);
		l += l[n - 1] == '\0' ? n - 1 : n;
	}
	return out;
}

static struct ext_server *
start_server(struct world *w, const char *name)
{
	static const char *const home[] = { "127.0.0.1", NULL };
	const struct dns_server_answer there = { .a = home, .ttl_s = 30 };
	struct pki *p = pki_server(w->external_ca, name);
	struct ext_server *s = ext_start(&(struct ext_config){
	    .protocol = EXT_HTTP,
	    .name = name,
	    .cert_pem = p->cert_pem,
	    .key_pem = p->key_pem,
	});

	dns_server_set(w->dns, name, &there);
	pki_free(p);
	return s;
}

static void
write_mesh(struct world *w, struct egress *e)
{
	egress_write(e, "mesh.yaml",
	    "type: Mesh\n"
	    "name: default\n"
	    "mtls:\n"
	    "  enabledBackend: ca-1\n"
	    "  backends: [ { name: ca-1, type: builtin } ]\n"
	    "routing: { zoneEgress: true }\n");
	egress_secret(
	    e, "default", "default.ca-builtin-cert-ca-1", w->mesh_ca->cert_pem);
	egress_secret(
	    e, "default", "default.ca-builtin-key-ca-1", w->mesh_ca->key_pem);
}

/* The same resources in both zones, as a control plane would sync them. */
static void
write_services(struct world *w, struct egress *e)
{
	static const char fmt[] =
	    "type: ExternalService\n"
	    "mesh: default\n"
	    "name: %s\n"
	    "tags: { kuma.io/service: %s, kuma.io/protocol: http%s }\n"
	    "networking:\n"
	    "  address: %s:%u\n"
	    "  tls:\n"
	    "    enabled: true\n"
	    "    caCert:\n"
	    "      inlineString: |\n%s";
	char *ca = indent(w->external_ca->cert_pem);

	egress_writef(e, "payments.yaml", fmt, "payments", "payments", "",
	    "api.payments.example", ext_port(w->payments), ca);
	egress_writef(e, "archive.yaml", fmt, "archive", "archive",
	    ", kuma.io/zone: zone-2", "archive.example", ext_port(w->archive),
	    ca);
	egress_writef(e, "zone-ingress.yaml",
	    "type: ZoneIngress\n"
	    "name: zone-2-ingress\n"
	    "zone: zone-2\n"
	    "networking:\n"
	    "  address: 127.0.0.1\n"
	    "  port: %u\n"
	    "  advertisedAddress: 127.0.0.1\n"
	    "  advertisedPort: %u\n",
	    w->zones[1].ingress, w->zones[1].ingress);
	egress_write(e, "permissions.yaml",
	    "type: MeshTrafficPermission\n"
	    "mesh: default\n"
	    "name: web-may-pay\n"
	    "spec:\n"
	    "  targetRef: { kind: MeshService, name: payments }\n"
	    "  from:\n"
	    "  - targetRef: { kind: MeshService, name: web }\n"
	    "    default: { action: Allow }\n"
	    "---\n"
	    "type: MeshTrafficPermission\n"
	    "mesh: default\n"
	    "name: zone-1-may-read-the-archive\n"
	    "spec:\n"
	    "  targetRef: { kind: MeshService, name: archive }\n"
	    "  from:\n"
	    "  - targetRef: { kind: MeshSubset, tags: { kuma.io/zone: zone-1 } "
	    "}\n"
	    "    default: { action: Allow }\n");
	free(ca);
}

static void
write_caller(struct world *w, const char *name)
{
	struct pki *p = pki_sidecar(w->mesh_ca, "default", name, "zone-1");
	char cert[256], key[256];

	(void)snprintf(cert, sizeof(cert), "%s/%s.pem", w->zones[0].dir, name);
	(void)snprintf(key, sizeof(key), "%s/%s.key", w->zones[0].dir, name);
	pki_write(p, cert, key);
	pki_free(p);
}

struct world *
world_start(void)
{
	struct world *w = calloc(1, sizeof(*w));
	unsigned dns_port;
	char ca[256];

	w->mesh_ca = pki_mesh_ca("default");
	w->external_ca = pki_ca_new(NULL,
	    &(struct pki_options){ .subject = "O=Outside,CN=External CA" });
	w->dns = dns_server_start();
	dns_port = (unsigned)atoi(strrchr(dns_server_address(w->dns), ':') + 1);
	w->payments = start_server(w, "api.payments.example");
	w->archive = start_server(w, "archive.example");
	for (int i = 0; i < 2; i++)
		egress_init(
		    &w->zones[i], &(struct egress_options){
				      .zone = i == 0 ? "zone-1" : "zone-2",
				      .has_ingress = i == 1,
				      .dns_port = (uint16_t)dns_port,
				  });
	for (int i = 0; i < 2; i++) {
		write_mesh(w, &w->zones[i]);
		write_services(w, &w->zones[i]);
	}
	(void)snprintf(ca, sizeof(ca), "%s/mesh-ca.pem", w->zones[0].dir);
	pki_write(w->mesh_ca, ca, NULL);
	write_caller(w, "web");
	write_caller(w, "batch");
	if (egress_start(&w->zones[0]) && egress_start(&w->zones[1]))
		return w;
	egress_fini(&w->zones[0], true);
	egress_fini(&w->zones[1], true);
	exit(1);
}

void
world_stop(struct world *w)
{
	for (int i = 0; i < 2; i++)
		egress_fini(&w->zones[i], false);
	ext_stop(w->payments);
	ext_stop(w->archive);
	dns_server_stop(w->dns);
	pki_free(w->mesh_ca);
	pki_free(w->external_ca);
	free(w);
}

struct egress *
world_zone(struct world *w, int number)
{
	return &w->zones[number - 1];
}

static const char *
ctl_path(void)
{
	static char path[512];
	const char *top = getenv("TOP_BUILDDIR");

	(void)snprintf(
	    path, sizeof(path), "%s/zegressctl", top != NULL ? top : ".");
	return path;
}

void
caller_words(const struct world *w, const char *name, const char *service,
    char *out, unsigned cap)
{
	const char *dir = w->zones[0].dir;

	(void)snprintf(out, cap,
	    "%s connect --mesh default --service %s --listen 127.0.0.1:0"
	    " --cert %s/%s.pem --key %s/%s.key --ca %s/mesh-ca.pem"
	    " --egress 127.0.0.1:%u",
	    ctl_path(), service, dir, name, dir, name, dir, w->zones[0].port);
}

bool
caller_start(
    struct caller *c, struct world *w, const char *name, const char *service)
{
	char words[2048], line[256] = "";
	int out[2];
	ssize_t n;

	caller_words(w, name, service, words, sizeof(words));
	if (pipe(out) != 0 || (c->pid = fork()) == -1)
		return false;
	if (c->pid == 0) {
		char exec[2100];

		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)close(out[0]);
		(void)snprintf(exec, sizeof(exec), "exec %s", words);
		(void)execl("/bin/sh", "sh", "-c", exec, NULL);
		_exit(127);
	}
	(void)close(out[1]);
	c->out = out[0];
	n = read(c->out, line, sizeof(line) - 1);
	if (n <= 0 || strrchr(line, ':') == NULL)
		return false;
	c->port = (unsigned)atoi(strrchr(line, ':') + 1);
	return c->port != 0;
}

void
caller_stop(struct caller *c)
{
	(void)kill(c->pid, SIGTERM);
	(void)waitpid(c->pid, NULL, 0);
	(void)close(c->out);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of zones and of addresses have in common. */

#include "e2e/zones.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define TURNS 4

static const char *
or_loopback(const char *address)
{
	return address != NULL ? address : "127.0.0.1";
}

void
write_ingress(struct egress *e, const struct ingress *i)
{
	char file[64], advertised[128] = "", services[768] = "";

	(void)snprintf(file, sizeof(file), "%s.yaml", i->name);
	if (i->port != 0)
		(void)snprintf(advertised, sizeof(advertised),
		    "  advertisedAddress: %s\n  advertisedPort: %u\n",
		    or_loopback(i->advertised), i->port);
	if (i->services != NULL)
		(void)snprintf(services, sizeof(services),
		    "availableServices: [ %s ]\n", i->services);
	egress_writef(e, file,
	    "type: ZoneIngress\n"
	    "name: %s\n"
	    "zone: %s\n"
	    "networking:\n"
	    "  address: %s\n"
	    "  port: 10001\n"
	    "%s%s",
	    i->name, i->zone, or_loopback(i->address), advertised, services);
}

void
write_zone_egress(struct egress *e, const char *name, uint16_t port)
{
	char file[64];

	(void)snprintf(file, sizeof(file), "%s.yaml", name);
	egress_writef(e, file,
	    "type: ZoneEgress\n"
	    "name: %s\n"
	    "networking: { address: 127.0.0.1, port: %u }\n",
	    name, port);
}

struct ext_server *
serve_as_zone(struct world *w, const char *name)
{
	return serve_as_zone_by(w, EXT_ECHO, name);
}

struct ext_server *
serve_as_zone_by(struct world *w, enum ext_protocol protocol, const char *name)
{
	struct pki *p = pki_sidecar(w->mesh_ca, "default", "far", "zone-2");
	struct ext_server *s;

	s = world_serve(w, &(struct ext_config){ .protocol = protocol,
			       .name = name,
			       .cert_pem = p->cert_pem,
			       .key_pem = p->key_pem });
	pki_free(p);
	return s;
}

int
hold_port(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

struct mesh_options
caller_at(struct world *w, const struct egress *e, const char *service)
{
	struct mesh_options o = caller(w, service);

	o.port = e->port;
	return o;
}

struct mesh_options
caller_at_ingress(struct world *w, const struct egress *e, const char *service)
{
	struct mesh_options o = caller(w, service);

	o.port = e->ingress;
	return o;
}

/* "echo NAME: hi\n" up to its end, or whatever comes instead. */
static void
read_line(struct mesh_client *m, char *out, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap && mesh_read(m, out + n, 1) == 1 && out[n] != '\n')
		n++;
	out[n] = '\0';
}

const char *
who(const struct mesh_options *o)
{
	static char all[TURNS][64];
	static unsigned turn;
	char *out = all[turn++ % TURNS], line[128] = "";
	struct mesh_client m;

	out[0] = '\0';
	if (mesh_open(&m, o) && mesh_write(&m, "hi\n", 3))
		read_line(&m, line, sizeof(line));
	/* In order, so that no side takes it for a cut. */
	if (line[0] != '\0') {
		mesh_finish(&m);
		(void)mesh_wait_end(&m, 5000);
	}
	mesh_close(&m);
	(void)sscanf(line, "echo %63[^:]: hi", out);
	return out;
}

const char *
who_serves(struct world *w, const char *service)
{
	struct mesh_options o = caller(w, service);

	return who(&o);
}

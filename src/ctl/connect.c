/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mesh caller without a sidecar: for every connection to a local address (or
 * for standard input and output) a tunnel to the egress.  What a tunnel does
 * is in tunnel.c.
 */

#include "ctl/connect.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"
#include "base/xalloc.h"
#include "ctl/forecast.h"
#include "ctl/tunnel.h"
#include "net/sock.h"
#include "policy/sni.h"
#include "tls/tls_init.h"

#define BACKLOG 128
#define PEM_MOST_BYTES 4194304

struct options {
	const char *mesh;
	const char *service;
	const char *port; /* of a MeshExternalService */
	const char *sni;  /* instead of service */
	const char *listen;
	const char *egress;
	const char *cert;
	const char *key;
	const char *ca;
	const char *spiffe;
	bool is_stdio;
	bool explains;
};

struct caller {
	struct options options;
	struct tunnel_config tunnel;
	const char *socket_path; /* of the daemon that is asked */
	struct text sni;
	struct text uris; /* of the certificate, when it is asked */
	struct text spiffe;
	struct text ca;
	struct text cert;
	struct text key;
	int fd; /* listening */
	struct watch watch;
	bool has_failed;
};

static const struct option long_options[] = {
	{ "mesh", required_argument, NULL, 'm' },
	{ "service", required_argument, NULL, 's' },
	{ "port", required_argument, NULL, 'p' },
	{ "sni", required_argument, NULL, 'n' },
	{ "listen", required_argument, NULL, 'l' },
	{ "stdio", no_argument, NULL, 'i' },
	{ "egress", required_argument, NULL, 'e' },
	{ "cert", required_argument, NULL, 'c' },
	{ "key", required_argument, NULL, 'k' },
	{ "ca", required_argument, NULL, 'a' },
	{ "identity", required_argument, NULL, 'd' },
	{ "explain", no_argument, NULL, 'x' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static int
usage(FILE *to, int status)
{
	fputs(
	    "usage: zegressctl connect --mesh MESH --service NAME [--port N]\n"
	    "           (--listen ADDR:PORT | --stdio) --egress HOST:PORT\n"
	    "           --cert FILE --key FILE --ca FILE [--explain]\n"
	    "  --mesh MESH         the caller's mesh\n"
	    "  --service NAME      kuma.io/service of an ExternalService; "
	    "with --port the\n"
	    "                      name of a MeshExternalService\n"
	    "  --sni NAME          a server name as it is, instead of "
	    "--service\n"
	    "  --listen ADDR:PORT  a tunnel for each connection there; port "
	    "0 takes a free one\n"
	    "  --stdio             one tunnel for standard input and output\n"
	    "  --egress HOST:PORT  the egress\n"
	    "  --cert, --key       the caller's certificate and key (PEM)\n"
	    "  --ca FILE           the mesh's CA (PEM)\n"
	    "  --identity NAME     whom to expect "
	    "[spiffe://MESH/zone-egress]\n"
	    "  --explain           say what the daemon of -s decides, and by "
	    "which rule\n",
	    to);
	return status;
}

static int
complain(const char *what, const char *why)
{
	fprintf(stderr, "zegressctl connect: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

/* False: c is no option of ours. */
static bool
take(struct options *o, int c)
{
	switch (c) {
	case 'm':
		o->mesh = optarg;
		break;
	case 's':
		o->service = optarg;
		break;
	case 'p':
		o->port = optarg;
		break;
	case 'n':
		o->sni = optarg;
		break;
	case 'l':
		o->listen = optarg;
		break;
	case 'i':
		o->is_stdio = true;
		break;
	case 'e':
		o->egress = optarg;
		break;
	case 'c':
		o->cert = optarg;
		break;
	case 'k':
		o->key = optarg;
		break;
	case 'a':
		o->ca = optarg;
		break;
	case 'd':
		o->spiffe = optarg;
		break;
	case 'x':
		o->explains = true;
		break;
	default:
		return false;
	}
	return true;
}

static bool
is_complete(const struct options *o)
{
	return o->mesh != NULL && (o->service != NULL) != (o->sni != NULL) &&
	       (o->listen != NULL) != o->is_stdio && o->egress != NULL &&
	       o->cert != NULL && o->key != NULL && o->ca != NULL;
}

static bool
read_pem(const char *path, struct text *out)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL) {
		complain(path, strerror(errno));
		return false;
	}
	while (out->len < PEM_MOST_BYTES &&
	       (n = fread(text_reserve(out, 4096), 1, 4096, f)) > 0)
		out->len += n;
	fclose(f);
	if (out->len == 0)
		complain(path, "is empty");
	return out->len > 0;
}

static bool
make_names(struct caller *c)
{
	const struct options *o = &c->options;
	struct str mesh = str_of(o->mesh);
	uint64_t port;

	if (o->spiffe != NULL)
		text_add_z(&c->spiffe, o->spiffe);
	else
		text_addf(&c->spiffe, "spiffe://%s/zone-egress", o->mesh);
	if (o->sni != NULL) {
		text_add_z(&c->sni, o->sni);
	} else if (o->port == NULL) {
		sni_print_tags(str_of(o->service), mesh, NULL, 0, &c->sni);
	} else if (str_to_u64(str_of(o->port), 65535, &port)) {
		sni_print_hashed(str_of(o->service), mesh, (uint16_t)port,
		    "mes", NULL, 0, &c->sni);
	} else {
		complain("--port", "wants a number up to 65535");
		return false;
	}
	return true;
}

/*
 * "host:port", "[v6]:port", or ":port" of this host; names are looked up once,
 * at the start.
 */
static bool
resolve(const char *what, const char *text, struct addr *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found;
	const char *colon = strrchr(text, ':');
	struct str host = { .p = text };
	char *name;
	int error;

	if (colon == NULL) {
		complain(what, "wants ADDRESS:PORT");
		return false;
	}
	host.len = (size_t)(colon - text);
	if (host.len == 0)
		host = STR("127.0.0.1");
	if (host.len > 1 && host.p[0] == '[' && host.p[host.len - 1] == ']')
		host = str_first(str_from(host, 1), host.len - 2);
	name = str_dup(host);
	error = getaddrinfo(name, colon + 1, &hints, &found);
	free(name);
	if (error != 0) {
		complain(text, gai_strerror(error));
		return false;
	}
	if (!addr_from_sockaddr(found->ai_addr, found->ai_addrlen, out))
		error = EAI_FAMILY;
	freeaddrinfo(found);
	return error == 0;
}

static bool
read_uris(struct caller *c)
{
	struct text why = TEXT_EMPTY;
	bool is_good = forecast_caller(text_str(&c->cert), &c->uris, &why);

	text_add_char(&why, '\0');
	if (!is_good)
		complain(c->options.cert, why.p);
	text_free(&why);
	return is_good;
}

static bool
prepare(struct caller *c)
{
	const struct options *o = &c->options;

	if (!read_pem(o->ca, &c->ca) || !read_pem(o->cert, &c->cert) ||
	    !read_pem(o->key, &c->key) || !make_names(c) ||
	    !resolve("--egress", o->egress, &c->tunnel.egress) ||
	    (o->explains && !read_uris(c)))
		return false;
	c->tunnel.loop = loop_new();
	c->tunnel.sni = text_str(&c->sni);
	c->tunnel.spiffe = text_str(&c->spiffe);
	c->tunnel.ca_pem = text_str(&c->ca);
	c->tunnel.cert_pem = text_str(&c->cert);
	c->tunnel.key_pem = text_str(&c->key);
	return true;
}

static void
on_done(void *arg, const char *error)
{
	struct caller *c = arg;

	if (error != NULL)
		complain(c->options.egress, error);
	c->has_failed |= error != NULL;
	if (c->options.is_stdio)
		loop_stop(c->tunnel.loop);
}

/* Before each tunnel: rules may be others by then. */
static void
explain(const struct caller *c)
{
	struct text said = TEXT_EMPTY;

	if (!c->options.explains)
		return;
	(void)forecast(
	    c->socket_path, text_str(&c->uris), text_str(&c->sni), &said);
	fprintf(stderr, "zegressctl connect: %.*s\n", STR_ARG(text_str(&said)));
	text_free(&said);
}

static void
on_listen(void *arg, int fd, bool can_read, bool can_write)
{
	struct caller *c = arg;
	struct addr from;
	int client = sock_accept(fd, &from);

	(void)can_read;
	(void)can_write;
	if (client == -1)
		return;
	explain(c);
	tunnel_start(&c->tunnel, wire_new(c->tunnel.loop, client), on_done, c);
}

static bool
listen_on(struct caller *c)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	char name[ADDR_TEXT];
	struct addr a;

	if (!resolve("--listen", c->options.listen, &a))
		return false;
	c->fd = sock_listen(&a, false, BACKLOG);
	if (c->fd == -1 || getsockname(c->fd, (void *)&ss, &len) == -1 ||
	    !addr_from_sockaddr((void *)&ss, len, &a)) {
		complain(c->options.listen, strerror(errno));
		return false;
	}
	addr_print(&a, name);
	printf("listening on %s\n", name);
	fflush(stdout);
	watch_start(
	    &c->watch, c->tunnel.loop, c->fd, true, false, on_listen, c);
	return true;
}

struct copy {
	int from;
	int to;
	bool ends_to; /* pass the end on */
};

static void *
copy(void *arg)
{
	const struct copy *c = arg;
	ssize_t n, sent, k;
	char buf[16384];

	while ((n = read(c->from, buf, sizeof(buf))) > 0)
		for (sent = 0; sent < n; sent += k) {
			k = write(c->to, buf + sent, (size_t)(n - sent));
			if (k == -1)
				return NULL;
		}
	if (c->ends_to)
		shutdown(c->to, SHUT_WR);
	return NULL;
}

/*
 * Standard input and output may be files, which no loop can wait for: two
 * threads copy between them and a pair of sockets.
 */
static bool
run_stdio(struct caller *c)
{
	struct copy in = { .from = STDIN_FILENO, .ends_to = true };
	struct copy out = { .to = STDOUT_FILENO };
	pthread_t in_thread, out_thread;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == -1 ||
	    fcntl(pair[1], F_SETFL, O_NONBLOCK) == -1)
		return false;
	in.to = pair[0];
	out.from = pair[0];
	if (pthread_create(&in_thread, NULL, copy, &in) != 0 ||
	    pthread_create(&out_thread, NULL, copy, &out) != 0)
		return false;
	pthread_detach(in_thread);
	explain(c);
	tunnel_start(&c->tunnel, wire_new(c->tunnel.loop, pair[1]), on_done, c);
	loop_run(c->tunnel.loop);
	/* The wire is closed, so what is left comes out and then the end. */
	pthread_join(out_thread, NULL);
	return !c->has_failed;
}

static void
release(struct caller *c)
{
	watch_stop(&c->watch);
	if (c->fd != -1)
		close(c->fd);
	loop_free(c->tunnel.loop);
	text_free(&c->sni);
	text_free(&c->uris);
	text_free(&c->spiffe);
	text_free(&c->ca);
	text_free(&c->cert);
	if (c->key.p != NULL)
		explicit_bzero(c->key.p, c->key.cap);
	text_free(&c->key);
}

static int
serve(struct caller *c)
{
	if (c->options.is_stdio)
		return run_stdio(c) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (!listen_on(c))
		return EXIT_FAILURE;
	loop_run(c->tunnel.loop);
	return EXIT_SUCCESS;
}

int
connect_main(const char *socket_path, int argc, char *argv[])
{
	struct caller c = { .socket_path = socket_path, .fd = -1 };
	int opt, status = EXIT_FAILURE;

	optind = 1;
	while ((opt = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (opt == 'h')
			return usage(stdout, EXIT_SUCCESS);
		if (!take(&c.options, opt))
			return usage(stderr, 2);
	}
	if (optind < argc || !is_complete(&c.options))
		return usage(stderr, 2);
	signal(SIGPIPE, SIG_IGN);
	tls_init();
	if (prepare(&c))
		status = serve(&c);
	release(&c);
	return status;
}

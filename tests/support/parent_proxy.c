/* SPDX-License-Identifier: Apache-2.0 */
/* A forward proxy for tests: see parent_proxy.h. */

#include "support/parent_proxy.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/str.h"

#define CLIENTS_MOST 64

struct client {
	struct parent_proxy *proxy;
	int fd;
};

struct parent_proxy {
	struct parent_proxy_options options;
	int fd;
	int stop_pipe[2];
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t left;
	struct parent_proxy_seen seen;
	struct client *clients[CLIENTS_MOST];
	unsigned n_clients;
};

static bool
read_all(int fd, void *p, size_t n)
{
	return n == 0 || recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

static void
say(int fd, const void *p, size_t n)
{
	(void)send(fd, p, n, MSG_NOSIGNAL);
}

static int
connect_here(uint16_t port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (void *)&in, sizeof(in)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

/* False: that direction is over. */
static bool
pass(int from, int to)
{
	char b[65536];
	ssize_t n = recv(from, b, sizeof(b), 0), done = 0, sent;

	if (n <= 0) {
		(void)shutdown(to, SHUT_WR);
		return false;
	}
	for (; done < n; done += sent) {
		sent = send(to, b + done, (size_t)(n - done), MSG_NOSIGNAL);
		if (sent <= 0)
			return false;
	}
	return true;
}

static void
carry(struct client *c, int server)
{
	struct pollfd v[2] = { { .fd = c->fd, .events = POLLIN },
		{ .fd = server, .events = POLLIN } };

	pthread_mutex_lock(&c->proxy->lock);
	c->proxy->seen.tunnels++;
	pthread_mutex_unlock(&c->proxy->lock);
	while (v[0].fd >= 0 || v[1].fd >= 0) {
		if (poll(v, 2, -1) < 0)
			break;
		if (v[0].revents != 0 && !pass(c->fd, server))
			v[0].fd = -1;
		if (v[1].revents != 0 && !pass(server, c->fd))
			v[1].fd = -1;
	}
	(void)close(server);
}

static void
note(struct client *c, const char *target, const char *form, const char *auth)
{
	struct parent_proxy_seen *s = &c->proxy->seen;

	pthread_mutex_lock(&c->proxy->lock);
	(void)snprintf(s->target, sizeof(s->target), "%s", target);
	(void)snprintf(s->form, sizeof(s->form), "%s", form);
	(void)snprintf(s->auth, sizeof(s->auth), "%s", auth);
	pthread_mutex_unlock(&c->proxy->lock);
}

static bool
is_welcome(const struct client *c, const char *auth)
{
	const char *want = c->proxy->options.auth;

	return want == NULL || strcmp(want, auth) == 0;
}

/* Told what to do wrong: true. */
static bool
misbehaves(const struct client *c, bool is_ipv6)
{
	const struct parent_proxy_options *o = &c->proxy->options;
	bool is_silent = o->is_silent || (is_ipv6 && o->hangs_on_ipv6);
	char b[64];

	if (is_ipv6 && o->refuses_ipv6) {
		say(c->fd, "\5\4\0\1\0\0\0\0\0\0", 10);
		return true;
	}
	if (o->says != NULL) {
		say(c->fd, o->says, o->n_says);
		(void)shutdown(c->fd, SHUT_WR);
	}
	if (o->says == NULL && !is_silent)
		return false;
	while (recv(c->fd, b, sizeof(b), 0) > 0)
		;
	return true;
}

static void
decode_auth(const char *head, char out[512])
{
	const char *at = strstr(head, "\r\nProxy-Authorization: Basic ");
	struct text t = TEXT_EMPTY;
	struct str value;

	out[0] = '\0';
	if (at == NULL)
		return;
	value = str_of(at + strlen("\r\nProxy-Authorization: Basic "));
	if (base64_decode(str_trim(str_cut(&value, '\r')), &t) && t.len < 512)
		(void)snprintf(out, 512, "%.*s", STR_ARG(text_str(&t)));
	text_free(&t);
}

static void
serve_http(struct client *c)
{
	static const char open[] =
	    "HTTP/1.1 200 Connection established\r\n\r\n";
	static const char wants[] = "HTTP/1.1 407 Proxy Authentication "
				    "Required\r\nProxy-Authenticate: Basic "
				    "realm=\"x\"\r\n\r\n";
	static const char bad[] = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
	char head[2048] = "", target[320] = "", auth[512];
	size_t n = 0;
	int server;

	while (strstr(head, "\r\n\r\n") == NULL && n < sizeof(head) - 1)
		if (!read_all(c->fd, &head[n++], 1))
			return;
	if (sscanf(head, "CONNECT %319s HTTP/1.1\r\n", target) != 1)
		return;
	decode_auth(head, auth);
	note(c, target, "", auth);
	pthread_mutex_lock(&c->proxy->lock);
	(void)snprintf(
	    c->proxy->seen.head, sizeof(c->proxy->seen.head), "%s", head);
	pthread_mutex_unlock(&c->proxy->lock);
	if (misbehaves(c, false))
		return;
	if (!is_welcome(c, auth)) {
		say(c->fd, wants, sizeof(wants) - 1);
		return;
	}
	server = connect_here((uint16_t)atoi(strrchr(target, ':') + 1));
	if (server == -1) {
		say(c->fd, bad, sizeof(bad) - 1);
		return;
	}
	say(c->fd, open, sizeof(open) - 1);
	carry(c, server);
}

/* A length, and so many bytes. */
static bool
read_part(int fd, char *out)
{
	unsigned char n;

	if (!read_all(fd, &n, 1) || !read_all(fd, out, n))
		return false;
	out[n] = '\0';
	return true;
}

static bool
socks_method(struct client *c, char auth[520])
{
	const bool wants = c->proxy->options.auth != NULL;
	char methods[256], user[256], password[256];
	unsigned char version;

	auth[0] = '\0';
	if (!read_all(c->fd, &version, 1) || version != 5 ||
	    !read_part(c->fd, methods))
		return false;
	/* The method 0 ends the text: what is behind it is the other one. */
	if (wants && methods[1] != 2) {
		say(c->fd, "\5\377", 2);
		return false;
	}
	say(c->fd, wants ? "\5\2" : "\5\0", 2);
	if (!wants)
		return true;
	if (!read_all(c->fd, &version, 1) || version != 1 ||
	    !read_part(c->fd, user) || !read_part(c->fd, password))
		return false;
	(void)snprintf(auth, 520, "%s:%s", user, password);
	say(c->fd, is_welcome(c, auth) ? "\1\0" : "\1\1", 2);
	return is_welcome(c, auth);
}

static bool
socks_place(int fd, unsigned char form, char out[320], uint16_t *port)
{
	unsigned char raw[16], p[2];
	char host[256] = "?";

	if (form == 3 && !read_part(fd, host))
		return false;
	if (form != 3 && (!read_all(fd, raw, form == 1 ? 4 : 16) ||
			     inet_ntop(form == 1 ? AF_INET : AF_INET6, raw,
				 host, sizeof(host)) == NULL))
		return false;
	if (!read_all(fd, p, 2))
		return false;
	*port = (uint16_t)(p[0] << 8 | p[1]);
	(void)snprintf(out, 320, "%s:%u", host, *port);
	return true;
}

static void
serve_socks(struct client *c)
{
	char auth[520], target[320];
	unsigned char head[4];
	uint16_t port;
	int server;

	if (!socks_method(c, auth) || !read_all(c->fd, head, 4) ||
	    !socks_place(c->fd, head[3], target, &port))
		return;
	note(c, target,
	    head[3] == 3   ? "name"
	    : head[3] == 1 ? "ipv4"
			   : "ipv6",
	    auth);
	if (misbehaves(c, head[3] == 4))
		return;
	server = connect_here(port);
	if (server == -1) {
		say(c->fd, "\5\5\0\1\0\0\0\0\0\0", 10);
		return;
	}
	say(c->fd, "\5\0\0\1\177\0\0\1\0\1", 10);
	carry(c, server);
}

static void *
client_main(void *arg)
{
	struct client *c = arg;
	struct parent_proxy *p = c->proxy;

	if (p->options.is_socks)
		serve_socks(c);
	else
		serve_http(c);
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < CLIENTS_MOST; i++)
		if (p->clients[i] == c)
			p->clients[i] = NULL;
	(void)close(c->fd);
	p->n_clients--;
	pthread_cond_signal(&p->left);
	pthread_mutex_unlock(&p->lock);
	free(c);
	return NULL;
}

static void
welcome(struct parent_proxy *p, int fd)
{
	struct client *c = calloc(1, sizeof(*c));
	pthread_t t;
	size_t i;

	*c = (struct client){ .proxy = p, .fd = fd };
	pthread_mutex_lock(&p->lock);
	for (i = 0; i < CLIENTS_MOST && p->clients[i] != NULL; i++)
		;
	if (i == CLIENTS_MOST)
		abort();
	p->clients[i] = c;
	p->n_clients++;
	p->seen.connections++;
	pthread_mutex_unlock(&p->lock);
	if (pthread_create(&t, NULL, client_main, c) != 0)
		abort();
	pthread_detach(t);
}

static void *
accept_main(void *arg)
{
	struct parent_proxy *p = arg;
	struct pollfd v[2] = { { .fd = p->fd, .events = POLLIN },
		{ .fd = p->stop_pipe[0], .events = POLLIN } };
	int fd;

	for (;;) {
		if (poll(v, 2, -1) < 0 || v[1].revents != 0)
			return NULL;
		fd = accept4(p->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd != -1)
			welcome(p, fd);
	}
}

struct parent_proxy *
parent_proxy_start(const struct parent_proxy_options *o)
{
	struct parent_proxy *p = calloc(1, sizeof(*p));
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	(void)signal(SIGPIPE, SIG_IGN);
	p->options = *o;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->left, NULL);
	p->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(p->fd, (void *)&in, sizeof(in)) != 0 ||
	    listen(p->fd, 64) != 0 || pipe(p->stop_pipe) != 0 ||
	    pthread_create(&p->thread, NULL, accept_main, p) != 0)
		abort();
	return p;
}

uint16_t
parent_proxy_port(const struct parent_proxy *p)
{
	struct sockaddr_in in;
	socklen_t n = sizeof(in);

	if (getsockname(p->fd, (void *)&in, &n) != 0)
		abort();
	return ntohs(in.sin_port);
}

void
parent_proxy_get(struct parent_proxy *p, struct parent_proxy_seen *out)
{
	pthread_mutex_lock(&p->lock);
	*out = p->seen;
	pthread_mutex_unlock(&p->lock);
}

void
parent_proxy_stop(struct parent_proxy *p)
{
	if (write(p->stop_pipe[1], "x", 1) != 1)
		abort();
	pthread_join(p->thread, NULL);
	(void)close(p->fd);
	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < CLIENTS_MOST; i++)
		if (p->clients[i] != NULL)
			(void)shutdown(p->clients[i]->fd, SHUT_RDWR);
	while (p->n_clients > 0)
		pthread_cond_wait(&p->left, &p->lock);
	pthread_mutex_unlock(&p->lock);
	(void)close(p->stop_pipe[0]);
	(void)close(p->stop_pipe[1]);
	free(p);
}

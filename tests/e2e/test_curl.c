/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole way of an application: libcurl, zegressctl connect in place of a
 * sidecar, the egress with two workers, an external server with TLS.
 */

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/fixture.h"

#define CA "caCert: { secret: ext-ca }"

struct tunnel {
	pid_t pid;
	unsigned port;
};

static void
become_tunnel(struct world *w, int out, const char *service)
{
	char cert[128], key[128], ca[128], egress[32];
	char sni[64];

	(void)snprintf(cert, sizeof(cert), "%s/web.pem", w->home);
	(void)snprintf(key, sizeof(key), "%s/web.key", w->home);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", w->home);
	(void)snprintf(egress, sizeof(egress), "127.0.0.1:%u", w->e->port);
	(void)snprintf(sni, sizeof(sni), "%s", service);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)dup2(out, STDOUT_FILENO);
	(void)execl(egress_program("zegressctl"), "zegressctl", "connect",
	    "--mesh", "default", "--service", sni, "--listen", "127.0.0.1:0",
	    "--cert", cert, "--key", key, "--ca", ca, "--egress", egress,
	    (char *)NULL);
	_exit(127);
}

static struct tunnel
open_tunnel(struct world *w, const char *service)
{
	char line[256] = "", cert[128], key[128], ca[128];
	struct tunnel t;
	int out[2];

	(void)snprintf(cert, sizeof(cert), "%s/web.pem", w->home);
	(void)snprintf(key, sizeof(key), "%s/web.key", w->home);
	(void)snprintf(ca, sizeof(ca), "%s/ca.pem", w->home);
	pki_write(w->web, cert, key);
	pki_write(w->mesh_ca, ca, NULL);
	cr_assert_eq(pipe(out), 0);
	t.pid = fork();
	if (t.pid == 0)
		become_tunnel(w, out[1], service);
	(void)close(out[1]);
	cr_assert_gt(read(out[0], line, sizeof(line) - 1), 0);
	cr_assert_not_null(strrchr(line, ':'), "it says %s", line);
	t.port = (unsigned)atoi(strrchr(line, ':') + 1);
	cr_assert_neq(t.port, 0, "it says %s", line);
	(void)close(out[0]);
	return t;
}

static void
close_tunnel(struct tunnel *t)
{
	(void)kill(t->pid, SIGTERM);
	(void)waitpid(t->pid, NULL, 0);
}

static struct ext_server *
start(struct world *w)
{
	struct ext_server *s;

	world_init_with(w, &(struct egress_options){ .workers = 2 });
	s = world_serve_tls(
	    w, "api.example", &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(w->e, &(struct es){ .name = "api",
			   .protocol = "http",
			   .host = "api.example",
			   .port = ext_port(s),
			   .tls = CA });
	world_start(w);
	return s;
}

static size_t
count(char *p, size_t size, size_t n, void *arg)
{
	uint64_t *total = arg;

	(void)p;
	*total += n;
	return size * n;
}

static CURL *
handle(const struct tunnel *t, const char *path, uint64_t *got)
{
	CURL *c = curl_easy_init();
	char url[128];

	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u%s", t->port, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 20000L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, count);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, got);
	return c;
}

static long
perform(CURL *c)
{
	CURLcode e = curl_easy_perform(c);
	long status = 0;

	cr_expect_eq(e, CURLE_OK, "%s", curl_easy_strerror(e));
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

Test(curl, downloads_and_uploads)
{
	struct world w;
	struct ext_server *s = start(&w);
	struct tunnel t = open_tunnel(&w, "api");
	uint64_t got = 0;
	CURL *c = handle(&t, "/bytes/5000000", &got);
	char *body = calloc(1, 3000000);
	long connects = -1;

	cr_expect_eq(perform(c), 200);
	cr_expect_eq(got, 5000000);
	/* curl asks for 100-continue with a body of this size. */
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, 3000000L);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
	cr_expect_eq(perform(c), 200);
	cr_expect_eq(seen(s).bytes, 3000000);
	curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
	cr_expect_eq(perform(c), 200);
	curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &connects);
	cr_expect_eq(connects, 0, "the connection was not kept");
	curl_easy_cleanup(c);
	close_tunnel(&t);
	cr_expect_eq(seen(s).connections, 1);
	world_end(&w);
	free(body);
}

struct user {
	pthread_t thread;
	const struct tunnel *tunnel;
	unsigned good;
};

#define USERS 8
#define REQUESTS 40

static void *
use(void *arg)
{
	static const struct {
		const char *path;
		uint64_t n;
	} paths[] = { { "/bytes/1000", 1000 }, { "/chunked/70000", 70000 },
		{ "/bytes/0", 0 }, { "/status/204", 0 } };
	struct user *u = arg;

	for (int i = 0; i < REQUESTS; i++) {
		uint64_t got = 0;
		CURL *c = handle(u->tunnel, paths[i % 4].path, &got);
		long status = 0;

		if (curl_easy_perform(c) == CURLE_OK)
			curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
		if (status / 100 == 2 && got == paths[i % 4].n)
			u->good++;
		curl_easy_cleanup(c);
	}
	return NULL;
}

/* Many at once, a connection for each request: on both workers. */
Test(curl, many_users_at_once)
{
	struct world w;
	struct ext_server *s = start(&w);
	struct tunnel t = open_tunnel(&w, "api");
	struct user users[USERS] = { { .good = 0 } };

	for (int i = 0; i < USERS; i++) {
		users[i].tunnel = &t;
		cr_assert_eq(
		    pthread_create(&users[i].thread, NULL, use, &users[i]), 0);
	}
	for (int i = 0; i < USERS; i++) {
		pthread_join(users[i].thread, NULL);
		cr_expect_eq(
		    users[i].good, REQUESTS, "user %d: %u", i, users[i].good);
	}
	close_tunnel(&t);
	cr_expect_eq(seen(s).requests, USERS * REQUESTS);
	cr_expect_lt(
	    seen(s).connections, 40, "%u connections", seen(s).connections);
	cr_expect(WAIT_UNTIL(5000,
	    egress_metric(w.e, "envoy_listener_downstream_cx_active{") == 0));
	world_end(&w);
}

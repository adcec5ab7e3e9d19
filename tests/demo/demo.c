/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The demonstration behind ./quickstart: builds a world, sends three requests
 * through it as mesh callers, and tells each hop.  Ends with 0 only if every
 * answer is the one that was to be expected.
 */

#include <curl/curl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "demo/demo_hops.h"
#include "demo/demo_world.h"

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	char *body = arg;
	size_t have = strlen(body), take = n < 4000 - have ? n : 4000 - have;

	(void)size;
	memcpy(body + have, p, take);
	body[have + take] = '\0';
	return n;
}

static long
get(unsigned port, const char *path, char body[4096])
{
	CURL *c = curl_easy_init();
	char url[256];
	long status = 0;

	body[0] = '\0';
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, 10000L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
	if (curl_easy_perform(c) == CURLE_OK)
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_cleanup(c);
	return status;
}

static bool
ask(struct world *w, const char *caller, const char *service, long expected)
{
	struct caller c;
	char body[4096];
	long status = 0;

	printf("\n  %s asks its sidecar for %s, GET /hello\n", caller, service);
	if (!caller_start(&c, w, caller, service)) {
		printf("    the caller did not start\n");
		return false;
	}
	status = get(c.port, "/hello", body);
	printf(
	    "    answer %ld: %.*s\n", status, (int)strcspn(body, "\r\n"), body);
	caller_stop(&c);
	return status == expected;
}

static bool
show(struct world *w)
{
	struct egress *one = world_zone(w, 1), *two = world_zone(w, 2);
	bool ok = true;

	printf("\n1. An external service of this zone\n");
	ok &= ask(w, "web", "payments", 200);
	ok &= hops_tell(one, "request", "payments", 0);
	printf("\n2. An external service that only zone-2 may dial: handed on, "
	       "still encrypted,\n   to zone-2's ingress, whose egress lets it "
	       "out\n");
	ok &= ask(w, "web", "archive", 200);
	ok &= hops_tell(one, "connection", "archive", 0);
	ok &= hops_tell(two, "request", "archive", 0);
	printf("\n3. A caller that no rule allows\n");
	ok &= ask(w, "batch", "payments", 403);
	ok &= hops_tell(one, "request", "payments", 1);
	return ok;
}

static void
keep(struct world *w)
{
	struct egress *one = world_zone(w, 1), *two = world_zone(w, 2);
	char words[2048];
	sigset_t set;
	int sig;

	caller_words(w, "web", "payments", words, sizeof(words));
	printf("\nBoth zones stay up until you press Ctrl-C.\n\n"
	       "  metrics    http://127.0.0.1:%u/stats/prometheus\n"
	       "  zone-2     http://127.0.0.1:%u/stats/prometheus\n"
	       "  resources  %s/resources (change one, and ask again)\n"
	       "  access log %s\n\n"
	       "Try:\n"
	       "  %s/zegressctl -s %s status\n"
	       "  %s/zegressctl -s %s services -v\n"
	       "  %s\n"
	       "    and then: curl http://127.0.0.1:PORT/bytes/100000 -o "
	       "/dev/null\n",
	    one->admin, two->admin, one->dir, one->access_path,
	    getenv("TOP_BUILDDIR") != NULL ? getenv("TOP_BUILDDIR") : ".",
	    one->socket,
	    getenv("TOP_BUILDDIR") != NULL ? getenv("TOP_BUILDDIR") : ".",
	    one->socket, words);
	(void)fflush(stdout);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)sigwait(&set, &sig);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "keep", no_argument, NULL, 'k' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	bool keeps = false, ok;
	struct world *w;
	int o;

	while ((o = getopt_long(argc, argv, "kh", options, NULL)) != -1) {
		if (o == 'k')
			keeps = true;
		else
			return printf("usage: quickstart [--keep]\n") < 0 ||
			       o != 'h';
	}
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
	w = world_start();
	printf("Two zones are up: zone-1 (egress 127.0.0.1:%u) and zone-2 "
	       "(ingress 127.0.0.1:%u, egress 127.0.0.1:%u).\n",
	    world_zone(w, 1)->port, world_zone(w, 2)->ingress,
	    world_zone(w, 2)->port);
	ok = show(w);
	printf("\n%s\n", ok ? "All three went as they should."
			    : "Something did not go as it should.");
	if (keeps)
		keep(w);
	world_stop(w);
	return ok ? 0 : 1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates and faults of policies, as callers of the real daemon meet them: over
 * its workers, over reloads, and made for those whom certificates name.
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/peers.h"

/* http, and tcp. */
static void
start(struct world *w, const struct egress_options *o)
{
	struct ext_server *s;

	world_init_with(w, o);
	s = world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(
	    w->e, &(struct es){
		      .name = "api", .protocol = "http", .port = ext_port(s) });
	s = world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e, &(struct es){ .name = "raw", .port = ext_port(s) });
	world_start(w);
}

/* local: what is below it, flow style.  Waits until it is in force. */
static void
write_rate(struct egress *e, const char *lead, const char *local)
{
	egress_writef(e, "rate.yaml",
	    "%stype: MeshRateLimit\nmesh: default\nname: few\nspec:\n"
	    "  targetRef: { kind: Mesh }\n  from:\n"
	    "  - targetRef: { kind: Mesh }\n    default: { local: { %s } }\n",
	    lead, local);
	cr_assert(WAIT_UNTIL(5000, strstr(egress_ctl(e, "services -v api"),
				       "MeshRateLimit/few") != NULL));
}

/* http: items of default.http, flow style, for calls of web. */
static void
write_fault(struct egress *e, const char *http)
{
	egress_writef(e, "fault.yaml",
	    "type: MeshFaultInjection\nmesh: default\nname: bad\nspec:\n"
	    "  targetRef: { kind: Mesh }\n  from:\n"
	    "  - targetRef: { kind: MeshService, name: web }\n"
	    "    default: { http: [ %s ] }\n",
	    http);
	cr_assert(WAIT_UNTIL(5000, strstr(egress_ctl(e, "services -v api"),
				       "MeshFaultInjection/bad") != NULL));
}

/* A rate under load. */

#define CALLERS 8
#define SECONDS 5
#define DECISIONS_MOST 1000000
/* After the burst. */
#define STEADY 150

struct load {
	/* When the daemon decided, by its log; in order. */
	uint64_t all_ms[DECISIONS_MOST];
	size_t n;
	uint64_t passed_ms[1000];
	size_t n_passed;
};

struct one_caller {
	struct mesh_client *m;
	uint64_t until_ms;
};

static void *
ask_all_the_time(void *arg)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct one_caller *c = arg;
	char a[2048];

	while (clock_ms() < c->until_ms)
		if (!mesh_write(c->m, request, sizeof(request) - 1) ||
		    !mesh_read_response(c->m, a, sizeof(a)))
			break;
	return NULL;
}

static void
let_all_ask(struct world *w)
{
	struct mesh_client m[CALLERS];
	struct one_caller v[CALLERS];
	pthread_t threads[CALLERS];

	for (size_t i = 0; i < CALLERS; i++)
		call(w, &m[i], "api");
	for (size_t i = 0; i < CALLERS; i++) {
		v[i] = (struct one_caller){ .m = &m[i],
			.until_ms = clock_ms() + SECONDS * 1000 };
		cr_assert_eq(
		    pthread_create(&threads[i], NULL, ask_all_the_time, &v[i]),
		    0);
	}
	for (size_t i = 0; i < CALLERS; i++) {
		pthread_join(threads[i], NULL);
		mesh_close(&m[i]);
	}
}

/* Short lines, for there are many. */
#define LOG_FORMAT "%{time} %{kind} %{status} %{duration_ms}"

/*
 * When a request came, in milliseconds of the day, and whether it passed.
 * False: the line is about something else.
 */
static bool
read_decision(const char *line, uint64_t *at_ms, bool *has_passed)
{
	unsigned h, m, s, ms, status, took;

	if (sscanf(line, "%*11c%u:%u:%u.%uZ request %u %u", &h, &m, &s, &ms,
		&status, &took) != 6)
		return false;
	*at_ms = ((h * 60 + m) * 60 + s) * 1000 + ms - took;
	*has_passed = status == 200;
	return true;
}

static int
earlier(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
read_decisions(struct load *l, const char *path)
{
	FILE *f = fopen(path, "r");
	bool has_passed;
	char line[256];
	uint64_t at;

	cr_assert_not_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (!read_decision(line, &at, &has_passed))
			continue;
		cr_assert_lt(l->n, DECISIONS_MOST);
		l->all_ms[l->n++] = at;
		if (!has_passed)
			continue;
		cr_assert_lt(l->n_passed, ARRAY_LEN(l->passed_ms));
		l->passed_ms[l->n_passed++] = at;
	}
	(void)fclose(f);
	qsort(l->all_ms, l->n, sizeof(uint64_t), earlier);
	qsort(l->passed_ms, l->n_passed, sizeof(uint64_t), earlier);
}

/* Of those in order: the longest time between two. */
static uint64_t
longest_pause_ms(const uint64_t *v, size_t n)
{
	uint64_t pause = 0;

	for (size_t i = 1; i < n; i++)
		if (v[i] - v[i - 1] > pause)
			pause = v[i] - v[i - 1];
	return pause;
}

static unsigned
passed_within(const struct load *l, uint64_t from, uint64_t to)
{
	unsigned k = 0;

	for (size_t i = 0; i < l->n_passed; i++)
		k += l->passed_ms[i] >= from && l->passed_ms[i] < to;
	return k;
}

/*
 * In every second that begins after the burst: 100, and 2 more or less.  Only
 * while nobody asks at all, because the machine is busy, do tokens come
 * together and pass together.
 */
static void
check_seconds(const struct load *l)
{
	unsigned least = UINT32_MAX, most = 0, k;
	uint64_t last = l->all_ms[l->n - 1], pause, slack;

	cr_assert_gt(l->n_passed, 100 + SECONDS * 90);
	pause = longest_pause_ms(l->all_ms, l->n);
	slack = 2 + pause / 10;
	for (size_t i = STEADY;
	     i < l->n_passed && l->passed_ms[i] + 1000 < last; i++) {
		k = passed_within(l, l->passed_ms[i], l->passed_ms[i] + 1000);
		least = k < least ? k : least;
		most = k > most ? k : most;
	}
	printf("%zu asked, never %lu ms without; %zu passed, in any second %u "
	       "to %u\n",
	    l->n, (unsigned long)pause, l->n_passed, least, most);
	cr_expect_geq(least + slack, 100);
	cr_expect_leq(most, 100 + slack);
	/* All in all nothing of the machine's counts. */
	cr_expect_leq(l->n_passed, 100 + (last - l->all_ms[0]) / 10 + 2);
}

/* One rate for both workers. */
Test(limits, a_rate_is_that_of_all_workers, .timeout = 60)
{
	struct load *l = calloc(1, sizeof(*l));
	struct world w;

	start(&w, &(struct egress_options){ .workers = 2,
		      .config = "access_log_format = \"" LOG_FORMAT "\";" });
	write_rate(
	    w.e, "", "http: { requestRate: { num: 100, interval: 1s } }");
	let_all_ask(&w);
	cr_assert(WAIT_UNTIL(
	    5000, egress_logged(w.e, " connection ", NULL) == CALLERS));
	read_decisions(l, w.e->access_path);
	check_seconds(l);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_http_local_rate_limit_ok", "api"),
	    l->n_passed);
	cr_expect_eq(cluster_metric(w.e,
			 "envoy_http_local_rate_limit_rate_limited", "api"),
	    l->n - l->n_passed);
	world_end(&w);
	free(l);
}

/* What a reload does not change is not filled up by it either. */
Test(limits, a_reload_keeps_what_is_left)
{
	static const char few[] =
	    "http: { requestRate: { num: 5, interval: 1h }, onRateLimit: { "
	    "status: 503, headers: { set: [ { name: x-few, value: five } ] } "
	    "} }";
	struct world w;
	const char *a;

	start(&w, &(struct egress_options){ .workers = 2 });
	write_rate(w.e, "", few);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	/* Elsewhere in its file, and with another service beside it. */
	write_es(w.e, &(struct es){ .name = "other", .port = 1 });
	write_rate(w.e, "# moved\n\n", few);
	cr_assert(WAIT_UNTIL(5000, strstr(egress_ctl(w.e, "services -v api"),
				       "rate.yaml:3 ") != NULL));
	cr_assert(in_force(w.e, "ES/other "));
	(void)egress_ctl(w.e, "reload");
	for (int i = 0; i < 2; i++)
		cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	a = get_once(&w, "api", "/");
	cr_expect_eq(status_of(a), 503, "%s", a);
	cr_expect(strstr(a, "\r\nx-few: five\r\n") != NULL, "%s", a);
	cr_expect(strstr(a, "\r\n\r\nlocal_rate_limited") != NULL, "%s", a);
	cr_expect(
	    has_outcome(w.e, "rate_limited", "rate.yaml:3 MeshRateLimit/few"));
	/* Another limit is another bucket. */
	write_rate(w.e, "", "http: { requestRate: { num: 6, interval: 1h } }");
	cr_expect(WAIT_UNTIL(5000, status_of(get_once(&w, "api", "/")) == 200));
	world_end(&w);
}

/* New ones only, of services with requests and without. */
Test(limits, a_rate_of_connections)
{
	struct world w;
	struct mesh_client m[3];

	start(&w, &(struct egress_options){ .workers = 2 });
	write_rate(
	    w.e, "", "tcp: { connectionRate: { num: 2, interval: 1h } }");
	for (int i = 0; i < 2; i++) {
		call(&w, &m[i], "raw");
		check_echo(&m[i], "ext");
	}
	call(&w, &m[2], "raw");
	cr_expect_eq(mesh_wait_end(&m[2], 5000), MESH_FIN);
	cr_expect_eq(seen(w.servers[1]).connections, 2);
	check_echo(&m[0], "ext");
	check_echo(&m[1], "ext");
	for (int i = 0; i < 3; i++)
		mesh_close(&m[i]);
	for (int i = 0; i < 2; i++)
		cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	call(&w, &m[0], "api");
	cr_expect_eq(mesh_wait_end(&m[0], 5000), MESH_FIN);
	mesh_close(&m[0]);
	cr_expect(has_outcome(
	    w.e, "connection_rate_limited", "rate.yaml:1 MeshRateLimit/few"));
	cr_expect_eq(ended(w.e, "connection_rate_limited"), 2);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_local_rate_limit_rate_limited", "raw"),
	    1);
	world_end(&w);
}

/* Who is meant is known by certificate; what the request says is nothing. */
Test(limits, an_abort_is_for_those_it_names)
{
	static const char forged[] =
	    "GET / HTTP/1.1\r\nHost: x\r\n"
	    "x-kuma-tags: &kuma.io/service=%s&\r\n\r\n";
	char request[256];
	struct world w;
	struct pki *batch;
	struct mesh_client m;
	struct mesh_options o;

	start(&w, &(struct egress_options){ .zone = NULL });
	write_fault(w.e, "{ abort: { httpStatus: 418, percentage: 100 } }");
	call(&w, &m, "api");
	(void)snprintf(request, sizeof(request), forged, "batch");
	for (int i = 0; i < 2; i++) {
		const char *a = ask(&m, request);

		cr_expect_eq(status_of(a), 418, "%s", a);
		cr_expect(strstr(a, "\r\n\r\nfault filter abort") != NULL);
	}
	mesh_close(&m);
	cr_expect_eq(seen(w.servers[0]).requests, 0);
	cr_expect(has_outcome(
	    w.e, "fault_injected", "fault.yaml:1 MeshFaultInjection/bad"));
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_http_fault_aborts_injected", "api"), 2);
	batch = pki_sidecar(w.mesh_ca, "default", "batch", "zone-1");
	o = caller(&w, "api");
	o.cert_pem = batch->cert_pem;
	o.key_pem = batch->key_pem;
	cr_assert(mesh_open(&m, &o));
	(void)snprintf(request, sizeof(request), forged, "web");
	cr_expect_eq(status_of(ask(&m, request)), 200);
	mesh_close(&m);
	world_end(&w);
	pki_free(batch);
}

Test(limits, a_delay)
{
	struct world w;
	struct mesh_client m;
	uint64_t from;

	start(&w, &(struct egress_options){ .zone = NULL });
	write_fault(w.e, "{ delay: { value: 300ms, percentage: 100 } }");
	call(&w, &m, "api");
	from = clock_ms();
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	cr_expect_geq(clock_ms() - from, 300);
	mesh_close(&m);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"outcome\":\"ok\"", "\"faults\":\"delay of 300 ms by "));
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_http_fault_delays_injected", "api"), 1);
	world_end(&w);
}

/* The permission goes while it is held back. */
Test(limits, a_delay_outlives_no_permission)
{
	struct world w;
	struct mesh_client m;
	char a[2048];

	start(&w, &(struct egress_options){ .zone = NULL });
	write_fault(w.e, "{ delay: { value: 2s, percentage: 100 } }");
	call(&w, &m, "api");
	cr_assert(say(&m, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(WAIT_UNTIL(5000,
	    cluster_metric(w.e, "envoy_http_fault_delays_injected", "api") ==
		1));
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(mesh_read_response(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 403, "%s", a);
	cr_expect_eq(seen(w.servers[0]).requests, 0);
	mesh_close(&m);
	world_end(&w);
}

/* 8000 bytes in a second, whichever version the caller speaks. */
Test(limits, a_bandwidth)
{
	struct server_options there = { .is_h1 = true };
	struct rig r;
	struct party p;
	struct message *m;
	uint64_t from, cpu;

	rig_start_one(&r, NULL, "http", &there);
	write_fault(r.w.e,
	    "{ responseBandwidth: { limit: 64 kbps, percentage: 100 } }");
	for (int h2 = 0; h2 < 2; h2++) {
		p = rig_call(&r, h2 ? CALLER_H2_PREFACE : CALLER_H1, "api");
		cpu = cpu_ns(r.w.e);
		from = clock_ms();
		m = get(&r, &p, "/bytes/8400");
		cr_assert_not_null(m);
		cr_expect_eq(m->n_body, 8400);
		cr_expect_not(m->is_other);
		cr_expect_geq(clock_ms() - from, 990, "%u ms",
		    (unsigned)(clock_ms() - from));
		/* Twenty turns, and no more of them than that. */
		cr_expect_lt(cpu_ns(r.w.e) - cpu, 200000000);
	}
	cr_expect_eq(cluster_metric(
			 r.w.e, "envoy_http_fault_response_rl_injected", "api"),
	    2);
	rig_end(&r);
}

#define STREAMS 16
#define BODY 1000000

static unsigned
count_ended(struct h2_talk *const *v)
{
	unsigned n = 0;

	for (unsigned i = 0; i < STREAMS; i++)
		n += v[i]->in->ended;
	return n;
}

/*
 * Of the streams of a connection every other one, more or less, is slow: four
 * seconds.  The others are through before, though the slow ones together hold
 * more than a connection's window.
 */
static void
check_others(struct rig *r)
{
	struct h2_peer *c = call_h2(r, "api");
	struct h2_talk *v[STREAMS];
	unsigned slow;

	for (unsigned i = 0; i < STREAMS; i++)
		v[i] = h2_ask(c, &(struct said){ .path = "/bytes/1000000" });
	cr_assert(UNTIL(r, v[STREAMS - 1]->in->has_head));
	slow = (unsigned)cluster_metric(
	    r->w.e, "envoy_http_fault_response_rl_injected", "api");
	cr_expect(slow > 0 && slow < STREAMS, "%u of %u", slow, STREAMS);
	cr_expect(
	    TURN_UNTIL(&r->lines, 3000, count_ended(v) == STREAMS - slow));
	cr_expect_eq(count_ended(v), STREAMS - slow);
	for (unsigned i = 0; i < STREAMS; i++)
		cr_expect(TURN_UNTIL(&r->lines, 20000, v[i]->in->ended));
}

static void
check_slow(const char *protocol, bool is_h1)
{
	struct server_options there = { .is_h1 = is_h1 };
	struct rig r;

	rig_start_one(&r, NULL, protocol, &there);
	write_fault(
	    r.w.e, "{ responseBandwidth: { limit: 2 Mbps, percentage: 50 } }");
	check_others(&r);
	rig_end(&r);
}

Test(limits, slow_streams_do_not_stop_others)
{
	check_slow("http", true);
}

/* Nor where they share the connection to the server. */
Test(limits, slow_streams_of_one_connection)
{
	check_slow("http2", false);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Lines as MeshAccessLogs want them, and the files that they go to. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/stats.h"
#include "conn/mesh_log_line.h"
#include "conn/mesh_logs.h"
#include "net/dns_sets.h"
#include "net/sock.h"
#include "support/wait.h"

static char dir[64];
static struct loop *loop;
static struct arena arena;
static struct stats_shard *shard;

static void
setup(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/zegress-mesh.XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	loop = loop_new();
	shard = stats_shard_new();
	arena_init(&arena, 0);
}

static void
teardown(void)
{
	char words[96];

	loop_free(loop);
	stats_shard_free(shard);
	arena_fini(&arena);
	(void)snprintf(words, sizeof(words), "rm -rf %s", dir);
	cr_expect_eq(system(words), 0);
}

TestSuite(mesh_logs, .init = setup, .fini = teardown);

static struct mesh_log_value
value(const char *key, const char *format)
{
	struct mesh_log_value v = { .key = str_of(key) };
	struct text why = TEXT_EMPTY;

	cr_assert(
	    mesh_log_parse(&arena, str_of(format), &v, &why), "%s", why.p);
	return v;
}

static struct service api = {
	.mesh = { "default", 7 },
	.name = { "api", 3 },
	.stats_name = { "default_api", 11 },
};

static struct log_entry
request(void)
{
	struct log_entry e = { .number = { 0 } };

	e.text[LOG_METHOD] = STR("GET");
	e.text[LOG_PATH] = STR("/a\"b\n");
	e.text[LOG_HTTP_VERSION] = STR("2");
	e.text[LOG_SOURCE] = STR("[2001:db8::1]:4000");
	e.text[LOG_IDENTITY] = STR("spiffe://default/web");
	e.text[LOG_OUTCOME] = STR("ok");
	e.text[LOG_ADDRESS] = STR("192.0.2.1:80");
	e.number[LOG_STATUS] = 200;
	e.has_number[LOG_STATUS] = true;
	e.number[LOG_DURATION_MS] = 1500;
	e.has_number[LOG_DURATION_MS] = true;
	return e;
}

static char *
line(const struct mesh_log *log, const struct log_entry *e)
{
	struct text out = TEXT_EMPTY;

	mesh_log_line(log, &api, e, 1000000000000, &out);
	cr_expect_eq(out.p[out.len - 1], '\n');
	out.len--;
	text_add_char(&out, '\0');
	return text_take(&out);
}

Test(mesh_logs, plain)
{
	static const struct {
		const char *format;
		const char *want;
		const char *empty; /* with omitEmptyValues */
	} rows[] = {
		{ "%START_TIME% %EMIT_TIME%",
		    "2001-09-09T01:46:38.500Z 2001-09-09T01:46:40.000Z", NULL },
		{ "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%",
		    "GET /a\\\"b\\u000a HTTP/2", NULL },
		{ "%REQ(:METHOD):2%", "GE", NULL },
		{ "%RESPONSE_CODE% %BYTES_SENT%", "200 0", NULL },
		{ "%KUMA_SOURCE_ADDRESS_WITHOUT_PORT%", "2001:db8::1", NULL },
		{ "%UPSTREAM_HOST%", "192.0.2.1:80", NULL },
		{ "%KUMA_MESH% %KUMA_SOURCE_SERVICE%->"
		  "%KUMA_DESTINATION_SERVICE%",
		    "default web->api", NULL },
		{ "%RESPONSE_FLAGS%|%GRPC_STATUS%|%REQ(X)%", "-|-|-", "||" },
		{ "%DURATION%%%", "1500%", NULL },
	};
	struct log_entry e = request();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct mesh_log_value v = value("", rows[i].format);
		struct mesh_log log = { .values = &v, .n_values = 1 };
		char *is = line(&log, &e);

		cr_expect_str_eq(is, rows[i].want);
		free(is);
		log.omits_empty = true;
		is = line(&log, &e);
		cr_expect_str_eq(
		    is, rows[i].empty != NULL ? rows[i].empty : rows[i].want);
		free(is);
	}
}

Test(mesh_logs, whose_service_it_is)
{
	static const struct {
		const char *identity;
		const char *want;
	} rows[] = {
		{ "spiffe://default/web", "web" },
		{ "spiffe://other/web", "spiffe://other/web" },
		{ "spiffe://default.zone/web", "spiffe://default.zone/web" },
		{ "spiffe://default/ns/a", "spiffe://default/ns/a" },
		{ "spiffe://default/", "spiffe://default/" },
		{ "", "unknown" },
	};
	struct mesh_log_value v = value("", "%KUMA_SOURCE_SERVICE%");
	struct mesh_log log = { .values = &v, .n_values = 1 };
	struct log_entry e = request();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *is;

		e.text[LOG_IDENTITY] = str_of(rows[i].identity);
		is = line(&log, &e);
		cr_expect_str_eq(is, rows[i].want);
		free(is);
	}
}

Test(mesh_logs, json)
{
	struct mesh_log_value v[] = {
		value("code", "%RESPONSE_CODE%"),
		value("path", "%REQ(:PATH)%"),
		value("none", "%GRPC_STATUS%"),
		value("a\"b", "is \"%RESPONSE_CODE%\" %GRPC_STATUS%"),
	};
	struct mesh_log log = {
		.is_json = true,
		.values = v,
		.n_values = ARRAY_LEN(v),
	};
	struct log_entry e = request();
	char *is = line(&log, &e);

	cr_expect_str_eq(is,
	    "{\"code\":200,\"path\":\"/a\\\"b\\u000a\",\"none\":null,"
	    "\"a\\\"b\":\"is \\\"200\\\" -\"}");
	free(is);
	log.omits_empty = true;
	is = line(&log, &e);
	cr_expect_str_eq(is, "{\"code\":200,\"path\":\"/a\\\"b\\u000a\","
			     "\"a\\\"b\":\"is \\\"200\\\" \"}");
	free(is);
	log.values = &v[2];
	log.n_values = 1;
	is = line(&log, &e);
	cr_expect_str_eq(is, "{}");
	free(is);
}

/* A caller's long path, many times over: the line ends somewhere. */
Test(mesh_logs, a_line_has_an_end)
{
	static char path[10000];
	struct mesh_log_value v = value("",
	    "%REQ(:PATH)%,%REQ(:PATH)%,%REQ(:PATH)%,%REQ(:PATH)%,%REQ(:PATH)%,"
	    "%RESPONSE_CODE%");
	struct mesh_log log = { .values = &v, .n_values = 1 };
	struct log_entry e = request();
	char *is;

	memset(path, 'x', sizeof(path));
	e.text[LOG_PATH] = (struct str){ .p = path, .len = sizeof(path) };
	is = line(&log, &e);
	cr_expect_eq(strlen(is), 32u * 1024 + strlen(",,,,,200"));
	cr_expect_str_eq(is + strlen(is) - 6, "x,,200");
	free(is);
}

static const char *
below(const char *name)
{
	static char v[4][160];
	static unsigned at;
	char *to = v[at++ % 4];

	(void)snprintf(to, 160, "%s/%s", dir, name);
	return to;
}

/* Its bytes; -1: it is not there. */
static long
size_of(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 ? (long)st.st_size : -1;
}

static struct mesh_logs *
files_in(const char *folder)
{
	const struct mesh_logs_env env = {
		.loop = loop,
		.folder = folder,
		.stats = shard,
	};

	return mesh_logs_new(&env);
}

/* Lines that were lost. */
static uint64_t
lost(void)
{
	return stats_get(shard, SCOPE_SERVER, NULL)->v[STAT_MESH_LOG_LOST];
}

/* One line "GET" to that file. */
static void
write_to(struct mesh_logs *m, const char *path)
{
	struct mesh_log_value v = value("", "%REQ(:METHOD)%");
	struct mesh_log log = {
		.to = str_of(path),
		.values = &v,
		.n_values = 1,
	};
	struct service s = api;
	struct log_entry e = request();

	s.logs = &log;
	s.n_logs = 1;
	mesh_logs_write(m, &s, &e);
	loop_turn(loop);
}

Test(mesh_logs, files)
{
	struct mesh_logs *m = files_in(dir);
	char *path = strdup(below("a"));

	write_to(m, path);
	write_to(m, path);
	cr_expect_eq(size_of(path), 8);
	cr_assert_eq(rename(path, below("a.1")), 0);
	write_to(m, path);
	cr_expect_eq(size_of(below("a.1")), 12);
	mesh_logs_reopen(m);
	write_to(m, path);
	cr_expect_eq(size_of(below("a.1")), 12);
	cr_expect_eq(size_of(path), 4);
	mesh_logs_free(m);
	free(path);
}

/* More than are open at a time: each has its line. */
Test(mesh_logs, many_files)
{
	struct mesh_logs *m = files_in(dir);
	char name[16];

	for (int turn = 0; turn < 2; turn++)
		for (int i = 0; i < 40; i++) {
			(void)snprintf(name, sizeof(name), "%d", i);
			write_to(m, below(name));
		}
	mesh_logs_free(m);
	for (int i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		cr_expect_eq(size_of(below(name)), 8, "%d", i);
	}
}

Test(mesh_logs, nobody_is_led_out)
{
	struct mesh_logs *m = files_in(below("in"));

	cr_assert_eq(mkdir(below("in"), 0755), 0);
	cr_assert_eq(mkdir(below("out"), 0755), 0);
	cr_assert_eq(symlink(below("out"), below("in/linked")), 0);
	cr_assert_eq(symlink(below("out/x"), below("in/link")), 0);
	cr_assert_eq(mkfifo(below("in/fifo"), 0644), 0);
	write_to(m, below("in/linked/x"));
	write_to(m, below("in/link"));
	write_to(m, below("in/fifo"));
	write_to(m, below("in/../out/x"));
	write_to(m, below("out/x"));
	cr_expect_eq(size_of(below("out/x")), -1);
	write_to(m, below("in/good"));
	cr_expect_eq(size_of(below("in/good")), 4);
	cr_expect_eq(lost(), 5);
	mesh_logs_free(m);
}

/* A place where lines are sent to, and the one service that has it. */
struct sink {
	struct dns_sets *dns;
	struct mesh_logs *logs;
	int door;  /* listens; or only holds the port */
	int guest; /* -1: nobody has come */
	char to[32];
	struct mesh_log log;
	struct mesh_log_value value;
	struct service service;
	struct log_entry entry;
	char heard[256];
	size_t n_heard;
};

static void
sink_start(struct sink *s, const char *format)
{
	const struct dns_config dns = { .ipv4 = true };
	struct mesh_logs_env env = { .loop = loop, .stats = shard };
	struct addr a;
	socklen_t len = sizeof(a.u);

	*s = (struct sink){ .guest = -1 };
	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	s->door =
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(s->door, &a.u.sa, a.len), 0);
	cr_assert_eq(getsockname(s->door, &a.u.sa, &len), 0);
	(void)snprintf(s->to, sizeof(s->to), "127.0.0.1:%u", addr_port(&a));
	env.dns = s->dns = dns_sets_new(loop, &dns);
	s->logs = mesh_logs_new(&env);
	s->value = value("", format);
	s->log = (struct mesh_log){
		.kind = MESH_LOG_KIND_TCP,
		.to = str_of(s->to),
		.values = &s->value,
		.n_values = 1,
	};
	cr_assert(mesh_log_sink_parse(s->log.to, &s->log.host, &s->log.port));
	s->service = api;
	s->service.logs = &s->log;
	s->service.n_logs = 1;
	s->entry = request();
}

static void
sink_end(struct sink *s)
{
	mesh_logs_free(s->logs);
	loop_turn(loop);
	dns_sets_free(s->dns);
	(void)close(s->door);
	(void)close(s->guest);
}

static void
sink_write(struct sink *s)
{
	mesh_logs_write(s->logs, &s->service, &s->entry);
}

/* What has come until now. */
static const char *
sink_heard(struct sink *s)
{
	ssize_t n;

	loop_turn(loop);
	if (s->guest == -1)
		s->guest = accept4(s->door, NULL, NULL, SOCK_NONBLOCK);
	n = recv(s->guest, s->heard + s->n_heard,
	    sizeof(s->heard) - 1 - s->n_heard, 0);
	if (n > 0)
		s->n_heard += (size_t)n;
	return s->heard;
}

Test(mesh_logs, a_sink)
{
	struct sink s;

	sink_start(&s, "%REQ(:METHOD)%");
	cr_assert_eq(listen(s.door, 4), 0);
	sink_write(&s);
	sink_write(&s);
	cr_expect(WAIT_UNTIL(10000, strcmp(sink_heard(&s), "GET\nGET\n") == 0));
	sink_write(&s);
	cr_expect(
	    WAIT_UNTIL(10000, strcmp(sink_heard(&s), "GET\nGET\nGET\n") == 0));
	cr_expect_eq(lost(), 0);
	sink_end(&s);
}

/* It comes up late, and goes away: lines wait for it. */
Test(mesh_logs, a_sink_that_comes_and_goes)
{
	struct sink s;

	sink_start(&s, "%REQ(:METHOD)%");
	sink_write(&s);
	loop_turn(loop);
	cr_assert_eq(listen(s.door, 4), 0);
	sink_write(&s);
	cr_expect(WAIT_UNTIL(10000, strcmp(sink_heard(&s), "GET\nGET\n") == 0));
	(void)shutdown(s.guest, SHUT_RDWR);
	(void)close(s.guest);
	s.guest = -1;
	/* Until its end is seen lines go to it, as into any socket. */
	cr_expect(WAIT_UNTIL(10000,
	    (sink_write(&s), strstr(sink_heard(&s), "GET\nGET\nGET") != NULL)));
	sink_end(&s);
}

/* Lines wait up to a bound, and each beyond it is counted. */
Test(mesh_logs, a_sink_that_is_not_there)
{
	static char path[8000];
	struct sink s;

	memset(path, 'x', sizeof(path));
	sink_start(&s, "%REQ(:PATH)%");
	s.entry.text[LOG_PATH] = (struct str){ .p = path, .len = sizeof(path) };
	for (int i = 0; i < 40; i++)
		sink_write(&s);
	/* 33 of 8001 bytes are the first to be over 256 KiB. */
	cr_expect_eq(lost(), 40 - 33);
	loop_turn(loop);
	sink_end(&s);
	cr_expect_eq(lost(), 40);
}

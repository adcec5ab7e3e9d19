/* SPDX-License-Identifier: Apache-2.0 */
/* Lines that MeshAccessLogs have the daemon write and send. */

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e/fixture.h"
#include "support/h2_peer.h"

static void
put(struct world *w, const char *service, const char *backend)
{
	egress_writef(w->e, "policy.yaml",
	    "type: MeshAccessLog\nmesh: default\nname: p\nspec:\n  to:\n"
	    "  - targetRef: { kind: MeshService, name: %s }\n"
	    "    default: { backends: [ { %s } ] }\n",
	    service, backend);
}

/* Services raw and api, and a folder for the files. */
static void
start(struct world *w, char folder[64])
{
	char config[128];

	(void)strcpy(folder, "/tmp/zegress-logs.XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(
	    config, sizeof(config), "mesh_access_log = \"%s\";", folder);
	world_start_two(w, config);
}

static void
end(struct world *w, const char *folder)
{
	char words[96];

	world_end(w);
	(void)snprintf(words, sizeof(words), "rm -rf %s", folder);
	cr_expect_eq(system(words), 0);
}

/* The file, as text (static); empty if there is none. */
static const char *
lines_of(const char *folder, const char *name)
{
	static char text[4096];
	char path[160];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "r");
	if (f != NULL) {
		n = fread(text, 1, sizeof(text) - 1, f);
		(void)fclose(f);
	}
	text[n] = '\0';
	return text;
}

static bool
is_in_force(struct world *w, const char *path)
{
	char want[160];

	(void)snprintf(want, sizeof(want), "  log %s ", path);
	return WAIT_UNTIL(
	    5000, strstr(egress_ctl(w->e, "services -v"), want) != NULL);
}

Test(mesh_log, requests)
{
	char folder[64], path[96], file[512];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s/api.log", folder);
	(void)snprintf(file, sizeof(file),
	    "type: File, file: { path: %s, format: { type: Plain, plain: "
	    "'%%REQ(:METHOD)%% "
	    "%%REQ(:PATH)%% %%RESPONSE_CODE%% %%KUMA_SOURCE_SERVICE%% "
	    "%%KUMA_DESTINATION_SERVICE%% %%PROTOCOL%% %%RESPONSE_FLAGS%%' } }",
	    path);
	put(&w, "api", file);
	cr_assert(is_in_force(&w, path));
	cr_expect_eq(status_of(get_once(&w, "api", "/one?secret")), 200);
	cr_expect(WAIT_UNTIL(5000, lines_of(folder, "api.log")[0] != '\0'));
	cr_expect_str_eq(
	    lines_of(folder, "api.log"), "GET /one 200 web api HTTP/1.1 -\n");
	/* Our own log has it, too. */
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/one\""));
	end(&w, folder);
}

Test(mesh_log, connections)
{
	char folder[64], path[96], file[512];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s/raw.log", folder);
	(void)snprintf(file, sizeof(file),
	    "type: File, file: { path: %s, format: { type: Json, json: [ { "
	    "key: to, value: "
	    "'%%KUMA_DESTINATION_SERVICE%%' }, { key: code, value: "
	    "'%%RESPONSE_CODE%%' }, { key: method, value: "
	    "'%%REQ(:METHOD)%%' } ] } }",
	    path);
	put(&w, "raw", file);
	cr_assert(is_in_force(&w, path));
	world_use_two(&w);
	cr_expect(WAIT_UNTIL(5000, lines_of(folder, "raw.log")[0] != '\0'));
	cr_expect_str_eq(lines_of(folder, "raw.log"),
	    "{\"to\":\"raw\",\"code\":0,\"method\":null}\n");
	end(&w, folder);
}

Test(mesh_log, rotation)
{
	char folder[64], path[96], old[112], file[256];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s/api.log", folder);
	(void)snprintf(old, sizeof(old), "%s.1", path);
	(void)snprintf(file, sizeof(file),
	    "type: File, file: { path: %s, format: { type: Plain, plain: "
	    "'%%REQ(:PATH)%%' } }",
	    path);
	put(&w, "api", file);
	cr_assert(is_in_force(&w, path));
	(void)get_once(&w, "api", "/one");
	cr_expect(WAIT_UNTIL(
	    5000, strcmp(lines_of(folder, "api.log"), "/one\n") == 0));
	cr_assert_eq(rename(path, old), 0);
	egress_signal(w.e, SIGUSR1);
	/* Until a worker has heard it, lines go to the old file. */
	cr_expect(WAIT_UNTIL(
	    5000, status_of(get_once(&w, "api", "/two")) == 200 &&
		      strstr(lines_of(folder, "api.log"), "/two\n") != NULL));
	cr_expect(strstr(lines_of(folder, "api.log"), "/one") == NULL);
	end(&w, folder);
}

/* Whoever writes policies does not choose where the host is written to. */
Test(mesh_log, only_below_the_folder)
{
	char folder[64], path[96], file[160];
	struct world w;

	start(&w, folder);
	(void)snprintf(path, sizeof(path), "%s.outside", folder);
	(void)snprintf(
	    file, sizeof(file), "type: File, file: { path: %s }", path);
	put(&w, "api", file);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "backends[0].file.path") &&
		      egress_said(w.e, "files may only be written below")));
	cr_expect_eq(status_of(get_once(&w, "api", "/one")), 200);
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/one\""));
	cr_expect_neq(access(path, F_OK), 0);
	end(&w, folder);
}

/* A listener on a free port of 127.0.0.1. */
static int
listen_somewhere(char to[32])
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
	};
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	cr_assert_eq(bind(fd, (struct sockaddr *)&in, len), 0);
	cr_assert_eq(listen(fd, 8), 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	(void)snprintf(to, 32, "127.0.0.1:%u", ntohs(in.sin_port));
	return fd;
}

/* From whichever worker has come; *guest is -1 before. */
static bool
has_heard(int door, int *guest, const char *line)
{
	char said[256] = "";

	if (*guest == -1)
		*guest = accept4(door, NULL, NULL, SOCK_CLOEXEC);
	return *guest != -1 &&
	       recv(*guest, said, sizeof(said) - 1, MSG_DONTWAIT) > 0 &&
	       strcmp(said, line) == 0;
}

Test(mesh_log, a_sink)
{
	char to[32], config[96], backend[256];
	int door = listen_somewhere(to), guest = -1;
	struct world w;

	(void)snprintf(
	    config, sizeof(config), "mesh_access_log_sinks = [ \"%s\" ];", to);
	world_start_two(&w, config);
	(void)snprintf(backend, sizeof(backend),
	    "type: Tcp, tcp: { address: '%s', format: { type: Plain, plain: "
	    "'%%REQ(:PATH)%% %%KUMA_SOURCE_SERVICE%%' } }",
	    to);
	put(&w, "api", backend);
	(void)snprintf(config, sizeof(config), "tcp:%s", to);
	cr_assert(is_in_force(&w, config));
	cr_expect_eq(status_of(get_once(&w, "api", "/one")), 200);
	cr_expect(WAIT_UNTIL(5000, has_heard(door, &guest, "/one web\n")));
	world_end(&w);
	(void)close(guest);
	(void)close(door);
}

/* Nor where the host connects to. */
Test(mesh_log, only_to_named_sinks)
{
	char to[32], backend[96];
	int door = listen_somewhere(to), guest = -1;
	struct world w;

	world_start_two(&w, "mesh_access_log_sinks = [ \"127.0.0.1:1\" ];");
	(void)snprintf(
	    backend, sizeof(backend), "type: Tcp, tcp: { address: '%s' }", to);
	put(&w, "api", backend);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "backends[0].tcp.address") &&
		      egress_said(w.e, "mesh_access_log_sinks in zegressd.conf "
				       "does not name it")));
	cr_expect_eq(status_of(get_once(&w, "api", "/one")), 200);
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/one\""));
	world_end(&w);
	cr_expect(!has_heard(door, &guest, ""));
	cr_expect_eq(guest, -1);
	(void)close(door);
}

/* Collectors: each connection speaks HTTP/2, and the test answers. */
struct collector {
	struct lines lines;
	struct door *door;
	struct h2_peer *v[16];
	size_t n;
};

static void
on_line(struct line *l, void *arg)
{
	struct collector *c = arg;

	cr_assert_lt(c->n, sizeof(c->v) / sizeof(c->v[0]));
	c->v[c->n++] =
	    h2_peer_new(l, &(struct h2_options){ .is_server = true });
}

/* The world, whose service api has its lines sent to c. */
static void
start_collected(struct world *w, struct collector *c)
{
	char config[96], backend[256];

	c->door = door_open(
	    &c->lines, &(struct door_options){ .on_line = on_line, .arg = c });
	(void)snprintf(config, sizeof(config),
	    "mesh_access_log_sinks = [ \"127.0.0.1:%u\" ];", c->door->port);
	world_start_two(w, config);
	(void)snprintf(backend, sizeof(backend),
	    "type: OpenTelemetry, openTelemetry: { endpoint: '127.0.0.1:%u', "
	    "attributes: [ { key: path, value: '<%%REQ(:PATH)%%>' } ], body: "
	    "'from %%KUMA_SOURCE_SERVICE%%' }",
	    c->door->port);
	put(w, "api", backend);
	(void)snprintf(
	    config, sizeof(config), "otlp:127.0.0.1:%u", c->door->port);
	cr_assert(is_in_force(w, config));
}

/* The n-th call on the k-th connection, once all of it is there. */
static struct h2_talk *
called(struct collector *c, size_t k, size_t n)
{
	struct h2_talk *t = NULL;

	cr_assert(TURN_UNTIL(&c->lines, 5000,
	    c->n > k && (t = h2_nth(c->v[k], n)) != NULL && t->in->ended));
	return t;
}

static bool
has_text(const struct h2_talk *t, const char *text)
{
	return memmem(t->in->body.p, t->in->body.n, text, strlen(text)) != NULL;
}

static void
answer(struct collector *c, struct h2_talk *t, const char *trailers)
{
	h2_answer(t, &(struct said){ .status = 200,
			 .fields = "content-type: application/grpc\n",
			 .stays_open = true });
	h2_finish(t, trailers);
	lines_turn(&c->lines, 0);
}

static double
lost(struct world *w)
{
	return egress_metric(w->e, "zegress_mesh_access_log_lost");
}

Test(mesh_log, a_collector)
{
	struct collector c = { .n = 0 };
	struct world w;
	struct h2_talk *t;

	start_collected(&w, &c);
	cr_expect_eq(status_of(get_once(&w, "api", "/one")), 200);
	t = called(&c, 0, 0);
	cr_expect_str_eq(message_field(t->in, ":path"),
	    "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
	cr_expect_str_eq(
	    message_field(t->in, "content-type"), "application/grpc");
	cr_expect_str_eq(message_field(t->in, "te"), "trailers");
	cr_expect(has_text(t, "from web"));
	cr_expect(has_text(t, "</one>"));
	/* While it has not answered, lines wait and go together. */
	cr_expect_eq(status_of(get_once(&w, "api", "/two")), 200);
	cr_expect_eq(status_of(get_once(&w, "api", "/three")), 200);
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/three\""));
	answer(&c, t, "grpc-status: 0\n");
	t = called(&c, 0, 1);
	cr_expect(has_text(t, "</two>"));
	cr_expect(has_text(t, "</three>"));
	cr_expect_eq(lost(&w), 0);
	/* What it refuses is counted, and the connection goes on. */
	answer(&c, t, "grpc-status: 3\n");
	cr_expect(WAIT_UNTIL(5000, lost(&w) == 2));
	cr_expect(egress_said(w.e, "status 200 and grpc-status 3"));
	cr_expect_eq(status_of(get_once(&w, "api", "/four")), 200);
	cr_expect(has_text(called(&c, 0, 2), "</four>"));
	world_end(&w);
	lines_free(&c.lines);
}

/* A connection that ends in order loses nothing. */
Test(mesh_log, a_collector_that_says_goaway)
{
	struct collector c = { .n = 0 };
	struct world w;
	struct h2_talk *t;

	start_collected(&w, &c);
	cr_expect_eq(status_of(get_once(&w, "api", "/one")), 200);
	t = called(&c, 0, 0);
	h2_goaway(c.v[0], t->id, CODE_NO_ERROR);
	answer(&c, t, "grpc-status: 0\n");
	cr_expect_eq(status_of(get_once(&w, "api", "/two")), 200);
	t = called(&c, 1, 0);
	cr_expect(has_text(t, "</two>"));
	answer(&c, t, "grpc-status: 0\n");
	cr_expect_eq(lost(&w), 0);
	world_end(&w);
	lines_free(&c.lines);
}

/* One that ends in the middle of a call costs that call's lines. */
Test(mesh_log, a_collector_that_breaks_off)
{
	struct collector c = { .n = 0 };
	struct world w;

	start_collected(&w, &c);
	cr_expect_eq(status_of(get_once(&w, "api", "/one")), 200);
	(void)called(&c, 0, 0);
	line_reset(c.v[0]->line);
	cr_expect(WAIT_UNTIL(5000, (lines_turn(&c.lines, 0), lost(&w) == 1)));
	cr_expect_eq(status_of(get_once(&w, "api", "/two")), 200);
	cr_expect(has_text(called(&c, 1, 0), "</two>"));
	world_end(&w);
	lines_free(&c.lines);
}

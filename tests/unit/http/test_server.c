/* SPDX-License-Identifier: Apache-2.0 */
/* http/server.h: the admin server, asked by libcurl and by hand. */

#include <criterion/criterion.h>
#include <curl/curl.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "http/server.h"
#include "net/sock.h"

#define BIG ((size_t)3 * 1024 * 1024)
#define MAX_CALLERS 3
#define WAIT_MS 5000

struct rig {
	struct loop *loop;
	struct server *server;
	struct addr addr;
	pthread_t thread;
};

static void
fill(struct text *t, size_t n)
{
	char *p = text_reserve(t, n);

	for (size_t i = 0; i < n; i++)
		p[i] = (char)('a' + i % 23);
	t->len += n;
}

static void
handle(void *arg, const struct server_request *q, struct server_answer *a)
{
	(void)arg;
	a->content_type = "text/plain";
	if (str_eq(q->path, STR("/big"))) {
		fill(&a->body, BIG);
	} else if (str_eq(q->path, STR("/empty"))) {
		a->status = 204;
		a->content_type = NULL;
	} else if (str_eq(q->path, STR("/echo"))) {
		text_add(&a->body, q->query);
	} else {
		a->status = 404;
		text_add_z(&a->body, "not here\n");
	}
}

static void *
run(void *arg)
{
	struct rig *r = arg;

	loop_run(r->loop);
	return NULL;
}

static void
open_rig_for(struct rig *r, size_t callers)
{
	socklen_t len = sizeof(r->addr.u);
	int fd;

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &r->addr));
	fd = sock_listen(&r->addr, false, 16);
	cr_assert_neq(fd, -1);
	getsockname(fd, &r->addr.u.sa, &len);
	r->loop = loop_new();
	r->server = server_new(r->loop, fd, callers, handle, NULL);
	cr_assert_eq(pthread_create(&r->thread, NULL, run, r), 0);
}

static void
open_rig(struct rig *r)
{
	open_rig_for(r, MAX_CALLERS);
}

static void
close_rig(struct rig *r)
{
	loop_stop(r->loop);
	pthread_join(r->thread, NULL);
	server_free(r->server);
	loop_turn(r->loop);
	loop_free(r->loop);
}

struct reply {
	CURLcode code;
	long status;
	long connects;
	struct text body;
	struct text heads;
};

static size_t
add(char *p, size_t size, size_t n, void *arg)
{
	text_add(arg, (struct str){ p, size * n });
	return size * n;
}

static void
get(CURL *c, const struct rig *r, const char *method, const char *path,
    struct reply *out)
{
	char url[128];

	*out = (struct reply){ .body = TEXT_EMPTY, .heads = TEXT_EMPTY };
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
	    addr_port(&r->addr), path);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c, CURLOPT_NOBODY, strcmp(method, "HEAD") == 0);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)WAIT_MS);
	curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, add);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, &out->body);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, add);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, &out->heads);
	out->code = curl_easy_perform(c);
	curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &out->status);
	curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &out->connects);
}

/* clang-format off */
static const struct {
	const char *method;
	const char *path;
	long status;
	const char *body;
	const char *head; /* one of its lines */
} rows[] = {
	{ "GET", "/echo?a=b&c", 200, "a=b&c", "Content-Type: text/plain\r\n" },
	{ "GET", "/echo", 200, "", "Content-Length: 0\r\n" },
	{ "GET", "/none", 404, "not here\n", "Content-Length: 9\r\n" },
	{ "HEAD", "/none", 404, "", "Content-Length: 9\r\n" },
	{ "HEAD", "/big", 200, "", "Content-Length: 3145728\r\n" },
	{ "GET", "/empty", 204, "", "204 No Content\r\n" },
	{ "POST", "/echo?a", 405, "only GET and HEAD are answered here\n", "Allow: GET, HEAD\r\n" },
	{ "DELETE", "/echo?a", 405, "only GET and HEAD are answered here\n", "Allow: GET, HEAD\r\n" },
	{ "GET", "/echo?last", 200, "last", "200 OK\r\n" },
};
/* clang-format on */

Test(server, answers_on_one_connection)
{
	struct reply reply;
	struct rig r;
	CURL *c;

	open_rig(&r);
	c = curl_easy_init();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		get(c, &r, rows[i].method, rows[i].path, &reply);
		cr_expect_eq(reply.code, CURLE_OK, "%s %s: %s", rows[i].method,
		    rows[i].path, curl_easy_strerror(reply.code));
		cr_expect_eq(reply.status, rows[i].status, "%s %s: %ld",
		    rows[i].method, rows[i].path, reply.status);
		cr_expect(str_eq(text_str(&reply.body), str_of(rows[i].body)),
		    "%s %s: '%.*s'", rows[i].method, rows[i].path,
		    STR_ARG(text_str(&reply.body)));
		cr_expect_not_null(strstr(reply.heads.p, rows[i].head),
		    "%s %s: %s", rows[i].method, rows[i].path, reply.heads.p);
		cr_expect_eq(reply.connects, i == 0 ? 1 : 0, "%s %s",
		    rows[i].method, rows[i].path);
		text_free(&reply.body);
		text_free(&reply.heads);
	}
	curl_easy_cleanup(c);
	close_rig(&r);
}

Test(server, a_big_answer_is_whole)
{
	struct text want = TEXT_EMPTY;
	struct reply reply;
	struct rig r;
	CURL *c;

	open_rig(&r);
	c = curl_easy_init();
	get(c, &r, "GET", "/big", &reply);
	fill(&want, BIG);
	cr_expect_eq(reply.code, CURLE_OK);
	cr_expect(str_eq(text_str(&reply.body), text_str(&want)));
	text_free(&want);
	text_free(&reply.body);
	text_free(&reply.heads);
	curl_easy_cleanup(c);
	close_rig(&r);
}

static int
dial(const struct rig *r)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(connect(fd, &r->addr.u.sa, sizeof(r->addr.u.in)), 0);
	return fd;
}

/* Everything until the server closes, or what came in WAIT_MS. */
static void
read_all(int fd, struct text *out)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n = 1;

	while (n > 0 && poll(&p, 1, WAIT_MS) == 1) {
		n = recv(fd, text_reserve(out, 65536), 65536, 0);
		if (n > 0)
			out->len += (size_t)n;
	}
	cr_expect_eq(n, 0, "it did not close in order");
}

/* clang-format off */
static const struct {
	const char *what;
	struct str in;
	const char *out;
} by_hand[] = {
	{ "two in one, and close", STR("GET /echo?1 HTTP/1.1\r\nHost: a\r\n\r\n"
	    "GET /echo?2 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\n1"
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\n2" },
	{ "no HTTP", STR("what?\r\n\r\n"),
	    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
	{ "no Host", STR("GET / HTTP/1.1\r\n\r\n"),
	    "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
	{ "HTTP/1.0", STR("GET / HTTP/1.0\r\n\r\n"),
	    "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
	{ "another coding", STR("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
	    "HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
	{ "a body", STR("GET /echo?1 HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nunre"),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\n1" },
	{ "TLS", STR("\x16\x03\x01\x02\x00"), "" },
};
/* clang-format on */

Test(server, what_no_client_should_send)
{
	struct text got = TEXT_EMPTY;
	struct rig r;
	int fd;

	/* The server may not have met the end of those before. */
	open_rig_for(&r, ARRAY_LEN(by_hand));
	for (size_t i = 0; i < ARRAY_LEN(by_hand); i++) {
		fd = dial(&r);
		cr_assert_eq(send(fd, by_hand[i].in.p, by_hand[i].in.len, 0),
		    (ssize_t)by_hand[i].in.len);
		text_clear(&got);
		read_all(fd, &got);
		cr_expect(str_eq(text_str(&got), str_of(by_hand[i].out)),
		    "%s: '%.*s'", by_hand[i].what, STR_ARG(text_str(&got)));
		close(fd);
	}
	text_free(&got);
	close_rig(&r);
}

Test(server, an_endless_head_is_refused)
{
	struct text got = TEXT_EMPTY, in = TEXT_EMPTY;
	struct rig r;
	int fd;

	text_add_z(&in, "GET / HTTP/1.1\r\nX: ");
	fill(&in, 20000);
	open_rig(&r);
	fd = dial(&r);
	cr_assert_eq(send(fd, in.p, in.len, 0), (ssize_t)in.len);
	read_all(fd, &got);
	cr_expect(str_starts(text_str(&got), STR("HTTP/1.1 431 ")));
	close(fd);
	text_free(&got);
	text_free(&in);
	close_rig(&r);
}

static bool
is_served(int fd)
{
	static const char ask[] = "GET /echo?x HTTP/1.1\r\nHost: a\r\n\r\n";
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char got[256];

	return send(fd, ask, sizeof(ask) - 1, MSG_NOSIGNAL) > 0 &&
	       poll(&p, 1, WAIT_MS) == 1 && recv(fd, got, sizeof(got), 0) > 0;
}

Test(server, one_too_many_is_closed_and_room_comes_back)
{
	int fds[MAX_CALLERS], more;
	struct rig r;
	bool is_back = false;

	open_rig(&r);
	for (size_t i = 0; i < MAX_CALLERS; i++) {
		fds[i] = dial(&r);
		cr_expect(is_served(fds[i]), "caller %zu", i);
	}
	more = dial(&r);
	cr_expect_not(is_served(more));
	close(more);
	/* Those inside are not touched. */
	cr_expect(is_served(fds[0]));
	close(fds[1]);
	/* The server learns of it in its own time. */
	for (int i = 0; i < 1000 && !is_back; i++) {
		more = dial(&r);
		is_back = is_served(more);
		close(more);
	}
	cr_expect(is_back);
	close(fds[0]);
	close(fds[2]);
	close_rig(&r);
}

/* In this thread, so that time can be moved by hand. */
static void
open_slow(struct rig *r, int *fd, struct str said)
{
	socklen_t len = sizeof(r->addr.u);
	int listener;

	clock_fake(1000, 0);
	cr_assert(addr_parse(STR("127.0.0.1"), 0, &r->addr));
	listener = sock_listen(&r->addr, false, 16);
	cr_assert_neq(listener, -1);
	getsockname(listener, &r->addr.u.sa, &len);
	r->loop = loop_new();
	r->server = server_new(r->loop, listener, MAX_CALLERS, handle, NULL);
	*fd = dial(r);
	if (said.len > 0)
		cr_assert_eq(send(*fd, said.p, said.len, 0), (ssize_t)said.len);
	for (int i = 0; i < 20; i++)
		loop_turn(r->loop);
}

static bool
is_closed_at(struct rig *r, int fd, uint64_t ms)
{
	char got[256];
	ssize_t n = 1;

	clock_fake(ms, 0);
	for (int i = 0; i < 20; i++)
		loop_turn(r->loop);
	while (n > 0)
		n = recv(fd, got, sizeof(got), MSG_DONTWAIT);
	return n == 0;
}

/* clang-format off */
static const struct {
	const char *what;
	struct str said;
	uint64_t ms;
} slow[] = {
	{ "silence", STR(""), 10000 },
	{ "half a head", STR("GET / HTTP/1.1\r\n"), 10000 },
	{ "half a head behind a request", STR("GET /echo HTTP/1.1\r\nHost: a\r\n\r\nGET"), 10000 },
	{ "nothing behind a request", STR("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n"), 60000 },
};
/* clang-format on */

Test(server, slow_callers_are_closed_in_time)
{
	struct rig r;
	int fd;

	for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
		open_slow(&r, &fd, slow[i].said);
		cr_expect_not(is_closed_at(&r, fd, 1000 + slow[i].ms - 1), "%s",
		    slow[i].what);
		cr_expect(is_closed_at(&r, fd, 1000 + slow[i].ms + 1), "%s",
		    slow[i].what);
		close(fd);
		server_free(r.server);
		loop_free(r.loop);
	}
}

static bool
is_answered(struct rig *r, int fd)
{
	char b[512];

	for (int i = 0; i < 20; i++)
		loop_turn(r->loop);
	return recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0;
}

/* Who waits to be accepted must not keep the loop busy meanwhile. */
Test(server, without_descriptors_it_rests)
{
	const struct str echo = STR("GET /echo?x HTTP/1.1\r\nHost: a\r\n\r\n");
	struct rlimit before, few;
	struct rig r;
	int first, fd, next;

	open_slow(&r, &first, STR(""));
	fd = dial(&r);
	cr_assert_eq(send(fd, echo.p, echo.len, 0), (ssize_t)echo.len);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	next = dup(fd);
	close(next);
	few = before;
	few.rlim_cur = (rlim_t)next;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_expect_not(is_answered(&r, fd));
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_expect_not(is_answered(&r, fd), "it does not look all the time");
	clock_fake(1200, 0);
	cr_expect(is_answered(&r, fd));
	close(first);
	close(fd);
	server_free(r.server);
	loop_free(r.loop);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every protocol of a service, every way of a caller, plain and TLS servers:
 * messages arrive whole, whatever is spoken on either side.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

#define MIB (1 << 20)

static const struct {
	const char *name; /* of the service */
	const char *protocol;
	struct server_options server;
} services[] = {
	{ "http-plain", "http", { .is_h1 = true } },
	{ "http-tls", "http",
	    { .name = "h1.example", .is_h1 = true, .alpn = "http/1.1" } },
	{ "http2-plain", "http2", { .name = NULL } },
	{ "http2-tls", "http2", { .name = "h2.example", .alpn = "h2" } },
	{ "grpc-plain", "grpc", { .name = NULL } },
	{ "grpc-tls", "grpc", { .name = "grpc.example", .alpn = "h2" } },
};

#define N_SERVICES (sizeof(services) / sizeof(services[0]))

static const char *const callers[CALLERS] = { "h1", "h2 by ALPN",
	"h2 by preface" };

/* What is done in every cell; where says which, in messages. */
typedef void check_cell(struct rig *r, struct party *p, const char *where);

static void
check_wrong(const struct server *s, const char *where)
{
	for (size_t i = 0; i < s->n_came; i++)
		if (s->came[i].h2 != NULL)
			cr_expect_str_eq(s->came[i].h2->wrong, "", "%s: %s",
			    where, s->came[i].h2->wrong);
}

static void
for_each_cell(check_cell *check)
{
	struct rig r;
	struct server *s[N_SERVICES];
	struct party p;
	char where[128];

	rig_init(&r, NULL);
	for (size_t i = 0; i < N_SERVICES; i++) {
		s[i] = rig_serve(&r, &services[i].server);
		rig_service(&r, services[i].name, services[i].protocol, s[i]);
	}
	rig_start(&r);
	for (size_t i = 0; i < N_SERVICES; i++)
		for (int kind = 0; kind < CALLERS; kind++) {
			(void)snprintf(where, sizeof(where), "%s to %s",
			    callers[kind], services[i].name);
			p = rig_call(
			    &r, (enum caller_kind)kind, services[i].name);
			check(&r, &p, where);
			check_wrong(s[i], where);
			if (p.h2 != NULL)
				cr_expect_str_eq(p.h2->wrong, "", "%s", where);
			line_close(party_line(&p));
		}
	rig_end(&r);
}

/* The answer to a, complete. */
static struct message *
whole(struct rig *r, struct party *p, const char *where, const struct said *a)
{
	struct message *m = party_ask(p, a);

	cr_assert(UNTIL(r, m->ended || m->was_reset) && m->ended,
	    "%s: %s %s: not ended, reset %d (%u)", where,
	    a->method != NULL ? a->method : "GET",
	    a->path != NULL ? a->path : "/", m->was_reset, m->reset_code);
	return m;
}

static void
check_requests(struct rig *r, struct party *p, const char *where)
{
	static const struct {
		struct said said;
		const char *method, *body;
	} rows[] = {
		{ { .path = "/q?a=1&b=%20" }, "GET", "body 0 pattern" },
		{ { .method = "POST", .path = "/q?a=1&b=%20", .body = "hello" },
		    "POST", "body 5 other\nhello\n" },
		{ { .method = "PUT",
		      .path = "/q?a=1&b=%20",
		      .body = "hi",
		      .is_streamed = true },
		    "PUT", "body 2 other\nhi\n" },
		{ { .method = "POST", .path = "/q?a=1&b=%20", .n = MIB },
		    "POST", "body 1048576 pattern" },
		{ { .method = "POST",
		      .path = "/q?a=1&b=%20",
		      .n = MIB,
		      .is_streamed = true },
		    "POST", "body 1048576 pattern" },
		{ { .method = "POST",
		      .path = "/q?a=1&b=%20",
		      .n = 300,
		      .is_streamed = true,
		      .trailers = "x-sum: 7\nx-more: a b\n" },
		    "POST", "trailer x-sum: 7\ntrailer x-more: a b\n" },
		{ { .method = "DELETE", .path = "/q?a=1&b=%20" }, "DELETE",
		    "body 0 pattern" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message *m = whole(r, p, where, &rows[i].said);

		cr_expect_eq(m->status, 200, "%s, row %zu", where, i);
		cr_expect_str_eq(told(m, ":method"), rows[i].method,
		    "%s, row %zu", where, i);
		cr_expect_str_eq(
		    told(m, ":path"), "/q?a=1&b=%20", "%s, row %zu", where, i);
		cr_expect(strstr(bytes_text(&m->body), rows[i].body) != NULL,
		    "%s, row %zu: %s", where, i, bytes_text(&m->body));
	}
}

Test(h2_matrix, requests)
{
	for_each_cell(check_requests);
}

static void
check_answers(struct rig *r, struct party *p, const char *where)
{
	static const struct {
		const char *method, *path;
		int status;
		uint64_t n;
		const char *length; /* NULL: none */
	} rows[] = {
		{ "GET", "/bytes/5", 200, 5, "5" },
		{ "GET", "/streamed/5", 200, 5, NULL },
		{ "GET", "/bytes/1048576", 200, MIB, "1048576" },
		{ "GET", "/streamed/1048576", 200, MIB, NULL },
		{ "HEAD", "/bytes/1000", 200, 0, "1000" },
		{ "HEAD", "/streamed/1000", 200, 0, NULL },
		{ "GET", "/status/204", 204, 0, NULL },
		{ "GET", "/status/304", 304, 0, NULL },
		{ "GET", "/status/500", 500, 0, "0" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct message *m = whole(r, p, where,
		    &(struct said){
			.method = rows[i].method, .path = rows[i].path });
		const char *length = message_field(m, "content-length");

		cr_expect_eq(m->status, rows[i].status, "%s, row %zu: %d",
		    where, i, m->status);
		cr_expect_eq(m->n_body, rows[i].n, "%s, row %zu", where, i);
		cr_expect_not(m->is_other, "%s, row %zu", where, i);
		if (rows[i].length == NULL)
			cr_expect_null(length, "%s, row %zu", where, i);
		else if (rows[i].n > 0 || length != NULL)
			cr_expect_str_eq(length != NULL ? length : "",
			    rows[i].length, "%s, row %zu", where, i);
	}
}

Test(h2_matrix, answers)
{
	for_each_cell(check_answers);
}

static void
check_trailers(struct rig *r, struct party *p, const char *where)
{
	struct message *m = whole(r, p, where,
	    &(struct said){ .path = "/trailers", .fields = "te: trailers\n" });

	cr_expect_eq(m->status, 200, "%s", where);
	cr_expect_str_eq(bytes_text(&m->body), "body", "%s", where);
	cr_expect(strstr(bytes_text(&m->trailers), "x-sum: 42\n") != NULL,
	    "%s: %s", where, bytes_text(&m->trailers));
	cr_expect(strstr(bytes_text(&m->trailers), "x-more: yes\n") != NULL,
	    "%s", where);
}

Test(h2_matrix, trailers_of_answers)
{
	for_each_cell(check_trailers);
}

static void
say_more(struct party *p, const char *text)
{
	const struct said more = { .body = text };

	if (p->h2 != NULL)
		h2_more(p->h2->talks[p->h2->n_talks - 1], &more);
	else
		h1_more(p->h1, &more);
}

static void
check_interim(struct rig *r, struct party *p, const char *where)
{
	struct message *m =
	    whole(r, p, where, &(struct said){ .path = "/informational" });

	cr_expect_eq(m->n_interim, 1, "%s", where);
	cr_expect(strstr(bytes_text(&m->interim), ":status: 103\n") != NULL &&
		      strstr(bytes_text(&m->interim), "link: </a>\n") != NULL,
	    "%s: %s", where, bytes_text(&m->interim));
	cr_expect_str_eq(bytes_text(&m->body), "ok", "%s", where);
	m = party_ask(p, &(struct said){ .method = "POST",
			     .fields = "expect: 100-continue\n",
			     .stays_open = true });
	cr_expect(UNTIL(r, m->n_interim == 1), "%s: no 100", where);
	cr_expect(strstr(bytes_text(&m->interim), ":status: 100\n") != NULL);
	cr_expect_not(m->has_head, "%s", where);
	say_more(p, "late");
	cr_assert(UNTIL(r, m->ended), "%s", where);
	cr_expect(strstr(bytes_text(&m->body), "body 4 other\nlate") != NULL,
	    "%s: %s", where, bytes_text(&m->body));
}

Test(h2_matrix, interim_answers)
{
	for_each_cell(check_interim);
}

static bool
has_line(const struct message *m, const char *line)
{
	return strstr(bytes_text(&m->body), line) != NULL;
}

static void
check_heads(struct rig *r, struct party *p, const char *where)
{
	static const char fields[] = "x-kuma-tags: &kuma.io/service=admin&\n"
				     "x-forwarded-client-cert: By=liar\n"
				     "x-request-id: mine-1\n"
				     "authorization: Bearer t\n"
				     "x-twice: 1\nx-twice: 2\n"
				     "x-empty: \n"
				     "te: trailers\n";
	static const char *const kept[] = { "x-request-id: mine-1\n",
		"authorization: Bearer t\n", "x-twice: 1\n", "x-twice: 2\n",
		"x-empty: \n", "cookie: a=b; c=d\n", ":path: /h\n" };
	static const char *const gone[] = { "x-kuma-tags", "liar", "keep-alive",
		"proxy-connection", "transfer-encoding", "upgrade",
		"http2-settings" };
	bool is_h1 = strstr(where, "to http-") != NULL;
	const char *te = p->h2 != NULL ? "trailers" : NULL;
	char all[1024];
	struct message *m;

	(void)snprintf(all, sizeof(all), "%s%s", fields,
	    p->h2 != NULL ? "cookie: a=b\ncookie: c=d\n"
			  : "cookie: a=b; c=d\nconnection: te, keep-alive\n");
	m = whole(r, p, where, &(struct said){ .path = "/h", .fields = all });
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		cr_expect(has_line(m, kept[i]), "%s: no %s in %s", where,
		    kept[i], bytes_text(&m->body));
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		cr_expect_not(has_line(m, gone[i]), "%s: %s", where, gone[i]);
	if (!is_h1)
		cr_expect_null(told(m, "connection"), "%s", where);
	if (te != NULL)
		cr_expect(
		    told(m, "te") != NULL && strcmp(told(m, "te"), te) == 0,
		    "%s: %s", where, bytes_text(&m->body));
}

Test(h2_matrix, heads_of_requests)
{
	for_each_cell(check_heads);
}

/* The server's own name, where it has one. */
static void
check_authority(struct rig *r, struct party *p, const char *where)
{
	const char *want = "caller.example";
	struct message *m = whole(r, p, where, &(struct said){ .path = "/" });

	for (size_t i = 0; i < N_SERVICES; i++)
		if (services[i].server.name != NULL &&
		    strstr(where, services[i].name) != NULL)
			want = services[i].server.name;
	cr_expect_str_eq(told(m, ":authority"), want, "%s", where);
	/* Exactly one, whatever the caller's version called it. */
	cr_expect(strstr(bytes_text(&m->body), "host: ") == NULL, "%s: %s",
	    where, bytes_text(&m->body));
	cr_expect(told(m, "x-request-id") != NULL &&
		      strlen(told(m, "x-request-id")) == 36,
	    "%s", where);
}

Test(h2_matrix, authority)
{
	for_each_cell(check_authority);
}

static void
check_cookies(struct rig *r, struct party *p, const char *where)
{
	struct message *m =
	    whole(r, p, where, &(struct said){ .path = "/cookies" });

	cr_expect_eq(message_count(m, "set-cookie"), 2, "%s: %s", where,
	    bytes_text(&m->head));
	cr_expect_null(message_field(m, "connection"), "%s", where);
	cr_expect_null(message_field(m, "keep-alive"), "%s", where);
	m = whole(r, p, where, &(struct said){ .path = "/hop" });
	cr_expect_eq(m->status, 200);
}

Test(h2_matrix, heads_of_answers)
{
	for_each_cell(check_cookies);
}

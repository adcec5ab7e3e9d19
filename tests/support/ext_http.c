/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.1 of the external server for tests: what it does is in the path. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "support/ext_talk.h"

struct request {
	char method[32];
	char path[2048];
	uint64_t length;
	bool is_chunked;
	bool expects;
	bool wants_close;
	bool is_head;
	size_t head_len;
};

static bool
put_pattern(struct ext_peer *p, uint64_t n)
{
	char block[16384];
	size_t piece;

	memset(block, 'b', sizeof(block));
	for (; n > 0; n -= piece) {
		piece = n < sizeof(block) ? (size_t)n : sizeof(block);
		if (!ext_write(p, block, piece))
			return false;
	}
	return true;
}

static const char *
field(const char *head, const char *name)
{
	static __thread char value[1024];
	size_t n = strlen(name);

	for (const char *l = strstr(head, "\r\n"); l != NULL;
	     l = strstr(l, "\r\n")) {
		l += 2;
		if (strncasecmp(l, name, n) != 0 || l[n] != ':')
			continue;
		l += n + 1;
		l += strspn(l, " ");
		(void)snprintf(
		    value, sizeof(value), "%.*s", (int)strcspn(l, "\r\n"), l);
		return value;
	}
	return NULL;
}

static void
note_request(struct ext_peer *p)
{
	struct ext_seen *seen = &p->server->seen;

	pthread_mutex_lock(&p->server->lock);
	seen->requests++;
	(void)snprintf(seen->head, sizeof(seen->head), "%.*s",
	    (int)sizeof(seen->head) - 1, p->in);
	pthread_mutex_unlock(&p->server->lock);
}

static bool
read_head(struct ext_peer *p, struct request *q)
{
	const char *v;
	char *end = NULL;
	ssize_t n;

	while (p->n_in == 0 ||
	       (end = memmem(p->in, p->n_in, "\r\n\r\n", 4)) == NULL) {
		if (p->n_in == sizeof(p->in) - 1)
			return false;
		n = ext_read(p, p->in + p->n_in, sizeof(p->in) - 1 - p->n_in);
		if (n <= 0)
			return false;
		p->n_in += (size_t)n;
	}
	memset(q, 0, sizeof(*q));
	q->head_len = (size_t)(end - p->in) + 4;
	end[2] = '\0'; /* the last line keeps its end */
	if (sscanf(p->in, "%31s %2047s", q->method, q->path) != 2)
		return false;
	note_request(p);
	if ((v = field(p->in, "content-length")) != NULL)
		q->length = strtoull(v, NULL, 10);
	q->is_chunked = field(p->in, "transfer-encoding") != NULL;
	q->expects = field(p->in, "expect") != NULL;
	q->is_head = strcmp(q->method, "HEAD") == 0;
	v = field(p->in, "connection");
	q->wants_close = v != NULL && strcasecmp(v, "close") == 0;
	return true;
}

static void
consume(struct ext_peer *p, size_t n)
{
	memmove(p->in, p->in + n, p->n_in - n);
	p->n_in -= n;
}

/* Up to n bytes of what follows. */
static ssize_t
take(struct ext_peer *p, char *b, size_t n)
{
	if (p->n_in > 0) {
		n = n < p->n_in ? n : p->n_in;
		memcpy(b, p->in, n);
		consume(p, n);
		return (ssize_t)n;
	}
	return ext_read(p, b, n);
}

static bool
take_line(struct ext_peer *p, char *b, size_t cap)
{
	size_t n = 0;

	while (n + 1 < cap && take(p, b + n, 1) == 1) {
		if (b[n++] != '\n')
			continue;
		b[n] = '\0';
		return true;
	}
	return false;
}

struct body {
	char text[2048]; /* its first bytes */
	uint64_t n;
};

static bool
read_bytes(struct ext_peer *p, struct body *body, uint64_t left)
{
	char b[16384];
	ssize_t n;

	for (; left > 0; left -= (uint64_t)n) {
		n = take(p, b, left < sizeof(b) ? (size_t)left : sizeof(b));
		if (n <= 0)
			return false;
		if (body->n + (uint64_t)n < sizeof(body->text)) {
			memcpy(body->text + body->n, b, (size_t)n);
			body->text[body->n + (uint64_t)n] = '\0';
		}
		body->n += (uint64_t)n;
		ext_count_bytes(p, (size_t)n);
	}
	return true;
}

static bool
read_trailers(struct ext_peer *p, struct body *body)
{
	size_t n = strlen(body->text);
	char line[256];

	while (take_line(p, line, sizeof(line))) {
		if (strcmp(line, "\r\n") == 0)
			return true;
		n += (size_t)snprintf(body->text + n, sizeof(body->text) - n,
		    "\ntrailer %s", line);
		if (n >= sizeof(body->text))
			break;
	}
	return false;
}

/* False when it was cut short. */
static bool
read_body(struct ext_peer *p, const struct request *q, struct body *body)
{
	char line[256];
	uint64_t n;

	memset(body, 0, sizeof(*body));
	if (!q->is_chunked)
		return read_bytes(p, body, q->length);
	for (;;) {
		if (!take_line(p, line, sizeof(line)))
			return false;
		n = strtoull(line, NULL, 16);
		if (n == 0)
			return read_trailers(p, body);
		if (!read_bytes(p, body, n) ||
		    !take_line(p, line, sizeof(line)))
			return false;
	}
}

/* Answers by path; false: the connection is over. */

static bool
say_bytes(struct ext_peer *p, const struct request *q, uint64_t n)
{
	return ext_say(p, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n",
		   (unsigned long long)n) &&
	       (q->is_head || put_pattern(p, n));
}

static bool
say_chunked(struct ext_peer *p, const struct request *q, uint64_t n)
{
	uint64_t piece;

	if (!ext_say(
		p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
		return false;
	if (q->is_head)
		return true;
	for (; n > 0; n -= piece) {
		piece = n < 10000 ? n : 10000;
		if (!ext_say(p, "%llx\r\n", (unsigned long long)piece) ||
		    !put_pattern(p, piece) || !ext_say(p, "\r\n"))
			return false;
	}
	return ext_say(p, "0\r\n\r\n");
}

static bool
say_to_close(struct ext_peer *p, const struct request *q, uint64_t n)
{
	(void)q;
	(void)(ext_say(p, "HTTP/1.1 200 OK\r\n\r\n") && put_pattern(p, n));
	return false;
}

static bool
say_status(struct ext_peer *p, const struct request *q, uint64_t n)
{
	(void)q;
	return ext_say(p, "HTTP/1.1 %llu Told\r\n%s\r\n", (unsigned long long)n,
	    n == 204 || n == 304 ? "" : "Content-Length: 0\r\n");
}

static bool
say_big_head(struct ext_peer *p, const struct request *q, uint64_t n)
{
	(void)q;
	return ext_say(p, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Big: ") &&
	       put_pattern(p, n) && ext_say(p, "\r\n\r\n");
}

static bool
do_cut(struct ext_peer *p, const struct request *q, uint64_t n)
{
	(void)q;
	(void)n;
	(void)ext_say(
	    p, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789");
	p->cuts = true;
	return false;
}

static bool
do_cut_chunk(struct ext_peer *p, const struct request *q, uint64_t n)
{
	(void)q;
	(void)n;
	(void)ext_say(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "a\r\n01234");
	return false;
}

static bool
do_reset(struct ext_peer *p, const struct request *q, uint64_t n)
{
	(void)q;
	(void)n;
	p->resets = true;
	return false;
}

static bool
do_nothing(struct ext_peer *p, const struct request *q, uint64_t n)
{
	(void)p;
	(void)q;
	(void)n;
	return false;
}

static bool
do_hang(struct ext_peer *p, const struct request *q, uint64_t n)
{
	char b[256];

	(void)q;
	(void)n;
	while (ext_read(p, b, sizeof(b)) > 0)
		;
	return false;
}

static bool
be_stale(struct ext_peer *p, const struct request *q, uint64_t n)
{
	p->is_stale = true;
	return say_bytes(p, q, n);
}

/* What needs no more than a text; closes if it has no length. */
static const struct {
	const char *path;
	const char *text;
	bool closes;
} texts[] = {
	{ "/trailers",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"
	    "Trailer: x-sum\r\n\r\n4\r\nbody\r\n0\r\nx-sum: 42\r\n\r\n",
	    false },
	{ "/informational",
	    "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	    false },
	{ "/ntlm",
	    "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\n"
	    "Content-Length: 0\r\n\r\n",
	    false },
	{ "/hop",
	    "HTTP/1.1 200 OK\r\nConnection: X-Hop, keep-alive\r\nX-Hop: a\r\n"
	    "Keep-Alive: timeout=5\r\nX-End: b\r\nContent-Length: 0\r\n\r\n",
	    false },
	{ "/http10", "HTTP/1.0 200 OK\r\n\r\nold", true },
	{ "/both",
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    false },
	{ "/lengths",
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n"
	    "\r\nabc",
	    false },
	{ "/switch",
	    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n"
	    "Connection: Upgrade\r\n\r\n",
	    false },
	{ "/extra",
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	    "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
	    false },
	{ "/bad", "this is not HTTP\r\n\r\n", true },
};

static const struct {
	const char *path; /* all of it, or what comes before N */
	bool (*say)(struct ext_peer *p, const struct request *q, uint64_t n);
} paths[] = {
	{ "/bytes/", say_bytes },
	{ "/chunked/", say_chunked },
	{ "/toclose/", say_to_close },
	{ "/status/", say_status },
	{ "/bighead/", say_big_head },
	{ "/cut", do_cut },
	{ "/cutchunk", do_cut_chunk },
	{ "/reset", do_reset },
	{ "/none", do_nothing },
	{ "/hang", do_hang },
	{ "/stale", be_stale },
};

static bool
is_path(const char *row, const char *path)
{
	size_t n = strlen(row);

	return row[n - 1] == '/' ? strncmp(path, row, n) == 0
				 : strcmp(path, row) == 0;
}

/* True: it was one of them. */
static bool
answer_by_path(struct ext_peer *p, const struct request *q, bool *goes_on)
{
	const char *last = strrchr(q->path, '/');
	uint64_t n = last == NULL ? 0 : strtoull(last + 1, NULL, 10);

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!is_path(texts[i].path, q->path))
			continue;
		*goes_on = ext_say(p, "%s", texts[i].text) && !texts[i].closes;
		return true;
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		if (!is_path(paths[i].path, q->path))
			continue;
		*goes_on = paths[i].say(p, q, n);
		return true;
	}
	return false;
}

static bool
answer_back(struct ext_peer *p, const struct request *q, const char *head,
    const struct body *body)
{
	static const char fmt[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Ext: %s\r\n"
	    "%sContent-Length: %zu\r\n\r\n%s";
	bool closes = strcmp(q->path, "/close") == 0;
	const char *name = p->server->config.name;
	char text[8192];

	(void)snprintf(text, sizeof(text), "server %s\n%s\nbody %llu\n%s\n",
	    name, head, (unsigned long long)body->n, body->text);
	return ext_say(p, fmt, name, closes ? "Connection: close\r\n" : "",
		   strlen(text), q->is_head ? "" : text) &&
	       !closes;
}

/* And reads on: closing now would be a reset, and take the answer along. */
static bool
say_too_large(struct ext_peer *p)
{
	(void)ext_say(p, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n"
			 "Connection: close\r\n\r\n");
	(void)do_hang(p, NULL, 0);
	return true;
}

/* Before the body is read; true: that was all. */
static bool
answer_early(struct ext_peer *p, const struct request *q, bool *goes_on)
{
	*goes_on = false;
	if (strncmp(q->path, "/early/", 7) == 0)
		return say_too_large(p);
	if (q->expects && strcmp(q->path, "/refuse") == 0)
		return *goes_on = ext_say(
			   p, "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
	return q->expects && !ext_say(p, "HTTP/1.1 100 Continue\r\n\r\n");
}

bool
ext_answer(struct ext_peer *p)
{
	struct request q;
	struct body body;
	char head[4096];
	bool goes_on;

	if (!read_head(p, &q))
		return false;
	(void)snprintf(
	    head, sizeof(head), "%.*s", (int)sizeof(head) - 1, p->in);
	consume(p, q.head_len);
	if (p->is_stale || !ext_do_fault(p))
		return false;
	if (answer_early(p, &q, &goes_on))
		return goes_on;
	if (!read_body(p, &q, &body))
		return false;
	if (atomic_load(&p->server->status) != 0)
		return say_status(p, &q, atomic_load(&p->server->status)) &&
		       !q.wants_close;
	if (answer_by_path(p, &q, &goes_on))
		return goes_on && !q.wants_close;
	return answer_back(p, &q, head, &body) && !q.wants_close;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A test's HTTP/1.1 peer: what it says, and what it hears. */

#include "support/h1_peer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PIECE 16384

static const char *
or_else(const char *s, const char *other)
{
	return s != NULL ? s : other;
}

void
h1_say(struct h1_peer *p, const char *text)
{
	bytes_add(&p->line->out, text, strlen(text));
}

static struct message *
message_at(struct h1_peer *p, size_t n)
{
	while (n >= p->n) {
		p->v = realloc(p->v, (p->n + 1) * sizeof(struct message *));
		p->v[p->n++] = calloc(1, sizeof(struct message));
	}
	return p->v[n];
}

struct message *
h1_nth(struct h1_peer *p, size_t n)
{
	return n < p->n ? p->v[n] : NULL;
}

/* The message that is being read, or is read next. */
static struct message *
now(struct h1_peer *p)
{
	size_t i = p->n;

	while (i > 0 && !p->v[i - 1]->ended)
		i--;
	return message_at(p, i);
}

static void
say_fields(struct h1_peer *p, const struct said *a)
{
	struct bytes *out = &p->line->out;
	char name[256], value[1 << 16];
	const char *at = or_else(a->fields, "");

	while (next_line(&at, name, sizeof(name), value, sizeof(value)))
		bytes_addf(out, "%s: %s\r\n", name, value);
}

static void
set_out(struct h1_peer *p, const struct said *a)
{
	source_set(&p->out, a);
	free(p->out_trailers);
	p->out_trailers = a->trailers != NULL ? strdup(a->trailers) : NULL;
	p->out_is_open = a->stays_open;
	p->out_busy = true;
}

static void
say_message(struct h1_peer *p, const struct said *a)
{
	struct bytes *out = &p->line->out;
	bool has_body = said_has_body(a);

	say_fields(p, a);
	p->sent = 0;
	p->out_is_chunked =
	    a->is_streamed || a->trailers != NULL || a->stays_open;
	if (p->out_is_chunked)
		bytes_addf(out, "Transfer-Encoding: chunked\r\n");
	else if (has_body || said_length(a) > 0 ||
		 (a->status >= 200 && a->status != 204 && a->status != 304))
		bytes_addf(out, "Content-Length: %llu\r\n",
		    (unsigned long long)said_length(a));
	bytes_addf(out, "\r\n");
	if (has_body)
		set_out(p, a);
}

struct message *
h1_ask(struct h1_peer *p, const struct said *a)
{
	const char *method = or_else(a->method, "GET");
	struct bytes *out = &p->line->out;

	p->no_body = realloc(p->no_body, p->n_asked + 1);
	p->no_body[p->n_asked++] = strcmp(method, "HEAD") == 0;
	bytes_addf(out, "%s %s HTTP/1.1\r\n", method, or_else(a->path, "/"));
	if (a->authority == NULL || *a->authority != '\0')
		bytes_addf(out, "Host: %s\r\n",
		    or_else(a->authority, "caller.example"));
	say_message(p, a);
	return message_at(p, p->n_asked - 1);
}

void
h1_answer(struct h1_peer *p, const struct said *a)
{
	bytes_addf(&p->line->out, "HTTP/1.1 %d Told\r\n", a->status);
	if (a->status / 100 != 1) {
		say_message(p, a);
		return;
	}
	say_fields(p, a);
	bytes_addf(&p->line->out, "\r\n");
}

void
h1_more(struct h1_peer *p, const struct said *a)
{
	set_out(p, a);
}

void
h1_finish(struct h1_peer *p, const char *trailers)
{
	p->out_trailers = trailers != NULL ? strdup(trailers) : NULL;
	p->out_is_open = false;
	p->out_busy = true;
}

static void
end_chunks(struct h1_peer *p)
{
	struct bytes *out = &p->line->out;
	char name[256], value[4096];
	const char *at = or_else(p->out_trailers, "");

	bytes_addf(out, "0\r\n");
	while (next_line(&at, name, sizeof(name), value, sizeof(value)))
		bytes_addf(out, "%s: %s\r\n", name, value);
	bytes_addf(out, "\r\n");
}

static void
on_room(struct line *l)
{
	struct h1_peer *p = l->peer;
	char b[PIECE];
	size_t n;

	while (l->out.n < PIECE * 4 && p->out_busy) {
		n = source_take(&p->out, b, sizeof(b));
		p->sent += n;
		if (n > 0 && p->out_is_chunked)
			bytes_addf(&l->out, "%zx\r\n", n);
		bytes_add(&l->out, b, n);
		if (n > 0 && p->out_is_chunked)
			bytes_addf(&l->out, "\r\n");
		if (p->out.at < p->out.n)
			continue;
		p->out_busy = false;
		if (p->out_is_chunked && !p->out_is_open)
			end_chunks(p);
	}
	while (l->out.n < PIECE * 4 &&
	       (n = source_take(&p->raw_out, b, sizeof(b))) > 0)
		bytes_add(&l->out, b, n);
}

static void
notify(struct h1_peer *p, struct message *m)
{
	if (p->options.is_server && p->options.on_request != NULL)
		p->options.on_request(p, m, p->options.arg);
}

static void
end_message(struct h1_peer *p, struct message *m)
{
	p->reading = H1_HEAD;
	m->ended = true;
	notify(p, m);
}

/* "GET / HTTP/1.1" and "HTTP/1.1 200 OK" as HTTP/2 would say it. */
static bool
read_first(const char *line, struct message *m, bool is_request)
{
	char method[64], path[4096];
	int status;

	if (is_request) {
		if (sscanf(line, "%63s %4095s HTTP/1.1", method, path) != 2)
			return false;
		bytes_addf(&m->head, ":method: %s\n:path: %s\n", method, path);
		return true;
	}
	if (sscanf(line, "HTTP/1.1 %d", &status) != 1)
		return false;
	m->status = status;
	bytes_addf(&m->head, ":status: %d\n", status);
	return true;
}

static void
read_field(char *line, struct message *m)
{
	char *colon = strchr(line, ':');

	if (colon == NULL)
		return;
	*colon++ = '\0';
	colon += strspn(colon, " ");
	for (char *c = line; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	bytes_addf(&m->head, "%s: %s\n",
	    strcmp(line, "host") == 0 ? ":authority" : line, colon);
}

static bool
has_no_body(const struct h1_peer *p, const struct message *m)
{
	size_t i = 0;

	if (p->options.is_server)
		return false;
	while (i < p->n && p->v[i] != m)
		i++;
	return (i < p->n_asked && p->no_body[i]) || m->status == 204 ||
	       m->status == 304;
}

static void
begin_body(struct h1_peer *p, struct message *m)
{
	const char *length = message_field(m, "content-length");
	const char *coding = message_field(m, "transfer-encoding");

	m->has_head = true;
	p->left = length != NULL ? strtoull(length, NULL, 10) : 0;
	if (m->status == 101) {
		m->ended = true;
		p->reading = H1_RAW;
	} else if (has_no_body(p, m)) {
		end_message(p, m);
	} else if (coding != NULL || p->left > 0) {
		p->reading = coding != NULL ? H1_CHUNK : H1_BYTES;
		notify(p, m);
	} else if (length == NULL && m->status != 0) {
		p->reading = H1_TO_CLOSE;
	} else {
		end_message(p, m);
	}
}

/* An interim head is put aside, and the next one begins anew. */
static void
end_head(struct h1_peer *p, struct message *m)
{
	if (m->status / 100 != 1 || m->status == 101) {
		begin_body(p, m);
		return;
	}
	bytes_addf(&m->interim, "%s\n", m->head.p);
	bytes_cut(&m->head, m->head.n);
	m->n_interim++;
	m->status = 0;
}

/* Up to the end of a line: without it, terminated; NULL: not all there. */
static char *
take_line(struct bytes *in, size_t *at)
{
	char *from = bytes_text(in) == in->p ? in->p + *at : NULL;
	char *end = from != NULL ? memmem(from, in->n - *at, "\r\n", 2) : NULL;

	if (end == NULL)
		return NULL;
	*end = '\0';
	*at = (size_t)(end + 2 - in->p);
	return from;
}

static bool
hear_head(struct h1_peer *p, size_t *at)
{
	struct bytes *in = &p->line->in;
	struct message *m;
	char *line;
	bool is_first = true;

	if (in->n == *at ||
	    memmem(in->p + *at, in->n - *at, "\r\n\r\n", 4) == NULL)
		return false;
	m = now(p);
	while ((line = take_line(in, at)) != NULL && *line != '\0') {
		if (!is_first) {
			read_field(line, m);
		} else if (!read_first(line, m, p->options.is_server)) {
			p->reading = H1_BROKEN;
			return false;
		}
		is_first = false;
	}
	end_head(p, m);
	return true;
}

static bool
hear_bytes(struct h1_peer *p, size_t *at)
{
	struct bytes *in = &p->line->in;
	size_t n = in->n - *at;

	if (n == 0)
		return false;
	if (p->reading == H1_BYTES || p->reading == H1_CHUNK_END)
		n = n < p->left ? n : (size_t)p->left;
	message_take(now(p), in->p + *at, n);
	*at += n;
	p->left -= n;
	if (p->left > 0 || p->reading == H1_TO_CLOSE)
		return true;
	if (p->reading == H1_BYTES)
		end_message(p, now(p));
	return true;
}

/* A chunk's size, or the empty line behind it. */
static bool
hear_chunk(struct h1_peer *p, size_t *at)
{
	char *line = take_line(&p->line->in, at);

	if (line == NULL)
		return false;
	p->left = strtoull(line, NULL, 16);
	p->reading = p->left > 0 ? H1_CHUNK_END : H1_TRAILERS;
	return true;
}

static bool
hear_chunk_end(struct h1_peer *p, size_t *at)
{
	if (p->left > 0)
		return hear_bytes(p, at);
	if (take_line(&p->line->in, at) == NULL)
		return false;
	p->reading = H1_CHUNK;
	return true;
}

static bool
hear_trailer(struct h1_peer *p, size_t *at)
{
	char *line = take_line(&p->line->in, at);
	struct message *m = now(p);

	if (line == NULL)
		return false;
	if (*line == '\0')
		end_message(p, m);
	else
		bytes_addf(&m->trailers, "%s\n", line);
	return true;
}

static bool
hear_raw(struct h1_peer *p, size_t *at)
{
	struct bytes *in = &p->line->in;
	size_t n = in->n - *at;

	if (!p->counts_raw)
		bytes_add(&p->raw, bytes_text(in) + *at, n);
	for (size_t i = 0; i < n && p->counts_raw && !p->raw_is_other; i++)
		p->raw_is_other =
		    (uint8_t)in->p[*at + i] != pattern_at(p->n_raw + i);
	p->n_raw += n;
	*at += n;
	return false;
}

static bool
hear_some(struct h1_peer *p, size_t *at)
{
	switch (p->reading) {
	case H1_HEAD:
		return hear_head(p, at);
	case H1_BYTES:
	case H1_TO_CLOSE:
		return hear_bytes(p, at);
	case H1_CHUNK:
		return hear_chunk(p, at);
	case H1_CHUNK_END:
		return hear_chunk_end(p, at);
	case H1_TRAILERS:
		return hear_trailer(p, at);
	case H1_RAW:
		return hear_raw(p, at);
	case H1_BROKEN:
		break;
	}
	return false;
}

static void
on_in(struct line *l)
{
	struct h1_peer *p = l->peer;
	size_t at = 0;

	while (hear_some(p, &at))
		;
	bytes_cut(&l->in, at);
	if (l->end == LINE_FIN && p->reading == H1_TO_CLOSE)
		end_message(p, now(p));
}

void
h1_become_raw(struct h1_peer *p)
{
	p->reading = H1_RAW;
}

static void
peer_free(void *peer)
{
	struct h1_peer *p = peer;

	for (size_t i = 0; i < p->n; i++)
		message_free(p->v[i]);
	free(p->v);
	free(p->no_body);
	free(p->out_trailers);
	source_free(&p->out);
	source_free(&p->raw_out);
	bytes_free(&p->raw);
	free(p);
}

struct h1_peer *
h1_peer_new(struct line *l, const struct h1_options *o)
{
	static const struct line_ops ops = { on_in, on_room, peer_free };
	struct h1_peer *p = calloc(1, sizeof(*p));

	p->line = l;
	p->options = *o;
	line_set_peer(l, &ops, p);
	return p;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What a test's HTTP/2 peer sends; what it reads is in h2_hear.c. */

#include "support/h2_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/h2_hear.h"

#define DEFAULT_WINDOW 65535
#define DEFAULT_FRAME 16384
#define FIELDS_MOST 1024

static void
put32(uint8_t *to, uint32_t v)
{
	to[0] = (uint8_t)(v >> 24);
	to[1] = (uint8_t)(v >> 16);
	to[2] = (uint8_t)(v >> 8);
	to[3] = (uint8_t)v;
}

void
h2_frame(struct h2_peer *p, unsigned type, unsigned flags, uint32_t id,
    const void *payload, size_t n)
{
	uint8_t head[9] = { (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n,
		(uint8_t)type, (uint8_t)flags };

	put32(head + 5, id);
	bytes_add(&p->line->out, head, sizeof(head));
	bytes_add(&p->line->out, payload, n);
}

void
h2_preface(struct h2_peer *p)
{
	static const char magic[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

	if (!p->options.is_server)
		bytes_add(&p->line->out, magic, sizeof(magic) - 1);
	h2_set(p, p->options.settings);
}

void
h2_set(struct h2_peer *p, const uint32_t (*settings)[2])
{
	uint8_t b[6 * 64];
	size_t n = 0;

	for (; settings != NULL && (*settings)[0] != 0; settings++, n += 6) {
		b[n] = (uint8_t)((*settings)[0] >> 8);
		b[n + 1] = (uint8_t)(*settings)[0];
		put32(b + n + 2, (*settings)[1]);
		if ((*settings)[0] == SETTING_WINDOW)
			p->our_window = (*settings)[1];
	}
	h2_frame(p, FRAME_SETTINGS, FLAG_NONE, 0, b, n);
}

void
h2_ping(struct h2_peer *p, uint64_t what)
{
	uint8_t b[8];

	put32(b, (uint32_t)(what >> 32));
	put32(b + 4, (uint32_t)what);
	h2_frame(p, FRAME_PING, FLAG_NONE, 0, b, sizeof(b));
}

void
h2_window(struct h2_peer *p, uint32_t id, uint32_t by)
{
	uint8_t b[4];

	put32(b, by);
	h2_frame(p, FRAME_WINDOW_UPDATE, FLAG_NONE, id, b, sizeof(b));
}

void
h2_goaway(struct h2_peer *p, uint32_t last, uint32_t code)
{
	uint8_t b[8];

	put32(b, last);
	put32(b + 4, code);
	h2_frame(p, FRAME_GOAWAY, FLAG_NONE, 0, b, sizeof(b));
}

void
h2_reset(struct h2_talk *t, uint32_t code)
{
	uint8_t b[4];

	put32(b, code);
	h2_frame(t->peer, FRAME_RST_STREAM, FLAG_NONE, t->id, b, sizeof(b));
	source_free(&t->out);
	t->out_ended = true;
}

void
h2_encode(struct h2_peer *p, const char *lines, struct bytes *to)
{
	static char name[FIELDS_MOST][256], value[1 << 17];
	nghttp2_nv nv[FIELDS_MOST];
	size_t n = 0, room;
	ssize_t made;
	uint8_t *b;

	while (
	    next_line(&lines, name[n], sizeof(name[n]), value, sizeof(value))) {
		nv[n] = (nghttp2_nv){ .name = (uint8_t *)name[n],
			.namelen = strlen(name[n]),
			.value = (uint8_t *)strdup(value),
			.valuelen = strlen(value) };
		if (++n == FIELDS_MOST)
			abort();
	}
	room = nghttp2_hd_deflate_bound(p->deflater, nv, n);
	b = malloc(room);
	made = nghttp2_hd_deflate_hd(p->deflater, b, room, nv, n);
	if (made < 0)
		abort();
	bytes_add(to, b, (size_t)made);
	free(b);
	for (size_t i = 0; i < n; i++)
		free(nv[i].value);
}

void
h2_headers(struct h2_peer *p, uint32_t id, unsigned flags, const char *lines)
{
	struct bytes block = { .n = 0 };
	unsigned type = FRAME_HEADERS;
	size_t at = 0, piece;

	h2_encode(p, lines, &block);
	do {
		piece =
		    block.n - at < DEFAULT_FRAME ? block.n - at : DEFAULT_FRAME;
		h2_frame(p, type,
		    flags | (at + piece == block.n ? FLAG_END_HEADERS : 0u), id,
		    block.p + at, piece);
		at += piece;
		type = FRAME_CONTINUATION;
		flags = FLAG_NONE;
	} while (at < block.n);
	bytes_free(&block);
}

static struct h2_talk *
talk_new(struct h2_peer *p, uint32_t id)
{
	struct h2_talk *t = calloc(1, sizeof(*t));

	p->talks = realloc(p->talks, (p->n_talks + 1) * sizeof(*p->talks));
	p->talks[p->n_talks++] = t;
	t->peer = p;
	t->id = id;
	t->in = calloc(1, sizeof(*t->in));
	t->window = p->settings[SETTING_WINDOW];
	return t;
}

struct h2_talk *
h2_hear_talk(struct h2_peer *p, uint32_t id)
{
	struct h2_talk *t = h2_find(p, id);

	return t != NULL ? t : talk_new(p, id);
}

struct h2_talk *
h2_open(struct h2_peer *p)
{
	struct h2_talk *t = talk_new(p, p->next_id);

	p->next_id += 2;
	return t;
}

struct h2_talk *
h2_find(struct h2_peer *p, uint32_t id)
{
	size_t low = 0, high = p->n_talks, at;

	while (low < high) {
		at = (low + high) / 2;
		if (p->talks[at]->id == id)
			return p->talks[at];
		if (p->talks[at]->id < id)
			low = at + 1;
		else
			high = at;
	}
	return NULL;
}

struct h2_talk *
h2_nth(struct h2_peer *p, size_t n)
{
	return n < p->n_talks ? p->talks[n] : NULL;
}

size_t
h2_count_open(const struct h2_peer *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_talks; i++) {
		const struct h2_talk *t = p->talks[i];

		n += !t->in->was_reset && !(t->in->ended && t->out_ended);
	}
	return n;
}

static const char *
or_else(const char *s, const char *other)
{
	return s != NULL ? s : other;
}

/* What is said in the block of a request or an answer. */
static void
compose(const struct said *a, struct bytes *b)
{
	if (a->status != 0) {
		bytes_addf(b, ":status: %d\n", a->status);
	} else {
		bytes_addf(b, ":method: %s\n:scheme: https\n:path: %s\n",
		    or_else(a->method, "GET"), or_else(a->path, "/"));
		if (a->authority == NULL || *a->authority != '\0')
			bytes_addf(b, ":authority: %s\n",
			    or_else(a->authority, "caller.example"));
		if (a->protocol != NULL)
			bytes_addf(b, ":protocol: %s\n", a->protocol);
	}
	if (a->fields != NULL)
		bytes_addf(b, "%s", a->fields);
	if (!a->is_streamed && !a->stays_open && said_length(a) > 0)
		bytes_addf(b, "content-length: %llu\n",
		    (unsigned long long)said_length(a));
}

static void
set_out(struct h2_talk *t, const struct said *a)
{
	source_set(&t->out, a);
	free(t->out_trailers);
	t->out_trailers = a->trailers != NULL ? strdup(a->trailers) : NULL;
	t->out_ends = !a->stays_open;
}

static void
say(struct h2_talk *t, const struct said *a)
{
	bool is_interim = a->status / 100 == 1;
	bool is_end = !is_interim && !said_has_body(a);
	struct bytes b = { .n = 0 };

	compose(a, &b);
	h2_headers(t->peer, t->id, is_end ? FLAG_END_STREAM : FLAG_NONE, b.p);
	bytes_free(&b);
	if (is_end)
		t->out_ended = true;
	else if (!is_interim)
		set_out(t, a);
}

struct h2_talk *
h2_ask(struct h2_peer *p, const struct said *a)
{
	struct h2_talk *t = h2_open(p);

	say(t, a);
	return t;
}

void
h2_answer(struct h2_talk *t, const struct said *a)
{
	t->is_answered = a->status >= 200;
	say(t, a);
}

void
h2_more(struct h2_talk *t, const struct said *a)
{
	set_out(t, a);
}

void
h2_finish(struct h2_talk *t, const char *trailers)
{
	t->out_trailers = trailers != NULL ? strdup(trailers) : NULL;
	t->out_ends = true;
}

/* One frame of its body, or its end; false when there is nothing to do. */
static bool
send_some(struct h2_talk *t)
{
	struct h2_peer *p = t->peer;
	char b[DEFAULT_FRAME];
	int64_t most = t->window < p->window ? t->window : p->window;
	uint64_t left = t->out.n - t->out.at;
	size_t n;

	if (t->out_ended)
		return false;
	if (left == 0) {
		if (!t->out_ends)
			return false;
		t->out_ended = true;
		if (t->out_trailers != NULL)
			h2_headers(p, t->id, FLAG_END_STREAM, t->out_trailers);
		else
			h2_frame(
			    p, FRAME_DATA, FLAG_END_STREAM, t->id, NULL, 0);
		return true;
	}
	if (most <= 0)
		return false;
	n = source_take(
	    &t->out, b, most < (int64_t)sizeof(b) ? (size_t)most : sizeof(b));
	t->out_ended = n == left && t->out_ends && t->out_trailers == NULL;
	h2_frame(p, FRAME_DATA, t->out_ended ? FLAG_END_STREAM : FLAG_NONE,
	    t->id, b, n);
	t->window -= (int64_t)n;
	p->window -= (int64_t)n;
	t->sent += n;
	return true;
}

/* A frame of each in turn, while the line is short of bytes. */
static void
on_room(struct line *l)
{
	struct h2_peer *p = l->peer;
	size_t idle = 0;

	while (idle < p->n_talks && l->out.n < DEFAULT_FRAME * 4) {
		p->next_out = (p->next_out + 1) % p->n_talks;
		idle = send_some(p->talks[p->next_out]) ? 0 : idle + 1;
	}
}

static void
peer_free(void *peer)
{
	struct h2_peer *p = peer;

	for (size_t i = 0; i < p->n_talks; i++) {
		message_free(p->talks[i]->in);
		source_free(&p->talks[i]->out);
		free(p->talks[i]->out_trailers);
		free(p->talks[i]);
	}
	free(p->talks);
	bytes_free(&p->block);
	nghttp2_hd_deflate_del(p->deflater);
	nghttp2_hd_inflate_del(p->inflater);
	free(p);
}

struct h2_peer *
h2_peer_new(struct line *l, const struct h2_options *o)
{
	static const struct line_ops ops = { h2_hear, on_room, peer_free };
	struct h2_peer *p = calloc(1, sizeof(*p));

	p->line = l;
	p->options = *o;
	p->next_id = o->is_server ? 2 : 1;
	p->window = DEFAULT_WINDOW;
	p->our_window = DEFAULT_WINDOW;
	p->has_preface = !o->is_server;
	for (size_t i = 0; i < SETTINGS_N; i++)
		p->settings[i] = UINT32_MAX;
	p->settings[SETTING_WINDOW] = DEFAULT_WINDOW;
	p->settings[SETTING_CONNECT] = 0;
	if (nghttp2_hd_deflate_new(&p->deflater, 4096) != 0 ||
	    nghttp2_hd_inflate_new(&p->inflater) != 0)
		abort();
	line_set_peer(l, &ops, p);
	if (!o->is_silent)
		h2_preface(p);
	return p;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of HTTP as tests see and say them, without a version. */

#include "support/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BODY_KEPT 16384
#define TURNS 8

void
message_free(struct message *m)
{
	bytes_free(&m->head);
	bytes_free(&m->interim);
	bytes_free(&m->trailers);
	bytes_free(&m->body);
	free(m);
}

void
message_take(struct message *m, const char *p, size_t n)
{
	size_t room = m->body.n < BODY_KEPT ? BODY_KEPT - m->body.n : 0;

	bytes_add(&m->body, p, n < room ? n : room);
	for (size_t i = 0; i < n && !m->is_other; i++)
		m->is_other = (uint8_t)p[i] != pattern_at(m->n_body + i);
	m->n_body += n;
}

bool
next_line(const char **from, char *name, size_t name_cap, char *value,
    size_t value_cap)
{
	const char *at = *from;
	size_t line = strcspn(at, "\n"), n;

	if (*at == '\0')
		return false;
	/* A name may begin with a colon. */
	n = *at == ':' ? 1 + strcspn(at + 1, ":\n") : strcspn(at, ":\n");
	if (n >= name_cap)
		abort();
	(void)snprintf(name, name_cap, "%.*s", (int)n, at);
	*from = at + line + (at[line] == '\n');
	at += n < line ? n + 1 : n;
	line -= n < line ? n + 1 : n;
	if (line > 0 && *at == ' ') {
		at++;
		line--;
	}
	if (line >= value_cap)
		abort();
	memcpy(value, at, line);
	value[line] = '\0';
	return true;
}

static const char *
find_line(const char *lines, const char *name, char *value, unsigned *count)
{
	static __thread char v[1 << 17];
	char n[256];
	const char *found = NULL;

	*count = 0;
	while (next_line(&lines, n, sizeof(n), v, sizeof(v))) {
		if (strcasecmp(n, name) != 0)
			continue;
		if ((*count)++ == 0 && value != NULL) {
			(void)snprintf(value, 1024, "%.1023s", v);
			found = value;
		}
	}
	return found;
}

const char *
message_field(const struct message *m, const char *name)
{
	static __thread char all[TURNS][1024];
	static __thread unsigned turn;
	unsigned count;

	return find_line(
	    bytes_text(&m->head), name, all[turn++ % TURNS], &count);
}

unsigned
message_count(const struct message *m, const char *name)
{
	unsigned count;

	(void)find_line(bytes_text(&m->head), name, NULL, &count);
	return count;
}

bool
said_has_body(const struct said *a)
{
	return !a->has_no_body &&
	       (a->n > 0 || a->is_streamed || a->stays_open ||
		   a->trailers != NULL || (a->body != NULL && *a->body != 0));
}

uint64_t
said_length(const struct said *a)
{
	return a->body != NULL && a->n == 0 ? strlen(a->body) : a->n;
}

void
source_set(struct source *s, const struct said *a)
{
	source_free(s);
	s->n = said_length(a);
	if (a->body == NULL)
		return;
	s->text = malloc(s->n + 1);
	memcpy(s->text, a->body, s->n);
}

size_t
source_take(struct source *s, char *to, size_t n)
{
	if (n > s->n - s->at)
		n = (size_t)(s->n - s->at);
	for (size_t i = 0; i < n; i++)
		to[i] = s->text != NULL ? s->text[s->at + i]
					: (char)pattern_at(s->at + i);
	s->at += n;
	return n;
}

void
source_free(struct source *s)
{
	free(s->text);
	memset(s, 0, sizeof(*s));
}

static void
tell_back(const struct message *q, struct said *a, struct bytes *out)
{
	char name[256], value[4096];
	const char *at = bytes_text(&q->trailers);

	bytes_addf(out, "%sbody %llu %s\n%.200s\n", bytes_text(&q->head),
	    (unsigned long long)q->n_body, q->is_other ? "other" : "pattern",
	    q->is_other ? bytes_text(&q->body) : "");
	while (next_line(&at, name, sizeof(name), value, sizeof(value)))
		bytes_addf(out, "trailer %s: %s\n", name, value);
	a->status = 200;
	a->fields = "content-type: text/plain\n";
	a->body = out->p;
	a->n = out->n;
}

static const struct {
	const char *path;
	struct said said;
} told[] = {
	{ "/trailers", { .status = 200,
			   .body = "body",
			   .is_streamed = true,
			   .trailers = "x-sum: 42\nx-more: yes\n" } },
	{ "/informational",
	    { .status = 200, .body = "ok", .fields = "x-late: 1\n" } },
	{ "/cookies", { .status = 200,
			  .body = "ok",
			  .fields = "set-cookie: a=1; Path=/\n"
				    "set-cookie: b=2\n" } },
	{ "/bad-value",
	    { .status = 200, .body = "ok", .fields = "x-bad: a\tb\x01\n" } },
};

void
answer_by_path(const struct message *q, struct said *a, struct bytes *out)
{
	const char *path = message_field(q, ":path"), *last;
	const char *method = message_field(q, ":method");

	memset(a, 0, sizeof(*a));
	if (path == NULL)
		path = "/";
	last = strrchr(path, '/');
	a->n = last == NULL ? 0 : strtoull(last + 1, NULL, 10);
	a->status = 200;
	if (strncmp(path, "/streamed/", 10) == 0)
		a->is_streamed = true;
	else if (strncmp(path, "/status/", 8) == 0) {
		a->status = (int)a->n;
		a->n = 0;
	} else if (strncmp(path, "/bytes/", 7) != 0) {
		size_t i, n = sizeof(told) / sizeof(told[0]);

		for (i = 0; i < n && strcmp(told[i].path, path) != 0; i++)
			;
		if (i < n)
			*a = told[i].said;
		else
			tell_back(q, a, out);
	}
	a->has_no_body = method != NULL && strcmp(method, "HEAD") == 0;
}

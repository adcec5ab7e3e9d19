/* SPDX-License-Identifier: Apache-2.0 */
/* See story.h: reading, time, and what the steps have in common. */

#include "scenario/story.h"

#include <ctype.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "scenario/fake_net.h"

/* Small enough that timers which follow each other do so one by one. */
#define STEP_MS 100
#define STEPS_MOST 400

bool
story_fail(struct story *s, const char *fmt, ...)
{
	char b[4096];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(b, sizeof(b), fmt, ap);
	va_end(ap);
	text_add_z(&s->why, b);
	return false;
}

char *
story_next_line(struct story *s)
{
	char *line = s->rest, *end;

	if (*line == '\0')
		return NULL;
	end = strchr(line, '\n');
	s->rest = end != NULL ? end + 1 : line + strlen(line);
	if (end != NULL)
		*end = '\0';
	s->line++;
	return line;
}

static void
turn_once(struct story *s)
{
	loop_turn(s->g.loop);
	for (size_t i = 0; i < s->n_callers; i++)
		(void)actor_turn(&s->callers[i].actor);
	for (size_t i = 0; i < s->n_servers; i++)
		(void)actor_turn(&s->servers[i].actor);
}

void
story_turn(struct story *s)
{
	for (int i = 0; i < 4; i++)
		turn_once(s);
	(void)poll(NULL, 0, 1);
}

void
story_settle(struct story *s)
{
	for (int i = 0; i < 20; i++)
		story_turn(s);
}

void
story_pass(struct story *s, uint64_t ms)
{
	uint64_t step = ms / STEPS_MOST > STEP_MS ? ms / STEPS_MOST : STEP_MS;
	uint64_t until = s->now_ms + ms;

	story_settle(s);
	while (s->now_ms < until) {
		if (step > until - s->now_ms)
			step = until - s->now_ms;
		s->now_ms += step;
		s->wall_ms += (int64_t)step;
		clock_fake(s->now_ms, s->wall_ms);
		for (int i = 0; i < 8; i++)
			turn_once(s);
	}
	story_settle(s);
}

bool
story_address(struct story *s, const char *word, struct addr *out)
{
	struct str host = str_of(word), rest = host;
	uint64_t port = 0;
	const char *colon = strrchr(word, ':');

	if (colon != NULL) {
		host = str_first(rest, (size_t)(colon - word));
		rest = str_of(colon + 1);
	}
	if (colon == NULL || !str_to_u64(rest, 65535, &port) ||
	    !addr_parse(host, (uint16_t)port, out))
		return story_fail(s, "\"%s\" is no address:port", word);
	return true;
}

struct caller *
story_caller(struct story *s, const char *name)
{
	for (size_t i = 0; i < s->n_callers; i++)
		if (strcmp(s->callers[i].name, name) == 0)
			return &s->callers[i];
	return NULL;
}

struct server *
story_server(struct story *s, const struct addr *at)
{
	for (size_t i = s->n_servers; i > 0; i--)
		if (addr_eq(&s->servers[i - 1].at, at))
			return &s->servers[i - 1];
	return NULL;
}

static const struct pki *
server_cert(const struct story *s, const struct addr *at)
{
	for (size_t i = 0; i < s->n_kinds; i++)
		if (addr_eq(&s->kinds[i].at, at))
			return s->kinds[i].cert;
	return NULL;
}

static void
on_accept(void *arg, const struct addr *at, int fd)
{
	struct story *s = arg;
	const struct pki *cert = server_cert(s, at);
	struct server *server = &s->servers[s->n_servers++];

	if (s->n_servers > STORY_SERVERS)
		abort();
	server->at = *at;
	if (cert != NULL)
		actor_server(&server->actor, fd, cert);
	else
		actor_plain(&server->actor, fd);
}

static char
unescape(char **at)
{
	char c = *(*at)++, hex[3] = "";

	switch (c) {
	case 'r':
		return '\r';
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case 'x':
		memcpy(hex, *at, 2);
		*at += 2;
		return (char)strtol(hex, NULL, 16);
	default:
		return c;
	}
}

/* Cut in place.  A quoted word may stand within another: a="b c". */
static char *
cut_word(char **at, size_t *len)
{
	char *word = *at, *to = word, c;
	bool is_quoted = false;

	while ((c = **at) != '\0' && (is_quoted || (c != ' ' && c != '\t'))) {
		(*at)++;
		if (c == '"')
			is_quoted = !is_quoted;
		else
			*to++ = c == '\\' ? unescape(at) : c;
	}
	if (**at != '\0')
		(*at)++;
	*to = '\0';
	*len = (size_t)(to - word);
	return word;
}

struct str
story_bytes(const struct story *s, size_t i)
{
	if (i >= s->n_words)
		return STR_NONE;
	return (struct str){ s->words[i], s->lengths[i] };
}

static bool
cut_line(struct story *s, char *line)
{
	s->n_words = 0;
	for (;;) {
		while (*line == ' ' || *line == '\t')
			line++;
		if (*line == '\0' || *line == '#')
			return true;
		if (s->n_words == STORY_WORDS - 1)
			return story_fail(s, "too many words");
		s->words[s->n_words] = cut_word(&line, &s->lengths[s->n_words]);
		s->n_words++;
		s->words[s->n_words] = NULL;
	}
}

/* "# A sentence that says what it proves." */
static bool
check_sentence(struct story *s)
{
	const char *line = story_next_line(s);
	size_t n = line != NULL ? strlen(line) : 0;

	if (n < 12 || line[0] != '#' || !isupper((unsigned char)line[2]))
		return story_fail(s, "a story begins with # and a sentence");
	return true;
}

static bool
tell(struct story *s)
{
	char *line;

	if (!check_sentence(s))
		return false;
	while ((line = story_next_line(s)) != NULL) {
		if (!cut_line(s, line))
			return false;
		if (s->n_words > 0 && !step_run(s))
			return false;
	}
	return expect_no_more_dials(s);
}

static char *
read_story(const char *path)
{
	struct text t = TEXT_EMPTY;
	FILE *f = fopen(path, "rb");
	size_t n;

	if (f == NULL)
		return NULL;
	while ((n = fread(text_reserve(&t, 4096), 1, 4096, f)) > 0)
		t.len += n;
	(void)fclose(f);
	text_add_char(&t, '\0');
	return text_take(&t);
}

static void
show_log(const struct story *s, struct text *out)
{
	char *log = s->g.is_started ? read_story(s->g.log_path) : NULL;

	if (log != NULL)
		text_addf(out, "\naccess log:\n%s", log);
	free(log);
}

static void
clean_up(struct story *s)
{
	gateway_fini(&s->g);
	for (size_t i = 0; i < s->n_callers; i++)
		actor_fini(&s->callers[i].actor);
	for (size_t i = 0; i < s->n_servers; i++)
		actor_fini(&s->servers[i].actor);
	for (size_t i = 0; i < s->n_kinds; i++)
		pki_free(s->kinds[i].cert);
	fake_net_fini();
	text_free(&s->why);
	free(s->text);
}

bool
story_run(const char *path, struct text *out)
{
	struct story *s = xcalloc(1, sizeof(*s));
	bool is_good;

	s->path = path;
	s->now_ms = 1000000;
	s->wall_ms = clock_wall_ms();
	clock_fake(s->now_ms, s->wall_ms);
	fake_net_init(on_accept, s);
	gateway_init(&s->g);
	s->text = read_story(path);
	s->rest = s->text;
	is_good = s->text != NULL ? tell(s) : story_fail(s, "cannot be read");
	if (!is_good) {
		text_addf(out, "%s:%u: %s", path, s->line,
		    s->why.p != NULL ? s->why.p : "?");
		show_log(s, out);
	}
	clean_up(s);
	free(s);
	return is_good;
}

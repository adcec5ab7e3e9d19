/* SPDX-License-Identifier: Apache-2.0 */
/* What a story may expect.  Listed in stories/README. */

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "scenario/fake_net.h"
#include "scenario/story.h"

static bool
is(const char *word, const char *want)
{
	return word != NULL && strcmp(word, want) == 0;
}

static bool
expect_dial(struct story *s)
{
	char want[ADDR_TEXT], got[ADDR_TEXT];
	struct addr at, dialled;

	if (!story_address(s, s->words[2], &at))
		return false;
	addr_print(&at, want);
	if (!STORY_UNTIL(s, fake_net_take_dial(&dialled)))
		return story_fail(s, "nobody dials %s", want);
	addr_print(&dialled, got);
	return addr_eq(&at, &dialled) ||
	       story_fail(s, "%s is dialled, not %s", got, want);
}

static bool
expect_no_dial(struct story *s)
{
	struct addr dialled;
	char got[ADDR_TEXT];

	story_settle(s);
	if (!fake_net_take_dial(&dialled))
		return true;
	addr_print(&dialled, got);
	return story_fail(s, "%s is dialled", got);
}

bool
expect_no_more_dials(struct story *s)
{
	return expect_no_dial(s);
}

static bool
expect_query(struct story *s)
{
	char name[128];

	if (!STORY_UNTIL(s, fake_net_take_query(name)))
		return story_fail(s, "nobody asks for %s", s->words[2]);
	return is(name, s->words[2]) || story_fail(s, "%s is asked for", name);
}

static bool
expect_no_query(struct story *s)
{
	char name[128];

	story_settle(s);
	if (!fake_net_take_query(name))
		return true;
	return story_fail(s, "%s is asked for", name);
}

/* expect asked NAME from N to N: since this was expected of it before. */
static bool
expect_asked(struct story *s)
{
	unsigned n = fake_net_asked(s->words[2]) - s->asked;
	unsigned long least, most;

	if (s->n_words != 7 || !is(s->words[3], "from") ||
	    !is(s->words[5], "to"))
		return story_fail(s, "expect asked NAME from N to N");
	least = strtoul(s->words[4], NULL, 10);
	most = strtoul(s->words[6], NULL, 10);
	s->asked += n;
	return (n >= least && n <= most) ||
	       story_fail(s, "%s is asked for with %u queries", s->words[2], n);
}

/* want: NAME=VALUE, and the value may end in *. */
static bool
field_is(const json_t *line, const char *want)
{
	const char *value = strchr(want, '=') + 1;
	struct str pattern = str_of(value);
	char name[64], number[32];
	const char *got;
	json_t *field;

	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)(value - 1 - want), want);
	field = json_object_get(line, name);
	(void)snprintf(number, sizeof(number), "%lld",
	    json_is_integer(field) ? (long long)json_integer_value(field) : 0);
	got = json_is_integer(field) ? number : json_string_value(field);
	if (got == NULL)
		return pattern.len == 0;
	if (str_ends(pattern, STR("*")))
		return str_starts(
		    str_of(got), str_first(pattern, pattern.len - 1));
	return strcmp(got, value) == 0;
}

static bool
line_is(const char *text, char *const *want)
{
	json_t *line = json_loads(text, 0, NULL);
	bool is_it = line != NULL;

	for (; *want != NULL && is_it; want++)
		is_it = field_is(line, *want);
	json_decref(line);
	return is_it;
}

static unsigned
count_lines(const struct story *s, char *const *want)
{
	FILE *f = fopen(s->g.log_path, "r");
	char line[8192];
	unsigned n = 0;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += line_is(line, want);
	if (f != NULL)
		(void)fclose(f);
	return n;
}

static bool
check_fields(struct story *s, char *const *want)
{
	for (; *want != NULL; want++)
		if (strchr(*want, '=') == NULL)
			return story_fail(s, "a field is NAME=VALUE");
	return true;
}

static bool
expect_log(struct story *s)
{
	char *const *want = &s->words[2];

	if (!check_fields(s, want))
		return false;
	return STORY_UNTIL(s, count_lines(s, want) == 1) ||
	       story_fail(
		   s, "%u lines of the log are so", count_lines(s, want));
}

static bool
expect_no_log(struct story *s)
{
	char *const *want = &s->words[3];

	story_settle(s);
	return check_fields(s, want) &&
	       (count_lines(s, want) == 0 ||
		   story_fail(s, "a line of the log is so"));
}

/* Takes what was expected; more may have come behind it. */
static bool
take(struct actor *p, struct str want)
{
	struct str got = text_str(&p->got), rest;

	if (!str_starts(got, want))
		return false;
	rest = str_from(got, want.len);
	memmove(p->got.p, rest.p, rest.len);
	p->got.len = rest.len;
	p->got.p[rest.len] = '\0';
	return true;
}

static bool
has_text(struct actor *p, struct str want)
{
	return memmem(p->got.p, p->got.len, want.p, want.len) != NULL;
}

static const char *
end_text(const struct actor *p)
{
	switch (p->end) {
	case ACTOR_OPEN:
		return "open";
	case ACTOR_FIN:
		return "fin";
	case ACTOR_RESET:
		break;
	}
	return "reset";
}

static bool
expect_open(struct story *s, const struct actor *p)
{
	story_settle(s);
	return p->end == ACTOR_OPEN ||
	       story_fail(s, "it saw a %s", end_text(p));
}

static bool
expect_nothing(struct story *s, const struct actor *p)
{
	story_settle(s);
	return p->got.len == 0 || story_fail(s, "it got \"%s\"", p->got.p);
}

static bool
expect_bytes(struct story *s, struct actor *p, const char *verb, struct str w)
{
	bool is_good = is(verb, "receives") ? STORY_UNTIL(s, take(p, w))
					    : STORY_UNTIL(s, has_text(p, w));

	return is_good || story_fail(s, "it got \"%s\"", p->got.p);
}

static bool
expect_end(struct story *s, const struct actor *p, const char *want)
{
	return STORY_UNTIL(s, is(end_text(p), want)) ||
	       story_fail(s, "it is %s", end_text(p));
}

/* What is the same for callers and servers. */
static bool
expect_actor(struct story *s, struct actor *p, const char *verb, const char *w)
{
	if (is(verb, "connected"))
		return STORY_UNTIL(s, p->is_open) ||
		       story_fail(s, "the handshake is not through");
	if (is(verb, "open"))
		return expect_open(s, p);
	if (is(verb, "fin") || is(verb, "reset"))
		return expect_end(s, p, verb);
	if (is(verb, "alert") && w != NULL)
		return STORY_UNTIL(s, p->alert == atoi(w)) ||
		       story_fail(s, "alert %d came", p->alert);
	if (is(verb, "receives") && is(w, "nothing"))
		return expect_nothing(s, p);
	if ((is(verb, "receives") || is(verb, "shows")) && w != NULL)
		return expect_bytes(s, p, verb, story_bytes(s, 4));
	return story_fail(s, "what does %s mean?", verb);
}

static bool
expect_caller(struct story *s)
{
	struct caller *c = story_caller(s, s->words[2]);

	if (c == NULL)
		return story_fail(s, "who is %s?", s->words[2]);
	return expect_actor(s, &c->actor, s->words[3], s->words[4]);
}

/* `untouched NAME`: all that the caller sent, as it left the caller. */
static bool
expect_untouched(struct story *s, const struct actor *p, const char *name)
{
	const struct caller *c = story_caller(s, name != NULL ? name : "");

	if (c == NULL)
		return story_fail(s, "untouched by whom?");
	return STORY_UNTIL(s, str_eq(text_str(&p->raw_got),
				  text_str(&c->actor.raw_sent))) ||
	       story_fail(s, "%zu bytes came, %zu were sent", p->raw_got.len,
		   c->actor.raw_sent.len);
}

static bool
expect_server(struct story *s)
{
	const char *verb = s->words[3];
	struct server *server;
	struct addr at;

	if (!story_address(s, s->words[2], &at))
		return false;
	server = story_server(s, &at);
	if (server == NULL)
		return story_fail(s, "nobody is connected to it");
	if (is(verb, "untouched"))
		return expect_untouched(s, &server->actor, s->words[4]);
	if (is(verb, "sni"))
		return STORY_UNTIL(s, is(server->actor.sni, s->words[4])) ||
		       story_fail(s, "it was \"%s\"", server->actor.sni);
	return expect_actor(s, &server->actor, verb, s->words[4]);
}

static bool
expect_conns(struct story *s)
{
	size_t want = strtoul(s->words[2], NULL, 10);

	story_settle(s);
	return conns_count(s->g.conns) == want ||
	       story_fail(s, "there are %zu", conns_count(s->g.conns));
}

static bool
expect_drained(struct story *s)
{
	return STORY_UNTIL(s, s->g.is_drained) ||
	       story_fail(s, "%zu are left", conns_count(s->g.conns));
}

static bool
expect_not_drained(struct story *s)
{
	story_settle(s);
	return !s->g.is_drained || story_fail(s, "nothing is left");
}

static const struct {
	const char *word;
	const char *second; /* NULL: any */
	bool (*run)(struct story *s);
	size_t least; /* words */
} expectations[] = {
	{ "dial", NULL, expect_dial, 3 },
	{ "no", "dial", expect_no_dial, 3 },
	{ "query", NULL, expect_query, 3 },
	{ "asked", NULL, expect_asked, 7 },
	{ "no", "query", expect_no_query, 3 },
	{ "log", NULL, expect_log, 3 },
	{ "no", "log", expect_no_log, 4 },
	{ "caller", NULL, expect_caller, 4 },
	{ "server", NULL, expect_server, 4 },
	{ "conns", NULL, expect_conns, 3 },
	{ "drained", NULL, expect_drained, 2 },
	{ "not", "drained", expect_not_drained, 3 },
};

bool
expect_run(struct story *s)
{
	for (size_t i = 0; i < ARRAY_LEN(expectations); i++) {
		if (!is(s->words[1], expectations[i].word) ||
		    (expectations[i].second != NULL &&
			!is(s->words[2], expectations[i].second)))
			continue;
		if (!s->g.is_started)
			return story_fail(s, "nothing has happened yet");
		if (s->n_words < expectations[i].least)
			return story_fail(s, "%s what?", s->words[1]);
		return expectations[i].run(s);
	}
	return story_fail(s, "nobody knows how to expect %s", s->words[1]);
}

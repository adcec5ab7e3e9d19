/* SPDX-License-Identifier: Apache-2.0 */
/* What a story may say that somebody does.  Listed in stories/README. */

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "policy/service_option.h"
#include "scenario/fake_net.h"
#include "scenario/story.h"

#define CALLER_PORT 40000

static bool
is(const char *word, const char *want)
{
	return word != NULL && strcmp(word, want) == 0;
}

/* The word behind this one among those from i on, or NULL. */
static const char *
option(const struct story *s, size_t i, const char *name)
{
	for (; i + 1 < s->n_words; i++)
		if (is(s->words[i], name))
			return s->words[i + 1];
	return NULL;
}

static bool
begin(struct story *s)
{
	if (s->g.is_started || gateway_start(&s->g, &s->why))
		return true;
	return false;
}

static bool
do_mesh(struct story *s)
{
	gateway_mesh(&s->g, s->words[1],
	    is(s->words[2], "locality-aware")
		? ", localityAwareLoadBalancing: true"
		: "");
	return true;
}

/* Up to a line that is `end`. */
static bool
do_resources(struct story *s)
{
	struct text yaml = TEXT_EMPTY;
	char *line;

	while ((line = story_next_line(s)) != NULL && !is(line, "end")) {
		text_add_z(&yaml, line);
		text_add_char(&yaml, '\n');
	}
	gateway_put(&s->g, s->words[1], text_str(&yaml));
	text_free(&yaml);
	return line != NULL || story_fail(s, "the resources have no end");
}

static bool
do_drop(struct story *s)
{
	gateway_drop(&s->g, s->words[1]);
	return true;
}

static bool
set_remote(struct story *s, const char *value)
{
	if (!cidr_parse(str_of(value), &s->g.remote[s->g.n_remote]))
		return story_fail(s, "\"%s\" is no network", value);
	s->g.n_remote++;
	return true;
}

/* A number of the `services` section, for all services. */
static bool
set_service_option(struct story *s, const char *name, const char *value)
{
	struct service_entry *e = &s->g.services;
	struct service_options from = *service_options_standard();
	const struct service_option_row *row;
	enum service_option i;
	void *to;

	for (i = 0; i < SERVICE_OPTION_N; i++) {
		row = &service_option_rows[i];
		if (!is(name, row->name) || row->type != SERVICE_VALUE_UINT)
			continue;
		to = (char *)&from + row->offset;
		*(unsigned *)to = (unsigned)strtoul(value, NULL, 10);
		service_option_copy(i, &from, &e->options);
		e->given[i] = true;
		e->file = "story";
		return true;
	}
	return story_fail(s, "there is no option %s", name);
}

static bool
set_option(struct story *s, const char *name, const char *value)
{
	struct gateway *g = &s->g;

	if (is(name, "zone"))
		(void)snprintf(g->zone, sizeof(g->zone), "%s", value);
	else if (is(name, "on_revoke"))
		g->keeps_revoked = is(value, "keep");
	else if (is(name, "ingress"))
		g->relays_only = is(value, "alone");
	else if (is(name, "source_relays"))
		g->limits.source_relays = strtoul(value, NULL, 10);
	else if (is(name, "source_dials"))
		g->limits.source_dials = strtoul(value, NULL, 10);
	else if (is(name, "upstream_connections"))
		g->upstream.connections = strtoul(value, NULL, 10);
	else if (is(name, "max_stale_s"))
		g->max_stale_s = (uint32_t)strtoul(value, NULL, 10);
	else if (is(name, "remote_sources"))
		return set_remote(s, value);
	else
		return set_service_option(s, name, value);
	return true;
}

static bool
do_config(struct story *s)
{
	for (size_t i = 1; i < s->n_words; i++) {
		char *value = strchr(s->words[i], '=');

		if (value == NULL)
			return story_fail(s, "an option is NAME=VALUE");
		*value++ = '\0';
		if (!set_option(s, s->words[i], value))
			return false;
	}
	return true;
}

static bool
do_dns(struct story *s)
{
	struct fake_name n = { .answer = ANSWER_ADDRESSES, .ttl_s = 30 };
	const char *ttl = option(s, 2, "ttl"), *what = s->words[2];

	(void)snprintf(n.name, sizeof(n.name), "%s", s->words[1]);
	if (ttl != NULL)
		n.ttl_s = (unsigned)strtoul(ttl, NULL, 10);
	if (is(what, "unknown"))
		n.answer = ANSWER_UNKNOWN;
	else if (is(what, "fails"))
		n.answer = ANSWER_FAILS;
	else if (is(what, "silent"))
		n.answer = ANSWER_SILENT;
	else if (!is(what, "->"))
		return story_fail(s, "what about the name?");
	for (size_t i = 3; is(what, "->") && i < s->n_words; i++) {
		if (is(s->words[i], "ttl"))
			break;
		if (n.n_addrs == FAKE_ADDRS ||
		    !addr_parse(str_of(s->words[i]), 0, &n.addrs[n.n_addrs++]))
			return story_fail(s, "%s is no address", s->words[i]);
	}
	fake_net_name(&n);
	return true;
}

static const struct {
	const char *word;
	enum fake_server how;
} behaviours[] = {
	{ "accepts", SERVER_ACCEPTS },
	{ "refuses", SERVER_REFUSES },
	{ "ignores", SERVER_IGNORES },
	{ "unreachable", SERVER_UNREACHABLE },
	{ "aborts", SERVER_ABORTS },
};

static void
set_cert(struct story *s, const struct addr *at, const char *name)
{
	struct server_kind *k = &s->kinds[s->n_kinds++];

	if (s->n_kinds > STORY_SERVERS)
		abort();
	k->at = *at;
	k->cert = pki_server(s->g.external_ca, name);
}

/* What both callers and servers can do. */
static bool
do_as_actor(struct story *s, struct actor *p, const char *verb)
{
	struct str what = story_bytes(s, 3);

	if (is(verb, "sends") && what.p != NULL)
		actor_send(p, what);
	else if (is(verb, "finishes"))
		actor_finish(p);
	else if (is(verb, "closes"))
		actor_close(p);
	else if (is(verb, "resets"))
		actor_reset(p);
	else
		return story_fail(s, "what does %s mean?", verb);
	story_settle(s);
	return true;
}

static bool
do_server(struct story *s)
{
	const char *verb = s->words[2], *name = option(s, 3, "tls");
	struct server *server;
	struct addr at;

	if (!story_address(s, s->words[1], &at))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(behaviours); i++) {
		if (!is(verb, behaviours[i].word))
			continue;
		fake_net_server(&at, behaviours[i].how);
		if (name != NULL)
			set_cert(s, &at, name);
		return true;
	}
	server = story_server(s, &at);
	if (server == NULL)
		return story_fail(s, "nobody is connected to it");
	return do_as_actor(s, &server->actor, verb);
}

static bool
caller_address(struct story *s, struct addr *from)
{
	const char *host = option(s, 3, "from");

	if (!addr_parse(str_of(host != NULL ? host : "192.0.2.7"),
		(uint16_t)(CALLER_PORT + s->n_callers), from))
		return story_fail(s, "%s is no address", host);
	return true;
}

static struct pki *
caller_cert(struct story *s, const char *name)
{
	const char *mesh = option(s, 3, "mesh");
	const char *zone = option(s, 3, "zone");
	const char *as = option(s, 3, "as");
	const struct pki *ca;

	mesh = mesh != NULL ? mesh : "default";
	ca = gateway_ca(&s->g, mesh);
	if (ca == NULL)
		return NULL;
	return pki_sidecar(
	    ca, mesh, as != NULL ? as : name, zone != NULL ? zone : "zone-1");
}

/* connects SNI; stalls SNI: sends a hello only; dribbles SNI: half of it. */
static bool
open_tls(struct story *s, struct actor *p, int fd, const char *verb)
{
	struct pki *cert = caller_cert(s, s->words[1]);

	if (cert == NULL || s->words[3] == NULL)
		return story_fail(s, "no such mesh, or no server name");
	actor_client(p, fd, s->words[3], cert);
	pki_free(cert);
	if (is(verb, "stalls"))
		p->raw_most = actor_hello_size(p);
	else if (is(verb, "dribbles"))
		p->raw_most = actor_hello_size(p) / 2;
	return true;
}

static bool
open_caller(struct story *s, const char *verb)
{
	struct caller *c = &s->callers[s->n_callers];
	struct addr from;
	int fd[2];

	if (s->n_callers == STORY_CALLERS)
		return story_fail(s, "too many callers");
	if (!begin(s) || !caller_address(s, &from))
		return false;
	fake_net_pair(fd);
	(void)snprintf(c->name, sizeof(c->name), "%s", s->words[1]);
	if (is(verb, "opens"))
		actor_plain(&c->actor, fd[1]);
	else if (!open_tls(s, &c->actor, fd[1], verb))
		return false;
	s->n_callers++;
	gateway_accept(&s->g, fd[0], &from, is(option(s, 3, "by"), "ingress"));
	story_settle(s);
	return true;
}

static bool
do_caller(struct story *s)
{
	const char *verb = s->words[2];
	struct caller *c = story_caller(s, s->words[1]);

	if (is(verb, "opens") || is(verb, "connects") || is(verb, "stalls") ||
	    is(verb, "dribbles"))
		return c == NULL ? open_caller(s, verb)
				 : story_fail(s, "there is a %s", c->name);
	if (c == NULL)
		return story_fail(s, "who is %s?", s->words[1]);
	return do_as_actor(s, &c->actor, verb);
}

static bool
parse_time(struct story *s, const char *word, uint64_t *ms)
{
	char *unit;

	*ms = strtoull(word, &unit, 10);
	if (is(unit, "s"))
		*ms *= 1000;
	else if (is(unit, "m"))
		*ms *= 60000;
	else if (is(unit, "h"))
		*ms *= 3600000;
	else if (!is(unit, "ms"))
		return story_fail(s, "a time is 5s, 10ms, 2m or 1h");
	return true;
}

static bool
do_time(struct story *s)
{
	uint64_t ms;

	if (!parse_time(s, s->words[1], &ms) || !begin(s))
		return false;
	story_pass(s, ms);
	return true;
}

/* One connection, whose bytes reach the server there; both ends go again. */
static bool
load_once(struct story *s, const struct addr *want)
{
	struct caller *c = &s->callers[s->n_callers];
	struct addr from, dialled;
	struct server *server;
	int fd[2];

	if (!caller_address(s, &from))
		return false;
	fake_net_pair(fd);
	(void)snprintf(c->name, sizeof(c->name), "load");
	if (!open_tls(s, &c->actor, fd[1], "connects"))
		return false;
	s->n_callers++;
	gateway_accept(&s->g, fd[0], &from, false);
	if (!STORY_UNTIL(s, c->actor.is_open))
		return story_fail(s, "no handshake");
	actor_send(&c->actor, STR("x"));
	if (!STORY_UNTIL(s, fake_net_take_dial(&dialled)) ||
	    !addr_eq(&dialled, want))
		return story_fail(s, "the server is not dialled");
	if (!STORY_UNTIL(s, (server = story_server(s, want)) != NULL &&
				str_eq(text_str(&server->actor.got), STR("x"))))
		return story_fail(s, "nothing comes to the server");
	actor_close(&c->actor);
	actor_close(&server->actor);
	story_settle(s);
	actor_fini(&s->callers[--s->n_callers].actor);
	actor_fini(&s->servers[--s->n_servers].actor);
	return true;
}

/* load SERVICE SNI at A:P every T for T: the words are where a caller's are. */
static bool
do_load(struct story *s)
{
	const char *at = option(s, 4, "at"), *every = option(s, 4, "every"),
		   *span = option(s, 4, "for");
	uint64_t every_ms, left_ms;
	struct addr want;

	if (at == NULL || every == NULL || span == NULL)
		return story_fail(s, "load at what, every when, for how long?");
	if (!story_address(s, at, &want) || !parse_time(s, every, &every_ms) ||
	    !parse_time(s, span, &left_ms) || !begin(s))
		return false;
	for (; left_ms >= every_ms; left_ms -= every_ms) {
		if (!load_once(s, &want))
			return false;
		story_pass(s, every_ms);
	}
	return true;
}

static bool
do_reload(struct story *s)
{
	if (!begin(s) || !gateway_reload(&s->g, &s->why))
		return false;
	story_settle(s);
	return true;
}

static bool
do_drain(struct story *s)
{
	if (!begin(s))
		return false;
	gateway_drain(&s->g);
	story_settle(s);
	return true;
}

static const struct {
	const char *word;
	bool (*run)(struct story *s);
	size_t least; /* words */
} steps[] = {
	{ "mesh", do_mesh, 2 },
	{ "resources", do_resources, 2 },
	{ "drop", do_drop, 2 },
	{ "config", do_config, 2 },
	{ "dns", do_dns, 3 },
	{ "server", do_server, 3 },
	{ "caller", do_caller, 3 },
	{ "time", do_time, 2 },
	{ "load", do_load, 5 },
	{ "reload", do_reload, 1 },
	{ "drain", do_drain, 1 },
	{ "expect", expect_run, 2 },
};

bool
step_run(struct story *s)
{
	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (!is(s->words[0], steps[i].word))
			continue;
		if (s->n_words < steps[i].least)
			return story_fail(s, "%s what?", s->words[0]);
		return steps[i].run(s);
	}
	return story_fail(s, "nobody knows how to %s", s->words[0]);
}

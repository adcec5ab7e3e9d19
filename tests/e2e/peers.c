/* SPDX-License-Identifier: Apache-2.0 */
/* Worlds of peers: their servers, services and callers. */

#include "e2e/peers.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
rig_init(struct rig *r, const char *config)
{
	memset(r, 0, sizeof(*r));
	world_init(&r->w, config);
}

/* What a server does by itself, in either version. */
static const char *
interim_of(const struct message *m)
{
	const char *path = message_field(m, ":path");

	if (!m->ended && message_field(m, "expect") != NULL)
		return "100";
	return m->ended && path != NULL && strcmp(path, "/informational") == 0
		   ? "103"
		   : NULL;
}

static void
on_h2(struct h2_talk *t, void *arg)
{
	struct server *s = arg;
	struct bytes text = { .n = 0 };
	const char *interim;
	struct said a;

	if (s->options.on_request != NULL) {
		s->options.on_request(t, s->options.arg);
		return;
	}
	if (s->options.is_manual || t->is_answered || t->in->was_reset)
		return;
	if ((interim = interim_of(t->in)) != NULL)
		h2_answer(t, &(struct said){ .status = atoi(interim),
				 .fields = "link: </a>\n" });
	if (!t->in->ended)
		return;
	s->requests++;
	answer_by_path(t->in, &a, &text);
	h2_answer(t, &a);
	bytes_free(&text);
}

static void
on_h1(struct h1_peer *p, struct message *m, void *arg)
{
	struct server *s = arg;
	struct bytes text = { .n = 0 };
	const char *interim;
	struct said a;

	if (s->options.is_manual)
		return;
	if ((interim = interim_of(m)) != NULL)
		h1_answer(p, &(struct said){ .status = atoi(interim),
				 .fields = "link: </a>\n" });
	if (!m->ended)
		return;
	s->requests++;
	answer_by_path(m, &a, &text);
	h1_answer(p, &a);
	bytes_free(&text);
}

static void
on_line(struct line *l, void *arg)
{
	struct server *s = arg;
	struct party *p = &s->came[s->n_came];
	struct h2_options h2 = s->options.h2;
	bool is_h1 =
	    *l->alpn == '\0' ? s->options.is_h1 : strcmp(l->alpn, "h2") != 0;

	cr_assert_lt(s->n_came, CAME_MOST);
	s->n_came++;
	h2.is_server = true;
	h2.on_request = on_h2;
	h2.arg = s;
	if (is_h1)
		p->h1 = h1_peer_new(
		    l, &(struct h1_options){
			   .is_server = true, .on_request = on_h1, .arg = s });
	else
		p->h2 = h2_peer_new(l, &h2);
}

struct server *
rig_serve(struct rig *r, const struct server_options *o)
{
	struct server *s = calloc(1, sizeof(*s));
	struct door_options door = { .alpn = o->alpn,
		.insists = o->insists,
		.receive_buffer = o->receive_buffer,
		.on_line = on_line,
		.arg = s };
	struct pki *p = NULL;

	cr_assert_lt(r->n_servers, DOORS_MOST);
	r->servers[r->n_servers++] = s;
	s->rig = r;
	s->options = *o;
	if (o->name != NULL) {
		p = pki_server(r->w.external_ca, o->name);
		door.cert_pem = p->cert_pem;
		door.key_pem = p->key_pem;
		world_name(&r->w, o->name, "127.0.0.1");
	}
	s->door = door_open(&r->lines, &door);
	pki_free(p);
	return s;
}

void
rig_service(struct rig *r, const char *name, const char *protocol,
    const struct server *s)
{
	bool has_tls = s->options.name != NULL;

	write_es(
	    r->w.e, &(struct es){ .name = name,
			.protocol = protocol,
			.host = s->options.name,
			.port = s->door->port,
			.tls = has_tls ? "caCert: { secret: ext-ca }" : NULL });
}

void
rig_start(struct rig *r)
{
	world_start(&r->w);
}

void
rig_end(struct rig *r)
{
	lines_free(&r->lines);
	world_end(&r->w);
	for (size_t i = 0; i < r->n_servers; i++)
		free(r->servers[i]);
}

struct server *
rig_start_one(struct rig *r, const char *config, const char *protocol,
    const struct server_options *o)
{
	struct server *s;

	rig_init(r, config);
	s = rig_serve(r, o);
	rig_service(r, "api", protocol, s);
	rig_start(r);
	return s;
}

static struct line *
call_line(struct rig *r, const char *service, const char *alpn)
{
	struct mesh_options o = caller(&r->w, service);
	struct line *l;

	o.alpn = alpn;
	l = line_call(&r->lines, &o);
	cr_assert_not_null(l, "no connection to %s", service);
	return l;
}

struct h1_peer *
call_h1(struct rig *r, const char *service)
{
	return h1_peer_new(
	    call_line(r, service, "kuma"), &(struct h1_options){ 0 });
}

struct h2_peer *
call_h2_with(struct rig *r, const char *service, const struct h2_options *o)
{
	return h2_peer_new(call_line(r, service, "kuma"), o);
}

struct h2_peer *
call_h2(struct rig *r, const char *service)
{
	return call_h2_with(r, service, &(struct h2_options){ 0 });
}

struct party
rig_call(struct rig *r, enum caller_kind kind, const char *service)
{
	struct party p = { NULL, NULL };
	struct line *l;

	switch (kind) {
	case CALLER_H1:
		p.h1 = call_h1(r, service);
		break;
	case CALLER_H2_ALPN:
		l = call_line(r, service, "h2,http/1.1");
		cr_expect_str_eq(l->alpn, "h2");
		p.h2 = h2_peer_new(l, &(struct h2_options){ 0 });
		break;
	case CALLER_H2_PREFACE:
	case CALLERS:
		p.h2 = call_h2(r, service);
		break;
	}
	return p;
}

struct line *
party_line(const struct party *p)
{
	return p->h2 != NULL ? p->h2->line : p->h1->line;
}

struct message *
party_ask(struct party *p, const struct said *a)
{
	return p->h2 != NULL ? h2_ask(p->h2, a)->in : h1_ask(p->h1, a);
}

struct message *
get(struct rig *r, struct party *p, const char *path)
{
	struct message *m = party_ask(p, &(struct said){ .path = path });

	return UNTIL(r, m->ended || m->was_reset) && m->ended ? m : NULL;
}

struct message *
get_h2(struct rig *r, struct h2_peer *p, const char *path)
{
	struct party party = { NULL, p };
	struct message *m = get(r, &party, path);

	cr_assert_not_null(m, "GET %s: no answer", path);
	return m;
}

struct h2_peer *
came_h2(struct server *s, size_t n)
{
	cr_assert(UNTIL(s->rig, s->n_came > n), "connection %zu never came", n);
	cr_assert_not_null(s->came[n].h2);
	return s->came[n].h2;
}

struct h1_peer *
came_h1(struct server *s, size_t n)
{
	cr_assert(UNTIL(s->rig, s->n_came > n), "connection %zu never came", n);
	cr_assert_not_null(s->came[n].h1);
	return s->came[n].h1;
}

struct h2_talk *
came_talk(struct h2_peer *p, struct rig *r, size_t n)
{
	cr_assert(UNTIL(r, p->n_talks > n && p->talks[n]->in->has_head),
	    "stream %zu never came", n);
	return p->talks[n];
}

const char *
told(const struct message *answer, const char *name)
{
	struct message text = { .head = answer->body };

	return message_field(&text, name);
}

uint64_t
cpu_ns(const struct egress *e)
{
	char path[320];
	unsigned long long ns, all = 0;
	struct dirent *entry;
	DIR *d;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/task", (int)e->pid);
	d = opendir(path);
	while (d != NULL && (entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat",
		    (int)e->pid, entry->d_name);
		f = fopen(path, "re");
		if (f == NULL)
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			all += ns;
		(void)fclose(f);
	}
	if (d != NULL)
		(void)closedir(d);
	return all;
}

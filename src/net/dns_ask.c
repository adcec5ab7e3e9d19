/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which server is asked next, until one answers.  Answers come raw and are
 * read in dns_parse.c, because c-ares 1.18 tells no TTL of CNAMEs, none of what
 * is not there, and takes whatever name the answer is about.
 */

#include "net/dns_ask.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "net/dns_channel.h"
#include "net/name_servers.h"

LIST_HEAD(question_list, question);

struct dns_asker {
	struct loop *loop;
	struct question_list open;
	struct name_servers servers;
	struct dns_channel *channels[NAME_SERVERS_MOST];
	struct stats_set *counters[NAME_SERVERS_MOST]; /* or NULL */
	struct stats_shard *stats;                     /* or NULL */
	unsigned tries;
	uint32_t timeout_ms;
};

struct question {
	LIST_ENTRY(question) link; /* of asker.open */
	struct dns_asker *asker;
	void (*fn)(void *arg, const struct dns_reply *r);
	void *arg;
	struct name_server *server; /* whom it went to last */
	unsigned asked;             /* a bit a server of this round */
	unsigned spoke;             /* those who need not be asked again */
	unsigned left;              /* tries */
	bool is_again;              /* each had its turn */
	enum dns_status status;     /* the best that was said */
	bool is_unanswered;
	uint16_t type;
	char name[DNS_NAME_TEXT];
};

static bool
add_server(struct dns_asker *a, const char *server)
{
	struct dns_channel *c = dns_channel_new(a->loop, server, a->timeout_ms);

	if (c == NULL)
		return false;
	if (!name_servers_add(&a->servers, server)) {
		log_error("dns", "server \"%s\": at most %d are used", server,
		    NAME_SERVERS_MOST);
		dns_channel_free(c);
		return false;
	}
	a->channels[a->servers.n - 1] = c;
	if (a->stats != NULL)
		a->counters[a->servers.n - 1] =
		    stats_get(a->stats, SCOPE_RESOLVER, server);
	return true;
}

/* One that is too many, or odd, leaves the others. */
static void
on_system_server(void *arg, const char *server)
{
	if (!add_server(arg, server))
		log_warn("dns", "server %s of this system is not used", server);
}

static bool
add_servers(struct dns_asker *a, const struct dns_config *c)
{
	size_t i;

	for (i = 0; i < c->n_servers; i++)
		if (!add_server(a, c->servers[i]))
			return false;
	if (c->n_servers == 0)
		dns_channel_system(on_system_server, a);
	if (a->servers.n == 0)
		log_error("dns", "there is no server to ask");
	return a->servers.n > 0;
}

struct dns_asker *
dns_asker_new(struct loop *l, const struct dns_config *c)
{
	struct dns_asker *a = xcalloc(1, sizeof(*a));

	a->loop = l;
	a->stats = c->stats;
	a->tries = c->tries;
	a->timeout_ms = c->timeout_ms;
	if (add_servers(a, c))
		return a;
	dns_asker_free(a);
	return NULL;
}

void
dns_asker_free(struct dns_asker *a)
{
	struct question *q;
	size_t i;

	if (a == NULL)
		return;
	for (i = 0; i < a->servers.n; i++)
		dns_channel_free(a->channels[i]);
	while ((q = LIST_FIRST(&a->open)) != NULL) {
		LIST_REMOVE(q, link);
		free(q);
	}
	free(a);
}

const struct name_servers *
dns_asker_servers(const struct dns_asker *a)
{
	return &a->servers;
}

static size_t
index_of(const struct dns_asker *a, const struct name_server *s)
{
	return (size_t)(s - a->servers.v);
}

static void
count(const struct question *q, enum stat_resolver id)
{
	struct stats_set *set =
	    q->asker->counters[index_of(q->asker, q->server)];

	if (set != NULL)
		stat_inc(set, id);
}

static void
note(const struct question *q, enum name_server_result r)
{
	static const enum stat_resolver ids[] = {
		[NAME_SERVER_ANSWERED] = STAT_RESOLVER_ANSWERS,
		[NAME_SERVER_FAILED] = STAT_RESOLVER_FAILURES,
		[NAME_SERVER_SILENT] = STAT_RESOLVER_TIMEOUTS,
	};

	name_server_note(q->server, r, loop_now_ms(q->asker->loop));
	count(q, ids[r]);
}

static void
end(struct question *q, struct dns_reply *r)
{
	r->is_unanswered = q->is_unanswered;
	LIST_REMOVE(q, link);
	q->fn(q->arg, r);
	free(q);
}

static void
read_answer(const struct question *q, struct str bytes, struct dns_reply *r,
    struct dns_target targets[DNS_TARGETS_MOST])
{
	const uint8_t *p = (const uint8_t *)bytes.p;

	r->status = DNS_FAILED;
	if (bytes.len == 0 || !dns_answers(p, bytes.len, q->name, q->type))
		return;
	r->targets = targets;
	if (q->type == DNS_TYPE_SRV)
		r->status = dns_parse_srv(p, bytes.len, targets,
		    DNS_TARGETS_MOST, &r->n_targets, &r->ttl_s);
	else
		r->status = dns_parse(p, bytes.len, r->addrs, DNS_ADDRS_MOST,
		    &r->n_addrs, &r->ttl_s);
}

static void ask_next(struct question *q);

static void
go_on(struct question *q, enum name_server_result r)
{
	note(q, r);
	ask_next(q);
}

static void
on_sent(void *arg, enum dns_sent sent, struct str bytes)
{
	struct dns_target targets[DNS_TARGETS_MOST];
	struct dns_reply r = { .status = DNS_FAILED };
	struct question *q = arg;
	unsigned bit = 1u << index_of(q->asker, q->server);

	switch (sent) {
	case SENT_ANSWERED:
		read_answer(q, bytes, &r, targets);
		break;
	case SENT_FAILED:
		break;
	case SENT_REFUSED:
		/* It would refuse at once again. */
		q->spoke |= bit;
		q->status = DNS_FAILED;
		go_on(q, NAME_SERVER_SILENT);
		return;
	case SENT_LATE:
		go_on(q, NAME_SERVER_SILENT);
		return;
	}
	q->is_unanswered = false;
	if (r.status == DNS_FAILED) {
		q->spoke |= bit;
		q->status = DNS_FAILED;
		go_on(q, NAME_SERVER_FAILED);
		return;
	}
	note(q, NAME_SERVER_ANSWERED);
	r.server = q->server->text;
	end(q, &r);
}

/* Each server once, then those again that were silent. */
static struct name_server *
pick(struct question *q)
{
	struct dns_asker *a = q->asker;
	uint64_t now = loop_now_ms(a->loop);
	struct name_server *s;

	s = name_servers_pick(&a->servers, q->asked | q->spoke, now);
	if (s != NULL && (!q->is_again || q->left > 0))
		return s;
	if (q->left == 0)
		return NULL;
	q->is_again = true;
	q->asked = 0;
	return name_servers_pick(&a->servers, q->spoke, now);
}

static void
ask_next(struct question *q)
{
	struct dns_reply r = { .status = q->status };
	struct dns_asker *a = q->asker;

	q->server = pick(q);
	if (q->server == NULL) {
		end(q, &r);
		return;
	}
	q->left -= q->left > 0;
	q->asked |= 1u << index_of(a, q->server);
	q->server->queries++;
	count(q, STAT_RESOLVER_QUERIES);
	dns_channel_send(
	    a->channels[index_of(a, q->server)], q->name, q->type, on_sent, q);
}

void
dns_ask(struct dns_asker *a, const char *name, uint16_t type,
    enum dns_effort effort, void (*fn)(void *arg, const struct dns_reply *r),
    void *arg)
{
	struct question *q = xcalloc(1, sizeof(*q));

	*q = (struct question){
		.asker = a,
		.fn = fn,
		.arg = arg,
		.left = effort == DNS_TRY_ALL ? a->tries : 0,
		.status = DNS_TIMEOUT,
		.is_unanswered = true,
		.type = type,
	};
	memcpy(q->name, name, strlen(name) + 1);
	LIST_INSERT_HEAD(&a->open, q, link);
	ask_next(q);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of what may end, by kind and name, which are also the labels of its
 * metric.  CAs and client certificates of services go by digest, as
 * `zegressctl services -v` shows them: thousands of services with one CA are
 * one entry.  Main thread.
 */

#include "admin/expiry.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "tls/pem.h"
#include "upstream/chain_book.h"

#define DAY_S 86400
/* Of CAs and certificates with digests; further ones are not told of. */
#define DIGESTS_MOST 4096
#define CHECK_S 60

enum kind { IDENTITY, MESH_CA, CA, CLIENT_CERT, CHAIN };

static const struct {
	const char *word;
	const char *remedy;
} kinds[] = {
	[IDENTITY] = { "identity", "replace the files of its identity" },
	[MESH_CA] = { "mesh_ca", "renew the CA of the mesh" },
	[CA] = { "ca", "let the resource have the new CA before its servers "
		       "use it" },
	[CLIENT_CERT] = { "client_certificate", "replace it and its key" },
	[CHAIN] = { "server_chain",
	    "whoever runs the servers has to renew it" },
};

struct item {
	char *key; /* kind and name, a blank between */
	enum kind kind;
	char *whose; /* for people */
	int64_t end_s;
	bool renews_itself;
	bool is_seen;  /* is in force: of expiry_follow() */
	unsigned told; /* warnings that were given: one a threshold */
	struct stats_set *stats;
	UT_hash_handle hh;
};

struct expiry {
	struct stats_shard *stats;
	struct chain_book *chains;
	uint64_t chains_version;
	struct item *items;
	size_t n_digests;
	size_t n_chains;
	int64_t next_check_s;
};

static int
most_first(const void *a, const void *b)
{
	const unsigned *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

bool
expiry_days_parse(struct str text, struct expiry_days *out)
{
	struct str word;
	uint64_t n;

	out->n = 0;
	for (text = str_trim(text); text.len > 0; text = str_trim(text)) {
		word = str_cut(&text, ' ');
		if (out->n == EXPIRY_DAYS_MOST || !str_to_u64(word, 3650, &n))
			return false;
		out->v[out->n++] = (unsigned)n;
	}
	qsort(out->v, out->n, sizeof(out->v[0]), most_first);
	return true;
}

struct expiry *
expiry_new(struct stats_shard *stats, struct chain_book *chains)
{
	struct expiry *e = xcalloc(1, sizeof(*e));

	e->stats = stats;
	e->chains = chains;
	return e;
}

static void
drop(struct expiry *e, struct item *i)
{
	HASH_DEL(e->items, i);
	e->n_digests -= i->kind == CA || i->kind == CLIENT_CERT;
	e->n_chains -= i->kind == CHAIN;
	stats_drop(e->stats, i->stats);
	free(i->key);
	free(i->whose);
	free(i);
}

void
expiry_free(struct expiry *e)
{
	struct item *i, *next;

	if (e == NULL)
		return;
	for (i = e->items; i != NULL; i = next) {
		next = i->hh.next;
		drop(e, i);
	}
	free(e);
}

static struct item *
find(const struct expiry *e, enum kind kind, struct str name)
{
	char *key = xasprintf("%s %.*s", kinds[kind].word, STR_ARG(name));
	struct item *i;

	HASH_FIND_STR(e->items, key, i);
	free(key);
	return i;
}

/* whose is taken over. */
static struct item *
add(struct expiry *e, enum kind kind, struct str name, char *whose)
{
	struct item *i = xcalloc(1, sizeof(*i));

	i->key = xasprintf("%s %.*s", kinds[kind].word, STR_ARG(name));
	i->kind = kind;
	i->whose = whose;
	i->stats = stats_get(e->stats, SCOPE_EXPIRY, i->key);
	HASH_ADD_KEYPTR(hh, e->items, i->key, strlen(i->key), i);
	e->n_digests += kind == CA || kind == CLIENT_CERT;
	e->n_chains += kind == CHAIN;
	return i;
}

static void
set_end(struct expiry *e, struct item *i, int64_t end_s)
{
	i->is_seen = true;
	if (i->end_s == end_s)
		return;
	i->end_s = end_s;
	stat_set(i->stats, STAT_NOT_AFTER, end_s > 0 ? (uint64_t)end_s : 0);
	e->next_check_s = 0;
}

static void
follow_mesh(struct expiry *e, const struct tls_mesh_info *m)
{
	struct item *own = find(e, IDENTITY, m->mesh);
	struct item *ca = find(e, MESH_CA, m->mesh);

	if (own == NULL)
		own = add(e, IDENTITY, m->mesh,
		    xasprintf(
			"our certificate for mesh %.*s", STR_ARG(m->mesh)));
	own->renews_itself = m->is_minted;
	set_end(e, own, m->not_after_s);
	if (ca == NULL)
		ca = add(e, MESH_CA, m->mesh,
		    xasprintf("the CA that callers of mesh %.*s are verified "
			      "with",
			STR_ARG(m->mesh)));
	set_end(e, ca, m->ca_not_after_s);
}

static char *
whose_pem(enum kind kind, const char *hex, const struct service *s)
{
	if (kind == CA)
		return xasprintf("the CA %s that servers of %.*s are verified "
				 "with",
		    hex, STR_ARG(s->key));
	return xasprintf(
	    "the client certificate %s of %.*s", hex, STR_ARG(s->key));
}

/* PEM is read once, when it comes into force. */
static void
follow_pem(struct expiry *e, enum kind kind, const struct blob *pem,
    const struct service *s)
{
	struct item *i;
	char hex[17];

	if (pem == NULL)
		return;
	digest_print(&pem->digest, hex);
	i = find(e, kind, str_of(hex));
	if (i != NULL) {
		i->is_seen = true;
		return;
	}
	if (e->n_digests >= DIGESTS_MOST)
		return;
	i = add(e, kind, str_of(hex), whose_pem(kind, hex, s));
	set_end(e, i,
	    kind == CA ? pem_earliest_end(blob_str(pem))
		       : pem_not_after(blob_str(pem)));
}

/* Neighbours often have the same CA, and then it is one object. */
struct last_seen {
	const struct blob *ca;
	const struct blob *cert;
};

static void
follow_tls(struct expiry *e, const struct tls_spec *t, const struct service *s,
    struct last_seen *last)
{
	if (t->ca != last->ca)
		follow_pem(e, CA, t->ca, s);
	if (t->cert != last->cert)
		follow_pem(e, CLIENT_CERT, t->cert, s);
	last->ca = t->ca;
	last->cert = t->cert;
}

static void
follow_service(
    struct expiry *e, const struct service *s, struct last_seen *last)
{
	const struct tls_spec *t;
	bool has_tls = false;
	struct item *chain;
	size_t i;

	for (i = 0; i < s->n_local; i++) {
		t = s->local[i].endpoint->tls;
		if (t == NULL)
			continue;
		has_tls = true;
		follow_tls(e, t, s, last);
	}
	if (!has_tls || e->n_chains == 0)
		return;
	chain = find(e, CHAIN, s->stats_name);
	if (chain != NULL)
		chain->is_seen = true;
}

static void
forget_rest(struct expiry *e)
{
	struct item *i, *next;

	for (i = e->items; i != NULL; i = next) {
		next = i->hh.next;
		if (i->is_seen)
			continue;
		if (i->kind == CHAIN)
			chain_book_forget(
			    e->chains, str_from(str_of(i->key),
					   strlen(kinds[CHAIN].word) + 1));
		drop(e, i);
	}
}

void
expiry_follow(
    struct expiry *e, const struct snapshot *s, const struct tls_identities *t)
{
	struct last_seen last = { .ca = NULL };
	struct service *const *services;
	struct tls_mesh_info m;
	struct item *item;
	size_t i, n;

	for (item = e->items; item != NULL; item = item->hh.next)
		item->is_seen = false;
	n = t != NULL ? tls_identities_count(t) : 0;
	for (i = 0; i < n; i++) {
		tls_identities_info(t, i, &m);
		follow_mesh(e, &m);
	}
	services = snapshot_services(s, &n);
	for (i = 0; i < n; i++)
		follow_service(e, services[i], &last);
	forget_rest(e);
}

static void
follow_chain(void *arg, struct str service, int64_t end_s)
{
	struct expiry *e = arg;
	struct item *i = find(e, CHAIN, service);

	if (i == NULL)
		i = add(e, CHAIN, service,
		    xasprintf("the certificate chain of servers of %.*s",
			STR_ARG(service)));
	set_end(e, i, end_s);
}

static void
look_at_chains(struct expiry *e)
{
	uint64_t version = chain_book_version(e->chains);

	if (version == e->chains_version)
		return;
	e->chains_version = version;
	chain_book_each(e->chains, follow_chain, e);
}

/* How many of the warnings are due; the last one is that it has ended. */
static unsigned
due(const struct item *i, const struct expiry_days *days, int64_t now_s)
{
	int64_t left_s = i->end_s - now_s;
	unsigned n;

	/* What cannot be read has no end. */
	if (i->end_s == 0 || i->renews_itself)
		return 0;
	for (n = 0; n < days->n; n++)
		if (left_s > (int64_t)days->v[n] * DAY_S)
			return n;
	return n + (left_s <= 0 && n > 0);
}

static void
print_left(const struct item *i, int64_t now_s, struct text *out)
{
	int64_t left_s = i->end_s - now_s;
	char at[CLOCK_TEXT];

	clock_print(i->end_s * 1000, at);
	if (left_s <= 0)
		text_addf(out, "%s has expired: %s", i->whose, at);
	else if (left_s < 2 * DAY_S)
		text_addf(out, "%s expires in %" PRId64 " hours: %s", i->whose,
		    left_s / 3600, at);
	else
		text_addf(out, "%s expires in %" PRId64 " days: %s", i->whose,
		    left_s / DAY_S, at);
}

static void
warn(const struct item *i, int64_t now_s)
{
	struct text line = TEXT_EMPTY;

	print_left(i, now_s, &line);
	if (i->end_s <= now_s)
		log_error("expiry", "%s; %s", line.p, kinds[i->kind].remedy);
	else
		log_warn("expiry", "%s; %s", line.p, kinds[i->kind].remedy);
	text_free(&line);
}

static void
check(struct expiry *e, const struct expiry_days *days, int64_t now_s)
{
	struct item *i;
	unsigned n;

	for (i = e->items; i != NULL; i = i->hh.next) {
		n = due(i, days, now_s);
		if (n > i->told)
			warn(i, now_s);
		i->told = n;
	}
}

void
expiry_look(struct expiry *e, const struct expiry_days *days, int64_t now_s)
{
	look_at_chains(e);
	/* The clock may have been set back. */
	if (now_s < e->next_check_s && e->next_check_s - now_s <= CHECK_S)
		return;
	check(e, days, now_s);
	e->next_check_s = now_s + CHECK_S;
}

void
expiry_print_near(const struct expiry *e, int64_t now_s, struct text *out)
{
	const struct item *i;

	for (i = e->items; i != NULL; i = i->hh.next) {
		if (i->told == 0)
			continue;
		text_add_z(out, "expiry      ");
		print_left(i, now_s, out);
		text_add_char(out, '\n');
	}
}

static void
print_item(const struct item *i, struct text *out)
{
	char at[CLOCK_TEXT];

	if (i == NULL)
		return;
	clock_print(i->end_s * 1000, at);
	text_addf(out, "  until %s %s\n", at, i->key);
}

static void
print_pem(const struct expiry *e, enum kind kind, const struct blob *pem,
    struct text *out)
{
	char hex[17];

	if (pem == NULL)
		return;
	digest_print(&pem->digest, hex);
	print_item(find(e, kind, str_of(hex)), out);
}

void
expiry_print_service(
    const struct expiry *e, const struct service *s, struct text *out)
{
	struct last_seen last = { .ca = NULL };
	const struct tls_spec *t;
	size_t i;

	for (i = 0; i < s->n_local; i++) {
		t = s->local[i].endpoint->tls;
		if (t == NULL)
			continue;
		if (t->ca != last.ca)
			print_pem(e, CA, t->ca, out);
		if (t->cert != last.cert)
			print_pem(e, CLIENT_CERT, t->cert, out);
		last.ca = t->ca;
		last.cert = t->cert;
	}
	print_item(find(e, CHAIN, s->stats_name), out);
}

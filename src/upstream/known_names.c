/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding, making and forgetting names.  A caller chooses what is looked up, so
 * everything that hangs on a name is bounded with it: endpoints, pools, TLS
 * contexts, counters.  Names that lead nowhere are the first to go, so that a
 * flood of them does not cost others their connections.
 */

#include "upstream/known_names.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "policy/endpoint_named.h"
#include "policy/fingerprint.h"
#include "upstream/cluster_state.h"

static struct str
pattern_of(const struct cluster *c)
{
	return c->service->options->wildcard;
}

static size_t
most_names(const struct cluster *c)
{
	return c->service->options->wildcard_names;
}

/* The one that it had already, if the resource is as it was. */
static struct endpoint *
endpoint_for(const struct upstream_name *n, const struct endpoint *resource,
    struct fingerprint *f)
{
	struct digest d = endpoint_named_digest(resource, n->text, f);
	const struct live_endpoint *e;
	size_t i;

	for (i = 0; i < n->endpoints.n; i++) {
		e = n->endpoints.v[i];
		if (digest_eq(&e->endpoint->digest, &d))
			return endpoint_ref(e->endpoint);
	}
	return endpoint_named(resource, n->text, f);
}

static void
renew_balance(struct upstream_name *n)
{
	balance_free(n->balance);
	n->balance = cluster_new_balance(n->cluster, &n->endpoints);
}

static void
make_endpoints(struct upstream_name *n, bool keeps)
{
	const struct service *s = n->cluster->service;
	struct service_endpoint *v = xcalloc(s->n_local + 1, sizeof(*v));
	struct fingerprint f;
	size_t i;

	fingerprint_init(&f);
	for (i = 0; i < s->n_local; i++) {
		v[i] = s->local[i];
		v[i].endpoint = endpoint_for(n, s->local[i].endpoint, &f);
	}
	fingerprint_fini(&f);
	live_endpoints_set(
	    n->cluster, &n->endpoints, v, s->n_local, keeps, n->id);
	renew_balance(n);
	for (i = 0; i < s->n_local; i++)
		endpoint_unref(v[i].endpoint);
	free(v);
}

/* With them go the contexts that were made for the name alone. */
static void
drop_endpoints(struct upstream_name *n)
{
	struct tls_clients *tls = cluster_env(n->cluster)->tls;
	const struct tls_spec *spec;
	size_t i;

	for (i = 0; i < n->endpoints.n; i++) {
		pool_close(n->endpoints.v[i]);
		spec = n->endpoints.v[i]->endpoint->tls;
		if (spec != NULL)
			tls_clients_forget(tls, spec);
	}
	live_endpoints_set(n->cluster, &n->endpoints, NULL, 0, false, n->id);
	renew_balance(n);
}

static void
destroy(struct upstream_name *n)
{
	drop_endpoints(n);
	balance_free(n->balance);
	counts_drop(n->cluster->all, n->counts);
	free(n);
}

/* Nobody finds it any more. */
static void
take_out(struct upstream_name *n)
{
	struct cluster *c = n->cluster;

	HASH_DELETE(hh, c->names.table, n);
	c->names.n--;
	n->is_out = true;
	stat_dec(cluster_set(c), STAT_WILDCARD_NAMES);
	if (n->users > 0)
		return;
	TAILQ_REMOVE(&c->names.idle, n, link);
	destroy(n);
}

static bool
evict(struct cluster *c)
{
	struct upstream_name *n = TAILQ_LAST(&c->names.idle, name_list);

	if (n == NULL)
		return false;
	stat_inc(cluster_set(c), STAT_WILDCARD_EVICTED);
	take_out(n);
	return true;
}

static struct upstream_name *
name_new(struct cluster *c, struct str text)
{
	struct upstream_name *n = xcalloc(1, sizeof(*n));
	struct text label = TEXT_EMPTY;

	memcpy(n->room, text.p, text.len);
	n->text = (struct str){ .p = n->room, .len = text.len };
	n->id = ++c->all->names_made;
	n->cluster = c;
	text_addf(&label, "%.*s %s", STR_ARG(c->service->stats_name), n->room);
	n->counts = counts_get(c->all, SCOPE_NAMED, text_str(&label));
	text_free(&label);
	make_endpoints(n, false);
	live_endpoints_note_known(&n->endpoints);
	TAILQ_INSERT_HEAD(&c->names.idle, n, link);
	HASH_ADD_KEYPTR(hh, c->names.table, n->text.p, n->text.len, n);
	c->names.n++;
	stat_inc(cluster_set(c), STAT_WILDCARD_NAMES);
	return n;
}

static struct upstream_name *
find_or_make(struct cluster *c, struct str text)
{
	struct upstream_name *n;

	HASH_FIND(hh, c->names.table, text.p, text.len, n);
	if (n != NULL)
		return n;
	while (c->names.n >= most_names(c))
		if (!evict(c))
			return NULL;
	return name_new(c, text);
}

/* A port in Host has to be that of every endpoint. */
static enum wildcard_fit
fits(const struct cluster *c, enum name_asked how, struct str asked,
    char out[WILDCARD_NAME_MAX + 1])
{
	const struct service *s = c->service;
	enum wildcard_fit f = WILDCARD_FITS;
	size_t i;

	if (how == NAME_SNI || s->n_local == 0)
		return wildcard_name(pattern_of(c), asked, out);
	for (i = 0; i < s->n_local && f == WILDCARD_FITS; i++)
		f = wildcard_authority(
		    pattern_of(c), asked, s->local[i].endpoint->port, out);
	return f;
}

enum name_result
upstream_name_get(struct cluster *c, enum name_asked how, struct str asked,
    struct upstream_name **out, const char **why)
{
	char text[WILDCARD_NAME_MAX + 1];
	enum wildcard_fit f;

	*out = NULL;
	*why = NULL;
	if (pattern_of(c).len == 0)
		return NAME_GIVEN;
	f = fits(c, how, asked, text);
	if (f != WILDCARD_FITS) {
		*why = wildcard_fit_text(f);
		stat_inc(cluster_set(c), STAT_WILDCARD_REFUSED);
		return NAME_REFUSED;
	}
	*out = upstream_name_ref(find_or_make(c, str_of(text)));
	if (*out == NULL) {
		*why = "wildcard_names is reached, and all of them are in use";
		stat_inc(cluster_set(c), STAT_WILDCARD_OVERFLOW);
		return NAME_FULL;
	}
	stat_inc((*out)->counts->set, STAT_NAME_USES);
	return NAME_GIVEN;
}

struct upstream_name *
upstream_name_ref(struct upstream_name *n)
{
	if (n != NULL && n->users++ == 0)
		TAILQ_REMOVE(&n->cluster->names.idle, n, link);
	return n;
}

void
upstream_name_unref(struct upstream_name *n)
{
	struct name_list *idle;

	if (n == NULL || --n->users > 0)
		return;
	idle = &n->cluster->names.idle;
	if (n->is_out)
		destroy(n);
	else if (n->has_connected)
		TAILQ_INSERT_HEAD(idle, n, link);
	else
		TAILQ_INSERT_TAIL(idle, n, link);
}

uint64_t
upstream_name_id(const struct upstream_name *n)
{
	return n != NULL ? n->id : 0;
}

void
upstream_name_connected(struct upstream_name *n)
{
	if (n == NULL)
		return;
	n->has_connected = true;
	stat_inc(n->counts->set, STAT_NAME_CX_TOTAL);
}

void
upstream_name_failed(struct upstream_name *n)
{
	if (n != NULL)
		stat_inc(n->counts->set, STAT_NAME_CX_FAIL);
}

void
known_names_init(struct cluster *c)
{
	TAILQ_INIT(&c->names.idle);
}

/* A suffix that changed leaves nothing to names that are not under it. */
void
known_names_sync(struct cluster *c, bool keeps)
{
	char text[WILDCARD_NAME_MAX + 1];
	struct upstream_name *n, *next;

	HASH_ITER(hh, c->names.table, n, next)
	{
		if (wildcard_name(pattern_of(c), n->text, text) ==
		    WILDCARD_FITS) {
			make_endpoints(n, keeps);
			continue;
		}
		drop_endpoints(n);
		take_out(n);
	}
	while (c->names.n > most_names(c) && evict(c))
		;
}

void
known_names_close(struct cluster *c)
{
	const struct upstream_name *n;
	size_t i;

	for (n = c->names.table; n != NULL; n = n->hh.next)
		for (i = 0; i < n->endpoints.n; i++)
			pool_close(n->endpoints.v[i]);
}

void
known_names_fini(struct cluster *c)
{
	struct upstream_name *n, *next;

	HASH_ITER(hh, c->names.table, n, next)
	take_out(n);
}

bool
known_names_close_an_idle_one(struct cluster *c)
{
	const struct upstream_name *n;
	size_t i;

	TAILQ_FOREACH_REVERSE(n, &c->names.idle, name_list, link)
	for (i = 0; i < n->endpoints.n; i++)
		if (pool_close_oldest(n->endpoints.v[i]))
			return true;
	for (n = c->names.table; n != NULL; n = n->hh.next)
		for (i = 0; i < n->endpoints.n; i++)
			if (pool_close_oldest(n->endpoints.v[i]))
				return true;
	return false;
}

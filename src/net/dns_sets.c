/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Few sets, each found by its servers as they are written, in their order.
 * Each has a cache and counts of its own; the metrics are those of all.
 */

#include "net/dns_sets.h"

#include <stdlib.h>
#include <utlist.h>

#include "base/xalloc.h"

struct set {
	struct set *prev;
	struct set *next;
	char *servers; /* with blanks between */
	struct dns *dns;
	uint64_t got_ms;
};

struct dns_sets {
	struct loop *loop;
	struct dns_config config;
	struct dns *standard;
	struct set *sets;
};

struct dns_sets *
dns_sets_new(struct loop *l, const struct dns_config *c)
{
	struct dns_sets *s = xcalloc(1, sizeof(*s));

	s->loop = l;
	s->config = *c;
	s->standard = dns_new(l, c);
	if (s->standard == NULL) {
		free(s);
		return NULL;
	}
	return s;
}

static void
set_free(struct dns_sets *s, struct set *one)
{
	DL_DELETE(s->sets, one);
	dns_free(one->dns);
	free(one->servers);
	free(one);
}

void
dns_sets_free(struct dns_sets *s)
{
	if (s == NULL)
		return;
	while (s->sets != NULL)
		set_free(s, s->sets);
	dns_free(s->standard);
	free(s);
}

static bool
is_same(const struct set *one, const struct str *servers, size_t n)
{
	struct str left = str_of(one->servers);
	size_t i;

	for (i = 0; i < n; i++)
		if (left.p == NULL || !str_eq(str_cut(&left, ' '), servers[i]))
			return false;
	return left.p == NULL;
}

static struct dns *
make_dns(struct dns_sets *s, const struct str *servers, size_t n)
{
	const char **v = xcalloc(n, sizeof(*v));
	struct dns_config c = s->config;
	struct dns *d;
	size_t i;

	for (i = 0; i < n; i++)
		v[i] = str_dup(servers[i]);
	c.servers = v;
	c.n_servers = n;
	d = dns_new(s->loop, &c);
	for (i = 0; i < n; i++)
		free((void *)(uintptr_t)v[i]);
	free(v);
	return d;
}

static struct set *
make_set(struct dns_sets *s, const struct str *servers, size_t n)
{
	struct dns *dns = make_dns(s, servers, n);
	struct text all = TEXT_EMPTY;
	struct set *one;
	size_t i;

	if (dns == NULL)
		return NULL;
	for (i = 0; i < n; i++)
		text_addf(
		    &all, "%s%.*s", i > 0 ? " " : "", STR_ARG(servers[i]));
	one = xcalloc(1, sizeof(*one));
	one->dns = dns;
	one->servers = str_dup(text_str(&all));
	text_free(&all);
	DL_APPEND(s->sets, one);
	return one;
}

struct dns *
dns_sets_get(struct dns_sets *s, const struct str *servers, size_t n)
{
	struct set *one;

	if (n == 0)
		return s->standard;
	DL_FOREACH(s->sets, one)
	if (is_same(one, servers, n))
		break;
	if (one == NULL && (one = make_set(s, servers, n)) == NULL)
		return NULL;
	one->got_ms = loop_now_ms(s->loop);
	return one->dns;
}

void
dns_sets_sweep(struct dns_sets *s, uint64_t idle_ms)
{
	struct set *one, *next;

	DL_FOREACH_SAFE(s->sets, one, next)
	if (loop_now_ms(s->loop) >= one->got_ms + idle_ms)
		set_free(s, one);
}

size_t
dns_sets_flush(struct dns_sets *s, struct str name)
{
	size_t n = dns_flush(s->standard, name);
	struct set *one;

	DL_FOREACH(s->sets, one)
	n += dns_flush(one->dns, name);
	return n;
}

void
dns_sets_print(struct dns_sets *s, size_t max, struct text *out)
{
	struct set *one;

	dns_print(s->standard, max, out);
	DL_FOREACH(s->sets, one)
	{
		text_addf(out, "services with resolvers %s\n", one->servers);
		dns_print(one->dns, max, out);
	}
}

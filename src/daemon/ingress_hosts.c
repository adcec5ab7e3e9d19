/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry a host, with its last good addresses: a resolver that fails for a
 * while must not turn remote callers into local ones.  Main thread.
 */

#include "daemon/ingress_hosts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/xalloc.h"
#include "daemon/worker.h"
#include "net/addr.h"
#include "net/dns.h"
#include "policy/snapshot.h"

#define AGAIN_MS 10000
#define ADDRS_MOST 64

struct host {
	struct ingress_hosts *all;
	char *name;
	struct dns_wait wait;
	struct addr addrs[ADDRS_MOST];
	size_t n_addrs;
	struct host *next;
};

struct ingress_hosts {
	struct loop *loop;
	struct dns *dns;
	struct worker *const *workers;
	size_t n_workers;
	struct host *hosts;
	struct timer again;
};

static void
tell(const struct ingress_hosts *h)
{
	const struct host *i;
	struct addr *v;
	size_t n = 0, k;

	for (i = h->hosts; i != NULL; i = i->next)
		n += i->n_addrs;
	v = xcalloc(n + 1, sizeof(*v));
	n = 0;
	for (i = h->hosts; i != NULL; i = i->next)
		for (k = 0; k < i->n_addrs; k++)
			v[n++] = i->addrs[k];
	for (k = 0; k < h->n_workers; k++)
		worker_set_ingresses(h->workers[k], v, n);
	free(v);
}

static bool
is_same(const struct host *host, const struct dns_answer *a)
{
	size_t i;

	if (a->n_addrs != host->n_addrs)
		return false;
	for (i = 0; i < a->n_addrs; i++)
		if (!addr_eq_host(&a->addrs[i], &host->addrs[i]))
			return false;
	return true;
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct host *host = arg;
	struct dns_answer some = *a;

	if (a->status != DNS_OK) {
		log_debug(
		    host->name, "ZoneIngress: %s", dns_status_text(a->status));
		return;
	}
	if (some.n_addrs > ADDRS_MOST)
		some.n_addrs = ADDRS_MOST;
	if (is_same(host, &some))
		return;
	memcpy(host->addrs, some.addrs, some.n_addrs * sizeof(*some.addrs));
	host->n_addrs = some.n_addrs;
	tell(host->all);
}

static void
ask(struct host *host)
{
	struct dns_answer now;

	dns_cancel(&host->wait);
	if (dns_lookup(host->all->dns, str_of(host->name), &host->wait,
		on_answer, host, &now))
		on_answer(host, &now);
}

static void
on_again(void *arg)
{
	struct ingress_hosts *h = arg;
	struct host *i;

	for (i = h->hosts; i != NULL; i = i->next)
		ask(i);
	timer_set(&h->again, AGAIN_MS);
}

struct ingress_hosts *
ingress_hosts_new(struct loop *l, const struct dns_config *dns,
    struct worker *const *workers, size_t n)
{
	struct ingress_hosts *h = xcalloc(1, sizeof(*h));

	h->loop = l;
	h->dns = dns_new(l, dns);
	h->workers = workers;
	h->n_workers = n;
	timer_init(&h->again, l, on_again, h);
	return h;
}

static void
host_free(struct host *i)
{
	dns_cancel(&i->wait);
	free(i->name);
	free(i);
}

void
ingress_hosts_free(struct ingress_hosts *h)
{
	struct host *i, *next;

	if (h == NULL)
		return;
	timer_stop(&h->again);
	for (i = h->hosts; i != NULL; i = next) {
		next = i->next;
		host_free(i);
	}
	dns_free(h->dns);
	free(h);
}

/* Take the host of this name out of a list; NULL when it is not there. */
static struct host *
take(struct host **list, struct str name)
{
	struct host **at, *i;

	for (at = list; *at != NULL; at = &(*at)->next)
		if (str_eq(str_of((*at)->name), name)) {
			i = *at;
			*at = i->next;
			return i;
		}
	return NULL;
}

void
ingress_hosts_set(struct ingress_hosts *h, const struct snapshot *s)
{
	struct host *old = h->hosts, *i;
	size_t n, k;
	const struct str *names = snapshot_ingress_hosts(s, &n);

	h->hosts = NULL;
	for (k = 0; k < n; k++) {
		i = take(&old, names[k]);
		if (i == NULL) {
			i = xcalloc(1, sizeof(*i));
			i->all = h;
			i->name = str_dup(names[k]);
		}
		i->next = h->hosts;
		h->hosts = i;
	}
	while ((i = old) != NULL) {
		old = i->next;
		host_free(i);
	}
	tell(h);
	if (h->hosts != NULL)
		on_again(h);
	else
		timer_stop(&h->again);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that operators read about names and name servers. */

#include <inttypes.h>

#include "net/dns_state.h"
#include "net/name_servers.h"

#define SECOND_MS 1000

static uint64_t
seconds_until(uint64_t now, uint64_t then)
{
	return then > now ? (then - now + SECOND_MS - 1) / SECOND_MS : 0;
}

static void
print_server(const struct name_server *s, uint64_t now, struct text *out)
{
	text_addf(out,
	    "resolver %s queries=%" PRIu64 " answers=%" PRIu64
	    " failures=%" PRIu64 " timeouts=%" PRIu64,
	    s->text, s->queries, s->answers, s->failures, s->timeouts);
	if (name_server_is_behind(s, now))
		text_addf(out, " behind=%" PRIu64 "s",
		    seconds_until(now, s->behind_until_ms));
	text_add_char(out, '\n');
}

static void
print_addresses(const struct dns_entry *e, struct text *out)
{
	char addr[ADDR_TEXT];
	size_t i;

	for (i = 0; i < e->n_addrs; i++) {
		addr_print_host(&e->addrs[i], addr);
		text_addf(out, "%s%s", i == 0 ? " " : ",", addr);
	}
}

/* One word, or why there are no addresses. */
static void
print_state(const struct dns *d, const struct dns_entry *e, struct text *out)
{
	if (!e->is_known)
		text_add_z(out, " not known yet");
	else if (e->n_addrs == 0)
		text_addf(out, " (%s)%s", dns_status_text(e->status),
		    dns_entry_is_fresh(d, e) ? "" : " expired");
	else if (dns_entry_is_fresh(d, e))
		text_add_z(out, " fresh");
	else if (!dns_entry_is_usable(d, e))
		text_add_z(out, " too old");
	else
		text_add_z(out, e->failures > 0 ? " stale" : " expired");
}

static void
print_times(const struct dns_entry *e, uint64_t now, struct text *out)
{
	if (e->answered_ms > 0)
		text_addf(out, " age=%" PRIu64 "s",
		    (now - e->answered_ms) / SECOND_MS);
	if (e->expires_ms > now)
		text_addf(out, " ttl=%" PRIu64 "s",
		    seconds_until(now, e->expires_ms));
	else if (e->n_addrs > 0)
		text_addf(out, " stale=%" PRIu64 "s",
		    (now - e->expires_ms) / SECOND_MS);
	text_addf(out, " used=%" PRIu64 "s", (now - e->used_ms) / SECOND_MS);
}

static void
print_failures(const struct dns_entry *e, uint64_t now, struct text *out)
{
	if (e->failures == 0)
		return;
	text_addf(
	    out, " failures=%u (%s)", e->failures, dns_status_text(e->failure));
	if (!dns_entry_is_asked(e))
		text_addf(out, " again=%" PRIu64 "s",
		    seconds_until(now, e->retry_ms));
}

static unsigned
count_waits(const struct dns_entry *e)
{
	const struct dns_wait *w;
	unsigned n = 0;

	for (w = e->waits; w != NULL; w = w->next)
		n++;
	return n;
}

static void
print_entry(const struct dns *d, const struct dns_entry *e, struct text *out)
{
	uint64_t now = loop_now_ms(d->loop);

	text_add_z(out, e->name);
	print_addresses(e, out);
	print_state(d, e, out);
	print_times(e, now, out);
	print_failures(e, now, out);
	if (e->server != NULL)
		text_addf(out, " from=%s", e->server);
	if (dns_entry_is_asked(e))
		text_addf(out, " asking waiting=%u", count_waits(e));
	text_add_char(out, '\n');
}

/* Those that were used last come first. */
void
dns_print(struct dns *d, size_t max, struct text *out)
{
	const struct name_servers *servers = dns_asker_servers(d->asker);
	const struct dns_entry *oldest = dns_cache_oldest(d->cache), *e;
	size_t i, names = dns_cache_names(d->cache);

	for (i = 0; i < servers->n; i++)
		print_server(&servers->v[i], loop_now_ms(d->loop), out);
	e = oldest != NULL ? oldest->prev : NULL;
	for (i = 0; i < names && i < max; i++, e = e->prev)
		print_entry(d, e, out);
	if (names > max)
		text_addf(out, "and %zu names more\n", names - max);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The lines that operators read about clusters: one an endpoint. */

#include <inttypes.h>

#include "upstream/cluster_state.h"
#include "upstream/names.h"

/* True: what the name leads to is not ours to know. */
static bool
print_detour(const struct outward *w, bool is_named, struct text *out)
{
	if (w->dial_path != NULL) {
		text_addf(out, " by unix:%s", w->dial_path);
		return true;
	}
	if (w->parent.kind == PARENT_NONE)
		return false;
	text_addf(out, " by %s", w->parent_url);
	return is_named ? !w->resolves_named_here : !w->resolves_here;
}

static void
print_addresses(const struct cluster *c, const struct live_endpoint *live,
    bool is_relay, struct text *out)
{
	const struct endpoint *e = live->endpoint;
	struct dns_answer answer;
	char addr[ADDR_TEXT];
	size_t i;

	if (!is_relay && print_detour(c->outward, live->name_id != 0, out))
		return;
	if (e->host_is_address)
		return;
	if (!names_cached(c, e, is_relay, &answer)) {
		text_add(out, STR(" (not resolved yet)"));
		return;
	}
	if (answer.status != DNS_OK)
		text_addf(out, " (%s)", dns_status_text(answer.status));
	for (i = 0; i < answer.n_addrs; i++) {
		addr_print(&answer.addrs[i], addr);
		text_addf(out, "%s%s", i == 0 ? " " : ",", addr);
	}
	if (answer.is_stale)
		text_add(out, STR(" (stale)"));
}

static void
print_failure(const struct live_endpoint *e, uint64_t now_ms, struct text *out)
{
	if (e->failure == NULL)
		return;
	text_addf(
	    out, " failed %" PRIu64 " s ago: ", (now_ms - e->failed_ms) / 1000);
	text_add_z(out, e->failure);
}

static const char *
what_it_is(const struct live_endpoint *e, bool is_relay)
{
	if (is_relay)
		return "remote";
	return e->name_id != 0 ? "name" : "local";
}

static const char *
health_text(enum endpoint_health h)
{
	switch (h) {
	case ENDPOINT_HEALTHY:
		return "healthy";
	case ENDPOINT_EJECTED:
		return "ejected";
	case ENDPOINT_FAILING:
	case ENDPOINT_UNHEALTHY:
		break;
	}
	return "unhealthy";
}

/* What workers together found out. */
static void
print_shared(struct shared_endpoint *k, uint64_t now_ms, struct text *out)
{
	uint64_t until =
	    atomic_load_explicit(&k->out_until_ms, memory_order_relaxed);

	if (now_ms < until)
		text_addf(out, " left out for %" PRIu64 " s more",
		    (until - now_ms + 999) / 1000);
	switch ((enum probed)atomic_load_explicit(
	    &k->probed, memory_order_relaxed)) {
	case PROBED_UNKNOWN:
		break;
	case PROBED_GOOD:
		text_add(out, STR(" checked: good"));
		break;
	case PROBED_BAD:
		text_add(out, STR(" checked: bad: "));
		shared_endpoint_why(k, out);
		break;
	}
}

/* "m/ES/bank bank 10.0.0.1:443 target healthy" */
static void
print_targets(const struct cluster *c, const struct live_endpoint *e,
    uint64_t now_ms, struct text *out)
{
	const struct live_target *t;
	size_t i;

	for (i = 0; i < e->targets.n; i++) {
		t = e->targets.v[i];
		if (!t->is_offered)
			continue;
		text_addf(out, "%.*s %s target %s", STR_ARG(c->service->key),
		    t->known->key, health_text(live_target_health(t, now_ms)));
		print_shared(t->known, now_ms, out);
		text_add_char(out, '\n');
	}
}

static void
print_balance(const struct balance *b, const struct live_endpoint *e,
    uint64_t now_ms, struct text *out)
{
	unsigned warmth = balance_warmth_of(b, e, now_ms);

	text_addf(out, " requests=%u balance=%s weight=%u", e->requests,
	    balance_name(b), e->endpoint->weight);
	if (warmth < 100)
		text_addf(out, " (%u%%, slow start)", warmth);
	text_addf(out, " priority=%u load=%u%%", e->endpoint->priority,
	    balance_load_of(b, e));
}

static void
print_endpoint(const struct cluster *c, const struct balance *b,
    const struct live_endpoint *e, bool is_relay, struct text *out)
{
	uint64_t now = cluster_now_ms(c);

	text_addf(out, "%.*s %.*s %s ", STR_ARG(c->service->key),
	    STR_ARG(e->endpoint->key), what_it_is(e, is_relay));
	endpoint_print_place(e->endpoint, out);
	print_addresses(c, e, is_relay, out);
	text_addf(out, " %s active=%u idle=%zu",
	    health_text(live_endpoint_health(e, now)), e->active, e->n_idle);
	print_balance(b, e, now, out);
	print_shared(e->known, now, out);
	print_failure(e, now, out);
	text_add_char(out, '\n');
	print_targets(c, e, now, out);
}

static void
print_all(
    const struct cluster *c, struct balance *b, bool is_relay, struct text *out)
{
	const struct live_endpoints *list = balance_endpoints(b);
	size_t i;

	(void)balance_survey(b, cluster_now_ms(c));
	for (i = 0; i < list->n; i++)
		print_endpoint(c, b, list->v[i], is_relay, out);
}

/* What the resource says is of no interest by itself then. */
static void
print_names(const struct cluster *c, struct text *out)
{
	const struct service_options *o = c->service->options;
	const struct upstream_name *n;

	text_addf(out, "%.*s wildcard %.*s names=%zu most=%u\n",
	    STR_ARG(c->service->key), STR_ARG(o->wildcard), c->names.n,
	    o->wildcard_names);
	for (n = c->names.table; n != NULL; n = n->hh.next)
		print_all(c, n->balance, false, out);
}

/* "connections=3/64 (most 9)", without a limit "connections=3 (most 9)". */
static void
print_limits(const struct cluster *c, struct text *out)
{
	const struct breaker *b;
	enum breaker_id id;
	unsigned most;

	text_addf(out, "%.*s limits", STR_ARG(c->service->key));
	for (id = 0; id < BREAKER_N; id++) {
		/* Requests without a limit are counted elsewhere. */
		if (id == BREAKER_REQUESTS && !cluster_has_own_limit(c, id))
			continue;
		b = &c->shared->breakers[id];
		most = cluster_limit(c, id);
		text_addf(out, " %s=%u", breaker_name(id), breaker_now(b));
		if (most > 0)
			text_addf(out, "/%u", most);
		text_addf(out, " (most %u)", breaker_highest(b));
	}
	text_add_char(out, '\n');
}

void
clusters_print(const struct clusters *cs, struct text *out)
{
	const struct cluster *c;

	for (c = cs->table; c != NULL; c = c->hh.next) {
		if (c->service->options->wildcard.len > 0)
			print_names(c, out);
		else
			print_all(c, c->balance, false, out);
		print_all(c, c->relays, true, out);
		print_limits(c, out);
	}
}

/* SPDX-License-Identifier: Apache-2.0 */
/* See upstream_rig.h. */

#include "upstream_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "policy/fingerprint.h"
#include "policy/plan.h"
#include "policy/service_option.h"
#include "policy/service_seal.h"
#include "policy/tls_spec_seal.h"
#include "tls/tls_init.h"

void
rig_init(struct rig *g)
{
	const char *address;
	struct dns_config config = {
		.n_servers = 1,
		.min_ttl_s = 5,
		.max_ttl_s = 3600,
		.negative_ttl_s = 5,
		.timeout_ms = 2000,
		.tries = 2,
		.max_names = 100,
		.ipv4 = true,
		.ipv6 = true,
	};

	tls_init();
	*g = (struct rig){
		.h2 = {
			.streams = 100,
			.stream_window = 65536,
			.connection_window = 1048576,
			.head_ms = 15000,
			.ping_timeout_ms = 20000,
		},
		.limits = {
			.connect_ms = 5000,
			.pool_idle_ms = 60000,
			.pool_per_endpoint = 128,
			.connections = 1024,
			.pending = 1024,
		},
		.http = {
			.head_bytes = 61440,
			.fields = 100,
			.trailer_bytes = 8192,
		},
	};
	g->loop = loop_new();
	g->names = dns_server_start();
	address = dns_server_address(g->names);
	config.servers = &address;
	g->dns = dns_new(g->loop, &config);
	g->tls = tls_clients_new();
	g->stats = stats_shard_new();
	if (!cidr_parse(STR("127.0.0.0/8"), &g->allow))
		abort();
	g->rules.allow = &g->allow;
	g->rules.n_allow = 1;
	g->env = (struct upstream_env){
		.loop = g->loop,
		.dns = g->dns,
		.tls = g->tls,
		.stats = g->stats,
		.addr_rules = &g->rules,
		.own = g->own,
		.limits = &g->limits,
		.http = &g->http,
		.h2 = &g->h2,
	};
	for (size_t i = 0; i < H2_ABUSE_N; i++)
		g->h2.abuse[i] = 10000;
}

void
rig_start(struct rig *g)
{
	g->clusters = clusters_new(&g->env);
}

void
rig_fini(struct rig *g)
{
	clusters_free(g->clusters);
	tls_clients_free(g->tls);
	dns_free(g->dns);
	loop_turn(g->loop);
	loop_free(g->loop);
	stats_shard_free(g->stats);
	dns_server_stop(g->names);
}

static struct service_endpoint
make_endpoint(const struct rig_endpoint *e, struct fingerprint *f)
{
	struct addr a;
	struct endpoint draft = {
		.key = str_of(e->key),
		.origin = STR("test:1 ExternalService/e"),
		.host = str_of(e->host),
		.port = e->port,
		.host_is_address =
		    e->host[0] == '/' || addr_parse(str_of(e->host), 1, &a),
		.weight = e->weight > 0 ? e->weight : 1,
		.priority = e->priority,
		.tls = e->tls,
	};

	return (struct service_endpoint){
		.endpoint = endpoint_seal(&draft, NULL, f),
		.ruleset = e->ruleset,
		.is_zoned = e->is_zoned,
	};
}

/* A ruleset whose one rule is its name. */
static void
add_ruleset(struct service *s, struct str name, struct fingerprint *f)
{
	struct uri_test test = { .uri = name };
	struct principal who = { .tests = &test, .n_tests = 1 };
	struct rule rule = {
		.effect = RULE_ALLOW,
		.principals = &who,
		.n_principals = 1,
		.origin = { .text = name },
	};
	struct rule_block draft = { .rules = &rule, .n_rules = 1 };
	struct rule_block *b;

	rule_block_digest(&draft, f);
	b = rule_block_new(&draft);
	s->rulesets[s->n_rulesets++] = (struct ruleset){
		.digest = b->digest,
		.rules = b->rules,
		.n_rules = b->n_rules,
		.block = b,
	};
}

struct service *
rig_service(const char *name, const char *rules, const struct rig_endpoint *v)
{
	return rig_service_of(PROTO_HTTP, name, rules, v);
}

struct service *
rig_service_with(const struct service_options *o, enum protocol protocol,
    const char *name, const char *rules, const struct rig_endpoint *v)
{
	struct service_endpoint local[RIG_ENDPOINTS], remote[RIG_ENDPOINTS];
	struct ruleset rulesets[RIG_ENDPOINTS];
	char key[64], stats_name[64];
	struct str rest = str_of(rules), sni = str_of(name);
	struct service draft = {
		.protocol = protocol,
		.mesh = STR("m"),
		.name = str_of(name),
		.origin = STR("test:1 ExternalService/e"),
		.snis = &sni,
		.n_snis = 1,
		.local = local,
		.remote = remote,
		.rulesets = rulesets,
	}, *made;
	struct fingerprint f;

	snprintf(key, sizeof(key), "m/ES/%s", name);
	snprintf(stats_name, sizeof(stats_name), "m_%s", name);
	draft.key = str_of(key);
	draft.stats_name = str_of(stats_name);
	fingerprint_init(&f);
	while (rest.len > 0)
		add_ruleset(&draft, str_cut(&rest, ' '), &f);
	for (; v->key != NULL; v++)
		if (v->is_remote)
			remote[draft.n_remote++] = make_endpoint(v, &f);
		else
			local[draft.n_local++] = make_endpoint(v, &f);
	draft.options = service_options_seal(o, &f);
	made = service_seal(&draft, NULL, &f);
	fingerprint_fini(&f);
	return made;
}

struct service *
rig_service_of(enum protocol protocol, const char *name, const char *rules,
    const struct rig_endpoint *v)
{
	return rig_service_with(
	    service_options_standard(), protocol, name, rules, v);
}

static struct tls_spec *
seal_tls(const struct tls_spec *draft)
{
	struct fingerprint f;
	struct digest digest;
	struct tls_spec *made;

	fingerprint_init(&f);
	digest = tls_spec_digest(draft, &f);
	made = tls_spec_new(draft, &digest);
	fingerprint_fini(&f);
	return made;
}

struct tls_spec *
rig_tls_alpn(const char *ids)
{
	struct tls_spec draft = {
		.alpn = str_of(ids),
		.min_version = 0x0303,
		.max_version = 0x0304,
	};

	return seal_tls(&draft);
}

struct tls_spec *
rig_tls(const struct pki *ca, const char *sni, const char *name)
{
	struct tls_name expected = { .value = str_of(name) };
	struct tls_spec draft = {
		.sni = str_of(sni),
		.verify_chain = ca != NULL,
		.verify_names = name != NULL,
		.names = &expected,
		.n_names = name != NULL,
		.min_version = 0x0303,
		.max_version = 0x0304,
	}, *made;

	if (ca != NULL)
		draft.ca = blob_new(str_of(ca->cert_pem));
	made = seal_tls(&draft);
	blob_unref(draft.ca);
	return made;
}

struct snapshot *
rig_snapshot(struct service *const *v, size_t n)
{
	struct plan *p = plan_new();
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *s;
	size_t i;

	for (i = 0; i < n; i++)
		plan_add_service(p, service_ref(v[i]));
	s = snapshot_freeze(p, NULL, &pr);
	problems_free(&pr);
	return s;
}

uint64_t
rig_stat(const char *name, unsigned id)
{
	char stats_name[64];

	snprintf(stats_name, sizeof(stats_name), "m_%s", name);
	return stats_sum(SCOPE_CLUSTER, stats_name, id);
}

bool
rig_says(const struct rig *g, const char *text)
{
	struct text out = TEXT_EMPTY;
	bool is_there;

	clusters_print(g->clusters, &out);
	is_there = out.p != NULL && strstr(out.p, text) != NULL;
	if (!is_there)
		cr_log_info("it says: %s", out.p);
	text_free(&out);
	return is_there;
}

uint16_t
rig_closed_port(void)
{
	struct addr a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (!addr_parse(STR("127.0.0.1"), 0, &a) ||
	    bind(fd, &a.u.sa, a.len) == -1 ||
	    getsockname(fd, &a.u.sa, &a.len) == -1)
		abort();
	close(fd);
	return addr_port(&a);
}

struct ext_server *
rig_server(enum ext_protocol p)
{
	struct ext_config c = { .protocol = p, .name = "x" };

	return ext_start(&c);
}

static void
on_reached(void *arg, struct reached *r)
{
	struct rig_reached *out = arg;

	out->calls++;
	out->reach = NULL;
	out->r = *r;
	if (r->endpoint != NULL)
		snprintf(out->endpoint, sizeof(out->endpoint), "%.*s",
		    STR_ARG(r->endpoint->key));
	if (r->addr.len > 0)
		addr_print(&r->addr, out->addr);
	r->wire = NULL;
}

void
rig_begin(struct rig *g, struct cluster *c, const struct reach_want *want,
    struct rig_reached *out)
{
	(void)g;
	*out = (struct rig_reached){ .calls = 0 };
	out->reach = reach_start(c, want, on_reached, out);
	cr_assert_eq(out->calls, 0, "told before reach_start() returned");
}

void
rig_reach(struct rig *g, struct service *s, const struct reach_want *want,
    struct rig_reached *out)
{
	uint64_t start = clock_ms();

	rig_begin(g, clusters_get(g->clusters, s), want, out);
	cr_assert(RIG_UNTIL(g, out->calls > 0), "no result");
	out->took_ms = clock_ms() - start;
	cr_expect_eq(out->calls, 1);
}

void
rig_expect_text(struct rig *g, struct rig_reached *r, const char *want)
{
	char got[128] = "";
	size_t n = 0, len = strlen(want);
	struct span span;

	cr_assert_not_null(r->r.wire, "%s", r->r.detail);
	cr_expect(RIG_UNTIL(g, ({
		if (wire_read(r->r.wire, &span) == IO_DONE &&
		    n + span.len < sizeof(got)) {
			memcpy(got + n, span.p, span.len);
			n += span.len;
		}
		n >= len;
	})));
	cr_expect_str_eq(got, want);
}

void
rig_hang_up(struct rig_reached *r)
{
	wire_free(r->r.wire);
	r->r.wire = NULL;
	cluster_guard_release(&r->r.guard);
}

static void
on_leased(void *arg)
{
	struct rig_exchange *x = arg;

	x->calls++;
	x->is_done = true;
	x->order = ++*x->counter;
}

void
rig_lease(struct cluster *c, const struct reach_want *want, bool is_fresh,
    unsigned *counter, struct rig_exchange *x)
{
	static unsigned unused;

	*x = (struct rig_exchange){ .counter = counter };
	if (counter == NULL)
		x->counter = &unused;
	x->is_done = lease_start(&x->lease, c, want, is_fresh, on_leased, x);
	cr_assert_eq(x->calls, 0, "told before lease_start() returned");
}

enum pull
rig_read(struct rig_exchange *x)
{
	struct stream *s = x->lease.stream;
	enum pull pull = PULL_DATA;
	struct head *h;
	struct span span;

	if (x->status == 0) {
		pull = s->ops->pull_head(s, &h);
		if (pull == PULL_DATA)
			x->status = h->status;
	}
	while (pull == PULL_DATA)
		pull = s->ops->pull_body(s, SIZE_MAX, &span);
	return pull;
}

static void
on_ready(void *arg)
{
	(void)arg;
}

void
rig_send(struct rig_exchange *x, const char *path)
{
	struct stream *s = x->lease.stream;
	struct head h = {
		.is_request = true,
		.minor = 1,
		.method = STR("GET"),
		.authority = STR("x.example"),
		.has_host = true,
		.scheme = STR("http"),
		.path = str_of(path),
	};

	x->status = 0;
	s->on_ready = on_ready;
	s->ops->push_head(s, &h, true);
	s->ops->flush(s);
}

bool
rig_get(struct rig *g, struct rig_exchange *x, const char *path)
{
	enum pull pull = PULL_WAIT;

	rig_send(x, path);
	cr_expect(RIG_UNTIL(g, (pull = rig_read(x)) != PULL_WAIT));
	return pull == PULL_END;
}

bool
rig_visit(
    struct rig *g, struct cluster *c, const char *path, struct rig_exchange *x)
{
	bool is_whole;

	rig_lease(c, &RIG_ANY, false, NULL, x);
	cr_assert(RIG_UNTIL(g, x->is_done), "no lease");
	cr_assert_eq(x->lease.status, REACH_OK, "%s: %s",
	    reach_status_text(x->lease.status), x->lease.detail);
	is_whole = rig_get(g, x, path);
	lease_end(&x->lease, is_whole);
	return is_whole;
}

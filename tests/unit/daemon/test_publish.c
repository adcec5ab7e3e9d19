/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/publish.h: what a feed says goes into force, or changes nothing. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/publish.h"
#include "feed/feed.h"
#include "model/store.h"
#include "policy/snapshot.h"
#include "support/pki.h"
#include "tls/tls_init.h"
#include "unit/feed/tree.h"

/* A feed of one file: the seam that other feeds will use. */
struct fake {
	struct feed feed;
	const char *text;
	const char *error;
	unsigned fills;
	bool was_everything;
};

static struct fake *
fake_of(struct feed *f)
{
	return CONTAINER_OF(f, struct fake, feed);
}

static void
fake_start(struct feed *f)
{
	feed_heard(f);
}

static void
fake_fill(struct feed *f, struct store *st, bool everything)
{
	fake_of(f)->fills++;
	fake_of(f)->was_everything = everything;
	store_put_file(st, "fake", str_of(fake_of(f)->text));
}

static const char *
fake_error(const struct feed *f)
{
	const void *fake = (const char *)f - offsetof(struct fake, feed);

	return ((const struct fake *)fake)->error;
}

static void
fake_free(struct feed *f)
{
	(void)f;
}

static const struct feed_ops fake_ops = {
	.name = "fake",
	.start = fake_start,
	.fill = fake_fill,
	.error = fake_error,
	.free = fake_free,
};

#define ES(name)                                                  \
	"type: ExternalService\nmesh: m\nname: " name "\n"        \
	"tags: { kuma.io/service: " name ", kuma.io/zone: z2 }\n" \
	"networking: { address: \"192.0.2.1:80\" }\n---\n"
/* Before what a test adds: a mesh with its CA, and another zone. */
static const char base[] =
    "type: Mesh\nname: m\nrouting: { zoneEgress: true }\nmtls: {\n"
    "  enabledBackend: b, backends: [ { name: b, type: builtin } ] }\n"
    "---\n"
    "type: ZoneIngress\nname: i\nzone: z2\nnetworking: { address: "
    "192.0.2.9, port: 1, advertisedAddress: 192.0.2.9, "
    "advertisedPort: 1 }\n---\n";

struct rig {
	struct tree tree;
	struct loop *loop;
	struct stats_shard *shard;
	struct stats_set *stats;
	struct fake fake;
	struct text resources;
	struct text secrets;
	struct publisher *publisher;
	unsigned published;
};

static void
add_secret(struct text *to, const char *part, const char *pem)
{
	text_addf(
	    to, "type: Secret\nmesh: m\nname: m.ca-builtin-%s-b\ndata: ", part);
	base64_encode(str_of(pem), to);
	text_add_z(to, "\n---\n");
}

/* What the feed has from here on. */
static void
feed(struct rig *r, const char *first, const char *more)
{
	text_clear(&r->resources);
	text_addf(&r->resources, "%s%s%s%s", first, base, r->secrets.p, more);
	r->fake.text = r->resources.p;
}

static void
on_published(void *arg)
{
	struct rig *r = arg;

	r->published++;
}

static struct config *
load(struct rig *r, const char *text)
{
	struct problems pr = PROBLEMS_NONE;
	struct config *c;

	tree_write(&r->tree, "c", text);
	c = config_load(tree_path(&r->tree, "c"), &pr);
	cr_assert_not_null(c);
	problems_free(&pr);
	return c;
}

static void
rig_init(struct rig *r, const char *text)
{
	struct pki *ca = pki_mesh_ca("m");

	*r = (struct rig){ .published = 0 };
	add_secret(&r->secrets, "cert", ca->cert_pem);
	add_secret(&r->secrets, "key", ca->key_pem);
	pki_free(ca);
	tls_init();
	tree_init(&r->tree);
	r->loop = loop_new();
	r->shard = stats_shard_new();
	r->stats = stats_get(r->shard, SCOPE_SERVER, NULL);
	feed_init(&r->fake.feed, &fake_ops, r->loop);
	feed(r, "", text);
	r->publisher = publisher_new(
	    r->loop, &r->fake.feed, load(r, "zone = \"z1\";"), r->stats);
	publisher_on_published(r->publisher, on_published, r);
	publisher_build(r->publisher, PUBLISH_START);
}

static void
rig_fini(struct rig *r)
{
	publisher_free(r->publisher);
	feed_free(&r->fake.feed);
	stats_shard_free(r->shard);
	loop_free(r->loop);
	text_free(&r->resources);
	text_free(&r->secrets);
	tree_fini(&r->tree);
}

static bool
serves(const struct rig *r, const char *sni)
{
	return snapshot_match(publisher_snapshot(r->publisher), str_of(sni)) !=
	       NULL;
}

static uint64_t
stat_of(unsigned id)
{
	return stats_sum(SCOPE_SERVER, NULL, id);
}

Test(publish, a_change_goes_into_force)
{
	struct rig r;

	rig_init(&r, ES("one"));
	cr_expect(serves(&r, "one{mesh=m}"));
	cr_expect(r.fake.was_everything);
	feed(&r, "", ES("two"));
	publisher_build(r.publisher, PUBLISH_CHANGE);
	cr_expect(!serves(&r, "one{mesh=m}"));
	cr_expect(serves(&r, "two{mesh=m}"));
	cr_expect(!r.fake.was_everything);
	cr_expect(publisher_status(r.publisher).has_changed);
	cr_expect_eq(publisher_status(r.publisher).builds, 2);
	cr_expect_eq(r.published, 2);
	cr_expect_eq(stat_of(STAT_RELOADS), 2);
	cr_expect_eq(stat_of(STAT_SERVICES), 1);
	rig_fini(&r);
}

Test(publish, what_is_equal_changes_nothing)
{
	struct snapshot *before;
	struct rig r;

	rig_init(&r, ES("one"));
	before = publisher_snapshot(r.publisher);
	publisher_build(r.publisher, PUBLISH_CHANGE);
	cr_expect_eq(publisher_snapshot(r.publisher), before);
	feed(&r, "# a comment\n", ES("one"));
	publisher_build(r.publisher, PUBLISH_CHANGE);
	cr_expect(serves(&r, "one{mesh=m}"));
	publisher_build(r.publisher, PUBLISH_ASKED);
	cr_expect(r.fake.was_everything, "asked for, all is read again");
	cr_expect(!publisher_status(r.publisher).has_changed);
	rig_fini(&r);
}

Test(publish, what_is_refused_keeps_the_last_good)
{
	struct rig r;

	rig_init(&r, ES("one"));
	feed(&r, "",
	    "type: ExternalService\nmesh: m\nname: one\n"
	    "tags: { kuma.io/service: one }\n"
	    "networking: { address: \"no port\" }\n");
	publisher_build(r.publisher, PUBLISH_CHANGE);
	cr_expect(serves(&r, "one{mesh=m}"));
	cr_expect_eq(publisher_status(r.publisher).refused, 1);
	cr_expect_gt(publisher_problems(r.publisher)->errors, 0);
	cr_expect_eq(stat_of(STAT_RELOADS_REJECTED), 1);
	cr_expect_eq(stat_of(STAT_RESOURCES_REFUSED), 1);
	feed(&r, "", ES("one"));
	publisher_build(r.publisher, PUBLISH_CHANGE);
	cr_expect_eq(publisher_status(r.publisher).refused, 0);
	cr_expect_eq(publisher_problems(r.publisher)->errors, 0);
	cr_expect_eq(stat_of(STAT_RESOURCES_REFUSED), 0);
	rig_fini(&r);
}

#define MES                                                                  \
	"type: MeshExternalService\nmesh: m\nname: e\nspec: { match: { "     \
	"type: HostnameGenerator, port: 443, protocol: tcp }, endpoints: [ " \
	"{ address: 192.0.2.1, port: 443 } ], tls: { enabled: true } }\n"

/* What resources mean is of the configuration, so that is built anew too. */
Test(publish, takes_a_new_configuration)
{
	struct text before = TEXT_EMPTY, after = TEXT_EMPTY;
	struct rig r;

	rig_init(&r, MES);
	snapshot_print(publisher_snapshot(r.publisher), &before);
	publisher_set_config(r.publisher,
	    load(&r, "zone = \"z1\"; mes_without_rule = \"allow\";"));
	publisher_build(r.publisher, PUBLISH_ASKED);
	snapshot_print(publisher_snapshot(r.publisher), &after);
	cr_expect(publisher_config(r.publisher)->mes_without_rule_allows);
	cr_expect_str_eq(publisher_config(r.publisher)->zone, "z1");
	cr_expect_not_null(strstr(before.p, "no rule, denies"), "%s", before.p);
	cr_expect_null(strstr(after.p, "no rule, denies"), "%s", after.p);
	text_free(&before);
	text_free(&after);
	rig_fini(&r);
}

#define WEB(name)                                     \
	"type: ExternalService\nmesh: m\nname: " name \
	"\ntags: { kuma.io/service: " name            \
	", kuma.io/protocol: http }\nnetworking: { "  \
	"address: \"192.0.2.1:80\" }\n---\n"

static const struct service *
service(const struct rig *r, const char *key)
{
	return snapshot_find(publisher_snapshot(r->publisher), str_of(key));
}

static void
reload(struct rig *r, const char *text)
{
	publisher_set_config(r->publisher, load(r, text));
	publisher_build(r->publisher, PUBLISH_ASKED);
}

/* What SIGHUP does with a changed option: a new service, and one alone. */
Test(publish, an_option_of_a_service_changes_that_service)
{
	static const char changed[] =
	    "zone = \"z1\"; services = ( { match = { service = \"a\"; };"
	    " via = \"me\"; request_ms = 15000; } );";
	const struct problems *pr;
	const struct service *b;
	struct snapshot *s;
	struct rig r;

	rig_init(&r, WEB("b") WEB("a"));
	b = service(&r, "m/ES/b");
	cr_assert_not_null(b);
	reload(&r, changed);
	cr_expect(publisher_status(r.publisher).has_changed);
	cr_expect_eq(service(&r, "m/ES/a")->options->request_ms, 15000);
	cr_expect(str_eq(service(&r, "m/ES/a")->options->via, STR("me")));
	cr_expect_eq(service(&r, "m/ES/b"), b, "the very same");
	s = publisher_snapshot(r.publisher);
	reload(&r, changed);
	cr_expect(!publisher_status(r.publisher).has_changed);
	cr_expect_eq(publisher_snapshot(r.publisher), s);
	/* The service goes, the entry stays: that is worth a word. */
	feed(&r, "", WEB("b"));
	publisher_build(r.publisher, PUBLISH_CHANGE);
	pr = publisher_problems(r.publisher);
	cr_assert_eq(pr->n, 1);
	cr_expect_eq(pr->v[0].level, PROBLEM_WARNING);
	cr_expect_str_eq(pr->v[0].path, "services.match");
	cr_expect_eq(pr->v[0].line, 1);
	cr_expect_eq(publisher_status(r.publisher).refused, 0);
	reload(&r, "zone = \"z1\";");
	cr_expect_eq(publisher_problems(r.publisher)->n, 0);
	cr_expect_eq(service(&r, "m/ES/b"), b);
	rig_fini(&r);
}

Test(publish, a_feed_that_fails_is_shown)
{
	struct rig r;

	rig_init(&r, ES("one"));
	cr_expect_eq(stat_of(STAT_CONTROL_PLANE_CONNECTED), 1);
	r.fake.error = "no way";
	publisher_build(r.publisher, PUBLISH_CHANGE);
	cr_expect_str_eq(publisher_feed_error(r.publisher), "no way");
	cr_expect_eq(stat_of(STAT_CONTROL_PLANE_CONNECTED), 0);
	cr_expect(serves(&r, "one{mesh=m}"));
	rig_fini(&r);
}

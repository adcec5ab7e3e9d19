/* SPDX-License-Identifier: Apache-2.0 */
/* zegressctl replay: the log of a real day under other resources. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "e2e/fixture.h"

#define WEB_ONLY                                                       \
	"type: MeshTrafficPermission\nmesh: default\nname: p\nspec:\n" \
	"  targetRef: { kind: Mesh }\n  from:\n"                       \
	"  - targetRef: { kind: MeshSubset, tags: { %s } }\n"          \
	"    default: { action: Allow }\n"

static char out[65536];

static int
replay(struct world *w, const char *dir, const char *log)
{
	char words[1024];

	(void)snprintf(words, sizeof(words),
	    "replay %s --resources %s/%s --config %s", log, w->e->dir, dir,
	    w->e->config_path);
	return egress_ctl_status(w->e, words, out, sizeof(out));
}

/* Another directory of resources: those in force, and another permission. */
static void
write_other(struct world *w, const char *dir, const char *tags)
{
	char path[512], command[1024];
	FILE *f;

	(void)snprintf(command, sizeof(command),
	    "cp -r %s/resources %s/%s && rm -f %s/%s/allow-all.yaml", w->e->dir,
	    w->e->dir, dir, w->e->dir, dir);
	cr_assert_eq(system(command), 0);
	(void)snprintf(path, sizeof(path), "%s/%s/p.yaml", w->e->dir, dir);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fprintf(f, WEB_ONLY, tags);
	cr_assert_eq(fclose(f), 0);
}

static void
expect_said(const char *part)
{
	cr_expect(strstr(out, part) != NULL, "no \"%s\" in: %s", part, out);
}

Test(replay, says_what_would_change)
{
	struct world w;

	world_start_two(&w, NULL);
	world_use_two(&w);
	cr_assert(has_outcome(w.e, "ok", "\"service\":\"raw\""));
	cr_assert(egress_log_line(w.e, "\"kind\":\"request\"", "api") != NULL);
	cr_expect(egress_log_line(w.e, "\"caller_uris\":\"",
		      "spiffe://default/web") != NULL);
	cr_expect_eq(replay(&w, "resources", w.e->access_path), 0, "%s", out);
	expect_said("2 decisions, 0 would change");
	write_other(&w, "batch", "kuma.io/service: batch");
	cr_expect_eq(replay(&w, "batch", w.e->access_path), 1, "%s", out);
	expect_said("allowed -> denied\n  spiffe://default/web for default/");
	expect_said("allow-all.yaml:1 ");
	expect_said("    now: no rule matches\n    1 times, from ");
	expect_said("2 decisions, 2 would change");
	world_end(&w);
}

/* By the zone in the certificate, which only caller_uris tells exactly. */
Test(replay, is_exact_about_tags)
{
	struct world w;

	world_start_two(&w, NULL);
	world_use_two(&w);
	cr_assert(has_outcome(w.e, "ok", "\"service\":\"raw\""));
	cr_assert(egress_log_line(w.e, "\"kind\":\"request\"", "api") != NULL);
	write_other(&w, "here", "kuma.io/zone: zone-1");
	cr_expect_eq(replay(&w, "here", w.e->access_path), 0, "%s", out);
	write_other(&w, "there", "kuma.io/zone: zone-2");
	cr_expect_eq(replay(&w, "there", w.e->access_path), 1, "%s", out);
	cr_expect(strstr(out, "caller_uris") == NULL, "%s", out);
	world_end(&w);
}

/* Service s, whose one server has version v1, and routes to v1 and v2. */
static void
start_versions(struct world *w)
{
	world_init(w, NULL);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "v1" });
	egress_writef(w->e, "s.yaml",
	    "type: ExternalService\nmesh: default\nname: s\ntags: { "
	    "kuma.io/service: s, version: v1 }\nnetworking: { address: "
	    "127.0.0.1:%u }\n",
	    ext_port(w->servers[0]));
	egress_write(w->e, "routes.yaml",
	    "type: TrafficRoute\nmesh: default\nname: r\nsources: [ { match: "
	    "{ kuma.io/service: '*' } } ]\ndestinations: [ { match: { "
	    "kuma.io/service: s } } ]\nconf:\n  split:\n"
	    "  - { weight: 1, destination: { kuma.io/service: s, version: v1 } "
	    "}\n"
	    "  - { weight: 1, destination: { kuma.io/service: s, version: v2 } "
	    "}\n");
	world_start(w);
}

/* Whether there was somebody for it. */
static bool
use_version(struct world *w, const char *version)
{
	struct mesh_options o = caller(w, "s");
	struct mesh_client m;
	char sni[64];
	bool is_open;

	(void)snprintf(sni, sizeof(sni), "s{mesh=default,version=%s}", version);
	o.sni = sni;
	is_open = mesh_open(&m, &o);
	if (is_open)
		check_echo(&m, version);
	mesh_close(&m);
	return is_open;
}

/* Nobody is denied where nobody is asked. */
Test(replay, tells_a_want_of_endpoints_from_denials)
{
	char command[512];
	struct world w;

	start_versions(&w);
	cr_expect_not(use_version(&w, "v2"));
	cr_expect(use_version(&w, "v1"));
	cr_assert(has_outcome(w.e, "no_endpoint_of_subset", NULL));
	cr_assert(has_outcome(w.e, "ok", "\"service\":\"s\""));
	cr_expect_eq(replay(&w, "resources", w.e->access_path), 0, "%s", out);
	expect_said("1 decisions, 0 would change; 1 lines tell of none");
	(void)snprintf(command, sizeof(command),
	    "cp -r %s/resources %s/v2 && sed -i "
	    "'/^tags/s/v1/v2/' %s/v2/s.yaml",
	    w.e->dir, w.e->dir, w.e->dir);
	cr_assert_eq(system(command), 0);
	cr_expect_eq(replay(&w, "v2", w.e->access_path), 1, "%s", out);
	expect_said("allowed -> no endpoint for the server name\n"
		    "  spiffe://default/web for default/s");
	cr_expect(strstr(out, "-> denied") == NULL, "%s", out);
	world_end(&w);
}

Test(replay, takes_older_logs_and_names_what_it_cannot_read)
{
	char path[512];
	struct world w;
	FILE *f;

	world_start_two(&w, NULL);
	(void)snprintf(path, sizeof(path), "%s/old.log", w.e->dir);
	f = fopen(path, "w");
	cr_assert_not_null(f);
	fputs("{\"time\":\"2026-01-01T00:00:00.000Z\",\"kind\":\"connection\","
	      "\"identity\":\"spiffe://default/web\",\"mesh\":\"default\","
	      "\"service\":\"raw\",\"sni\":\"raw{mesh=default}\","
	      "\"outcome\":\"denied\",\"rule\":\"no rule matches\"}\n"
	      "nonsense\n"
	      "{\"kind\":\"connection\",\"outcome\":\"no_sni\"}\n"
	      "{\"kind\":",
	    f);
	cr_assert_eq(fclose(f), 0);
	cr_expect_eq(replay(&w, "resources", path), 1, "%s", out);
	expect_said(
	    "denied -> allowed\n  spiffe://default/web for default/raw");
	expect_said("    was: no rule matches\n");
	expect_said("from 2026-01-01T00:00:00.000Z to ");
	expect_said("1 decisions, 1 would change; 1 lines tell of none\n");
	expect_said("1 do not have caller_uris");
	expect_said("2 lines could not be read: 2 4\n");
	world_end(&w);
}

Test(replay, says_what_is_wrong)
{
	struct world w;

	world_start_two(&w, NULL);
	cr_expect_eq(replay(&w, "resources", "/nowhere.log"), 2, "%s", out);
	expect_said("/nowhere.log: No such file");
	cr_expect_eq(replay(&w, "nowhere", w.e->access_path), 2, "%s", out);
	write_other(&w, "bad", "kuma.io/service: 'web' } }\n  - [");
	cr_expect_eq(replay(&w, "bad", w.e->access_path), 2, "%s", out);
	expect_said("p.yaml:");
	cr_expect_eq(egress_ctl_status(w.e, "replay", out, sizeof(out)), 2);
	world_end(&w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: who used what, over a crash, and as permissions. */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

static char out[65536];

/* Services raw (tcp) and api (http); the ledger is written twice a second. */
static void
start(struct world *w)
{
	char config[256];

	world_init(w, NULL);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	(void)world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(w->e,
	    &(struct es){ .name = "raw", .port = ext_port(w->servers[0]) });
	write_es(w->e, &(struct es){ .name = "api",
			   .protocol = "http",
			   .port = ext_port(w->servers[1]) });
	(void)snprintf(config, sizeof(config),
	    "state = \"%s\"; ledger = { interval_s = 1; };", w->e->dir);
	egress_configure(w->e, &(struct egress_options){
				   .config = config, .dns_port = w->dns_port });
	world_start(w);
}

static bool
says(struct world *w, const char *words, const char *part)
{
	return egress_ctl_status(w->e, words, out, sizeof(out)) == 0 &&
	       strstr(out, part) != NULL;
}

static bool
comes_to_say(struct world *w, const char *words, const char *part)
{
	return WAIT_UNTIL(5000, says(w, words, part));
}

/* Has the file on disk this text? */
static bool
is_kept(struct world *w, const char *text)
{
	char path[256];
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/ledger", w->e->dir);
	f = fopen(path, "r");
	if (f == NULL)
		return false;
	n = fread(out, 1, sizeof(out) - 1, f);
	out[n] = '\0';
	fclose(f);
	return strstr(out, text) != NULL;
}

Test(ledger, who_used_what)
{
	struct mesh_client m;
	struct world w;

	start(&w);
	cr_expect(says(&w, "ledger unused", "service    default/ES/raw not "));
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	/* While it is open. */
	cr_expect(comes_to_say(&w, "ledger",
		      "spiffe://default/web default/ES/raw 127.0.0.1:"),
	    "%s", out);
	cr_expect(strstr(out, " connections=1 bytes_in=") != NULL, "%s", out);
	mesh_close(&m);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect(comes_to_say(&w, "ledger", " requests=1 "), "%s", out);
	cr_expect(says(&w, "ledger --csv",
		      "\"spiffe://default/web\",\"default/ES/api\","),
	    "%s", out);
	/* Open or ended, a connection is counted once. */
	cr_expect(says(&w, "ledger top", "connections=1 bytes_in="), "%s", out);
	cr_expect(says(&w, "ledger unused", "all was used"), "%s", out);
	egress_remove(w.e, "allow-all.yaml");
	cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 0);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 403);
	cr_expect(comes_to_say(&w, "ledger", " denied=1 "), "%s", out);
	world_end(&w);
}

Test(ledger, survives_a_crash)
{
	struct mesh_client m;
	struct world w;

	start(&w);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_assert(WAIT_UNTIL(5000, is_kept(&w, "default/ES/raw")));
	egress_signal(w.e, SIGKILL);
	(void)egress_wait(w.e, 5000);
	cr_assert(egress_start(w.e));
	cr_expect(says(&w, "ledger", "default/ES/raw"), "%s", out);
	/* And what is not written yet when it ends in order. */
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_eq(egress_stop(w.e, 10000), 0);
	cr_expect(is_kept(&w, "default/ES/api"), "%s", out);
	cr_assert(egress_start(w.e));
	cr_expect(says(&w, "ledger", "default/ES/api"), "%s", out);
	world_end(&w);
}

/* What is suggested allows what was used, and nothing else. */
Test(ledger, suggestions_are_permissions)
{
	static char yaml[65536];
	struct mesh_client m;
	struct world w;

	start(&w);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_assert(comes_to_say(&w, "ledger suggest",
	    "targetRef: { kind: MeshService, name: \"raw\" }\n"));
	(void)snprintf(yaml, sizeof(yaml), "%s", out);
	egress_remove(w.e, "allow-all.yaml");
	egress_write(w.e, "suggested.yaml", yaml);
	cr_expect_eq(
	    egress_ctl_status(w.e, "reload", out, sizeof(out)), 0, "%s", out);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(says(&w, "explain web raw", "suggested.yaml:"), "%s", out);
	cr_expect(says(&w, "explain batch raw", "decision    denied"));
	cr_expect(says(&w, "explain web api", "decision    denied"));
	world_end(&w);
}

Test(ledger, may_be_off)
{
	struct world w;

	world_start_two(&w, "ledger = { entries = 0; };");
	cr_expect_eq(egress_ctl_status(w.e, "ledger", out, sizeof(out)), 1);
	cr_expect(strstr(out, "no ledger is kept") != NULL, "%s", out);
	world_end(&w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: who used what, over a crash, and as permissions. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/peers.h"

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

struct used {
	const struct pki *who;
	const char *service;
	bool is_mes;
	bool is_http;
};

/* One connection, or one request. */
static bool
may_use(struct world *w, const struct used *u)
{
	static const char get[] =
	    "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
	struct mesh_options o = caller(w, "");
	char answer[4096], c;
	struct mesh_client m;
	bool ok;

	o.sni = u->is_mes ? mes_sni(u->service) : sni_of(u->service);
	o.cert_pem = u->who->cert_pem;
	o.key_pem = u->who->key_pem;
	cr_assert(mesh_open(&m, &o), "%s: %s", u->service, m.error);
	if (u->is_http)
		ok = mesh_write(&m, get, strlen(get)) &&
		     mesh_read_response(&m, answer, sizeof(answer)) &&
		     status_of(answer) == 200;
	else
		ok = mesh_write(&m, "x\n", 2) && mesh_read(&m, &c, 1) == 1;
	mesh_close(&m);
	return ok;
}

/* The resources in force, with yaml in place of the permission for all. */
static int
replay_with(struct world *w, const char *yaml)
{
	char words[1024], command[1024], file[512];
	FILE *f;

	(void)snprintf(command, sizeof(command),
	    "cp -r %s/resources %s/used && rm %s/used/allow-all.yaml",
	    w->e->dir, w->e->dir, w->e->dir);
	cr_assert_eq(system(command), 0);
	(void)snprintf(file, sizeof(file), "%s/used/used.yaml", w->e->dir);
	f = fopen(file, "w");
	cr_assert(f != NULL && fputs(yaml, f) >= 0 && fclose(f) == 0);
	(void)snprintf(words, sizeof(words),
	    "replay %s --resources %s/used --config %s", w->e->access_path,
	    w->e->dir, w->e->config_path);
	return egress_ctl_status(w->e, words, out, sizeof(out));
}

/* Of both kinds, in both forms: all that was used, and nothing else. */
Test(ledger, suggestions_cover_all_that_was_used)
{
	static char yaml[65536];
	struct pki *batch, *odd;
	struct world w;

	start(&w);
	write_es(w.e, &(struct es){ .name = "first",
			  .service = "a_b-c_svc_80",
			  .port = ext_port(w.servers[0]) });
	write_es(w.e, &(struct es){ .name = "second",
			  .service = "a-b_c_svc_80",
			  .port = ext_port(w.servers[0]) });
	write_mes(w.e,
	    &(struct mes){ .name = "mes", .port = ext_port(w.servers[0]) });
	write_mes(w.e, &(struct mes){ .name = "web-mes",
			   .protocol = "http",
			   .port = ext_port(w.servers[1]) });
	cr_assert_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 0);
	batch = pki_sidecar(w.mesh_ca, "default", "batch", NULL);
	odd = pki_leaf_new(w.mesh_ca,
	    &(struct pki_options){ .sans = "URI:spiffe://default/ns/x/sa/y" });
	const struct used all[] = { { w.web, "raw", false, false },
		{ w.web, "a_b-c_svc_80", false, false },
		{ batch, "a-b_c_svc_80", false, false },
		{ w.web, "api", false, true }, { odd, "api", false, true },
		{ w.web, "mes", true, false }, { odd, "mes", true, false },
		{ batch, "web-mes", true, true } };
	const struct used never[] = { { batch, "raw", false, false },
		{ batch, "api", false, true }, { batch, "mes", true, false } };

	for (size_t i = 0; i < 8; i++)
		cr_assert(may_use(&w, &all[i]), "%zu", i);
	cr_assert(comes_to_say(&w, "ledger suggest", "used-mes-web-mes\n"));
	cr_assert(comes_to_say(&w, "ledger suggest", "ns/x/sa/y"));
	(void)snprintf(yaml, sizeof(yaml), "%s", out);
	cr_assert_not_null(
	    egress_log_line(w.e, "web-mes", "\"kind\":\"request\""));
	cr_expect_eq(replay_with(&w, yaml), 0, "%s", out);
	cr_expect(
	    strstr(out, "8 decisions, 0 would change") != NULL, "%s", out);
	egress_remove(w.e, "allow-all.yaml");
	egress_write(w.e, "suggested.yaml", yaml);
	cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 0,
	    "%s\n%s", out, yaml);
	for (size_t i = 0; i < 8; i++)
		cr_expect(may_use(&w, &all[i]), "%zu: %s", i, yaml);
	for (size_t i = 0; i < 3; i++)
		cr_expect_not(may_use(&w, &never[i]), "%zu: %s", i, yaml);
	world_end(&w);
	pki_free(batch);
	pki_free(odd);
}

/* Streams last for days: they are known before they end. */
Test(ledger, requests_under_way)
{
	char config[256];
	struct server *s;
	struct h2_talk *t;
	struct h2_peer *c;
	struct h1_peer *c1;
	struct rig r;

	rig_init(&r, NULL);
	s = rig_serve(&r, &(struct server_options){ .is_manual = true });
	rig_service(&r, "api", "http2", s);
	(void)snprintf(config, sizeof(config),
	    "state = \"%s\"; ledger = { interval_s = 1; };", r.w.e->dir);
	egress_configure(r.w.e, &(struct egress_options){ .config = config,
				    .dns_port = r.w.dns_port });
	rig_start(&r);
	c = call_h2(&r, "api");
	t = h2_ask(c, &(struct said){ .path = "/" });
	(void)h2_ask(c, &(struct said){ .path = "/" });
	c1 = call_h1(&r, "api");
	(void)h1_ask(c1, &(struct said){ .path = "/" });
	cr_expect(UNTIL(&r, says(&r.w, "ledger", " requests=3 ")), "%s", out);
	cr_expect(strstr(out, "default/ES/api 127.0.0.1:") != NULL, "%s", out);
	cr_expect(
	    UNTIL(&r, says(&r.w, "ledger", " connections=2 ")), "%s", out);
	cr_expect_not(t->in->ended);
	/* Ended, they are counted once. */
	line_reset(c->line);
	line_reset(c1->line);
	cr_expect(UNTIL(&r, egress_log_line(r.w.e, "\"kind\":\"connection\"",
				"\"requests\":2") != NULL));
	cr_expect(UNTIL(&r, is_kept(&r.w, "default/ES/api")));
	cr_expect(says(&r.w, "ledger", " requests=3 "), "%s", out);
	cr_expect(says(&r.w, "ledger", " connections=2 "), "%s", out);
	rig_end(&r);
}

Test(ledger, may_be_off)
{
	struct world w;

	world_start_two(&w, "ledger = { entries = 0; };");
	cr_expect_eq(egress_ctl_status(w.e, "ledger", out, sizeof(out)), 1);
	cr_expect(strstr(out, "no ledger is kept") != NULL, "%s", out);
	world_end(&w);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and keys that the configuration names: files that are exchanged
 * while the daemon serves, credentials of systemd, keys in a token.  Nobody is
 * told of a key.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "e2e/fixture.h"

#define CA "caCert: { secret: ext-ca }"
#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

struct keys {
	struct world w;
	struct ext_server *s; /* asks for a client certificate */
	struct pki *first;
	struct pki *second;
	char cert[128];
	char key[128];
};

static struct pki *
client_new(const struct world *w, const char *subject)
{
	return pki_leaf_new(
	    w->external_ca, &(struct pki_options){ .subject = subject });
}

/* Service "pair" has a client certificate from these two sources. */
static void
configure(struct keys *k, const char *cert, const char *key)
{
	char config[1024];

	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"pair\"; };\n"
	    "tls = { cert = \"%s\"; key = \"%s\"; }; } );\n",
	    cert, key);
	egress_configure(k->w.e, &(struct egress_options){ .config = config,
				     .dns_port = k->w.dns_port });
}

static void
keys_init(struct keys *k)
{
	struct world *w = &k->w;

	world_init(w, NULL);
	(void)snprintf(k->cert, sizeof(k->cert), "%s/client.pem", w->home);
	(void)snprintf(k->key, sizeof(k->key), "%s/client.key", w->home);
	k->first = client_new(w, "CN=first");
	k->second = client_new(w, "CN=second");
	k->s = world_serve_tls(w, "pair.example",
	    &(struct ext_config){ .protocol = EXT_RAW,
		.client_ca_pem = w->external_ca->cert_pem });
	write_es(w->e, &(struct es){ .name = "pair",
			   .host = "pair.example",
			   .port = ext_port(k->s),
			   .tls = CA });
	configure(k, k->cert, k->key);
}

static void
keys_end(struct keys *k)
{
	world_end(&k->w);
	pki_free(k->first);
	pki_free(k->second);
}

static bool
answers(struct world *w, const char *service)
{
	struct mesh_options o = caller(w, service);
	struct mesh_client m;
	char c;
	bool ok = mesh_open(&m, &o) && mesh_write(&m, "x", 1) &&
		  mesh_read(&m, &c, 1) == 1;

	mesh_close(&m);
	return ok;
}

static bool
shows(struct keys *k, const char *subject)
{
	return answers(&k->w, "pair") &&
	       strstr(seen(k->s).peer, subject) != NULL;
}

static bool
has_problem(struct world *w, const char *text)
{
	return WAIT_UNTIL(
	    5000, strstr(egress_ctl(w->e, "check"), text) != NULL);
}

static bool
is_mended(struct world *w)
{
	return WAIT_UNTIL(
	    5000, egress_metric(w->e, "zegress_resources_refused") == 0);
}

/* No line of the key is in it. */
static void
expect_no_key(const char *text, const char *pem, const char *where)
{
	char copy[8192], *line, *save = NULL;

	(void)snprintf(copy, sizeof(copy), "%s", pem);
	for (line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (line[0] != '-' && strlen(line) > 16)
			cr_expect_null(
			    strstr(text, line), "a key in %s", where);
}

static void
expect_secrecy(struct world *w, const char *pem)
{
	static const char *const words[] = { "status", "services -v", "check",
		"dump", "clusters" };
	static const char *const paths[] = { "/config_dump", "/clusters",
		"/stats/prometheus" };
	static char body[1 << 20];
	FILE *f;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		expect_no_key(egress_ctl(w->e, words[i]), pem, words[i]);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		cr_expect_eq(
		    egress_get(w->e, paths[i], body, sizeof(body)), 200);
		expect_no_key(body, pem, paths[i]);
	}
	f = fopen(w->e->log_path, "re");
	cr_assert_not_null(f);
	n = fread(body, 1, sizeof(body) - 1, f);
	body[n] = '\0';
	fclose(f);
	cr_expect_gt(n, 0);
	expect_no_key(body, pem, "the log");
}

Test(keys, a_pair_of_services_is_exchanged)
{
	struct mesh_client m;
	struct pki *other;
	struct keys k;

	keys_init(&k);
	other = client_new(&k.w, "CN=other");
	pki_write(k.first, k.cert, k.key);
	world_start(&k.w);
	cr_assert(shows(&k, "first"), "%s", seen(k.s).error);
	call(&k.w, &m, "pair");
	/* Half a pair: the old one serves, and the place is told. */
	pki_write(k.second, k.cert, NULL);
	cr_expect(has_problem(&k.w, "services.tls"), "half a pair");
	cr_expect(has_problem(&k.w, "zegressd.conf:"), "no place");
	cr_expect(shows(&k, "first"), "not the old pair: %s", seen(k.s).peer);
	/* One that does not belong to it. */
	pki_write(other, NULL, k.key);
	cr_expect(WAIT_UNTIL(5000, egress_said(k.w.e, "does not belong to")));
	cr_expect(shows(&k, "first"));
	cr_expect_gt(egress_metric(k.w.e, "zegress_resources_refused"), 0);
	expect_secrecy(&k.w, other->key_pem);
	/* Mended. */
	pki_write(k.second, NULL, k.key);
	cr_expect(is_mended(&k.w));
	cr_expect(WAIT_UNTIL(5000, shows(&k, "second")));
	/* Who is connected stays. */
	cr_assert(mesh_write(&m, "y", 1));
	cr_expect_eq(mesh_read_full(&m, &(char){ 0 }, 1), 1);
	mesh_close(&m);
	cr_assert_eq(unlink(k.key), 0);
	cr_expect(has_problem(&k.w, "services.tls.key"));
	cr_expect(shows(&k, "second"));
	expect_secrecy(&k.w, k.first->key_pem);
	expect_secrecy(&k.w, k.second->key_pem);
	pki_free(other);
	keys_end(&k);
}

/* A caller that would have to be refused ends the test. */
static bool
shows_and_answers(struct keys *k, const char *subject)
{
	cr_assert(answers(&k->w, "pair"), "on the way to %s", subject);
	return strstr(seen(k->s).peer, subject) != NULL;
}

/* Every caller is answered while the pair is exchanged again and again. */
Test(keys, nobody_notices)
{
	struct keys k;

	keys_init(&k);
	pki_write(k.first, k.cert, k.key);
	world_start(&k.w);
	for (int i = 0; i < 3; i++) {
		pki_write(k.second, k.cert, NULL);
		cr_expect(answers(&k.w, "pair"));
		pki_write(k.second, NULL, k.key);
		cr_expect(WAIT_UNTIL(8000, shows_and_answers(&k, "second")));
		pki_write(k.first, k.cert, k.key);
		cr_expect(WAIT_UNTIL(8000, shows_and_answers(&k, "first")));
	}
	keys_end(&k);
}

/* It is a matter of this service alone, and of the time until it is mended. */
Test(keys, a_pair_that_was_never_good)
{
	struct keys k;

	keys_init(&k);
	write_es(
	    k.w.e, &(struct es){ .name = "plain",
		       .port = ext_port(world_serve(&k.w,
			   &(struct ext_config){ .protocol = EXT_RAW })) });
	pki_write(k.first, k.cert, NULL);
	pki_write(k.second, NULL, k.key);
	world_start(&k.w);
	cr_expect(has_problem(&k.w, "pair.yaml"));
	cr_expect(answers(&k.w, "plain"));
	cr_expect_not(answers(&k.w, "pair"));
	cr_expect_eq(seen(k.s).connections, 0);
	pki_write(k.first, NULL, k.key);
	cr_expect(WAIT_UNTIL(5000, answers(&k.w, "pair")));
	cr_expect(shows(&k, "first"));
	keys_end(&k);
}

/* Our certificate, towards callers, has this name. */
static bool
is_answered_by(struct world *w, const char *uri)
{
	struct mesh_client m;
	bool is;

	call(w, &m, "echo");
	check_echo(&m, "ext");
	is = strstr(m.peer_uris, uri) != NULL;
	mesh_close(&m);
	return is;
}

/* Certificates of ours are exchanged without a signal. */
Test(keys, an_identity_is_exchanged)
{
	struct pki *old, *new;
	char config[512];
	struct keys k;

	keys_init(&k);
	old = pki_leaf_new(k.w.mesh_ca,
	    &(struct pki_options){
		.sans = "URI:spiffe://default/zone-egress,URI:kuma://n/1" });
	new = pki_leaf_new(k.w.mesh_ca,
	    &(struct pki_options){
		.sans = "URI:spiffe://default/zone-egress,URI:kuma://n/2" });
	(void)snprintf(config, sizeof(config),
	    "identity = ( { mesh = \"default\"; cert = \"%s\"; key = \"%s\"; } "
	    ");",
	    k.cert, k.key);
	egress_configure(k.w.e, &(struct egress_options){ .config = config,
				    .dns_port = k.w.dns_port });
	write_es(k.w.e, &(struct es){ .name = "echo",
			    .port = ext_port(world_serve(&k.w,
				&(struct ext_config){
				    .protocol = EXT_ECHO, .name = "ext" })) });
	pki_write(old, k.cert, k.key);
	world_start(&k.w);
	cr_expect(is_answered_by(&k.w, "kuma://n/1"));
	pki_write(new, k.cert, NULL);
	cr_expect(has_problem(&k.w, "identity"));
	cr_expect(is_answered_by(&k.w, "kuma://n/1"));
	pki_write(new, NULL, k.key);
	cr_expect(is_mended(&k.w));
	cr_expect(WAIT_UNTIL(5000, is_answered_by(&k.w, "kuma://n/2")),
	    "the new certificate never came");
	expect_secrecy(&k.w, new->key_pem);
	pki_free(old);
	pki_free(new);
	keys_end(&k);
}

/* What systemd hands over by LoadCredential=. */
Test(keys, credentials)
{
	struct keys k;

	keys_init(&k);
	configure(&k, "credential:client.pem", "credential:client.key");
	pki_write(k.first, k.cert, k.key);
	cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", k.w.home, 1), 0);
	world_start(&k.w);
	cr_expect(shows(&k, "first"), "%s", seen(k.s).error);
	pki_write(k.second, k.cert, k.key);
	cr_expect(WAIT_UNTIL(5000, shows(&k, "second")));
	cr_expect_eq(egress_stop(k.w.e, 10000), 0);
	/* Without systemd there are none. */
	cr_assert_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	cr_assert(egress_start(k.w.e));
	cr_expect(has_problem(&k.w, "LoadCredential=client.pem:"));
	cr_expect_not(answers(&k.w, "pair"));
	keys_end(&k);
}

static int
zegressd_t(struct keys *k, char *out, size_t cap)
{
	char words[256];

	(void)snprintf(words, sizeof(words), "-t -f %s", k->w.e->config_path);
	return run_program("zegressd", words, out, cap);
}

Test(keys, what_is_refused_in_the_configuration)
{
	static const struct {
		const char *cert, *key, *said;
	} rows[] = {
		{ "/a", "", "services.tls.cert: wants tls.cert and tls.key" },
		{ "", "/a", "services.tls.key: wants tls.cert and tls.key" },
		{ "/a", "credential:a/b", "services.tls.key: wants" },
		{ "/a", "pkcs11:object=a?pin-value=4711", "pin-source=" },
	};
	char out[8192];
	struct keys k;

	keys_init(&k);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		configure(&k, rows[i].cert, rows[i].key);
		cr_expect_eq(zegressd_t(&k, out, sizeof(out)), 1, "row %zu", i);
		cr_expect_not_null(strstr(out, rows[i].said), "%s", out);
		cr_expect_null(strstr(out, "4711"), "%s", out);
	}
	keys_end(&k);
}

/* The one with the Secrets of the resource is not what counts then. */
Test(keys, they_win_over_those_of_the_resource)
{
	struct keys k;

	keys_init(&k);
	egress_secret(k.w.e, "default", "cert", k.second->cert_pem);
	egress_secret(k.w.e, "default", "key", k.second->key_pem);
	write_es(k.w.e, &(struct es){ .name = "pair",
			    .host = "pair.example",
			    .port = ext_port(k.s),
			    .tls = CA ", clientCert: { secret: cert }, "
				      "clientKey: { secret: key }" });
	pki_write(k.first, k.cert, k.key);
	world_start(&k.w);
	cr_expect(shows(&k, "first"));
	keys_end(&k);
}

Test(keys, fips_is_refused_without_its_provider)
{
	char words[256], out[8192];
	struct keys k;

	if (access("/usr/lib/ssl/fipsmodule.cnf", F_OK) == 0)
		cr_skip("this host has OpenSSL's FIPS provider");
	keys_init(&k);
	egress_configure(k.w.e,
	    &(struct egress_options){ .config = "fips = true;\n"
						"tls_records = \"auto\";\n" });
	(void)snprintf(words, sizeof(words), "-f %s", k.w.e->config_path);
	cr_expect_eq(run_program("zegressd", words, out, sizeof(out)), 1);
	cr_expect_not_null(strstr(out, "fips: "), "%s", out);
	cr_expect(
	    strstr(out, "fipsinstall") != NULL || strstr(out, "AWS-LC") != NULL,
	    "no remedy: %s", out);
	cr_expect_eq(zegressd_t(&k, out, sizeof(out)), 1);
	cr_expect_not_null(strstr(out, "fips: "), "%s", out);
	keys_end(&k);
}

/* A resource that knows how a token's key is written leads to none. */
Test(keys, resources_cannot_name_a_token)
{
	char tls[4096];
	struct keys k;

	keys_init(&k);
	egress_configure(
	    k.w.e, &(struct egress_options){ .dns_port = k.w.dns_port });
	(void)snprintf(tls, sizeof(tls),
	    CA ", clientCert: { inlineString: %s }, "
	       "clientKey: { inlineString: \"pkcs11:object=any\" }",
	    quoted(k.first->cert_pem));
	write_es(k.w.e, &(struct es){ .name = "pair",
			    .host = "pair.example",
			    .port = ext_port(k.s),
			    .tls = tls });
	world_start(&k.w);
	cr_expect(has_problem(&k.w, "there is no private key in it"));
	cr_expect_not(answers(&k.w, "pair"));
	keys_end(&k);
}

static bool run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bool
run(const char *fmt, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(command, sizeof(command), fmt, ap);
	va_end(ap);
	return system(command) == 0;
}

/* A SoftHSM of this test with the key of p; false: there is none here. */
static bool
make_token(struct keys *k, const struct pki *p)
{
	char path[160];
	FILE *f;

	if (access(SOFTHSM, R_OK) != 0 ||
	    !run("command -v softhsm2-util >/dev/null"))
		return false;
	(void)snprintf(path, sizeof(path), "%s/softhsm.conf", k->w.home);
	f = fopen(path, "we");
	cr_assert_not_null(f);
	(void)fprintf(f, "directories.tokendir = %s/tokens\n", k->w.home);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(setenv("SOFTHSM2_CONF", path, 1), 0);
	cr_assert_eq(setenv("PKCS11_MODULE_PATH", SOFTHSM, 1), 0);
	pki_write(p, k->cert, k->key);
	cr_assert(run("cd %s && mkdir tokens && printf 4711 >pin && "
		      "softhsm2-util --init-token --free --label zegress "
		      "--pin 4711 --so-pin 1174 >/dev/null && "
		      "openssl pkcs8 -topk8 -nocrypt -in client.key "
		      "-out client.p8 && "
		      "softhsm2-util --import client.p8 --token zegress "
		      "--label client --id 01 --pin 4711 >/dev/null && "
		      "rm client.p8 client.key",
	    k->w.home));
	return true;
}

/* The key never leaves its token; the certificate is a file. */
Test(keys, a_key_in_a_token)
{
	char uri[256];
	struct keys k;
	bool has_token;

	keys_init(&k);
	has_token = make_token(&k, k.first);
	(void)snprintf(uri, sizeof(uri),
	    "pkcs11:token=zegress;object=client;type=private?pin-source=file:"
	    "%s/pin",
	    k.w.home);
	configure(&k, k.cert, uri);
	if (!has_token) {
		keys_end(&k);
		cr_skip("no SoftHSM here (softhsm2)");
	}
	world_start(&k.w);
	if (strstr(egress_ctl(k.w.e, "check"), "libengine-pkcs11") != NULL ||
	    strstr(egress_ctl(k.w.e, "check"), "AWS-LC") != NULL) {
		keys_end(&k);
		cr_skip("no engine pkcs11 here (libengine-pkcs11-openssl)");
	}
	cr_expect(shows(&k, "first"), "%s: %s", seen(k.s).error,
	    egress_ctl(k.w.e, "check"));
	for (int i = 0; i < 20; i++)
		cr_expect(shows(&k, "first"));
	/* Read again, also behind the sandbox; it is the same key. */
	cr_expect_not_null(
	    strstr(egress_ctl(k.w.e, "reload"), "nothing is refused"), "%s",
	    egress_ctl(k.w.e, "check"));
	cr_expect(shows(&k, "first"));
	/* A certificate of another key does not go with it. */
	pki_write(k.second, k.cert, NULL);
	cr_expect(has_problem(&k.w, "does not belong to"));
	cr_expect(shows(&k, "first"));
	cr_expect_null(strstr(egress_ctl(k.w.e, "services -v"), "4711"));
	expect_secrecy(&k.w, k.first->key_pem);
	keys_end(&k);
}

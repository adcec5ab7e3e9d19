/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/key_files.h: pairs change together, or not at all. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "daemon/config.h"
#include "daemon/key_files.h"
#include "support/pki.h"
#include "tls/tls_init.h"
#include "unit/feed/tree.h"

struct rig {
	struct tree tree;
	struct config config;
	struct config_identity identity;
	struct key_files *files;
	struct problems pr;
	struct pki *ca;
	struct pki *a;
	struct pki *b;
	char paths[3][128];
};

static void
rig_init(struct rig *r)
{
	*r = (struct rig){ .config = { .n_identities = 1 } };
	tls_init();
	tree_init(&r->tree);
	strcpy(r->paths[0], tree_path(&r->tree, "cert"));
	strcpy(r->paths[1], tree_path(&r->tree, "key"));
	strcpy(r->paths[2], tree_path(&r->tree, "ca"));
	r->identity = (struct config_identity){
		.mesh = "m",
		.cert = r->paths[0],
		.key = r->paths[1],
		.ca = "",
		.file = "c",
		.line = 7,
	};
	r->config.identities = &r->identity;
	r->ca = pki_mesh_ca("m");
	r->a = pki_sidecar(r->ca, "m", "zone-egress", NULL);
	r->b = pki_sidecar(r->ca, "m", "zone-egress", NULL);
	r->files = key_files_new();
}

static void
rig_fini(struct rig *r)
{
	key_files_free(r->files);
	problems_free(&r->pr);
	pki_free(r->a);
	pki_free(r->b);
	pki_free(r->ca);
	tree_fini(&r->tree);
}

/* Read again; errors is how many problems that may cause. */
static const struct given_identity *
reread(struct rig *r, size_t errors, const char *what)
{
	const struct given_identity *g;
	size_t n;

	problems_free(&r->pr);
	r->pr = PROBLEMS_NONE;
	key_files_read(r->files, &r->config, &r->pr);
	g = key_files_identities(r->files, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(
	    r->pr.errors, errors, "%s: %zu errors", what, r->pr.errors);
	return g;
}

Test(key_files, a_pair_changes_together)
{
	const struct given_identity *g;
	struct rig r;

	rig_init(&r);
	pki_write(r.a, r.paths[0], r.paths[1]);
	g = reread(&r, 0, "the first pair");
	cr_expect_str_eq(g->mesh, "m");
	cr_expect(str_eq(g->cert_pem, str_of(r.a->cert_pem)));
	cr_expect(str_eq(g->key_pem, str_of(r.a->key_pem)));
	cr_expect_eq(g->ca_pem.len, 0);
	pki_write(r.b, r.paths[0], NULL);
	g = reread(&r, 1, "half a change");
	cr_expect(str_eq(g->cert_pem, str_of(r.a->cert_pem)));
	cr_expect(str_eq(g->key_pem, str_of(r.a->key_pem)));
	cr_expect_str_eq(r.pr.v[0].file, "c");
	cr_expect_eq(r.pr.v[0].line, 7);
	pki_write(r.b, NULL, r.paths[1]);
	g = reread(&r, 0, "the other half");
	cr_expect(str_eq(g->cert_pem, str_of(r.b->cert_pem)));
	cr_expect(str_eq(g->key_pem, str_of(r.b->key_pem)));
	rig_fini(&r);
}

Test(key_files, what_is_gone_goes_on_serving)
{
	const struct given_identity *g;
	struct rig r;

	rig_init(&r);
	r.identity.ca = r.paths[2];
	pki_write(r.a, r.paths[0], r.paths[1]);
	pki_write(r.ca, r.paths[2], NULL);
	g = reread(&r, 0, "all three");
	cr_expect(str_eq(g->ca_pem, str_of(r.ca->cert_pem)));
	tree_remove(&r.tree, "ca");
	g = reread(&r, 1, "no CA");
	cr_expect(str_eq(g->ca_pem, str_of(r.ca->cert_pem)));
	tree_write(&r.tree, "ca", "not PEM");
	g = reread(&r, 1, "a bad CA");
	cr_expect(str_eq(g->ca_pem, str_of(r.ca->cert_pem)));
	cr_expect(str_eq(g->cert_pem, str_of(r.a->cert_pem)));
	rig_fini(&r);
}

/* An empty certificate has the mesh refused; leaving it out would mint one. */
Test(key_files, what_was_never_good_is_empty)
{
	const struct given_identity *g;
	struct rig r;

	rig_init(&r);
	g = reread(&r, 2, "no files");
	cr_expect_str_eq(g->mesh, "m");
	cr_expect_eq(g->cert_pem.len, 0);
	cr_expect_eq(g->key_pem.len, 0);
	rig_fini(&r);
}

static struct service_entry
entry_of(const char *cert, const char *key, unsigned line)
{
	return (struct service_entry){
		.file = "c",
		.line = line,
		.options = { .tls_cert = str_of(cert), .tls_key = str_of(key) },
	};
}

/* Read again, with these entries of services and no identity. */
static const struct given_pair *
reread_pairs(struct rig *r, struct service_entry *v, size_t n, size_t wanted,
    size_t errors, const char *what)
{
	const struct given_pair *p;
	size_t found;

	problems_free(&r->pr);
	r->pr = PROBLEMS_NONE;
	r->config.n_identities = 0;
	r->config.services = v;
	r->config.n_services = n;
	key_files_read(r->files, &r->config, &r->pr);
	p = key_files_pairs(r->files, &found);
	cr_assert_eq(found, wanted, "%s: %zu pairs", what, found);
	cr_expect_eq(
	    r->pr.errors, errors, "%s: %zu errors", what, r->pr.errors);
	return p;
}

/* Many services may name the same files, and many name none. */
Test(key_files, pairs_of_services)
{
	const struct given_pair *p;
	struct service_entry v[4];
	struct rig r;

	rig_init(&r);
	v[0] = entry_of("", "", 1);
	v[1] = entry_of(r.paths[0], r.paths[1], 2);
	v[2] = entry_of(r.paths[0], r.paths[1], 3);
	v[3] = entry_of(r.paths[2], r.paths[1], 4);
	pki_write(r.a, r.paths[0], r.paths[1]);
	pki_write(r.b, r.paths[2], NULL);
	p = reread_pairs(&r, v, 4, 2, 1, "one that does not fit");
	cr_expect_eq(r.pr.v[0].line, 4);
	cr_expect_str_eq(r.pr.v[0].path, "services.tls");
	cr_expect_lt(given_pair_cmp(&p[0], &p[1]), 0);
	/* "…/ca" stands before "…/cert". */
	cr_expect(str_eq(p[0].cert, str_of(r.paths[2])));
	cr_expect_eq(p[0].cert_pem.len, 0);
	cr_expect(str_eq(p[1].cert, str_of(r.paths[0])));
	cr_expect(str_eq(p[1].key_pem, str_of(r.a->key_pem)));
	/* Half of it is gone: what was good stays. */
	tree_remove(&r.tree, "key");
	p = reread_pairs(&r, v, 2, 1, 1, "half a pair");
	cr_expect_eq(r.pr.v[0].line, 2);
	cr_expect_str_eq(r.pr.v[0].path, "services.tls.key");
	cr_expect(str_eq(p[0].cert_pem, str_of(r.a->cert_pem)));
	cr_expect(str_eq(p[0].key_pem, str_of(r.a->key_pem)));
	rig_fini(&r);
}

/* What changed is noticed, and told when it does not move any more. */
Test(key_files, changes_are_seen)
{
	struct rig r;

	rig_init(&r);
	pki_write(r.a, r.paths[0], r.paths[1]);
	(void)reread(&r, 0, "the first pair");
	cr_expect_eq(key_files_count(r.files), 2);
	cr_expect_eq(key_files_look(r.files), FILE_SAME);
	tree_remove(&r.tree, "cert");
	cr_expect_eq(key_files_look(r.files), FILE_MOVING);
	pki_write(r.b, r.paths[0], r.paths[1]);
	cr_expect_eq(key_files_look(r.files), FILE_MOVING);
	cr_expect_eq(key_files_look(r.files), FILE_CHANGED);
	(void)reread(&r, 0, "the other pair");
	cr_expect_eq(key_files_look(r.files), FILE_SAME);
	/* What is not there is waited for as well. */
	tree_remove(&r.tree, "key");
	(void)reread(&r, 1, "half of it");
	cr_expect_eq(key_files_look(r.files), FILE_SAME);
	pki_write(r.b, NULL, r.paths[1]);
	cr_expect_eq(key_files_look(r.files), FILE_MOVING);
	cr_expect_eq(key_files_look(r.files), FILE_CHANGED);
	rig_fini(&r);
}

/* LoadCredential= of the unit. */
Test(key_files, credentials)
{
	const struct given_identity *g;
	struct rig r;

	rig_init(&r);
	r.identity.cert = "credential:cert";
	r.identity.key = "credential:key";
	pki_write(r.a, r.paths[0], r.paths[1]);
	cr_assert_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	(void)reread(&r, 2, "without systemd");
	cr_expect_not_null(strstr(r.pr.v[0].message, "LoadCredential=cert:"),
	    "%s", r.pr.v[0].message);
	cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", r.tree.path, 1), 0);
	g = reread(&r, 0, "with it");
	cr_expect(str_eq(g->key_pem, str_of(r.a->key_pem)));
	rig_fini(&r);
}

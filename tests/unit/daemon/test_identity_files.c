/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/identity_files.h: pairs change together, or not at all. */

#include <criterion/criterion.h>
#include <string.h>

#include "base/problem.h"
#include "daemon/config.h"
#include "daemon/identity_files.h"
#include "support/pki.h"
#include "tls/tls_init.h"
#include "unit/feed/tree.h"

struct rig {
	struct tree tree;
	struct config config;
	struct config_identity identity;
	struct identity_files *files;
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
	r->files = identity_files_new();
}

static void
rig_fini(struct rig *r)
{
	identity_files_free(r->files);
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
	identity_files_read(r->files, &r->config, &r->pr);
	g = identity_files_get(r->files, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(
	    r->pr.errors, errors, "%s: %zu errors", what, r->pr.errors);
	return g;
}

Test(identity_files, a_pair_changes_together)
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

Test(identity_files, what_is_gone_goes_on_serving)
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
Test(identity_files, what_was_never_good_is_empty)
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

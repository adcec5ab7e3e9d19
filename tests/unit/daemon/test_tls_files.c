/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/tls_files.h: what is good goes on counting. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/problem.h"
#include "daemon/config.h"
#include "daemon/tls_files.h"
#include "support/pki_revoke.h"
#include "tls/tls_init.h"
#include "unit/feed/tree.h"

struct rig {
	struct tree tree;
	struct config config;
	struct service_entry entries[2];
	struct str lists[2];
	struct tls_files *files;
	struct problems pr;
	struct pki *ca;
	char *crl;
	char paths[3][128];
};

/* Entry one names ca and a; entry two ca again, a and b. */
static void
rig_init(struct rig *r)
{
	static const char *const names[] = { "ca", "a", "b" };
	size_t i;

	*r = (struct rig){ .config = { .n_services = 2 } };
	tls_init();
	tree_init(&r->tree);
	for (i = 0; i < 3; i++)
		strcpy(r->paths[i], tree_path(&r->tree, names[i]));
	for (i = 0; i < 2; i++) {
		r->lists[i] = str_of(r->paths[i + 1]);
		r->entries[i] = (struct service_entry){ .file = "c",
			.line = 7 + (unsigned)i };
		r->entries[i].given[SERVICE_OPTION_TLS_CA] = true;
		r->entries[i].given[SERVICE_OPTION_TLS_CRL] = true;
		r->entries[i].options.tls_ca = str_of(r->paths[0]);
		r->entries[i].options.tls_crl =
		    (struct str_list){ r->lists, i + 1 };
	}
	r->config.services = r->entries;
	r->ca = pki_mesh_ca("m");
	r->crl = pki_crl(r->ca, 0, NULL);
	r->files = tls_files_new();
	tree_write(&r->tree, "ca", r->ca->cert_pem);
	tree_write(&r->tree, "a", r->crl);
	tree_write(&r->tree, "b", r->crl);
}

static void
rig_fini(struct rig *r)
{
	tls_files_free(r->files);
	problems_free(&r->pr);
	free(r->crl);
	pki_free(r->ca);
	tree_fini(&r->tree);
}

static struct str
get(const struct rig *r, size_t path)
{
	const struct given_file *v;
	size_t n, i;

	v = tls_files_get(r->files, &n);
	cr_assert_eq(n, 3, "each once");
	for (i = 0; i < n; i++)
		if (str_eq(v[i].path, str_of(r->paths[path])))
			return v[i].bytes;
	cr_assert_fail("%s is not there", r->paths[path]);
	return STR_NONE;
}

static void
read_again(struct rig *r)
{
	problems_free(&r->pr);
	r->pr = PROBLEMS_NONE;
	tls_files_read(r->files, &r->config, &r->pr);
}

Test(tls_files, each_is_read_once)
{
	struct rig r;

	rig_init(&r);
	read_again(&r);
	cr_expect_eq(r.pr.n, 0);
	cr_expect(str_eq(get(&r, 0), str_of(r.ca->cert_pem)));
	cr_expect(str_eq(get(&r, 1), str_of(r.crl)));
	cr_expect(str_eq(get(&r, 2), str_of(r.crl)));
	rig_fini(&r);
}

Test(tls_files, the_last_good_one_stays)
{
	struct text said = TEXT_EMPTY;
	struct rig r;
	size_t i;

	rig_init(&r);
	tree_write(&r.tree, "b", "nonsense");
	read_again(&r);
	cr_assert_eq(r.pr.n, 1);
	cr_expect_eq(r.pr.v[0].line, 8);
	cr_expect_null(get(&r, 2).p, "it was never good");
	tree_write(&r.tree, "a", r.ca->cert_pem);
	tree_write(&r.tree, "ca", r.crl);
	for (i = 0; i < 2; i++) {
		read_again(&r);
		cr_assert_eq(r.pr.n, 3);
		cr_expect(str_eq(get(&r, 0), str_of(r.ca->cert_pem)));
		cr_expect(str_eq(get(&r, 1), str_of(r.crl)));
	}
	problem_print(&r.pr.v[0], &said);
	cr_expect(str_starts(text_str(&said), STR("c:7: services.tls.ca: ")),
	    "%s", said.p);
	cr_expect(str_ends(text_str(&said),
		      STR("; what was good before goes on counting")),
	    "%s", said.p);
	text_free(&said);
	rig_fini(&r);
}

/* What is no path is not looked for. */
Test(tls_files, words_are_no_paths)
{
	struct rig r;
	size_t n;

	rig_init(&r);
	r.entries[0].options.tls_ca = STR("system");
	r.entries[1].options.tls_ca = STR("auto");
	r.entries[0].given[SERVICE_OPTION_TLS_CRL] = false;
	r.entries[1].given[SERVICE_OPTION_TLS_CRL] = false;
	read_again(&r);
	(void)tls_files_get(r.files, &n);
	cr_expect_eq(n, 0);
	cr_expect_eq(r.pr.n, 0);
	rig_fini(&r);
}

/* What changed is noticed, and told when it does not move any more. */
Test(tls_files, changes_are_seen)
{
	struct rig r;

	rig_init(&r);
	read_again(&r);
	cr_expect_eq(tls_files_count(r.files), 3);
	cr_expect_eq(tls_files_look(r.files), FILE_SAME);
	tree_remove(&r.tree, "b");
	cr_expect_eq(tls_files_look(r.files), FILE_MOVING);
	cr_expect_eq(tls_files_look(r.files), FILE_CHANGED);
	tree_write(&r.tree, "a", "nonsense");
	cr_expect_eq(tls_files_look(r.files), FILE_MOVING);
	read_again(&r);
	cr_expect_eq(r.pr.n, 2);
	/* What is not there, or makes no sense, is waited for as well. */
	cr_expect_eq(tls_files_look(r.files), FILE_SAME);
	tree_write(&r.tree, "b", r.crl);
	cr_expect_eq(tls_files_look(r.files), FILE_MOVING);
	cr_expect_eq(tls_files_look(r.files), FILE_CHANGED);
	rig_fini(&r);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Thousands of services with the same CA inline hold it once. */

#include <criterion/criterion.h>

#include "base/xalloc.h"
#include "model/external_service.h"
#include "model/shared_bytes.h"
#include "model/store.h"

#define SERVICE(name, ca)                                      \
	"type: ExternalService\nmesh: default\nname: " name    \
	"\ntags: { kuma.io/service: " name                     \
	" }\nnetworking:\n  address: example.com:443\n  tls: " \
	"{ enabled: true, caCert: { " ca " } }\n"
#define PEM "inline: Y2VydGlmaWNhdGU="

static void
put(struct store *st, const char *path, const char *text)
{
	store_put_file(st, path, str_of(text));
	(void)store_commit(st);
}

static struct str
ca_of(const struct store *st, const char *name)
{
	const struct resource *r =
	    store_find(st, KIND_EXTERNAL_SERVICE, STR("default"), str_of(name));

	cr_assert_not_null(r, "%s is not in force", name);
	return external_service_of(r)->tls.ca_cert.value;
}

Test(shared_bytes, one_copy_until_the_last_is_dropped)
{
	struct str a = shared_bytes_take(STR("one"));
	struct str b = shared_bytes_take(STR("one"));
	struct str c = shared_bytes_take(STR("two"));

	cr_expect_eq(a.p, b.p);
	cr_expect_neq(a.p, c.p);
	cr_expect_eq(a.p[a.len], '\0');
	shared_bytes_drop(a);
	cr_expect(str_eq(b, STR("one")), "somebody still holds it");
	shared_bytes_drop(b);
	shared_bytes_drop(c);
	shared_bytes_drop(STR_NONE);
	cr_expect_null(shared_bytes_take(STR_NONE).p);
	a = shared_bytes_take(STR(""));
	cr_expect_not_null(a.p);
	cr_expect_eq(a.len, 0);
	shared_bytes_drop(a);
}

Test(shared_bytes, equal_sources_of_documents)
{
	struct store *st = store_new();
	struct str ca;

	put(st, "a.yaml",
	    SERVICE("a", PEM) "---\n" SERVICE("b", PEM) "---\n" SERVICE(
		"c", "inlineString: certificate"));
	put(st, "d.yaml",
	    SERVICE("d", "secret: certificate") "---\n" SERVICE(
		"e", "inlineString: other"));
	ca = ca_of(st, "a");
	cr_expect(str_eq(ca, STR("certificate")));
	cr_expect_eq(ca_of(st, "b").p, ca.p);
	cr_expect_eq(ca_of(st, "c").p, ca.p, "however it was written");
	cr_expect(str_eq(ca_of(st, "d"), STR("certificate")));
	cr_expect(str_eq(ca_of(st, "e"), STR("other")));
	cr_expect_eq(
	    store_find(st, KIND_EXTERNAL_SERVICE, STR("default"), STR("a"))
		->file,
	    store_find(st, KIND_EXTERNAL_SERVICE, STR("default"), STR("b"))
		->file,
	    "and so is the path");
	/* It outlives the first that had it. */
	put(st, "a.yaml", SERVICE("b", PEM));
	cr_expect(str_eq(ca_of(st, "b"), STR("certificate")));
	put(st, "a.yaml", SERVICE("b", "inlineString: changed"));
	cr_expect(str_eq(ca_of(st, "b"), STR("changed")));
	store_free(st);
}

/* Both spellings are an error, and neither is forgotten (leak check). */
Test(shared_bytes, a_source_that_is_given_twice)
{
	struct store *st = store_new();

	put(st, "a.yaml",
	    SERVICE("a", "inlineString: one }, ca_cert: { inlineString: two"));
	cr_expect_gt(store_problems(st)->errors, 0);
	store_free(st);
}

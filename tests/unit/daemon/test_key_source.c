/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/key_source.h: what may stand there, and where that leads. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "daemon/key_source.h"

Test(key_source, what_may_be_written)
{
	static const struct {
		const char *source;
		enum key_source_kind kind;
		const char *wrong; /* NULL: it is well written */
	} rows[] = {
		{ "/etc/ssl/key.pem", KEY_IN_FILE, NULL },
		{ "key.pem", KEY_IN_FILE, NULL },
		{ "credential:a.key", KEY_IN_CREDENTIAL, NULL },
		{ "credential:", KEY_IN_CREDENTIAL, "LoadCredential=" },
		{ "credential:a/b", KEY_IN_CREDENTIAL, "LoadCredential=" },
		{ "credential:..", KEY_IN_CREDENTIAL, "LoadCredential=" },
		{ "credential:.", KEY_IN_CREDENTIAL, "LoadCredential=" },
		{ "pkcs11:token=a;object=b", KEY_IN_TOKEN, NULL },
		{ "pkcs11:token=a?pin-source=file:/pin", KEY_IN_TOKEN, NULL },
		{ "pkcs11:token=a?pin-value=1234", KEY_IN_TOKEN,
		    "pin-source=" },
		{ "pkcs11:token=a;pin-value=1234", KEY_IN_TOKEN,
		    "pin-source=" },
	};
	struct text why;
	bool is_good;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		why = TEXT_EMPTY;
		cr_expect_eq(key_source_kind(rows[i].source), rows[i].kind,
		    "%s", rows[i].source);
		is_good = key_source_check(rows[i].source, &why);
		cr_expect_eq(
		    is_good, rows[i].wrong == NULL, "%s", rows[i].source);
		if (rows[i].wrong != NULL && !is_good)
			cr_expect_not_null(
			    strstr(why.p, rows[i].wrong), "%s", why.p);
		/* Nobody's PIN is repeated. */
		cr_expect(why.p == NULL || strstr(why.p, "1234") == NULL);
		text_free(&why);
	}
}

Test(key_source, paths)
{
	struct text why = TEXT_EMPTY;
	char *path;

	path = key_source_path("/a/b", &why);
	cr_expect_str_eq(path, "/a/b");
	free(path);
	cr_assert_eq(setenv("CREDENTIALS_DIRECTORY", "/run/c", 1), 0);
	path = key_source_path("credential:k", &why);
	cr_expect_str_eq(path, "/run/c/k");
	free(path);
	cr_expect_eq(why.len, 0);
	cr_expect_null(key_source_path("credential:../k", &why));
	text_clear(&why);
	cr_assert_eq(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	cr_expect_null(key_source_path("credential:k", &why));
	cr_expect_not_null(strstr(why.p, "LoadCredential=k:"), "%s", why.p);
	text_free(&why);
}

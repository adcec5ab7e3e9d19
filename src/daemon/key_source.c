/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three ways to say where a key is.  A PIN may not stand in a URI: options
 * are printed, and a file has permissions.  Main thread.
 */

#include "daemon/key_source.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define CREDENTIAL STR("credential:")
#define TOKEN STR("pkcs11:")
#define PIN "pin-value="

enum key_source_kind
key_source_kind(const char *source)
{
	struct str s = str_of(source);

	if (str_starts(s, CREDENTIAL))
		return KEY_IN_CREDENTIAL;
	return str_starts(s, TOKEN) ? KEY_IN_TOKEN : KEY_IN_FILE;
}

/* It names a file in one directory, and no other. */
static bool
is_credential_name(struct str name)
{
	return name.len > 0 && str_index(name, '/') == -1 &&
	       !str_eq(name, STR(".")) && !str_eq(name, STR(".."));
}

static bool
check_credential(struct str s, struct text *why)
{
	if (is_credential_name(str_from(s, CREDENTIAL.len)))
		return true;
	text_add_z(why, "wants credential:NAME, NAME as in LoadCredential= of "
			"the unit");
	return false;
}

static bool
check_token(struct str s, struct text *why)
{
	if (memmem(s.p, s.len, PIN, strlen(PIN)) == NULL)
		return true;
	text_add_z(why, "has the PIN in it, where everybody can read it: put "
			"it into a file of its own, and write "
			"pin-source=file:/path instead of pin-value");
	return false;
}

bool
key_source_check(const char *source, struct text *why)
{
	switch (key_source_kind(source)) {
	case KEY_IN_CREDENTIAL:
		return check_credential(str_of(source), why);
	case KEY_IN_TOKEN:
		return check_token(str_of(source), why);
	case KEY_IN_FILE:
		break;
	}
	return true;
}

static char *
credential_path(struct str name, struct text *why)
{
	const char *dir = secure_getenv("CREDENTIALS_DIRECTORY");

	if (dir != NULL && dir[0] != '\0')
		return xasprintf("%s/%.*s", dir, STR_ARG(name));
	text_addf(why,
	    "there are no credentials, $CREDENTIALS_DIRECTORY is not set: "
	    "start by systemd, with LoadCredential=%.*s:/path in the unit",
	    STR_ARG(name));
	return NULL;
}

char *
key_source_path(const char *source, struct text *why)
{
	struct str s = str_of(source);

	if (!str_starts(s, CREDENTIAL))
		return xstrdup(source);
	if (!check_credential(s, why))
		return NULL;
	return credential_path(str_from(s, CREDENTIAL.len), why);
}

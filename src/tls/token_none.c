/* SPDX-License-Identifier: Apache-2.0 */
/* Where the library has no engines there are no tokens.  Any thread. */

#include <stddef.h>

#include "tls/token.h"
#include "tls/token_key.h"

static bool
refuse(struct text *why)
{
	text_add_z(why, "this build uses AWS-LC, which has no PKCS #11: use a "
			"file or a credential, or a build with OpenSSL");
	return false;
}

bool
token_key(struct str uri, struct text *out, struct text *why)
{
	(void)uri;
	(void)out;
	return refuse(why);
}

bool
token_cert(struct str uri, struct text *out, struct text *why)
{
	(void)uri;
	(void)out;
	return refuse(why);
}

EVP_PKEY *
token_find(struct str name)
{
	(void)name;
	return NULL;
}

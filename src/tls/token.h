/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TOKEN_H
#define TLS_TOKEN_H

/*
 * Keys in a hardware module, by PKCS #11 URI (RFC 7512), through Debian's
 * libengine-pkcs11-openssl.  A key never leaves its token: what stands for it
 * where PEM is expected is a name, made at random, that nobody else knows.  So
 * resources, which others may write, cannot lead to a token.  What URIs are
 * tried is the configuration's; they may say which code is loaded.  token.c,
 * or token_none.c where the library has no engines.  Any thread.
 */

#include <stdbool.h>

#include "base/str.h"

/* False: why.  The same name as before, if it is the same key. */
bool token_key(struct str uri, struct text *out, struct text *why) MUST_CHECK;
/* As PEM. */
bool token_cert(struct str uri, struct text *out, struct text *why) MUST_CHECK;

#endif

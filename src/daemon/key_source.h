/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_KEY_SOURCE_H
#define DAEMON_KEY_SOURCE_H

/*
 * Where zegressd.conf says that a certificate or a key is: a file's path;
 * "credential:NAME", which systemd has put into $CREDENTIALS_DIRECTORY; or a
 * PKCS #11 URI (RFC 7512), whose key never leaves its token.  Main thread.
 */

#include <stdbool.h>

#include "base/str.h"

enum key_source_kind { KEY_IN_FILE, KEY_IN_CREDENTIAL, KEY_IN_TOKEN };

enum key_source_kind key_source_kind(const char *source);
/* Is it well written?  Whether anything is there is another question. */
bool key_source_check(const char *source, struct text *why) MUST_CHECK;
/* Of what is not in a token, the file, to free(); NULL: why. */
char *key_source_path(const char *source, struct text *why) MUST_CHECK;

#endif

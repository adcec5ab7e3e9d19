/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TLS_INIT_H
#define TLS_TLS_INIT_H

/*
 * The library context that everything in tls/ uses: default provider, or that
 * for FIPS 140; no openssl.cnf.  Once a process, before threads start.
 */

#include <stdbool.h>

#include "base/str.h"

void tls_init(void);
/*
 * In place of it: nothing but what the library's validated module approves of.
 * False: why, with a remedy; or it is too late.
 */
bool tls_init_fips(struct text *why) MUST_CHECK;
const char *tls_library_version(void);

#endif

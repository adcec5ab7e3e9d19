/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_TLS_INIT_H
#define TLS_TLS_INIT_H

/*
 * The library context that everything in tls/ uses: default provider, no
 * openssl.cnf.  Once a process, before threads start.
 */

#include "base/attr.h"

void tls_init(void);
const char *tls_library_version(void);

#endif

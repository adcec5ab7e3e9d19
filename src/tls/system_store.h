/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_SYSTEM_STORE_H
#define TLS_SYSTEM_STORE_H

/* The system's CA bundle, parsed once and shared by all contexts. */

#include <openssl/x509.h>

#include "base/str.h"

/* Path of the bundle; NULL when this host has none. */
const char *system_store_path(void);

/* Borrowed, for the life of the process; NULL with the reason.  Any thread. */
X509_STORE *system_store(struct text *why) MUST_CHECK;

#endif
